"""What do the fault tests of one file share? A world in which duties die, which costs more to make than to use."""

from collections.abc import Iterator

import pytest

from tests.faults.walk import Walker
from tests.prepared import Database, Vhosts


@pytest.fixture(scope="module")
def walker(
    _database: Database, _vhosts: Vhosts, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Walker]:
    """One world for all walks of a file; a file may say other ``CLOCKS``."""
    made = Walker(
        database=_database,
        vhosts=_vhosts,
        folder=tmp_path_factory.mktemp("walk"),
        seed=sum(map(ord, request.module.__name__)),
        clocks=getattr(request.module, "CLOCKS", {}),
    )
    yield made
    made.close()
