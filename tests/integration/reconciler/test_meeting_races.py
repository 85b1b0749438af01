"""Do two who meet see each other? Two sessions at once on real PostgreSQL: whatever the order, never a twin."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from crm_outbox.contract import WriteCustomer
from crm_outbox.messaging.envelope import Envelope
from economic_adapter.contract import EconomicCustomer, WriteEconomicCustomer
from reconciler import agreements, joining, reconcile, store
from reconciler.link import LinkState
from tests.builders.meeting import Both
from tests.builders.sync import AGREEMENT, TENANT, crm_changed, economic_seen
from tests.waiting import eventually

pytestmark = pytest.mark.slow

SYDHAVN = {"name": "Sydhavn Maler A/S", "cvr": "87654321"}


def sydhavn(number: int = 50, **given: Any) -> EconomicCustomer:
    return EconomicCustomer(**{"number": number, "object_version": "v1", **SYDHAVN, **given})


def meanwhile(both: Both, does: Callable[[sa.Connection], object]) -> Callable[[], None]:
    """Do it in a transaction of another thread; the answer waits for its end and raises what it raised."""
    failed: list[BaseException] = []

    def run() -> None:
        try:
            with both.engine.begin() as connection:
                does(connection)
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()

    def join() -> None:
        thread.join(timeout=60)
        assert not thread.is_alive()
        if failed:
            raise failed[0]

    return join


def waiting(engine: sa.Engine) -> bool:
    """Whether a session waits for another's lock."""
    with engine.connect() as connection:
        return bool(
            connection.execute(
                sa.text("""
                    select count(*) from pg_stat_activity
                    where datname = current_database() and wait_event_type = 'Lock'
                """)
            ).scalar_one()
        )


def blocked(both: Both) -> None:
    """Wait until a session waits for another's lock."""
    eventually(lambda: waiting(both.engine))


def race(both: Both, first: Envelope, second: Envelope) -> None:
    """The second is heard while the first, already dealt with, is not committed yet."""
    with both.engine.connect() as connection, connection.begin():
        reconcile.handle(both.clocked, connection, first)
        join = meanwhile(both, lambda other: reconcile.handle(both.clocked, other, second))
        blocked(both)
    join()


def test_a_customer_created_in_the_crm_while_its_double_is_taken_over_is_no_twin(both: Both) -> None:
    customer = both.new(**SYDHAVN)
    race(both, economic_seen(sydhavn(), 1), crm_changed(customer, 1))
    said = both.said()
    (here,) = [one.data for one in said if isinstance(one.data, WriteCustomer)]
    assert [one for one in said if isinstance(one.data, WriteEconomicCustomer)] == []
    both.answered(here, None, customer.id)  # the CRM's own search finds it
    assert both.pairs() == [(customer.id, 50, "linked")]


def test_a_customer_seen_in_e_conomic_while_its_double_is_created_there_is_no_twin(both: Both) -> None:
    customer = both.new(**SYDHAVN)
    race(both, crm_changed(customer, 1), economic_seen(sydhavn(), 1))
    said = both.said()
    (there,) = [one.data for one in said if isinstance(one.data, WriteEconomicCustomer)]
    assert [one for one in said if isinstance(one.data, WriteCustomer)] == []
    both.refused(there, 50)
    assert both.pairs() == [(customer.id, 50, "linked")]


def test_two_observations_of_one_new_customer_create_it_once(both: Both) -> None:
    race(both, economic_seen(sydhavn(), 1), economic_seen(sydhavn(phone="11111111"), 2))
    assert len(both.creations()) == 1
    assert both.pairs() == [("", 50, "creating")]


def test_two_new_customers_of_e_conomic_that_are_one_company_are_not_both_created_unasked(both: Both) -> None:
    race(both, economic_seen(sydhavn(50), 1), economic_seen(sydhavn(51), 1))
    commands = both.creations()
    assert [one.parts[0].fields for one in commands] == [SYDHAVN] * len(commands)
    made = both.made(commands[0], "c9")
    both.answered(commands[0], made)
    for other in commands[1:]:  # the CRM's own search, under its lock, knows the first by then
        both.answered(other, None, "c9")
    assert sorted(one[0] for one in both.pairs()) == ["", "c9"]


def test_linking_a_number_while_it_is_created_in_the_crm_is_refused(both: Both) -> None:
    both.set(transfer="hand")
    customer = both.new(name="Sydhavn")
    both.hear(crm_changed(customer, 1))
    refused: list[str] = []

    def link(connection: sa.Connection) -> None:
        refused.append(
            joining.link(both.clocked, connection, TENANT, AGREEMENT, customer.id, 50, by="person").refused
        )  # fmt: skip

    with both.engine.connect() as connection, connection.begin():
        reconcile.handle(both.clocked, connection, economic_seen(sydhavn(), 1))
        join = meanwhile(both, link)
        blocked(both)
    join()
    assert refused == ["under_way"]
    assert sorted(both.pairs()) == sorted([(customer.id, None, "unlinked"), ("", 50, "creating")])


