"""What does creating make of a link, in either system? Rows R1, R3 and R8, and the button."""

from dataclasses import replace
from uuid import UUID

import pytest

from crm_outbox.contract import Result, Stage, WriteCustomer
from economic_adapter.contract import WriteEconomicCustomer
from reconciler import linking
from reconciler.link import Create, Heard, LinkState, Status, new_link
from reconciler.rules import System, Transfer
from reconciler.step import began, held_back, ruling_out, step
from tests.builders.reconciler import LINK, NOW, RULES, Case, linked, outcome_of
from tests.unit.reconciler.test_linking import BY_HAND, METTE, THERE


@pytest.mark.parametrize("transfer", list(Transfer))
def test_the_button_creates_whatever_the_transfer_setting_says(transfer: Transfer) -> None:
    case = Case(rules=replace(RULES, transfer=transfer), facts={"stage": Stage.LEAD, "created": RULES.since})
    case.rules = BY_HAND
    case.crm()
    case.rules = replace(RULES, transfer=transfer)
    (command,) = case.hear(Create(system=System.ECONOMIC, ruled_out=("7", "12")))
    assert isinstance(command, WriteEconomicCustomer)
    assert (command.number, command.parts[0].action, command.parts[0].seen) == (None, "create", (7, 12))
    assert case.hear(Create(system=System.ECONOMIC)) == ()  # pressed twice
    assert case.counted == ("not_created.under_way",)
    case.written(command, created="1042")
    assert (case.link.state, case.link.linked_by, case.link.linked_at) == (LinkState.LINKED, "created", NOW)


@pytest.mark.parametrize(
    ("facts", "values", "why"),
    [
        ({"deleted": True}, {}, "gone"),
        ({"merged_into": "c2"}, {}, "gone"),
        ({}, {"country": ""}, "missing.country"),
        ({}, {"name": " "}, "missing.name"),
    ],
)
def test_the_button_creates_nothing_that_cannot_be(facts: dict[str, object], values: dict[str, str], why: str) -> None:
    case = Case(rules=BY_HAND, facts=facts)
    case.crm(**values)
    assert case.hear(Create(system=System.ECONOMIC)) == ()
    assert (case.link.state, case.counted) == (LinkState.UNLINKED, (f"not_created.{why}",))


def test_r8_a_customer_deleted_in_e_conomic_can_be_created_again_by_a_person() -> None:
    case = linked()
    case.missing()
    (command,) = case.hear(Create(system=System.ECONOMIC))
    assert isinstance(command, WriteEconomicCustomer)
    assert command.number is None
    case.economic_version = 0
    (outcome,) = outcome_of(command, Result.WRITTEN, created="1043")
    case.economic_version += 1
    case.hear(Heard(outcomes=(outcome,), economic=case.economic_seen(number=1043)))
    assert (case.link.number, case.link.old_numbers, case.status) == (1043, (1042,), Status(state="same"))


def test_r1_what_is_told_apart_is_carried_with_the_creation() -> None:
    case = Case(rules=BY_HAND)
    case.crm()
    case.link = linking.told_apart(replace(case.link, candidates=(8, 9)), numbers=(8,))
    assert (case.link.candidates, case.link.apart) == ((9,), (8,))
    (command,) = case.hear(Create(system=System.ECONOMIC))
    assert command.parts[0].seen == (8,)  # type: ignore[union-attr]


# ---- customers that only e-conomic has


def stranger(case: Case) -> Case:
    """A customer that e-conomic has and the CRM is to get."""
    case.link = replace(new_link("t", 1, "", LINK), number=1042)
    case.economic_values = dict(THERE)
    case.economic_contacts = {7: dict(METTE)}
    case.economic_version, case.crm_values = 1, {}
    return case


def create_here(case: Case, **given: object) -> tuple[object, ...]:
    return case.hear(Create(system=System.CRM, economic=case.economic_seen(), **given))  # type: ignore[arg-type]


def test_r3_a_customer_is_created_in_the_crm_active_and_as_e_conomic_holds_it() -> None:
    case = stranger(Case())
    (command,) = create_here(case, ruled_out=("c7",))
    assert isinstance(command, WriteCustomer)
    (part,) = command.parts
    assert (command.customer, command.version, command.ruled_out) == (None, None, ("c7",))
    assert (part.action, part.record, part.id, part.stage, part.fields) == (
        "create", "customer", None, Stage.ACTIVE, THERE,
    )  # fmt: skip
    assert (case.link.state, case.status) == (LinkState.CREATING, Status(state="creating"))
    assert create_here(case) == ()


