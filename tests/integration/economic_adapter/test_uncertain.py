"""Answers get lost and processes die: nothing is created twice, nothing is guessed, each operation is answered once."""

from collections.abc import Callable

import pytest

from crm_outbox.contract import Result
from economic_adapter import claims, tables
from economic_adapter.contract import EconomicPart
from economic_adapter.sandbox import ui
from tests.builders.economic import FIELDS, Bench, Crash, creation, part, person


def lost(at_desk: Bench, method: str, path: str, when: str, times: int = 1) -> None:
    """The connection is dropped at that call, with the work done (``after``) or not (``before``)."""
    at_desk.sandbox.data.faults.add("drop", method=method, path=path, when=when, count=times)


def restart(at_desk: Bench) -> None:
    """The dead worker's claims are freed, as the clock does when its lock is gone; a new one goes on."""
    at_desk.wire.die_before = at_desk.wire.die_after = None
    with at_desk.engine.begin() as connection:
        claims.free_claims(connection, at_desk.time)
    at_desk.settle()


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_creation_whose_answer_is_lost_is_made_once(at_desk: Bench, when: str) -> None:
    lost(at_desk, "POST", "*/customers", when)
    wanted = creation()
    at_desk.command(wanted)
    at_desk.settle()
    assert list(at_desk.customers()) == [1001]
    outcome = at_desk.outcome(wanted.operation)
    assert (outcome.result, outcome.created) == (Result.WRITTEN, "1001")
    posts = [one for one in at_desk.wire.asked if one.method == "POST"]
    assert len(posts) == (1 if when == "after" else 2)
    assert len({(one.key, one.body) for one in posts}) == 1
    assert posts[0].key == wanted.operation


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_edit_whose_answer_is_lost_is_written_once(at_desk: Bench, number: int, when: str) -> None:
    lost(at_desk, "PUT", "*/customers/*", when)
    wanted = part(number=number, object_version=at_desk.version(number), fields={"phone": "1"})
    at_desk.command(wanted, number=number)
    at_desk.settle()
    assert at_desk.outcome(wanted.operation).result is Result.WRITTEN
    assert at_desk.customers()[number]["phone"] == "1"
    assert at_desk.calls().count("PUT /Customers/1001") == (1 if when == "after" else 2)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_contact_creation_whose_answer_is_lost_is_made_once(at_desk: Bench, number: int, when: str) -> None:
    lost(at_desk, "POST", "*/contacts", when)
    wanted = person()
    at_desk.command(wanted, number=number)
    at_desk.settle()
    ((made, _),) = at_desk.contacts().items()
    assert at_desk.outcome(wanted.operation).created == str(made)


def edited_in_between(at_desk: Bench, number: int, when: str, values: dict[str, str], gap: float) -> EconomicPart:
    """An edit whose call fails before or after it is done; a bookkeeper edits; then it is taken up again."""
    lost(at_desk, "PUT", "*/customers/*", when)
    wanted = part(number=number, object_version=at_desk.version(number), fields={"phone": "1"})
    at_desk.command(wanted, number=number)
    at_desk.work()
    ui.edit_customer(at_desk.sandbox.data, number, values)
    at_desk.passes(gap)
    at_desk.settle()
    return wanted


@pytest.mark.parametrize("later", ["2", FIELDS["phone"]], ids=["edited", "put back"])
def test_an_edit_after_a_lost_answer_stays_and_ours_counts_as_written(at_desk: Bench, number: int, later: str) -> None:
    wanted = edited_in_between(at_desk, number, "after", {"phone": later}, 60.0)
    assert at_desk.outcome(wanted.operation).result is Result.WRITTEN
    answer = at_desk.new()[-1]
    assert answer.economic is not None
    assert answer.economic.phone == at_desk.customers()[number]["phone"] == later


def test_an_edit_that_never_arrived_is_refused_by_its_version_when_somebody_edited_since(
    at_desk: Bench, number: int
) -> None:
    wanted = edited_in_between(at_desk, number, "before", {"city": "Odense"}, 60.0)
    assert at_desk.outcome(wanted.operation).reason == "version"
    assert at_desk.customers()[number]["phone"] == FIELDS["phone"]


def test_after_an_hour_nothing_tells_whether_an_edit_arrived(at_desk: Bench, number: int) -> None:
    wanted = edited_in_between(at_desk, number, "after", {"phone": "2"}, 4000.0)
    assert at_desk.outcome(wanted.operation).reason == "ambiguous"
    assert at_desk.customers()[number]["phone"] == "2"


def test_a_number_somebody_else_took_meanwhile_is_left_alone_and_the_next_one_taken(at_desk: Bench) -> None:
    lost(at_desk, "POST", "*/customers", "before")
    wanted = creation()
    at_desk.command(wanted)
    at_desk.work()
    ui.create_customer(at_desk.sandbox.data, {"name": "Somebody else"}, 1001)
    at_desk.settle()
    assert at_desk.customers()[1001]["name"] == "Somebody else"
    assert at_desk.outcome(wanted.operation).created == "1002"
    keys = [one.key for one in at_desk.wire.asked if one.method == "POST"]
    assert len(keys) == 3
    assert keys[0] == keys[1] == wanted.operation, "asked again first: it might have been ours"
    assert keys[2] != wanted.operation


