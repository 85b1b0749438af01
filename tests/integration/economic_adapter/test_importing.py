"""Everything e-conomic holds is read and told once under a run, whatever happens on the way; then the run closes."""

import random
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from economic_adapter import claims, clock, imports, records, store, tables, work
from economic_adapter.budget import UNTIL_RESUMED, Lane
from economic_adapter.client import Grant
from economic_adapter.contract import CustomerObserved, LookAtCustomer
from economic_adapter.protocol import Answer, Request
from economic_adapter.rhythm import Rhythm
from economic_adapter.sandbox import ui
from economic_adapter.sandbox.data import AGREEMENT
from economic_adapter.sandbox.seeding import seed
from economic_adapter.tables import messages
from tests.builders.economic import TENANT, Bench, Crash, creation
from tests.waiting import eventually

pytestmark = pytest.mark.slow

OTHER = 4712


def seeded(at_desk: Bench, customers: int = 25, contacts: int = 31, page: int = 4) -> None:
    """An e-conomic that shows so many records at once."""
    seed(at_desk.sandbox.data, customers=customers, contacts=contacts)
    at_desk.sandbox.data.settings.cursor_page = page


def numbers(seen: list[CustomerObserved]) -> Counter[int]:
    return Counter(one.number or 0 for one in seen)


def held(at_desk: Bench) -> dict[int, tuple[str, list[str]]]:
    """Name and persons of every customer in e-conomic."""
    with at_desk.sandbox.data.lock:
        place = at_desk.sandbox.data.agreement()
        return {
            number: (
                str(one.values["name"]),
                [str(person.values["name"]) for person in place.contacts_of[number].values() if not person.deleted],
            )
            for number, one in place.customers.items()
        }


def latest(seen: list[CustomerObserved]) -> dict[int, tuple[str, list[str]]]:
    """The same as it was told last, by version."""
    newest: dict[int, tuple[int, CustomerObserved]] = {}
    for one in seen:
        counter = int((one.version or "0.0").partition(".")[2])
        if one.number is not None and counter >= newest.get(one.number, (0, one))[0]:
            newest[one.number] = (counter, one)
    return {
        number: (one.economic.name, [person.name for person in one.economic.contacts if not person.deleted])
        for number, (_, one) in newest.items()
        if one.economic is not None
    }


def at_call(at_desk: Bench, path: str, act: Callable[[], object], *, nth: int = 1, after: bool = True) -> None:
    """Act once around the nth call of that path: after it was answered, or before it is sent."""
    real, seen = at_desk.wire.send, [0]

    def send(request: Request, grant: Grant) -> Answer:
        seen[0] += request.path == path
        mine = request.path == path and seen[0] == nth
        if mine and not after:
            act()
        answer = real(request, grant)
        if mine and after:
            act()
        return answer

    at_desk.wire.send = send  # type: ignore[method-assign]


def test_every_customer_is_told_once_with_its_persons_and_the_run_closes(at_desk: Bench) -> None:
    seeded(at_desk)
    run = at_desk.imported()
    told = at_desk.under(run)
    assert numbers(told) == Counter(range(1, 26))
    assert latest(told) == held(at_desk)
    assert {(one.why, one.version) for one in told} == {("import", "1.1")}
    last = at_desk.far(run)[-1]
    assert (last.state, last.read, last.count, last.contacts) == ("closed", 25, 25, 31)
    assert at_desk.rows(tables.work) == []
    assert at_desk.rows(tables.import_customer) + at_desk.rows(tables.import_contact) == []
    with at_desk.engine.connect() as connection:
        assert set(connection.scalars(sa.select(messages.outbox.c.lane))) == {"bulk"}
    envelopes = list(at_desk.envelopes())
    assert {one.correlation for one in envelopes} == {"correlation-1"}
    assert envelopes[-1].data == last, "the closing comes behind all customers"


def test_progress_is_told_for_each_page_and_never_goes_back(at_desk: Bench) -> None:
    seeded(at_desk, customers=8, contacts=8, page=2)
    run = at_desk.imported()
    far = at_desk.far(run)
    assert [one.contacts for one in far][:6] == [0, 0, 2, 4, 6, 8]
    assert [one.read for one in far][6:10] == [2, 4, 6, 8]
    assert [one.calls for one in far] == sorted(one.calls for one in far)
    assert {one.state for one in far[:-1]} == {"running"}


