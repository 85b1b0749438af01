"""The life of one write: every move of every state, and what a look at the record settles."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_outbox.contract import Result
from economic_adapter import decide, mapping
from economic_adapter import operation as moves
from economic_adapter.contract import Defaults, EconomicPart
from economic_adapter.decide import Next
from economic_adapter.operation import Illegal, Operation, State
from economic_adapter.protocol import Fault, Head, Rejected

DEFAULTS = Defaults(group=1, terms=1, zone=1, currency="DKK")
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
ID = UUID("018f0000-0000-7000-8000-000000000001")
FIELDS = {"name": "Nordhavn", "cvr": "13748136", "phone": "86 12 34 56"}


def creation(**values: Any) -> Operation:
    given_part = {"operation": ID, "action": "create", "record": "customer", "fields": FIELDS, "defaults": DEFAULTS}
    return Operation(part=EconomicPart(**{**given_part, **values}))


def change(**values: Any) -> Operation:
    given_part = {
        "action": "change",
        "record": "customer",
        "number": 7,
        "object_version": "v1",
        "fields": {"phone": "1"},
    }
    return Operation(part=EconomicPart(**{"operation": ID, **given_part, **values}))


def person(**values: Any) -> Operation:
    given_part = {
        "operation": ID,
        "action": "create",
        "record": "contact",
        "fields": {"name": "Mette", "email": "m@x.dk"},
    }
    return Operation(part=EconomicPart(**{**given_part, **values}))


def customer(version: str = "v1", **values: Any) -> dict[str, Any]:
    return mapping.overlay("customer", {"customerNumber": 7, "objectVersion": version, "access": True}, FIELDS) | values


def contact(number: int, **values: Any) -> dict[str, Any]:
    return {"number": number, "customerNumber": 7, "objectVersion": "c1", "name": "Mette", "email": "m@x.dk", **values}


def ready(number: int = 1001, **values: Any) -> Operation:
    return moves.found_free(moves.choose(creation(**values), number))


def in_state(state: State) -> Operation:
    planned = ready()
    sent = moves.send(planned, "{}", NOW)
    return {
        State.PLANNED: planned,
        State.SENT: sent,
        State.WRITTEN: moves.written(sent, 1001),
        State.UNCHANGED: moves.unchanged(planned),
        State.REFUSED: moves.refused(planned, "version"),
        State.AMBIGUOUS: moves.ambiguous(sent),
    }[state]


MOVES: dict[str, tuple[Callable[[Operation], Operation], dict[State, State]]] = {
    "send": (lambda one: moves.send(one, "{}", NOW), {State.PLANNED: State.SENT, State.SENT: State.SENT}),
    "not_sent": (moves.not_sent, {State.SENT: State.PLANNED}),
    "fresh_key": (moves.fresh_key, {State.SENT: State.SENT}),
    "choose": (lambda one: moves.choose(one, 5), {State.PLANNED: State.PLANNED}),
    "found_free": (moves.found_free, {State.PLANNED: State.PLANNED}),
    "listed_before": (lambda one: moves.listed_before(one, [2, 1]), {State.PLANNED: State.PLANNED}),
    "take_next": (moves.take_next, {State.PLANNED: State.PLANNED, State.SENT: State.PLANNED}),
    "written": (moves.written, {State.SENT: State.WRITTEN}),
    "unchanged": (moves.unchanged, {State.PLANNED: State.UNCHANGED}),
    "refused": (lambda one: moves.refused(one, "x"), {State.PLANNED: State.REFUSED, State.SENT: State.REFUSED}),
    "ambiguous": (moves.ambiguous, {State.SENT: State.AMBIGUOUS}),
}


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("name", list(MOVES))
def test_each_state_has_exactly_its_moves(name: str, state: State) -> None:
    move, allowed = MOVES[name]
    if state not in allowed:
        with pytest.raises(Illegal):
            move(in_state(state))
        return
    assert move(in_state(state)).state is allowed[state]


@given(st.lists(st.sampled_from(sorted(MOVES)), max_size=30))
def test_no_row_of_moves_answers_twice_or_changes_an_answer(names: list[str]) -> None:
    one, answered = ready(), None
    for name in names:
        try:
            one = MOVES[name][0](one)
        except Illegal:
            continue
        if answered is not None:
            raise AssertionError("a settled operation moved")
        answered = one.outcome
        assert one.state.settled == (one.outcome is not None)


def test_a_repeat_sends_the_same_bytes_under_the_same_key() -> None:
    sent = moves.send(ready(), '{"a":1}', NOW)
    assert sent.key == ID
    assert moves.send(sent, '{"a":1}', NOW) == sent
    with pytest.raises(Illegal):
        moves.send(sent, '{"a":2}', NOW)


def test_another_number_goes_under_another_key() -> None:
    first = moves.send(ready(), "{}", NOW)
    second = moves.take_next(first)
    third = moves.take_next(moves.send(moves.found_free(moves.choose(second, 1002)), "{}", NOW))
    assert len({first.key, second.key, third.key}) == 3
    assert (second.chosen, second.free_seen, second.body) == (None, False, None)
    assert moves.take_next(first).key == second.key


def test_a_change_goes_out_on_the_version_it_was_decided_on_with_everything_else_kept() -> None:
    move = decide.decide_change(change(), customer(bankAccount="1234"), known=True)
    assert (move.next, move.body) == (Next.SEND, customer(bankAccount="1234", phone="1"))


@pytest.mark.parametrize(
    ("operation", "body", "result", "reason"),
    [
        (change(), None, Result.REFUSED, "not_found"),
        (change(), customer("v2"), Result.REFUSED, "version"),
        (change(object_version=None), customer(), Result.REFUSED, "version"),
        (change(fields={"phone": FIELDS["phone"]}), customer(), Result.UNCHANGED, ""),
        (change(fields={"fax": "1"}), customer(), Result.REFUSED, "unknown_field"),
        (change(action="bar"), customer(access=False), Result.UNCHANGED, ""),
        (change(record="contact", object_version="c1"), contact(3, isDeleted=True), Result.REFUSED, "not_found"),
        (change(record="contact", action="remove"), contact(3, isDeleted=True), Result.UNCHANGED, ""),
        (change(record="contact", action="remove"), contact(3), Result.REFUSED, "version"),
    ],
)
def test_a_change_that_need_not_or_may_not_leave_is_answered(
    operation: Operation, body: dict[str, Any] | None, result: Result, reason: str
) -> None:
    move = decide.decide_change(operation, body, known=True)
    assert move.next is Next.ANSWER
    assert move.operation.outcome is not None
    assert (move.operation.outcome.result, move.operation.outcome.reason) == (result, reason)


def test_a_record_nobody_has_read_is_looked_at_first() -> None:
    assert decide.decide_change(change(), None, known=False).next is Next.LOOK


@pytest.mark.parametrize(
    ("operation", "body", "expected"),
    [
        (change(), customer("v1"), Next.SEND),
        (change(), customer("v2", phone="1"), State.WRITTEN),
        (change(), customer("v2", phone="2"), Next.SEND),
        (change(), None, State.REFUSED),
        (change(action="bar"), customer("v2", access=False), State.WRITTEN),
        (change(action="bar"), customer("v2"), Next.SEND),
        (change(record="contact", action="remove"), None, State.WRITTEN),
        (change(record="contact", action="remove"), contact(3, isDeleted=True), State.WRITTEN),
        (change(record="contact", action="remove"), contact(3), Next.SEND),
        (change(record="contact", object_version="c0", fields={"name": "Mette"}), contact(3), State.WRITTEN),
        (change(record="contact", fields={"name": "Mette"}), contact(3, isDeleted=True), State.REFUSED),
    ],
)
def test_a_change_that_may_be_done_is_settled_by_its_record(
    operation: Operation, body: dict[str, Any] | None, expected: Next | State
) -> None:
    move = decide.settle_change(moves.send(operation, "{}", NOW), body, NOW + timedelta(minutes=54))
    assert (move.next if isinstance(expected, Next) else move.operation.state) == expected


def test_a_moved_record_without_what_was_sent_is_a_question_once_e_conomic_has_forgotten_the_key() -> None:
    sent = moves.send(change(), "{}", NOW)
    move = decide.settle_change(sent, customer("v2", phone="2"), NOW + decide.REMEMBERED)
    assert move.operation.state is State.AMBIGUOUS
    assert decide.settle_change(sent, customer("v1"), NOW + decide.REMEMBERED).next is Next.SEND
    assert (
        decide.settle_change(sent, customer("v2", phone="1"), NOW + decide.REMEMBERED).operation.state is State.WRITTEN
    )


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (None, Next.SEND),
        (customer(), State.WRITTEN),
        (customer(bankAccount="9"), State.WRITTEN),
        (customer(phone="2"), State.AMBIGUOUS),
        (customer(name="Nordhavn A/S"), State.AMBIGUOUS),
        (customer(cvrNo=""), State.AMBIGUOUS),
        (customer(cvrNo="35204539"), State.AMBIGUOUS),
        (customer(name="Somebody else", cvrNo="DK 13 74 81 36"), State.AMBIGUOUS),
        (customer(name="Somebody else", cvrNo="35204539"), Next.TAKE_NEXT),
        (customer(name="Somebody else", cvrNo=""), Next.TAKE_NEXT),
    ],
)
def test_a_creation_that_may_be_done_is_settled_by_its_number(
    body: dict[str, Any] | None, expected: Next | State
) -> None:
    move = decide.settle_customer(moves.send(ready(), "{}", NOW), body)
    assert (move.next if isinstance(expected, Next) else move.operation.state) == expected


def test_a_number_that_was_never_seen_free_is_never_adopted() -> None:
    sent = moves.send(moves.choose(creation(number=500), 500), "{}", NOW)
    move = decide.settle_customer(sent, customer())
    assert move.operation.outcome is not None
    assert move.operation.outcome.reason == "taken"


@given(
    st.dictionaries(st.sampled_from(["name", "cvr", "phone", "city"]), st.sampled_from(["", "a", "b"])), st.booleans()
)
def test_the_next_number_is_never_taken_while_this_one_may_hold_ours(fields: dict[str, str], free: bool) -> None:
    wanted = {"name": "a", "cvr": "", **{key: value for key, value in fields.items() if key == "cvr"}, "city": "a"}
    chosen = moves.choose(creation(fields=wanted), 7)
    sent = moves.send(moves.found_free(chosen) if free else chosen, "{}", NOW)
    body = mapping.overlay("customer", {"customerNumber": 7, "objectVersion": "v"}, {"name": "a", **fields})
    move = decide.settle_customer(sent, body)
    same = mapping.agrees("customer", body, wanted)
    if free and same:
        assert move.operation.state is State.WRITTEN
    if move.next is Next.TAKE_NEXT and free:
        held = mapping.customer_values(body)
        assert held["name"] != "a"


def test_a_creation_stops_at_unseen_twins_and_goes_past_seen_ones() -> None:
    stopped = decide.decide_creation(creation(seen=(5,)), [5, 6])
    assert stopped.operation.outcome is not None
    assert stopped.operation.outcome.reason == "candidates"
    assert decide.decide_creation(creation(seen=(5, 6)), [5]).next is Next.TAKE_NEXT


def test_a_free_number_is_remembered_before_the_creation_leaves() -> None:
    move = decide.decide_number(moves.choose(creation(), 1001), None)
    assert (move.next, move.operation.free_seen) == (Next.SEND, True)
    assert move.body == mapping.new_customer(1001, FIELDS, DEFAULTS)
    assert decide.decide_number(moves.choose(creation(), 1001), customer()).next is Next.TAKE_NEXT
    asked = decide.decide_number(moves.choose(creation(number=7), 7), customer())
    assert asked.operation.state is State.REFUSED


def test_a_contact_creation_stops_at_an_unseen_person_that_no_operation_of_ours_made() -> None:
    there = [contact(1), contact(2, name="Jens"), contact(3, isDeleted=True)]
    assert decide.decide_contact(person(seen=(1,)), 7, there).operation.state is State.REFUSED
    move = decide.decide_contact(person(seen=(1,)), 7, there, ours={2})
    assert (move.next, move.operation.before) == (Next.SEND, (1, 2, 3))
    assert decide.decide_contact(person(fields={"email": "m@x.dk"}), 7, []).operation.state is State.REFUSED


@pytest.mark.parametrize(
    ("there", "expected"),
    [
        ([contact(1)], Next.SEND),
        ([contact(1), contact(2)], State.WRITTEN),
        ([contact(1), contact(2, name="Jens")], Next.SEND),
        ([contact(1), contact(2, phone="5")], State.AMBIGUOUS),
        ([contact(1), contact(2), contact(3)], State.AMBIGUOUS),
        ([contact(1), contact(2, isDeleted=True)], Next.SEND),
    ],
)
def test_a_contact_creation_that_may_be_done_is_settled_by_the_list(
    there: list[dict[str, Any]], expected: Next | State
) -> None:
    sent = moves.send(moves.listed_before(person(), [1]), "{}", NOW)
    move = decide.settle_contact(sent, there)
    assert (move.next if isinstance(expected, Next) else move.operation.state) == expected
    if expected is State.WRITTEN:
        assert move.operation.outcome is not None
        assert move.operation.outcome.created == "2"


def test_a_rejection_is_told_with_code_words_and_field() -> None:
    head = Head(status=400, request_id="a3c1f0d2b4e69788-CPH")
    error = Rejected(head, (Fault(code="CustomerInvalidEmail", property="Email", message="No " * 400),))
    outcome = moves.rejected(moves.send(change(), json.dumps({}), NOW), error).outcome
    assert outcome is not None
    assert (outcome.reason, outcome.detail, len(outcome.message)) == ("CustomerInvalidEmail", "email", 500)
    assert outcome.request_id == "a3c1f0d2b4e69788-CPH"


def test_the_body_of_an_operation_is_not_shown() -> None:
    assert "86 12" not in repr(moves.send(change(operation=uuid4(), fields={}), '{"phone":"86 12"}', NOW))
