"""Is what *Turn on* shows what turning on writes, and does it write nothing else and never what was not shown?"""

from dataclasses import replace
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from crm_outbox.contract import WriteCustomer
from reconciler import flowing
from reconciler.decisions import Means
from reconciler.link import Command, Decided, LinkState
from reconciler.rehearsal import Write
from reconciler.rules import System
from tests.builders.deciding import Deciding, a_decision, deciding
from tests.builders.reconciler import NOW, RULES


def switch(case: Deciding, means: Means, nth: int = 1) -> tuple[Command, ...]:
    return case.hear(Decided(decision=a_decision(means=means, id=UUID(int=nth), at=NOW)))


def shown(case: Deciding) -> tuple[Write, ...]:
    return flowing.would_write(
        case.link, case.rules, case.now, crm=case.crm_seen(), economic=case.economic_seen(number=1042)
    )


def off(**given_: Any) -> Deciding:
    case = deciding(RULES, **given_)
    switch(case, "still")
    assert not case.link.flows
    return case


def test_one_that_does_not_flow_is_compared_and_nothing_is_written_or_asked() -> None:
    case = off()
    assert case.crm(name="Nordhavn A", phone="87654321") == ()
    assert case.economic(name="Nordhavn B") == ()
    assert case.stands().state == "different"


def test_turned_on_it_writes_what_was_shown() -> None:
    case = off()
    case.crm(phone="87654321")
    (one,) = shown(case)
    assert (one.system, one.field, one.before, one.after) == (System.ECONOMIC, "phone", "12345678", "87654321")
    (command,) = switch(case, "flow", 2)
    assert command.parts[0].fields == {"phone": "87654321"}
    assert [(one.result, one.reason) for one in case.history] == [("done", ""), ("done", "")]


def test_what_a_pause_would_put_off_is_shown_all_the_same() -> None:
    case = off()
    case.crm(phone="87654321")
    case.rules = replace(RULES, paused=frozenset(System))
    assert [one.after for one in shown(case)] == ["87654321"]
    case.rules = replace(RULES, agreement="off")
    assert [one.after for one in shown(case)] == ["87654321"]


def test_a_choice_is_carried_out_although_it_does_not_flow() -> None:
    case = off()
    case.crm(name="Nordhavn A")
    (command,) = case.settle(name="crm")
    assert command.parts[0].fields == {"name": "Nordhavn A"}


def test_one_that_is_not_linked_or_is_just_being_unlinked_does_not_begin() -> None:
    case = off()
    case.link = replace(case.link, parted=(1042,))
    switch(case, "flow", 2)
    assert (case.history[-1].result, case.history[-1].reason) == ("refused", "parted")
    case.link = replace(case.link, state=LinkState.UNLINKED, number=None)
    switch(case, "flow", 3)
    assert (case.history[-1].result, case.history[-1].reason) == ("refused", "not_linked")
    assert not case.link.flows


VALUES = st.sampled_from(["", "A", "B", "C"])


@given(
    crm=st.fixed_dictionaries(
        {"name": st.sampled_from(["A", "B"]), "phone": VALUES, "website": VALUES, "city": VALUES}
    ),
    there=st.fixed_dictionaries(
        {"name": st.sampled_from(["A", "B"]), "phone": VALUES, "website": VALUES, "city": VALUES}
    ),
)
def test_whatever_both_hold_turning_on_writes_exactly_what_was_shown(
    crm: dict[str, str], there: dict[str, str]
) -> None:
    case = off()
    case.crm(**crm)
    case.economic(**there)
    expected = {(one.system, one.field, one.after) for one in shown(case)}
    wrote = set()
    waiting = list(switch(case, "flow", 2))
    while waiting:
        command = waiting.pop(0)
        system = System.CRM if isinstance(command, WriteCustomer) else System.ECONOMIC
        wrote |= {(system, name, value) for part in command.parts for name, value in part.fields.items()}
        waiting += case.written(command)
    assert wrote == expected


def test_the_mark_is_another_when_any_write_is() -> None:
    case = off()
    case.crm(phone="87654321")
    first = flowing.mark(shown(case))
    assert first == flowing.mark(tuple(reversed(shown(case))))
    case.crm(phone="11223344")
    assert flowing.mark(shown(case)) != first
    assert flowing.mark(()) != first