def test_few_calls_are_made_beyond_the_pages_themselves(at_desk: Bench) -> None:
    seeded(at_desk, customers=120, contacts=150, page=10)
    run = at_desk.imported()
    calls = at_desk.calls()
    needed = 12 + 15
    assert len(calls) == at_desk.far(run)[-1].calls
    assert len(calls) <= 1.3 * needed, calls
    assert Counter(calls)["GET /Customers"] == 12


def test_an_empty_economic_closes_with_nothing_read(at_desk: Bench) -> None:
    run = at_desk.imported()
    last = at_desk.far(run)[-1]
    assert (last.read, last.count, last.closed) == (0, 0, True)
    assert at_desk.under(run) == []


@pytest.mark.parametrize("moment", [pytest.param("before", marks=pytest.mark.slow), "after"])
def test_a_worker_that_dies_at_any_call_loses_and_doubles_nothing(at_desk: Bench, moment: str) -> None:
    seeded(at_desk, customers=5, contacts=5, page=2)
    for call in range(30):
        run = at_desk.run()
        at_desk.wire.asked.clear()
        setattr(at_desk.wire, f"die_{moment}", call)
        try:
            at_desk.work()
        except Crash:
            at_desk.die()
            at_desk.work()
        else:
            assert call > 10, "it lived because no call is left to die at"
            return
        assert at_desk.far(run)[-1].closed
        assert numbers(at_desk.under(run)) == Counter(range(1, 6)), call
    raise AssertionError("a run without an end")


def test_a_run_that_is_paused_makes_no_call_and_goes_on_where_it_was(at_desk: Bench) -> None:
    seeded(at_desk)
    run = at_desk.run()
    for _ in range(12):
        assert at_desk.step()
    before = at_desk.far(run)[-1]
    at_desk.run(run, action="pause")
    assert at_desk.far(run)[-1] == before.model_copy(update={"state": "paused"})
    at_desk.calls()
    assert at_desk.work() == 0
    at_desk.run(run, action="resume")
    at_desk.work()
    assert at_desk.far(run)[-1].closed
    assert numbers(at_desk.under(run)) == Counter(range(1, 26))
    assert Counter(at_desk.calls())["GET /Contacts"] <= 1, "what was read is not read again"


def test_a_page_under_way_when_the_run_is_paused_is_read_again(at_desk: Bench) -> None:
    seeded(at_desk)
    run = at_desk.run()
    at_call(at_desk, "/Customers", lambda: at_desk.run(run, action="pause"), nth=2)
    at_desk.work()
    assert at_desk.far(run)[-1].state == "paused"
    assert sum(numbers(at_desk.under(run)).values()) == 4
    at_desk.run(run, action="resume")
    at_desk.work()
    assert numbers(at_desk.under(run)) == Counter(range(1, 26))


def test_a_run_that_is_stopped_tells_nothing_more(at_desk: Bench) -> None:
    seeded(at_desk)
    run = at_desk.run()
    at_call(at_desk, "/Customers", lambda: at_desk.run(run, action="stop"), nth=2)
    at_desk.work()
    last = at_desk.far(run)[-1]
    assert (last.state, last.read, last.closed) == ("stopped", 4, False)
    assert sum(numbers(at_desk.under(run)).values()) == 4
    at_desk.run(run, action="resume")
    assert at_desk.work() == 0, "ended is ended"
    assert at_desk.rows(tables.import_customer) + at_desk.rows(tables.work) == []


def test_a_repeated_command_only_answers(at_desk: Bench) -> None:
    seeded(at_desk)
    run = at_desk.imported()
    told = len(at_desk.under(run))
    at_desk.run(run)
    assert at_desk.far(run)[-1].closed
    assert at_desk.work() == 0
    assert len(at_desk.under(run)) == told


def test_an_agreement_that_was_never_connected_fails_at_once(at_desk: Bench) -> None:
    run = at_desk.run(known=False)
    (answer,) = at_desk.far(run)
    assert (answer.state, answer.cause) == ("failed", imports.NEVER_CONNECTED)


# --- who else sees or changes a customer meanwhile -------------------------------------------------------------------


