"""What reaches a process that this machine starts? What opens e-conomic goes to the adapter alone."""

import pytest

from deploy.local.demo.processes import GROUPS
from deploy.local.environment import ADAPTERS_OWN, given_to

WHOLE = {**dict.fromkeys(ADAPTERS_OWN, "a secret"), "DATABASE_URL": "postgresql://db/sync", "CONNECT_KEY": "shared"}


@pytest.mark.parametrize("group", GROUPS)
def test_what_opens_e_conomic_reaches_the_adapter_alone(group: str) -> None:
    package = GROUPS[group][0]
    given = given_to(package, WHOLE)
    assert set(ADAPTERS_OWN) & given.keys() == (set(ADAPTERS_OWN) if package == "economic_adapter" else set())
    assert {"DATABASE_URL", "CONNECT_KEY"} <= given.keys()
