"""Does each answer to a question do what it says, and is an answer to a question that is another one now refused?"""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from crm_outbox.contract import Stage, WriteCustomer
from economic_adapter.contract import WriteEconomicCustomer
from reconciler.link import Command, Decided, LinkState
from reconciler.rules import System
from reconciler.tasks import tasks
from tests.builders.deciding import Deciding, a_decision, deciding
from tests.builders.reconciler import NOW, RULES, to_crm

ANSWER = UUID(int=99)
METTE = {"name": "Mette Holm", "phone": "12121212"}


def answer(case: Deciding, means: str, **given: Any) -> tuple[Command, ...]:
    decision = a_decision(means=means, **{"id": ANSWER, "at": NOW, **given})
    return case.hear(Decided(decision=decision))


def open_task(case: Deciding) -> str:
    return tasks(case.link, case.rules, case.now)[0].fingerprint


def doubtful() -> Deciding:
    """A person of one name on each side, who may be two."""
    case = deciding(RULES)
    case.rules = replace(RULES, paused=frozenset(System))
    case.crm_contacts["p1"] = {"name": "Mette Holm"}
    case.crm()
    case.economic_contacts[7] = {"name": "Mette Holm", "email": "mh@nordhavn.example"}
    case.economic()
    case.rules = RULES
    case.hear_again()
    assert [one.rest for one in case.link.contacts] == ["unclear", "unclear"]
    return case


def removed_and_edited() -> Deciding:
    case = deciding(RULES)
    case.crm_contacts["p1"] = dict(METTE)
    (creation,) = case.crm()
    case.written(creation, created="7")
    case.rules = replace(RULES, paused=frozenset(System))
    case.crm_contacts["p1"]["phone"] = "99999999"
    case.crm()
    del case.economic_contacts[7]
    case.economic()
    case.rules = RULES
    case.hear_again()
    assert case.link.contacts[0].rest == "removed_edited"
    return case


def test_set_inactive_in_the_crm_when_it_is_gone_in_e_conomic() -> None:
    case = deciding(RULES)
    case.missing()
    (command,) = answer(case, "inactive", task=open_task(case))
    assert isinstance(command, WriteCustomer)
    assert command.parts[0].stage is Stage.INACTIVE
    assert case.history == []
    case.facts["stage"] = Stage.INACTIVE
    case.written(command)
    assert [(one.decision, one.result) for one in case.history] == [(ANSWER, "done")]
    assert case.link.customer.chosen == {}


def test_a_refused_mark_ends_its_decision_and_leaves_nothing_behind() -> None:
    case = deciding(RULES)
    case.missing()
    (command,) = answer(case, "inactive")
    case.refused(command, "write_refused")
    assert [(one.result, one.reason) for one in case.history] == [("refused", "write_refused")]
    assert (case.link.customer.chosen, case.link.customer.refusals) == ({}, ())


def test_a_mark_that_met_another_edit_is_written_on_the_newer_version() -> None:
    case = deciding(RULES)
    case.missing()
    (command,) = answer(case, "inactive")
    case.crm_values["phone"] = "99999999"
    case.crm_version += 1
    (again,) = case.refused(command, "version")
    assert isinstance(again, WriteCustomer)
    assert again.version == f"1.{case.crm_version}"
    assert again.parts[0].stage is Stage.INACTIVE


def test_barred_in_e_conomic_for_one_deleted_here() -> None:
    case = deciding(RULES)
    case.facts["deleted"] = True
    case.crm()
    (command,) = answer(case, "bar", task=open_task(case))
    assert isinstance(command, WriteEconomicCustomer)
    assert [(one.action, one.number) for one in command.parts] == [("bar", 1042)]
    case.written(command, state=False)
    assert [one.result for one in case.history] == ["done"]


def test_the_same_customer_after_all_flows_again_and_asks_who_it_is_detail_by_detail() -> None:
    case = deciding(RULES, cvr="12345678")
    case.economic(name="Sydhavn VVS", cvr="87654321", phone="44444444")
    assert case.link.rest == "other_identity"
    commands = answer(case, "same_customer", task=open_task(case))
    assert case.link.state is LinkState.LINKED
    assert to_crm(commands) == {"phone": "44444444"}
    assert (case.stands().state, set(case.stands().details)) == ("choice", {"name", "cvr"})
    case.carry_out(commands)
    case.carry_out(case.settle(name="economic", cvr="economic"))
    assert case.stands().state == "same"


def test_the_same_person_is_paired_and_blanks_fill() -> None:
    case = doubtful()
    here, there = case.link.contacts
    (command,) = answer(case, "same_person", record=here.id, other=there.id)
    (pair,) = case.link.contacts
    assert pair.rest == ""
    assert isinstance(command, WriteCustomer)
    assert [one.fields for one in command.parts] == [{"email": "mh@nordhavn.example"}]
    case.written(command)
    assert case.stands().state == "same"


def test_another_person_is_created_on_the_other_side_and_never_asked_about_again() -> None:
    case = doubtful()
    here, there = case.link.contacts
    commands = answer(case, "another_person", record=here.id, other=there.id)
    assert [one.rest for one in case.link.contacts] == ["", ""]
    assert {part.action for command in commands for part in command.parts} == {"create"}
    assert case.stands().state == "sending"


def test_a_person_removed_there_and_edited_here_is_created_again_or_left() -> None:
    case = removed_and_edited()
    (command,) = answer(case, "create", record=case.link.contacts[0].id, task=open_task(case))
    assert [(one.action, one.record) for one in command.parts] == [("create", "contact")]
    left = removed_and_edited()
    assert answer(left, "leave", task=open_task(left)) == ()
    assert left.stands().state == "same"


def test_what_was_refused_is_tried_again_when_a_person_says_so() -> None:
    case = deciding(RULES)
    (command,) = case.crm(email="odd@nordhavn.example")
    case.refused(command, "CustomerInvalidEmail", detail="email")
    (again,) = answer(case, "retry")
    assert again.parts[0].fields == {"email": "odd@nordhavn.example"}
    assert again.parts[0].operation != command.parts[0].operation


@pytest.mark.parametrize("means", ["leave", "inactive", "same_customer"])
def test_an_answer_to_a_question_that_is_another_one_now_is_refused(means: str) -> None:
    case = deciding(RULES)
    case.missing()
    fingerprint = open_task(case)
    case.crm(phone="99999999")
    before = case.link
    assert answer(case, means, task=fingerprint) == ()
    assert [(one.result, one.reason) for one in case.history] == [("refused", "moved")]
    assert case.link == before


def test_contested_values_cannot_be_left_without_choosing_that_they_stay_different() -> None:
    case = deciding(RULES)
    case.rules = replace(RULES, paused=frozenset(System))
    case.crm(name="A")
    case.economic(name="B")
    case.rules = RULES
    case.hear_again()
    answer(case, "leave", task=open_task(case))
    assert [(one.result, one.reason) for one in case.history] == [("refused", "not_left")]


@pytest.mark.parametrize("means", ["same_person", "another_person", "create"])
def test_a_person_who_is_not_there_is_refused(means: str) -> None:
    case = deciding(RULES)
    answer(case, means, record=UUID(int=5), other=UUID(int=6))
    assert [(one.result, one.reason) for one in case.history] == [("refused", "gone")]