def test_what_a_look_saw_after_the_page_was_read_is_not_overtaken_by_the_page(at_desk: Bench) -> None:
    seeded(at_desk, customers=6, contacts=0)

    def newer() -> None:
        ui.edit_customer(at_desk.sandbox.data, 3, {"name": "Nyere ApS"})
        at_desk.look(3)
        assert work.step(at_desk.desk, AGREEMENT, OTHER)

    at_call(at_desk, "/Customers", newer)
    run = at_desk.imported()
    (of_three,) = [one for one in at_desk.under(run) if one.number == 3]
    assert of_three.economic is not None
    assert (of_three.economic.name, of_three.version) == ("Nyere ApS", "1.1")
    with at_desk.engine.connect() as connection:
        mirror = records.held(connection, AGREEMENT, 3)
    assert mirror is not None
    assert (mirror.version.number, mirror.body and mirror.body["name"]) == (1, "Nyere ApS")


def test_a_customer_in_another_workers_hands_is_left_to_it_and_told_later(at_desk: Bench) -> None:
    seeded(at_desk, customers=6, contacts=0)
    taken: list[claims.Claim] = []

    def hold() -> None:
        at_desk.look(3)
        with at_desk.engine.begin() as connection:
            records.account(connection, AGREEMENT)
            one = claims.claim(
                connection, AGREEMENT, state="on", tenant=TENANT, lanes=[Lane.HOOK], worker=OTHER, now=at_desk.time
            )
        assert one is not None
        taken.append(one)

    at_call(at_desk, "/Customers", hold)
    run = at_desk.run()
    at_desk.work()
    assert numbers(at_desk.under(run)) == Counter([1, 2, 4, 5, 6])
    with at_desk.engine.begin() as connection:
        claims.postpone(connection, taken[0], due_at=at_desk.time, waiting="")
    at_desk.settle()
    assert at_desk.far(run)[-1].closed
    assert numbers(at_desk.under(run)) == Counter(range(1, 7))


def test_what_changed_while_it_was_read_is_looked_at_under_the_run(at_desk: Bench) -> None:
    seeded(at_desk, customers=20, contacts=20)
    data = at_desk.sandbox.data
    with data.lock:
        data.agreement().last_contact = 100

    def change() -> None:
        ui.edit_customer(data, 2, {"name": "Ændret ApS"})
        ui.create_contact(data, 3, {"name": "Ny Person"})
        ui.delete_contact(data, 4)
        ui.renumber_customer(data, 5, 205)
        ui.create_customer(data, {"name": "Ny ApS"}, 1000)
        ui.delete_customer(data, 20)

    at_call(at_desk, "/Customers", change, nth=3)
    run = at_desk.run()
    at_desk.work()
    last = at_desk.far(run)[-1]
    assert (last.closed, last.count, last.read) == (True, 20, 21), "the old number 5 was told and is gone"
    told = at_desk.under(run)
    now = latest(told)
    del now[5]
    assert now == held(at_desk)
    assert {one.why for one in told} == {"import"}
    at_desk.settle()
    assert [one.number for one in at_desk.new() if one.absent] == [5], "seen missing twice, then told"


def test_a_customer_made_between_the_last_poll_and_the_count_is_found_by_listing_again(at_desk: Bench) -> None:
    seeded(at_desk, customers=6, contacts=3)
    at_call(
        at_desk,
        "/Customers/count",
        lambda: ui.create_customer(at_desk.sandbox.data, {"name": "Ny ApS"}, 99),
        nth=2,
        after=False,
    )
    run = at_desk.imported()
    last = at_desk.far(run)[-1]
    assert (last.read, last.count) == (7, 7)
    assert numbers(at_desk.under(run)) == Counter([*range(1, 7), 99])


def test_a_count_that_never_agrees_ends_the_run_with_a_sentence(at_desk: Bench) -> None:
    seeded(at_desk, customers=6, contacts=3)
    real = at_desk.wire.send

    def send(request: Request, grant: Grant) -> Answer:
        answer = real(request, grant)
        return replace(answer, body=7) if request.path == "/Customers/count" else answer

    at_desk.wire.send = send  # type: ignore[method-assign]
    run = at_desk.run()
    at_desk.work()
    last = at_desk.far(run)[-1]
    assert (last.state, last.cause, last.closed) == ("failed", "e-conomic counts 7 customers and shows 6", False)
    assert numbers(at_desk.under(run)) == Counter(range(1, 7)), "told once, however often listed"
    assert at_desk.rows(tables.work) + at_desk.rows(tables.import_customer) == []


