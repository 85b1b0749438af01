"""Do two consumers ever wait for one another? Batches that cross, on real PostgreSQL: each is taken at the first try."""

import random
import threading
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from crm_outbox.contract import BackfillProgressed
from crm_outbox.messaging.delivery import Delivery
from crm_outbox.messaging.envelope import CONTENT_TYPE, Envelope, encode
from crm_outbox.messaging.taking import Again, Settled, Taking
from economic_adapter.contract import EconomicCustomer, ImportProgressed, WriteEconomicCustomer
from reconciler import (
    agreements,
    bus,
    clock,
    decided,
    deciding,
    joining,
    locks,
    ordering,
    reading,
    reconcile,
    runs,
    store,
)
from reconciler.decisions import Decision, Ended
from reconciler.locks import Key
from reconciler.tables import messages
from tests.builders.meeting import Both
from tests.builders.sync import AGREEMENT, TENANT, crm_changed, economic_seen, envelope, there
from tests.integration.reconciler.test_meeting_races import blocked, meanwhile, waiting
from tests.waiting import eventually

pytestmark = pytest.mark.slow


@dataclass
class Crossing:
    """Two batches at once. After its first message each goes on only when the other has got as far, or cannot."""

    both: Both
    reached: tuple[threading.Event, threading.Event] = field(
        default_factory=lambda: (threading.Event(), threading.Event())
    )
    handled: int = 0

    def take(self, *batches: Sequence[Envelope]) -> None:
        """Both are taken, whole, and neither is taken up again by itself."""
        failed: list[BaseException] = []
        settled: list[Settled] = []

        def run(nth: int) -> None:
            try:
                settled.extend(self.taking(nth).together([_delivery(one) for one in batches[nth]]))
            except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
                failed.append(error)
            self.reached[nth].set()

        threads = [threading.Thread(target=run, args=(nth,)) for nth in (0, 1)]
        for one in threads:
            one.start()
        for one in threads:
            one.join(timeout=90)
            assert not one.is_alive()
        if failed:
            raise failed[0]
        assert settled == [Settled.ACK] * sum(len(one) for one in batches)

    def taking(self, nth: int) -> Taking:
        def handle(connection: sa.Connection, envelope: Envelope) -> None:
            reconcile.handle(self.both.clocked, connection, envelope)
            if not self.reached[nth].is_set():
                self.reached[nth].set()
                eventually(lambda: self.reached[1 - nth].is_set() or waiting(self.both.engine))

        return Taking(
            engine=self.both.engine,
            tables=messages,
            consumer=bus.CONSUMER,
            registry=bus.TAKEN,
            handle=handle,
            tick=lambda: None,
            prepare=ordering.prepare,
        )


def _delivery(envelope: Envelope) -> Delivery:
    return Delivery(
        tag=1,
        body=encode(envelope),
        message_id=str(envelope.id),
        type=envelope.type,
        content_type=CONTENT_TYPE,
        headers={},
    )


def test_a_batch_that_creates_after_an_edit_and_one_that_edits_after_creating_are_both_taken(both: Both) -> None:
    linked = both.linked(7, name="Nordhavn", cvr="12345678")
    edits = [crm_changed(linked.model_copy(update={"phone": f"1111111{nth}"}), nth) for nth in (2, 3)]
    new = [crm_changed(both.new(name=name), 1) for name in ("Sydhavn", "Vesthavn")]
    Crossing(both).take([edits[0], new[0]], [new[1], edits[1]])
    assert [one.state for one in both.links()] == ["creating", "creating", "linked"]
    assert both.of(linked.id).customer.crm is not None
    assert str(both.of(linked.id).crm_version) == "1.3"


def test_two_batches_of_edits_in_opposite_order_are_both_taken(both: Both) -> None:
    first, second = both.linked(7, name="Nordhavn"), both.linked(8, name="Sydhavn")
    news = [economic_seen(there(one, nth, "v2", phone="11111111"), 2) for one, nth in ((first, 7), (second, 8))]
    edits = [crm_changed(one.model_copy(update={"email": "ny@havn.test"}), 2) for one in (second, first)]
    Crossing(both).take(news, edits)
    for one in (first, second):
        economic = both.of(one.id).customer.economic
        assert economic is not None
        assert economic.values["phone"] == "11111111"
        assert str(both.of(one.id).crm_version) == "1.2"