def test_r3_the_answer_links_it_and_its_contact_persons_follow() -> None:
    case = stranger(Case())
    (command,) = create_here(case, run=UUID(int=7))
    assert isinstance(command, WriteCustomer)
    commands = case.written(command, created="c1")
    assert (case.link.crm_id, case.link.number, case.link.state) == ("c1", 1042, LinkState.LINKED)
    assert (case.link.flows, case.link.linked_by, case.link.run) == (True, "created", UUID(int=7))
    (persons,) = commands
    assert isinstance(persons, WriteCustomer)
    assert (persons.customer, persons.parts[0].fields) == ("c1", METTE)
    case.written(persons, created="p1")
    assert case.status == Status(state="same")
    assert case.economic() == ()


def test_r3_an_answer_without_state_is_followed_by_nothing_until_the_customer_is_seen() -> None:
    case = stranger(Case())
    (command,) = create_here(case)
    assert case.written(command, state=False, created="c1") == ()  # type: ignore[arg-type]
    assert case.link.crm_id == "c1"
    assert len(case.crm()) == 1  # its person


def test_r3_a_refusal_with_candidates_is_a_choice_and_nothing_is_created() -> None:
    case = stranger(Case())
    (command,) = create_here(case)
    refused = outcome_of(command, Result.REFUSED, reason="candidates")  # type: ignore[arg-type]
    assert case.hear(Heard(outcomes=refused, candidates_here=("c5",))) == ()
    assert (case.link.state, case.link.candidates_here) == (LinkState.UNLINKED, ("c5",))
    assert case.status == Status(state="perhaps", reason="candidates")
    (again,) = create_here(case, ruled_out=("c5",))
    assert again.ruled_out == ("c5",)  # type: ignore[attr-defined]


@pytest.mark.parametrize("system", list(System))
def test_a_refusal_that_names_nobody_is_no_question_and_the_creation_is_asked_again(system: System) -> None:
    case = stranger(Case()) if system is System.CRM else Case(rules=BY_HAND)
    if system is System.ECONOMIC:
        case.crm()
    (command,) = case.hear(Create(system=system, economic=case.economic_seen(), ruled_out=("7",)))
    told_again = outcome_of(command, Result.REFUSED, reason="candidates")
    (again,) = case.hear(Heard(outcomes=told_again))
    (before,), (after,) = command.parts, again.parts
    assert after.operation != before.operation
    assert again == command.model_copy(update={"parts": (after,)})
    assert after == before.model_copy(update={"operation": after.operation})
    assert (case.link.state, case.status) == (LinkState.CREATING, Status(state="creating"))
    assert case.hear(Heard(outcomes=told_again)) == ()  # the old one is of nothing any more
    named = outcome_of(again, Result.REFUSED, reason="candidates")
    assert case.hear(Heard(outcomes=named, candidates=(8,), candidates_here=("c5",))) == ()
    assert case.status == Status(state="perhaps", reason="candidates")


def test_a_refusal_that_names_nobody_ends_the_creation_while_the_integration_is_off() -> None:
    case = stranger(Case())
    (command,) = create_here(case)
    case.rules = replace(case.rules, agreement="off")
    refused = outcome_of(command, Result.REFUSED, reason="candidates")  # type: ignore[arg-type]
    assert case.hear(Heard(outcomes=refused)) == ()
    assert (case.link.state, case.link.customer.refusals) == (LinkState.UNLINKED, ())


def test_a_customer_without_a_name_or_gone_from_e_conomic_is_not_created_in_the_crm() -> None:
    case = stranger(Case())
    case.economic_values["name"] = ""
    assert create_here(case) == ()
    assert case.counted == ("not_created.missing.name",)
    case = stranger(Case())
    case.hear(Create(system=System.CRM, economic=replace(case.economic_seen(), customer=None)))
    assert case.counted == ("not_created.gone",)


# ---- a creation that what is recorded holds back


def test_r1_a_creation_is_held_back_by_what_resembles_it_and_goes_out_when_that_is_told_apart() -> None:
    case = Case()
    case.crm_version = 1
    done = step(case.link, Heard(crm=case.crm_seen()), RULES, NOW)
    assert began(case.link, done) is not None
    held = held_back(done, ("7",), RULES, NOW)
    assert (held.commands, held.link.state, held.link.candidates) == ((), LinkState.UNLINKED, (7,))
    assert held.status == Status(state="perhaps", reason="candidates")
    case.link = held.link
    assert case.crm() == ()
    case.link = linking.told_apart(case.link, numbers=(7,))
    (command,) = case.wait(RULES.resend)
    assert command.parts[0].seen == (7,)  # type: ignore[union-attr]


def test_r1_customers_linked_elsewhere_are_ruled_out_with_the_creation() -> None:
    case = Case()
    case.crm_version = 1
    done = step(case.link, Heard(crm=case.crm_seen()), RULES, NOW)
    (command,) = ruling_out(done, ("30", "4")).commands
    assert command.parts[0].seen == (4, 30)  # type: ignore[union-attr]
    assert began(case.link, ruling_out(done, ("30",))) != began(case.link, done)


# ---- what is received