@pytest.mark.parametrize("seed_", [0, pytest.param(1, marks=pytest.mark.slow), pytest.param(2, marks=pytest.mark.slow)])
def test_whatever_workers_do_at_once_the_newest_told_of_each_customer_is_what_economic_holds(
    at_desk: Bench, seed_: int
) -> None:
    seeded(at_desk, customers=60, contacts=60, page=7)
    data, chance = at_desk.sandbox.data, random.Random(seed_)
    data.settings.latency_ms = 2
    run = at_desk.run()
    sweep = at_desk.run(kind="sweep")
    stop = threading.Event()
    failures: list[BaseException] = []

    def working(worker: int) -> None:
        try:
            while not stop.is_set():
                work.step(at_desk.desk, AGREEMENT, worker)
        except BaseException as error:  # noqa: BLE001 - told below
            failures.append(error)

    workers = [threading.Thread(target=working, args=(5000 + n,)) for n in range(3)]
    for one in workers:
        one.start()
    for nth in range(60):
        number = chance.randint(1, 60)
        if chance.random() < 0.3:
            ui.create_contact(data, number, {"name": f"Ny {nth}"})
        else:
            ui.edit_customer(data, number, {"name": f"Ændret {nth} ApS"})
        with at_desk.engine.begin() as connection:
            store.mark(
                connection, AGREEMENT, number, why="hook", now=at_desk.time, gather=store.Gather(quiet=0, most=0)
            )
    eventually(lambda: not at_desk.rows(tables.work) or failures, within=60)
    stop.set()
    for one in workers:
        one.join(30)
    assert failures == []
    assert at_desk.far(run)[-1].closed
    assert at_desk.far(sweep)[-1].closed
    assert set(numbers(at_desk.under(run))) == set(range(1, 61))
    every = [one.data for one in at_desk.envelopes() if isinstance(one.data, CustomerObserved)]
    assert latest(every) == held(at_desk)
    versions = Counter((one.number, one.version) for one in every if one.run != run)
    assert set(versions.values()) == {1}, "a version is told once, but for what a run tells again"


# --- bad input -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["*/contacts", "*/customers"])
@pytest.mark.parametrize("kind", ["repeat", "foreign_next", "endless"])
def test_a_listing_that_goes_wrong_once_is_begun_again(at_desk: Bench, kind: str, path: str) -> None:
    seeded(at_desk, customers=9, contacts=9)
    at_desk.sandbox.data.faults.add(kind, path=f"*customersapi{path}", skip=1)
    run = at_desk.run()
    at_desk.settle()
    assert at_desk.far(run)[-1].closed, at_desk.far(run)[-1]
    invented = {one.number or 0 for one in at_desk.under(run)} - set(range(1, 10))
    assert kind == "endless" or not invented
    assert set(range(1, 10)) <= set(numbers(at_desk.under(run)))


@pytest.mark.parametrize("path", ["*/contacts", "*/customers"])
@pytest.mark.parametrize(
    ("kind", "cause"),
    [
        ("repeat", "repeats itself"),
        pytest.param("endless", "never ends", marks=pytest.mark.slow),
        ("foreign_next", "refused a page"),
    ],
)
def test_a_listing_that_always_goes_wrong_ends_the_run_with_a_sentence(
    at_desk: Bench, kind: str, path: str, cause: str
) -> None:
    seeded(at_desk, customers=600, contacts=600, page=500)
    at_desk.sandbox.data.faults.add(kind, path=f"*customersapi{path}", skip=int(kind == "repeat"), count=None)
    run = at_desk.run()
    at_desk.settle()
    last = at_desk.far(run)[-1]
    assert last.state == "failed"
    assert cause in last.cause
    assert at_desk.rows(tables.work) == []
    assert all(one.target.startswith("/") for one in at_desk.wire.asked), "no address of theirs is ever called"


def test_a_foreign_next_page_of_the_legacy_api_is_never_followed(at_desk: Bench) -> None:
    seeded(at_desk, customers=5, contacts=0)
    at_desk.sandbox.data.faults.add("foreign_next", path="/customers", count=None)
    run = at_desk.imported()
    assert numbers(at_desk.under(run)) == Counter(range(1, 6))