@pytest.mark.parametrize(
    ("gap", "reason", "candidates"), [(60.0, "", ()), (4000.0, "ambiguous", (1001,))], ids=["soon", "late"]
)
def test_a_customer_of_ours_that_nothing_shows_any_more_is_known_by_its_key_and_after_an_hour_left_to_a_person(
    at_desk: Bench, gap: float, reason: str, candidates: tuple[int, ...]
) -> None:
    lost(at_desk, "POST", "*/customers", "after")
    wanted = creation(fields={"name": "Jens Hansen", "city": "Odense"})
    at_desk.command(wanted)
    at_desk.work()
    ui.edit_customer(at_desk.sandbox.data, 1001, {"name": "Jens Hansens Maskinservice"})
    at_desk.passes(gap)
    at_desk.settle()
    assert at_desk.outcome(wanted.operation).reason == reason
    assert at_desk.new()[-1].candidates == candidates
    assert list(at_desk.customers()) == [1001]


def test_a_number_taken_between_the_look_and_the_post_is_settled_by_reading_it(at_desk: Bench) -> None:
    taken = at_desk.wire.send

    def send(request: object, grant: object) -> object:
        if request.method == "POST" and 1001 not in at_desk.customers():  # type: ignore[attr-defined]
            ui.create_customer(at_desk.sandbox.data, {"name": "Somebody else"}, 1001)
        return taken(request, grant)  # type: ignore[arg-type]

    at_desk.wire.send = send  # type: ignore[method-assign,assignment]
    answer = at_desk.write(creation())
    assert (answer.number, answer.outcomes[0].created) == (1002, "1002")


@pytest.mark.parametrize(
    ("gap", "reason", "candidates"), [(60.0, "", ()), (4000.0, "ambiguous", (1001,))], ids=["soon", "late"]
)
def test_a_customer_that_may_be_ours_and_was_edited_is_known_by_its_key_and_after_an_hour_left_to_a_person(
    at_desk: Bench, gap: float, reason: str, candidates: tuple[int, ...]
) -> None:
    lost(at_desk, "POST", "*/customers", "after")
    wanted = creation()
    at_desk.command(wanted)
    at_desk.work()
    ui.edit_customer(at_desk.sandbox.data, 1001, {"phone": "2"})
    at_desk.passes(gap)
    at_desk.settle()
    assert at_desk.outcome(wanted.operation).reason == reason
    assert at_desk.new()[-1].candidates == candidates
    assert list(at_desk.customers()) == [1001]


def test_a_customer_somebody_else_made_of_the_same_company_is_left_to_a_person(at_desk: Bench) -> None:
    lost(at_desk, "POST", "*/customers", "before")
    wanted = creation()
    at_desk.command(wanted)
    at_desk.work()
    ui.create_customer(at_desk.sandbox.data, {"name": FIELDS["name"], "phone": "2"}, 1001)
    at_desk.settle()
    assert at_desk.outcome(wanted.operation).reason == "ambiguous"
    assert list(at_desk.customers()) == [1001]


def test_a_kept_failure_under_a_key_is_gone_past_under_another(at_desk: Bench) -> None:
    data = at_desk.sandbox.data
    data.settings.idempotency_errors = True
    data.faults.add("status", status=500, method="POST", path="*/customers", when="after")
    wanted = creation()
    at_desk.command(wanted)
    at_desk.settle()
    assert at_desk.outcome(wanted.operation).result is Result.WRITTEN
    assert list(at_desk.customers()) == [1001]


def edit(at_desk: Bench, number: int) -> EconomicPart:
    """An edit of a customer."""
    return part(number=number, object_version=at_desk.version(number), fields={"phone": "1"})


def addition(_at_desk: Bench, _number: int) -> EconomicPart:
    """A contact person's creation."""
    return person()


def new_customer(_at_desk: Bench, _number: int) -> EconomicPart:
    """Another customer's creation."""
    return creation(fields={"name": "Sydhavn Maler", "ean": "5790000000005"})


@pytest.mark.parametrize("call", range(5))
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("wanted", [edit, addition, new_customer])
def test_a_process_that_dies_at_any_call_leaves_nothing_lost_and_nothing_doubled(
    at_desk: Bench, number: int, wanted: Callable[[Bench, int], EconomicPart], after: bool, call: int
) -> None:
    one = wanted(at_desk, number)
    at_desk.command(one, number=None if wanted is new_customer else number, customer=f"{wanted.__name__}")
    if after:
        at_desk.wire.die_after = call
    else:
        at_desk.wire.die_before = call
    try:
        at_desk.work()
    except Crash:
        restart(at_desk)
    outcome = at_desk.outcome(one.operation)
    assert outcome.result is Result.WRITTEN
    assert len(at_desk.customers()) == (2 if wanted is new_customer else 1)
    assert len(at_desk.contacts()) == (1 if wanted is addition else 0)
    assert at_desk.customers()[number]["phone"] == ("1" if wanted is edit else FIELDS["phone"])
    assert at_desk.rows(tables.work) == []


def test_a_claim_that_was_freed_changes_nothing_any_more(at_desk: Bench, number: int) -> None:
    real = at_desk.wire.send

    def send(request: object, grant: object) -> object:
        with at_desk.engine.begin() as connection:
            connection.execute(tables.work.update().values(worker=99))
        return real(request, grant)  # type: ignore[arg-type]

    at_desk.look(number)
    at_desk.new()
    at_desk.wire.send = send  # type: ignore[method-assign,assignment]
    at_desk.step()
    assert at_desk.new() == []
    assert at_desk.rows(tables.mirror)[0]["counter"] == 1
    assert at_desk.rows(tables.work)[0]["worker"] == 99
