"""The e-mail of a contact person who gets copies of invoices steers where invoices go: it has a rule of its own (6.2)."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from economic_adapter.contract import INVOICE_COPIES, Receives, WriteEconomicCustomer
from reconciler import beside, ruleset
from reconciler.agreement import AgreementState
from reconciler.link import Status
from reconciler.overwriting import overwriting
from reconciler.rules import Decides, Direction, Rule
from tests.builders.reconciler import RULES, Case, linked, part_actions

METTE = {"name": "Mette Hansen", "email": "mette@nordhavn.dk", "phone": "11111111"}
DOCUMENTS: tuple[Receives, ...] = ("quotes", "orders", "invoices", "e_invoices", "statements", "reminders")


def with_person(*receives: Receives) -> Case:
    """A linked customer with one contact person on both sides, who gets copies of these documents."""
    case = linked()
    case.crm_contacts["p1"] = dict(METTE)
    (command,) = case.crm()
    case.written(command, created="7")
    case.economic_contacts[7]["receives"] = receives
    case.economic()
    assert case.status == Status(state="same")
    return case


def marks(case: Case) -> tuple[Receives, ...] | None:
    """What is known of the documents they get."""
    side = case.contacts[0].economic
    return None if side is None else side.receives


def both_changed(case: Case) -> Case:
    """Their e-mail is changed in both systems before either is heard of."""
    case.rules = replace(case.rules, paused=frozenset(("crm", "economic")))  # type: ignore[arg-type]
    case.economic_contacts[7]["email"] = "bogholderi@nordhavn.dk"
    case.economic()
    case.crm_contacts["p1"]["email"] = "mh@nordhavn.dk"
    case.crm()
    case.rules = replace(case.rules, paused=frozenset())
    return case


@given(st.sets(st.sampled_from(DOCUMENTS)))
def test_who_gets_invoices_is_asked_about_and_of_others_the_crms_holds(receives: set[Receives]) -> None:
    case = both_changed(with_person(*sorted(receives)))
    commands = case.crm()
    if receives & INVOICE_COPIES:
        assert commands == ()
        assert case.status == Status(state="choice", reason="both", details=("contact.email",))
    else:
        (command,) = commands
        assert isinstance(command, WriteEconomicCustomer)
        assert command.parts[0].fields == {"email": "mh@nordhavn.dk"}


def test_the_rule_follows_the_marks_of_the_moment() -> None:
    case = both_changed(with_person("invoices"))
    assert case.crm() == ()
    case.economic_contacts[7]["receives"] = ("reminders",)
    (command,) = case.economic()
    assert command.parts[0].fields == {"email": "mh@nordhavn.dk"}


def test_a_message_of_the_release_before_leaves_the_marks_as_they_were_told() -> None:
    case = with_person("e_invoices")
    case.economic_contacts[7]["receives"] = None
    case.economic()
    assert marks(case) == ("e_invoices",)
    case.economic_contacts[7]["receives"] = ()
    case.economic()
    assert marks(case) == ()


def test_it_may_not_be_emptied_unasked() -> None:
    case = with_person("invoices")
    case.crm_contacts["p1"]["email"] = ""
    assert case.crm() == ()
    assert case.status == Status(state="choice", reason="empty", details=("contact.email",))


def test_of_others_it_may() -> None:
    case = with_person("quotes")
    case.crm_contacts["p1"]["email"] = ""
    (command,) = case.crm()
    assert command.parts[0].fields == {"email": ""}


def test_protected_it_is_put_back_while_that_of_others_flows() -> None:
    chosen = ruleset.protected({})
    assert ruleset.rule(chosen, "contact.invoice_email").direction is Direction.ONLY_ECONOMIC
    assert ruleset.rule(chosen, "contact.email").direction is Direction.BOTH
    rules = replace(RULES, customer=chosen["customer"], contact=chosen["contact"])
    case = with_person("invoices")
    case.rules = rules
    case.crm_contacts["p1"]["email"] = "mh@nordhavn.dk"
    (command,) = case.crm()
    assert command.parts[0].fields == {"email": "mette@nordhavn.dk"}
    assert not isinstance(command, WriteEconomicCustomer)
    case.written(command)
    assert [(one.kind, one.detail) for one in case.link.notes] == [("put_back", "contact.email")]
    other = with_person("orders")
    other.rules = rules
    other.crm_contacts["p1"]["email"] = "mh@nordhavn.dk"
    (command,) = other.crm()
    assert isinstance(command, WriteEconomicCustomer)


def test_protecting_is_undone_with_the_others() -> None:
    before = ruleset.changed({}, "contact.invoice_email", Direction.ONLY_CRM)
    after = ruleset.protected(before)
    assert ruleset.rule(ruleset.undone(after, before, after), "contact.invoice_email").direction is Direction.ONLY_CRM


def test_what_is_protected_is_left_out_of_an_update_and_marked_beside() -> None:
    chosen = ruleset.protected({})
    case = both_changed(with_person("invoices"))
    case.rules = replace(RULES, contact={"invoice_email": replace(chosen["contact"]["invoice_email"])})
    case.link = replace(case.link, flows=False)
    found = overwriting(case.link, case.rules)
    assert [(one.detail, why) for one, why in found.left] == [("email", "only_there")]
    mail = next(one for one in beside.rows(case.link, case.rules) if (one.kind, one.detail) == ("contact", "email"))
    assert (mail.invoices, mail.gets_invoices, mail.receives) == (True, True, ("invoices",))
    own = next(one for one in beside.rows(case.link, case.rules) if (one.kind, one.detail) == ("customer", "phone"))
    assert (own.invoices, own.gets_invoices) == (False, False)


@pytest.mark.parametrize("direction", list(Direction))
def test_a_person_who_is_made_goes_by_the_rule_of_their_own(direction: Direction) -> None:
    case = linked(replace(RULES, contact={"invoice_email": Rule(direction=direction, decides=Decides.ASK)}))
    case.economic_contacts[7] = {**METTE, "receives": ("invoices",)}
    (command,) = case.economic()
    assert part_actions((command,)) == ["create"]
    assert ("email" in command.parts[0].fields) is (direction is not Direction.NONE)


def test_its_rule_is_read_from_what_is_stored() -> None:
    state = AgreementState(
        state="on", since=None, transfer="hand", rules="{}", defaults="{}", paused="[]", busy=False, pilot=None,
        receive=True, inactive="flows", gone_there="keep", gone_here="keep", flows_first=True, numbers="", read=True,
    )  # fmt: skip
    chosen = ruleset.changed({}, "contact.invoice_email", Direction.ONLY_ECONOMIC)
    assert state.choosing(chosen).as_rules(RULES.resend).contact == chosen["contact"]