def test_a_listing_that_shrinks_while_it_is_read_closes_with_those_that_are_left(at_desk: Bench) -> None:
    seeded(at_desk, customers=20, contacts=20)
    at_desk.sandbox.data.faults.add("shrink", path="*customersapi*/customers", skip=1, count=3)
    run = at_desk.run()
    at_desk.work()
    last = at_desk.far(run)[-1]
    assert (last.closed, last.count, last.read) == (True, 17, 20)
    at_desk.settle()
    gone = [one.number for one in at_desk.new() if one.absent]
    assert gone == [1, 2, 3], "each was seen missing twice before it was told"


@pytest.mark.parametrize("path", ["*/contacts", "*customersapi*/customers", "/customers", "*/customers/count", "/self"])
def test_a_404_once_changes_nothing(at_desk: Bench, path: str) -> None:
    seeded(at_desk, customers=9, contacts=9)
    at_desk.sandbox.data.faults.add("status", status=404, path=path)
    run = at_desk.run()
    at_desk.settle()
    assert at_desk.far(run)[-1].closed
    assert numbers(at_desk.under(run)) == Counter(range(1, 10))


def test_another_agreement_than_the_pinned_one_is_not_read(at_desk: Bench) -> None:
    seeded(at_desk)
    at_desk.sandbox.data.agreement().number = 777
    run = at_desk.run()
    at_desk.work()
    last = at_desk.far(run)[-1]
    assert (last.state, last.cause) == ("failed", "e-conomic's access opens agreement 777, not 123456")
    assert at_desk.calls() == ["GET /self"]
    assert at_desk.under(run) == []


def test_five_thousand_customers_with_one_cvr_are_five_thousand_customers(at_desk: Bench) -> None:
    seed(
        at_desk.sandbox.data,
        records=[{"customerNumber": n, "name": f"K {n}", "cvrNo": "13748136"} for n in range(1, 5001)],
    )
    run = at_desk.imported()
    told = at_desk.under(run)
    assert numbers(told) == Counter(range(1, 5001))
    assert {one.economic.cvr for one in told if one.economic} == {"13748136"}
    assert at_desk.far(run)[-1].calls == 5 + 1 + 6


def test_a_customer_with_900_persons_is_told_whole(at_desk: Bench) -> None:
    persons = [{"name": f"Person {n}", "notes": "Ring om fredagen. " * 20} for n in range(900)]
    seed(at_desk.sandbox.data, records=[{"customerNumber": 7, "name": "Stor A/S", "contacts": persons}])
    (told,) = at_desk.under(at_desk.imported())
    assert told.economic is not None
    assert len(told.economic.contacts) == 900
    assert at_desk.seen(7).economic == told.economic


def test_more_than_a_message_can_carry_is_told_with_the_reason_and_holds_nothing_up(at_desk: Bench) -> None:
    persons = [{"name": f"Person {n}", "notes": "å" * 1999} for n in range(900)]
    seed(at_desk.sandbox.data, customers=3)
    seed(at_desk.sandbox.data, records=[{"customerNumber": 7, "name": "Stor A/S", "contacts": persons}])
    run = at_desk.imported()
    assert numbers(at_desk.under(run)) == Counter([1, 2, 3, 7])
    (told,) = [one for one in at_desk.under(run) if one.number == 7]
    assert told.economic is not None
    assert (told.economic.name, told.economic.contacts, told.version) == ("Stor A/S", (), "1.1")
    assert told.unsendable is not None
    assert (told.unsendable.reason, told.unsendable.detail) == ("too_large", "contacts.notes")
    looked = at_desk.seen(7)
    assert (looked.unsendable, looked.version) == (told.unsendable, "1.2")
    assert at_desk.rows(tables.work) == []


def test_strange_letters_in_names_come_as_they_are(at_desk: Bench) -> None:
    names = {1: "\u202eSpA nevets\u202c", 2: "Nord\u200bhavn\u0085ApS", 3: "Tab\tog\nlinje", 4: "😀 Ærø & Søn"}
    records_ = [{"customerNumber": n, "name": name, "contacts": [{"name": name}]} for n, name in names.items()]
    seed(at_desk.sandbox.data, records=records_)
    told = latest(at_desk.under(at_desk.imported()))
    assert told == {n: (name, [name]) for n, name in names.items()}