def test_a_batch_loads_its_links_at_once_and_each_message_finds_what_the_one_before_it_left(both: Both) -> None:
    first, second = both.linked(7, name="Nordhavn"), both.linked(8, name="Sydhavn")
    batch = [
        crm_changed(first.model_copy(update={"phone": "11111111"}), 2),
        economic_seen(there(second, 8, "v2", email="ny@havn.test"), 2),
        economic_seen(there(first, 7, "v2", email="ny@havn.test"), 2),
        crm_changed(second.model_copy(update={"phone": "11111111"}), 2),
        crm_changed(first.model_copy(update={"phone": "22222222"}), 3),
    ]
    read: list[int] = []

    def count(*given: Any) -> None:
        cursor, statement = given[1:3]
        if "no key update of l" in statement:
            read.append(cursor.rowcount)

    taking = replace(Crossing(both).taking(0), handle=partial(reconcile.handle, both.clocked))
    sa.event.listen(both.engine, "after_cursor_execute", count)
    try:
        assert taking.together([_delivery(one) for one in batch]) == [Settled.ACK] * 5
    finally:
        sa.event.remove(both.engine, "after_cursor_execute", count)
    assert read == [2, 1, 1, 1], "both together, then who comes again by itself"
    for one in (first, second):
        link = both.of(one.id)
        assert link.customer.crm is not None
        assert link.customer.economic is not None
        assert link.customer.crm.values["phone"] == ("22222222" if one is first else "11111111")
        assert link.customer.economic.values["email"] == "ny@havn.test"
    written = both.said_only(WriteEconomicCustomer)
    assert [one.number for one in written] == [7, 8], "the second edit of the first waits for the answer to its first"


def test_a_batch_that_judges_a_stranger_like_a_linked_customer_crosses_its_edit(both: Both) -> None:
    first, second = both.linked(7, name="Nordhavn", cvr="12345678"), both.linked(8, name="Sydhavn")
    alike = economic_seen(EconomicCustomer(number=50, object_version="v1", name="Nordhavn", cvr="12345678"), 1)
    edits = [crm_changed(one.model_copy(update={"phone": "11111111"}), 2) for one in (first, second)]
    seen = economic_seen(there(second, 8, "v2", email="ny@havn.test"), 2)
    Crossing(both).take(edits, [seen, alike])
    assert both.of(first.id).candidates == (50,)
    assert both.looks() == [7]
    assert [str(both.of(one.id).crm_version) for one in (first, second)] == ["1.2", "1.2"]


def test_a_sweep_s_batch_that_would_write_begins_anew_with_the_agreement_s_lock(both: Both) -> None:
    people = [both.linked(number, name=name) for number, name in ((7, "Nordhavn"), (8, "Sydhavn"))]
    with both.engine.begin() as connection:
        known = agreements.lock(connection, TENANT, AGREEMENT)
        assert known is not None
        run = reading.ask(connection, known, both.time, both.resend, kind="sweep")
    both.set(brake_customers=10, brake_percent=100)
    both.said()
    edits = [(one.model_copy(update={"phone": "11111111"}), 2) for one in people]
    swept = [crm_changed(*one) for one in edits]
    swept = [replace(one, data=one.data.model_copy(update={"run": run})) for one in swept]
    began: list[frozenset[Key]] = []

    def prepare(connection: sa.Connection, envelopes: Sequence[Envelope], again: Collection[Again]) -> None:
        ordering.prepare(connection, envelopes, again)
        began.append(locks.agreements(connection))

    taking = replace(Crossing(both).taking(0), prepare=prepare, handle=partial(reconcile.handle, both.clocked))
    assert taking.together([_delivery(one) for one in swept]) == [Settled.ACK, Settled.ACK]
    assert began == [frozenset(), {(TENANT, AGREEMENT)}]
    assert len(both.said_only(WriteEconomicCustomer)) == 2


def unlink(both: Both, customer: str) -> None:
    with both.engine.begin() as connection:
        joining.unlink(both.clocked, connection, TENANT, AGREEMENT, customer, by="person")


def link(both: Both, customer: str) -> None:
    with both.engine.begin() as connection:
        joining.link(both.clocked, connection, TENANT, AGREEMENT, customer, 9, by="person")


