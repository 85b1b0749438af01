"""A contact person removed in one system is removed in the other only where an admin chose so, and never over an edit (C3-C5)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_outbox.contract import Part, WriteCustomer
from economic_adapter.contract import EconomicPart, WriteEconomicCustomer
from reconciler import beside, braking, rehearsal
from reconciler.link import Command, Due, Heard, LinkState, Status, Stopped
from reconciler.rows import Landed, audit
from reconciler.rules import Direction, Rule, Rules, System
from reconciler.step import step
from reconciler.stopping import stopped
from tests.builders.reconciler import NOW, RULES, Case, linked

METTE = {"name": "Mette Hansen", "email": "mette@nordhavn.dk", "phone": "11111111"}
REMOVES = replace(RULES, removes=frozenset(System))
MINUTE = timedelta(minutes=1)


def with_person(rules: Rules = REMOVES) -> Case:
    """A linked customer with one contact person on both sides: CRM ``p1``, e-conomic 7."""
    case = linked()
    case.crm_contacts["p1"] = dict(METTE)
    (command,) = case.crm()
    case.written(command, created="7")
    assert case.status == Status(state="same")
    case.rules = rules
    return case


def gone_there(case: Case) -> tuple[Command, ...]:
    """They are removed in e-conomic; what the first look sends, and the second, which believes it."""
    del case.economic_contacts[7]
    first = case.economic()
    assert first == (), "seen missing once is not believed"
    return case.economic()


def gone_here(case: Case) -> tuple[Command, ...]:
    del case.crm_contacts["p1"]
    return case.crm()


EITHER = pytest.mark.parametrize("leaves", [gone_there, gone_here])
Leaves = Callable[[Case], tuple[Command, ...]]


def removal(commands: tuple[Command, ...]) -> Part | EconomicPart:
    (command,) = commands
    (part,) = command.parts
    assert (part.action, part.record, part.fields) == ("remove", "contact", {})
    return part


def test_removed_in_e_conomic_they_are_removed_in_the_crm_on_the_version_that_was_decided_on() -> None:
    case = with_person()
    commands = gone_there(case)
    part = removal(commands)
    (command,) = commands
    assert isinstance(command, WriteCustomer)
    assert isinstance(part, Part)
    assert (command.version, part.id) == (f"1.{case.crm_version}", "p1")
    assert case.status == Status(state="sending")
    assert case.written(command) == ()
    assert (case.contacts, case.status) == ((), Status(state="same"))
    assert case.economic() == case.crm() == ()


def test_removed_in_the_crm_they_are_removed_in_e_conomic() -> None:
    case = with_person()
    commands = gone_here(case)
    part = removal(commands)
    (command,) = commands
    assert isinstance(command, WriteEconomicCustomer)
    assert isinstance(part, EconomicPart)
    assert (part.number, part.object_version) == (7, f"p{case.object_version}")
    assert case.written(command) == ()
    assert (case.contacts, case.status) == ((), Status(state="same"))


@EITHER
def test_without_the_answers_state_they_are_known_to_be_gone_until_a_look_shows_it(leaves: Leaves) -> None:
    case = with_person()
    (command,) = leaves(case)
    assert case.written(command, state=False) == ()
    assert case.crm() == ()
    assert case.economic() == ()
    assert case.contacts == ()


@EITHER
@pytest.mark.parametrize(
    "changes",
    [
        {"removes": frozenset[System]()},
        {"agreement": "off"},
        {"contact": {"name": Rule(direction=Direction.NONE)}},
    ],
)
def test_unchosen_off_or_not_synced_nobody_is_removed(leaves: Leaves, changes: dict[str, object]) -> None:
    case = with_person()
    case.rules = replace(REMOVES, **changes)  # type: ignore[arg-type]
    assert leaves(case) == ()
    case.rules = REMOVES
    assert case.wait(MINUTE) == case.crm() == case.economic() == (), "it holds for whoever is removed from then on"


@pytest.mark.parametrize(
    ("leaves", "rules"),
    [
        (gone_there, replace(REMOVES, removes=frozenset({System.ECONOMIC}))),
        (gone_here, replace(REMOVES, removes=frozenset({System.CRM}))),
        (gone_there, replace(REMOVES, receive=False)),
        (gone_there, replace(REMOVES, contact={"name": Rule(direction=Direction.ONLY_CRM)})),
        (gone_here, replace(REMOVES, contact={"name": Rule(direction=Direction.ONLY_ECONOMIC)})),
    ],
)
def test_each_way_is_chosen_alone_and_goes_where_persons_may_be_changed(leaves: Leaves, rules: Rules) -> None:
    case = with_person(rules)
    assert leaves(case) == ()


@EITHER
def test_of_a_customer_that_does_not_flow_nobody_is_removed(leaves: Leaves) -> None:
    case = with_person()
    case.link = replace(case.link, flows=False)
    assert leaves(case) == ()
    case.link = replace(case.link, flows=True)
    assert case.wait(MINUTE) == ()


def test_of_a_customer_that_is_deleted_there_nobody_is_removed() -> None:
    case = with_person()
    del case.economic_contacts[7]
    case.economic()
    case.missing()
    assert case.link.state is LinkState.RESTING
    assert case.economic() == ()
    assert case.crm_contacts == {"p1": METTE}


def test_edited_here_after_the_removal_there_they_are_asked_about() -> None:
    case = with_person()
    del case.economic_contacts[7]
    case.economic()
    case.crm_contacts["p1"]["phone"] = "22222222"
    assert case.crm() == ()
    assert case.economic() == ()
    assert case.status is not None
    assert (case.status.state, case.status.reason) == ("choice", "contact")


@EITHER
def test_edited_while_it_was_decided_it_is_refused_by_its_version_and_asked_about(leaves: Leaves) -> None:
    case = with_person()
    (command,) = leaves(case)
    if leaves is gone_there:
        case.crm_contacts["p1"]["phone"] = "22222222"
        case.crm_version += 1
    else:
        case.economic_contacts[7]["phone"] = "22222222"
        case.object_version += 1
    assert case.refused(command, "version") == ()
    assert case.wait(timedelta(hours=1)) == ()
    assert case.status is not None
    assert (case.status.state, case.status.reason) == ("choice", "contact")


def test_a_version_that_moved_for_something_else_is_tried_again_on_the_new_one() -> None:
    case = with_person()
    (command,) = gone_there(case)
    case.crm_values["phone"] = "33333333"
    case.crm_version += 1
    again = [one for one in case.refused(command, "version") if isinstance(one, WriteCustomer)]
    (retried,) = again
    assert retried.version == f"1.{case.crm_version}"
    assert [part.action for part in retried.parts] == ["remove"]


def test_whoever_is_used_on_a_document_stays_and_nobody_is_asked() -> None:
    case = with_person()
    (command,) = gone_here(case)
    assert case.refused(command, "CustomerContactIsInUse") == ()
    assert case.status == Status(state="same")
    assert case.wait(timedelta(days=1)) == case.economic() == ()
    (row, *_) = [one for one in beside.rows(case.link, case.rules) if one.kind == "contact"]
    assert row.stands == "alone"
    assert row.gone == {System.CRM}
    assert row.stays is not None
    assert row.stays.code == "CustomerContactIsInUse"


def test_back_before_it_was_believed_nothing_is_removed() -> None:
    case = with_person()
    held = case.economic_contacts.pop(7)
    case.economic()
    case.economic_contacts[7] = held
    assert case.economic() == ()
    assert case.status == Status(state="same")
    del case.economic_contacts[7]
    assert case.economic() == (), "seen missing once, again"
    removal(case.economic())


def test_a_pause_keeps_it_waiting_and_a_choice_taken_back_keeps_the_person() -> None:
    case = with_person(replace(REMOVES, paused=frozenset(System)))
    assert gone_there(case) == ()
    case.rules = REMOVES
    removal(case.wait(MINUTE))
    other = with_person(replace(REMOVES, paused=frozenset(System)))
    assert gone_there(other) == ()
    other.rules = RULES
    assert other.wait(MINUTE) == ()
    other.rules = REMOVES
    assert other.wait(MINUTE) == ()


@EITHER
def test_what_was_never_agreed_on_is_not_removed(leaves: Leaves) -> None:
    case = with_person()
    (pair,) = case.contacts
    case.link = replace(case.link, contacts=(replace(pair, base={"name": pair.base["name"]}),))
    if leaves is gone_here:
        assert leaves(case) == ()
    else:
        del case.economic_contacts[7]
        assert case.economic() == case.economic() == ()


@EITHER
def test_a_pass_counts_it_lists_every_detail_and_is_stopped_for_good(leaves: Leaves) -> None:
    case = with_person(replace(REMOVES, paused=frozenset(System)))
    leaves(case)
    before = case.link
    done = step(before, Due(), REMOVES, case.now)
    would = braking.counted(replace(before, created=NOW - timedelta(days=9)), done, case.now)
    assert {(one.record, one.field, one.after) for one in would} == {
        ("contact", name, "") for name in ("name", "email", "phone", "notes")
    }
    assert {one.field: one.before for one in would} == {**METTE, "notes": ""}
    left = stopped(before, Stopped(), REMOVES, case.now)
    assert step(left, Due(), REMOVES, case.now).commands == ()


@EITHER
def test_a_rehearsal_ends_as_the_removal_does(leaves: Leaves) -> None:
    case = with_person(replace(REMOVES, paused=frozenset(System)))
    leaves(case)
    crm, economic = case.crm_seen(), case.economic_seen()
    end = rehearsal.rehearse(case.link, Due(), REMOVES, case.now, crm=crm, economic=economic)
    assert end.link.contacts == ()
    assert len(end.writes) == 4


@EITHER
def test_the_history_holds_what_was_known_of_them(leaves: Leaves) -> None:
    case = with_person()
    leaves(case)
    (pair,) = case.contacts
    (pending,) = pair.pending.values()
    (row,) = audit(Landed(pair=pair, pending=pending, created=None))
    assert (row["action"], row["by"], row["record_id"]) == ("remove", "rule", "p1" if leaves is gone_there else "7")
    assert row["before"] == {**METTE, "notes": ""}
    assert set(row["after"].values()) == {""}


def test_the_history_holds_what_copies_they_got_in_e_conomic() -> None:
    case = with_person()
    gone_here(case)
    (pair,) = case.contacts
    (pending,) = pair.pending.values()
    assert pair.economic is not None
    got = replace(pair, economic=replace(pair.economic, receives=("invoices", "orders")))
    (row,) = audit(Landed(pair=got, pending=pending, created=None))
    assert row["before"] == {**METTE, "notes": "", "receives": "invoices orders"}
    assert set(row["after"]) == {*METTE, "notes"}


@given(st.lists(st.sampled_from(["crm", "economic", "edit here", "edit there", "due", "add there"]), max_size=14))
def test_without_the_choice_no_order_of_events_removes_anybody(events: list[str]) -> None:
    case = with_person(RULES)
    number = 8
    for event in events:
        match event:
            case "crm":
                case.crm_contacts.pop("p1", None)
                commands = case.crm()
            case "economic":
                case.economic_contacts.pop(7, None)
                commands = case.economic()
            case "edit here":
                for one in case.crm_contacts.values():
                    one["phone"] = f"3{number}"
                commands = case.crm()
            case "edit there":
                for one in case.economic_contacts.values():
                    one["phone"] = f"4{number}"
                commands = case.economic()
            case "add there":
                number += 1
                case.economic_contacts[number] = {"name": f"Ny {number}"}
                commands = case.economic()
            case _:
                commands = case.hear(Heard()) + case.wait(MINUTE)
        assert all(part.action != "remove" for command in commands for part in command.parts)


def test_who_may_be_back_as_somebody_else_is_asked_about_and_removed_only_when_told_apart() -> None:
    case = with_person()
    del case.economic_contacts[7]
    case.economic()
    case.economic_contacts[8] = {"name": METTE["name"]}
    assert case.economic() == ()
    assert case.status is not None
    assert (case.status.state, case.status.reason) == ("choice", "contact")
    before = case.link
    assert case.hear(Heard()) == ()
    assert case.link == before, "heard twice it changes nothing"
    mine = next(one for one in case.contacts if one.crm is not None)
    case.link = replace(case.link, contacts=tuple(replace(one, apart=("8",)) for one in case.contacts))
    (command,) = case.wait(MINUTE)
    assert mine.crm is not None
    assert {(part.action, part.id) for part in command.parts if isinstance(part, Part)} == {
        ("remove", mine.crm.id),
        ("create", None),
    }
