"""Listings that go wrong and records that are strange: begun again, told with a reason, never followed astray."""

from collections import Counter

import pytest

from economic_adapter import tables
from economic_adapter.sandbox.seeding import seed
from tests.builders.economic import Bench
from tests.integration.economic_adapter.reading import latest, numbers, seeded

pytestmark = pytest.mark.slow


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
