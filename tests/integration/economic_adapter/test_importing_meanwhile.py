"""Who else sees or changes a customer while everything is read: the newest of each is told, once more where it moved."""

import random
import threading
from collections import Counter
from dataclasses import replace

import pytest
import sqlalchemy as sa

from economic_adapter import claims, records, store, tables, work
from economic_adapter.budget import Lane
from economic_adapter.client import Grant
from economic_adapter.contract import CustomerObserved, LookAtCustomer
from economic_adapter.protocol import Answer, Request
from economic_adapter.sandbox import ui
from economic_adapter.sandbox.data import AGREEMENT
from tests.builders.economic import TENANT, Bench, creation
from tests.integration.economic_adapter.reading import OTHER, at_call, held, latest, numbers, seeded
from tests.waiting import eventually

pytestmark = pytest.mark.slow


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

    at_desk.wire.send = send  # type: ignore[method-assign,assignment]
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