def test_a_number_seen_while_it_is_linked_is_told_to_its_link(both: Both) -> None:
    both.set(transfer="hand")
    customer = both.new(name="Sydhavn")
    both.hear(crm_changed(customer, 1))
    with both.engine.connect() as connection, connection.begin():
        joining.link(both.clocked, connection, TENANT, AGREEMENT, customer.id, 50, by="person")
        seen = economic_seen(sydhavn(phone="11111111"), 1)
        join = meanwhile(both, lambda other: reconcile.handle(both.clocked, other, seen))
        blocked(both)
    join()
    assert both.pairs() == [(customer.id, 50, "linked")]
    economic = both.of(customer.id).customer.economic
    assert economic is not None
    assert economic.values["phone"] == "11111111"
    assert both.creations() == []


def test_two_links_to_one_number_are_one(both: Both) -> None:
    both.set(transfer="hand")
    first, second = both.new(name="A"), both.new(name="B")
    for one in (first, second):
        both.hear(crm_changed(one, 1))
    both.hear(economic_seen(sydhavn(), 1, why="import"))
    refused: list[str] = []

    def link(connection: sa.Connection) -> None:
        refused.append(
            joining.link(both.clocked, connection, TENANT, AGREEMENT, second.id, 50, by="person").refused
        )  # fmt: skip

    with both.engine.connect() as connection, connection.begin():
        joining.link(both.clocked, connection, TENANT, AGREEMENT, first.id, 50, by="person")
        join = meanwhile(both, link)
        blocked(both)
    join()
    assert refused == ["linked_elsewhere"]
    assert [one.state for one in both.links() if one.number == 50] == [LinkState.LINKED]


LIKE_SYDHAVN = {"name": "Sydhavn Maler ApS", "postcode": "5000", "city": "Odense"}
"""Alike, but for no number by which either system would find the other one itself."""


def creations(both: Both) -> list[object]:
    """Customers that were told to be created, in either system."""
    return [
        one.data
        for one in both.said()
        if isinstance(one.data, WriteCustomer | WriteEconomicCustomer) and one.data.parts[0].action == "create"
    ]


@pytest.mark.parametrize("first", ["crm", "economic"])
def test_two_that_meet_without_a_common_number_are_created_at_most_on_one_side(both: Both, first: str) -> None:
    here = crm_changed(both.new(**LIKE_SYDHAVN), 1)
    there = economic_seen(sydhavn(cvr="", postcode="5000", city="Odense"), 1)
    race(both, *((here, there) if first == "crm" else (there, here)))
    assert len(creations(both)) == 1


def test_without_the_agreement_s_lock_the_two_are_created_on_both_sides(
    both: Both, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("_HOLD", "_LOCK"):
        without = str(getattr(agreements, name)).replace("for no key update", "")
        monkeypatch.setattr(agreements, name, sa.text(without))
    here = crm_changed(both.new(**LIKE_SYDHAVN), 1)
    there = economic_seen(sydhavn(cvr="", postcode="5000", city="Odense"), 1)
    with both.engine.connect() as connection, connection.begin():
        reconcile.handle(both.clocked, connection, here)
        meanwhile(both, lambda other: reconcile.handle(both.clocked, other, there))()
    assert len(creations(both)) == 2


def test_without_the_origin_a_customer_of_ours_is_created_back_in_e_conomic(
    both: Both, monkeypatch: pytest.MonkeyPatch
) -> None:
    both.hear(economic_seen(EconomicCustomer(number=50, object_version="v1", name="Jens Hansen"), 1))
    (command,) = both.creations()
    made = both.made(command, "c9", country="Danmark")
    with monkeypatch.context() as without:
        without.setattr(store, "lock_operation", lambda *_: None)
        both.hear(crm_changed(made, 1))
    (twin,) = both.said_only(WriteEconomicCustomer)
    assert (twin.customer, twin.parts[0].action) == ("c9", "create")


def test_with_the_origin_it_is_known_whatever_comes_first(both: Both) -> None:
    both.hear(economic_seen(EconomicCustomer(number=50, object_version="v1", name="Jens Hansen"), 1))
    (command,) = both.creations()
    both.hear(crm_changed(both.made(command, "c9", country="Danmark"), 1))
    assert all(one.parts[0].action == "change" for one in both.said_only(WriteEconomicCustomer))
    assert both.pairs() == [("c9", 50, "linked")]


def test_a_new_customer_heard_of_while_its_answer_is_dealt_with_has_one_link(both: Both) -> None:
    both.hear(economic_seen(sydhavn(), 1))
    (command,) = both.creations()
    made = both.made(command, "c9")
    with both.engine.connect() as connection, connection.begin():
        reconcile.handle(both.clocked, connection, crm_changed(made, 1))
        join = meanwhile(both, lambda _: both.answered(command, made))
        blocked(both)
    join()
    assert both.pairs() == [("c9", 50, "linked")]
    assert both.said_only(WriteEconomicCustomer) == []