def undo_a_linking(both: Both, customer: str) -> None:
    first = Decision(
        id=uuid4(), tenant=TENANT, agreement=AGREEMENT, link=both.of(customer).id, means="link", number=7,
        who="Marie", at=both.time,
    )  # fmt: skip
    with both.engine.begin() as connection:
        decided.insert(connection, first)
        decided.note(connection, [Ended(decision=first.id, result="done")], both.time)
    with both.engine.begin() as connection:
        deciding.undo(both.clocked, connection, TENANT, first.id, "Marie", uuid4())


def tell_a_creation_that_is_not_answered(both: Both, customer: str) -> None:
    with both.engine.begin() as connection:
        connection.execute(sa.text("update sync.link set state = 'creating', due = :now"), {"now": both.time})
    assert clock.tell_due(both.engine, both.clocked) == 1


@pytest.mark.parametrize("does", [unlink, link, undo_a_linking, tell_a_creation_that_is_not_answered])
def test_who_may_link_waits_for_the_agreement_with_no_link_locked(
    both: Both, does: Callable[[Both, str], None]
) -> None:
    customer = both.linked(7, name="Nordhavn")
    with both.engine.connect() as connection, connection.begin():
        agreements.hold(connection, TENANT, AGREEMENT)
        join = meanwhile(both, lambda _: does(both, customer.id))
        blocked(both)
        assert store.lock(connection, TENANT, AGREEMENT, customer.id) is not None
    join()


def test_what_ends_a_reading_waits_for_the_agreement_with_no_run_locked(both: Both) -> None:
    with both.engine.begin() as connection:
        known = agreements.lock(connection, TENANT, AGREEMENT)
        assert known is not None
        run = reading.ask(connection, known, both.time, both.resend)
    both.hear(envelope(BackfillProgressed(run=run, read=0, count=0, closed=True)))
    words = ImportProgressed(run=run, agreement=AGREEMENT, state="closed", read=0, count=0, closed=True)
    with both.engine.connect() as connection, connection.begin():
        agreements.hold(connection, TENANT, AGREEMENT)
        join = meanwhile(both, lambda _: both.hear(envelope(words, agreement=AGREEMENT)))
        blocked(both)
        assert runs.lock(connection, run) is not None
    join()
    with both.engine.connect() as connection:
        found = runs.find(connection, run)
    assert found is not None
    assert found.state == "done"


def test_an_agreement_after_a_link_is_not_waited_for(both: Both) -> None:
    customer = both.linked(7, name="Nordhavn")
    with both.engine.begin() as connection:
        store.lock(connection, TENANT, AGREEMENT, customer.id)
        with pytest.raises(locks.Unordered):
            agreements.hold(connection, TENANT, AGREEMENT)
    with both.engine.begin() as connection:
        agreements.hold(connection, TENANT, AGREEMENT + 1)
        with pytest.raises(locks.Unordered):
            agreements.hold(connection, TENANT, AGREEMENT)


def test_many_batches_at_once_of_everything_are_all_taken_at_the_first_try(both: Both) -> None:
    rng = random.Random(3)
    people = [both.linked(number, name=f"Firma {number}", cvr=str(10_000_000 + number)) for number in range(7, 13)]

    def some(nth: int) -> Envelope:
        number = rng.randrange(7, 13)
        one = people[number - 7].model_copy(update={"phone": str(20_000_000 + nth)})
        match rng.randrange(6):
            case 0:
                return crm_changed(both.new(name=f"Ny {nth}", cvr=str(30_000_000 + nth)), 1)
            case 1:
                alike = EconomicCustomer(number=100 + nth, object_version="a", name=one.name, cvr=one.cvr)
                return economic_seen(alike, 1)
            case 2:
                return crm_changed(one.model_copy(update={"deleted": True}), nth + 2)
            case 3:
                return economic_seen(there(one, 200 + nth, f"v{nth}"), nth + 2, old_numbers=(number,))
            case 4:
                return economic_seen(there(one, number, f"v{nth}"), nth + 2)
            case _:
                return crm_changed(one, nth + 2)

    batches = [[some(8 * batch + nth) for nth in range(8)] for batch in range(36)]
    taking = replace(Crossing(both).taking(0), handle=partial(reconcile.handle, both.clocked))
    with ThreadPoolExecutor(4) as pool:
        settled = list(pool.map(lambda batch: taking.together([_delivery(one) for one in batch]), batches))
    assert settled == [[Settled.ACK] * 8] * 36