# --- waiting ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["connected", "off", "on"])
def test_an_agreement_is_read_whether_it_is_on_or_not(at_desk: Bench, state: str) -> None:
    seeded(at_desk, customers=3, contacts=1)
    with at_desk.engine.begin() as connection:
        connection.execute(sa.update(tables.agreement).values(state=state))
    assert numbers(at_desk.under(at_desk.imported())) == Counter([1, 2, 3])


def test_lost_access_is_waited_for_and_told(at_desk: Bench) -> None:
    seeded(at_desk)
    run = at_desk.run()
    for _ in range(10):
        at_desk.step()
    at_desk.sandbox.data.grants["sandbox-grant"].revoked = True
    at_desk.step()
    last = at_desk.far(run)[-1]
    assert (last.state, last.cause) == ("waiting", "access_lost")
    at_desk.calls()
    at_desk.work()
    assert at_desk.calls() == []
    at_desk.sandbox.data.grants["sandbox-grant"].revoked = False
    with at_desk.engine.begin() as connection:
        access_regained(connection, at_desk)
    at_desk.settle()
    assert at_desk.far(run)[-1].closed
    assert numbers(at_desk.under(run)) == Counter(range(1, 26))


def access_regained(connection: sa.Connection, at_desk: Bench) -> None:
    connection.execute(sa.update(tables.agreement).values(state="on"))
    connection.execute(sa.delete(tables.work).where(tables.work.c.kind == "check"))
    connection.execute(sa.update(tables.work).values(due_at=at_desk.time))


def test_a_disconnected_agreement_is_not_called(at_desk: Bench) -> None:
    seeded(at_desk)
    at_desk.run()
    with at_desk.engine.begin() as connection:
        connection.execute(sa.update(tables.agreement).values(state="disconnected"))
    assert at_desk.work() == 0
    assert at_desk.calls() == []


def test_a_run_whose_agreement_waits_for_other_reasons_is_told_by_the_clock_once(at_desk: Bench) -> None:
    seeded(at_desk)
    run = at_desk.run()
    at_desk.step()
    ticks = clock.Clock(
        engine=at_desk.engine,
        outbox=at_desk.outbox,
        now=lambda: at_desk.time,
        threads=1,
        rhythm=Rhythm(active=1e6),
        probe=60,
    )
    assert ticks.plan() == 0
    for values, cause in (
        ({"paused_until": UNTIL_RESUMED}, "paused"),
        ({"paused_until": None, "state": "disconnected"}, "disconnected"),
    ):
        with at_desk.engine.begin() as connection:
            connection.execute(sa.update(tables.agreement).values(**values))
        assert (ticks.plan(), ticks.plan()) == (1, 0)
        assert (at_desk.far(run)[-1].state, at_desk.far(run)[-1].cause) == ("waiting", cause)
    with at_desk.engine.begin() as connection:
        connection.execute(sa.update(tables.agreement).values(state="on"))
    at_desk.work()
    assert {one.state for one in at_desk.far(run)[5:]} == {"running", "closed"}


def test_an_outage_is_waited_for_and_told_once(at_desk: Bench) -> None:
    seeded(at_desk)
    run = at_desk.run()
    for _ in range(10):
        at_desk.step()
    at_desk.sandbox.data.faults.take_away(60, 503)
    for _ in range(5):
        at_desk.work()
        at_desk.passes(1)
    waiting = [one for one in at_desk.far(run) if one.state == "waiting"]
    assert [one.cause for one in waiting] == ["away"]
    at_desk.sandbox.data.faults.bring_back()
    at_desk.settle()
    assert at_desk.far(run)[-1].closed
    assert numbers(at_desk.under(run)) == Counter(range(1, 26))


def test_people_and_hooks_are_served_before_an_import(at_desk: Bench) -> None:
    seeded(at_desk)
    at_desk.run()
    at_desk.look(1)
    at_desk.step()
    assert at_desk.calls() == ["GET /Customers/1", "GET /Contacts"]


# --- sweeps ----------------------------------------------------------------------------------------------------------


def known(at_desk: Bench) -> None:
    """An e-conomic that was read, whose hooks are said to come."""
    seeded(at_desk, customers=10, contacts=10)
    at_desk.imported()
    with at_desk.engine.begin() as connection:
        connection.execute(sa.update(tables.agreement).values(webhooks="registered"))
    at_desk.passes(3600)
    at_desk.calls()


