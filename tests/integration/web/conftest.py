"""The pages on a real socket and a real database, and a browser that is only what the test makes it."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from tests.integration.web.browsing import Pages
from tests.integration.web.serving import served


@pytest.fixture
def pages(engine: sa.Engine) -> Iterator[Pages]:
    """The pages as most tests want them."""
    with served(engine) as made:
        yield made
