"""What if e-conomic is slow, hangs, fails, throttles, or does the work and loses the answer? Exactly one customer, in the end."""

from collections.abc import Iterator

import pytest

from crm_outbox import customers
from deploy.local.demo.processes import GROUPS as DEMO_GROUPS
from economic_adapter.sandbox.control import snapshot
from economic_adapter.sandbox.data import Data
from tests.duties import AGREEMENT
from tests.faults.world import World, world
from tests.prepared import Database, Vhosts
from tests.sandbox_fixture import running_sandbox
from tests.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(480)]

RETRY_AFTER = 12.0
"""Seconds that are enough for another agreement to get its customer meanwhile, on a busy machine too."""
AT_WORK = 4.0
"""Seconds after a 429 in which the answers of calls that had left before it may still come: a worker that did not obey would
call again and again, also after them."""
OTHER = 654321
"""The agreement of another tenant."""


@pytest.fixture(scope="module")
def running(_database: Database, _vhosts: Vhosts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with (
        running_sandbox() as sandbox,
        world(
            _database.ready(),
            _vhosts.ready(),
            sandbox,
            tmp_path_factory.mktemp("log"),
            seed=14,
            groups=DEMO_GROUPS,
        ) as made,
    ):
        made.create()
        made.rests()
        yield made


@pytest.fixture
def made(running: World) -> Iterator[World]:
    yield running
    running.product.sandbox.data.faults.clear()


def _known(made: World) -> str:
    return next(iter(made.ids))


def _people(made: World) -> None:
    """A new customer with a person, an edit of a known one on either side."""
    made.create()
    made.edit_crm(_known(made))
    made.edit_economic(_known(made), made.number(_known(made)))


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    ("method", "path"), [("POST", "*/customers"), ("POST", "*/contacts"), ("PUT", "*/customers/*")]
)
@pytest.mark.parametrize("honours_keys", [True, False])
def test_a_write_whose_answer_is_lost_is_done_once(
    made: World, method: str, path: str, when: str, honours_keys: bool
) -> None:
    data = made.product.sandbox.data
    data.settings.idempotency_seconds = 3600.0 if honours_keys else 0.0
    fault = data.faults.add("drop", method=method, path=path, when=when, count=3)
    _people(made)
    made.rests()
    data.settings.idempotency_seconds = 3600.0
    assert fault.hits >= 1


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_storm_of_failures_delays_and_nothing_more(made: World, status: int) -> None:
    fault = made.product.sandbox.data.faults.add("status", status=status, probability=0.7, seed=status, count=12)
    for _ in range(3):
        _people(made)
    made.rests()
    assert fault.hits == 12


def test_writes_that_are_done_and_answered_with_a_failure_are_done_once(made: World) -> None:
    fault = made.product.sandbox.data.faults.add("status", status=500, method="POST", when="after", count=4)
    _people(made)
    made.rests()
    assert fault.hits >= 2


@pytest.mark.parametrize("kind", ["slow", "hang", "half", "html", "drip"])
def test_answers_that_come_late_or_broken_are_survived(made: World, kind: str) -> None:
    how = {"drip": {"seconds": 0.001}, "slow": {"seconds": 1.0}, "hang": {"seconds": 1.0}}.get(kind, {})
    fault = made.product.sandbox.data.faults.add(kind, count=4, skip=2, probability=0.5, seed=3, **how)
    _people(made)
    made.rests()
    assert fault.hits >= 2


def test_a_service_that_is_away_is_waited_for_and_nothing_fails(made: World) -> None:
    data = made.product.sandbox.data
    data.faults.take_away(3600.0)
    for _ in range(2):
        made.create()
        made.edit_crm(_known(made))
    eventually(lambda: made.product.status(made.ids[_known(made)])["reason"] == "away", within=60)
    data.faults.bring_back()
    made.rests()


def test_429_is_obeyed_by_every_worker_while_other_agreements_go_on(made: World) -> None:
    product, data = made.product, made.product.sandbox.data
    if OTHER not in data.agreements:
        data.add_agreement(OTHER, "Sønderskov Smede ApS", "other-grant")
        product.command("economic_adapter", "connect", "--tenant", "other", "--yes", given="other-grant")
        product.command(
            "reconciler", "switch-on", "--tenant", "other", "--transfer", "created", "--number-from", "1", "--yes"
        )
    data.faults.add("throttle", retry_after=RETRY_AFTER, path="/customersapi/*", count=1)
    for _ in range(3):
        made.create()
    eventually(lambda: _calls(data, AGREEMENT, 429), within=60)
    (refused,) = _calls(data, AGREEMENT, 429)
    edit = customers.Edit(fields={"name": "Another tenant's ApS", "cvr": "29603690", "country": "Danmark"})
    with product.engine.begin() as connection:
        customers.create(connection, "other", edit)
    again = eventually(lambda: [at for at in _calls(data, AGREEMENT) if at > refused + AT_WORK], within=60)
    assert again[0] - refused >= RETRY_AFTER
    eventually(lambda: snapshot(data, OTHER)[str(OTHER)]["customers"], within=60)
    assert [at for at in _calls(data, OTHER) if refused < at < again[0]], "the other agreement went on meanwhile"
    made.rests()


def _calls(data: Data, agreement: int, status: int | None = None) -> list[float]:
    """When calls for an agreement were answered, in order; those with that status, or all."""
    with data.lock:
        return [one["at"] for one in data.recent if one["agreement"] == agreement and status in {None, one["status"]}]