def test_a_sweep_of_what_is_known_tells_nothing(at_desk: Bench) -> None:
    known(at_desk)
    run = at_desk.imported(kind="sweep")
    last = at_desk.far(run)[-1]
    assert (last.kind, last.read, last.found) == ("sweep", 10, 0)
    assert at_desk.under(run) == []
    assert {row["counter"] for row in at_desk.rows(tables.mirror)} == {1}


def test_a_sweep_tells_and_counts_what_nobody_had_told(at_desk: Bench) -> None:
    known(at_desk)
    data = at_desk.sandbox.data
    ui.edit_customer(data, 2, {"name": "Ændret ApS"})
    ui.create_contact(data, 3, {"name": "Ny Person"})
    ui.delete_contact(data, 4)
    ui.create_customer(data, {"name": "Ny ApS"}, 99)
    ui.edit_customer(data, 6, {"creditMaximum": 100.0})
    ui.delete_customer(data, 7)
    run = at_desk.run(kind="sweep")
    at_desk.work()
    last = at_desk.far(run)[-1]
    assert (last.closed, last.read, last.found) == (True, 10, 5), "the credit limit is nothing we map"
    assert sorted(numbers(at_desk.under(run))) == [2, 3, 4, 6, 99]
    assert {one.why for one in at_desk.under(run)} == {"sweep"}
    assert at_desk.agreement()["missed"] == 5
    at_desk.settle()
    gone = at_desk.new()[-1]
    assert (gone.number, gone.absent, gone.why) == (7, True, "sweep")
    again = at_desk.imported(kind="sweep")
    assert (at_desk.far(again)[-1].found, at_desk.under(again)) == (0, [])


def test_a_sweep_leaves_to_a_look_what_a_hook_had_told(at_desk: Bench) -> None:
    known(at_desk)
    ui.edit_customer(at_desk.sandbox.data, 2, {"name": "Ændret ApS"})
    at_desk.hook(2)
    run = at_desk.imported(kind="sweep")
    assert (at_desk.far(run)[-1].found, at_desk.under(run), at_desk.agreement()["missed"]) == (0, [], 0)


def test_a_sweep_never_puts_what_it_listed_over_what_was_written_meanwhile(at_desk: Bench) -> None:
    known(at_desk)

    def write() -> None:
        ui.create_contact(at_desk.sandbox.data, 3, {"name": "Ny Person"})
        at_desk.look(3)
        assert work.step(at_desk.desk, AGREEMENT, OTHER)

    at_call(at_desk, "/Contacts", write, nth=3)
    run = at_desk.imported(kind="sweep")
    assert at_desk.under(run) == []
    assert at_desk.seen(3).economic is not None
    assert [one.name for one in at_desk.seen(3).economic.contacts][-1] == "Ny Person"  # type: ignore[union-attr]


def test_a_customer_missed_once_and_listed_again_is_missed_no_more(at_desk: Bench) -> None:
    known(at_desk)
    with at_desk.engine.begin() as connection:
        records.miss(connection, AGREEMENT, 3, at_desk.time - timedelta(minutes=2))
    at_desk.imported(kind="sweep")
    assert all(row["missing_since"] is None for row in at_desk.rows(tables.mirror))


def test_two_runs_at_once_each_tell_everything(at_desk: Bench) -> None:
    seeded(at_desk)
    runs = [at_desk.run(), at_desk.run()]
    at_desk.work(most=200)
    for run in runs:
        assert at_desk.far(run)[-1].closed
        assert numbers(at_desk.under(run)) == Counter(range(1, 26))


def test_a_look_that_was_asked_for_is_made_also_before_the_agreement_is_on(at_desk: Bench) -> None:
    seeded(at_desk, customers=3, contacts=1)
    with at_desk.engine.begin() as connection:
        connection.execute(sa.update(tables.agreement).values(state="connected"))
        store.receive_look(connection, LookAtCustomer(agreement=AGREEMENT, number=2), at_desk.message(), at_desk.time)
    at_desk.work()
    assert [one.number for one in at_desk.new()] == [2]


def test_a_customer_created_by_us_during_an_import_is_told_as_created(at_desk: Bench) -> None:
    seeded(at_desk, customers=6, contacts=3)

    def create() -> None:
        at_desk.command(creation())
        assert work.step(at_desk.desk, AGREEMENT, OTHER)

    at_call(at_desk, "/Customers", create)
    run = at_desk.imported()
    assert numbers(at_desk.under(run)) == Counter([*range(1, 7), 1001])
