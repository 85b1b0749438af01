"""Rows R: links being made, renumbered, lost and found to be somebody else. Each test names its row."""

from dataclasses import replace
from datetime import timedelta

import pytest

from crm_outbox.contract import Result, Stage
from economic_adapter.contract import Defaults, WriteEconomicCustomer
from reconciler import record
from reconciler.link import Heard, LinkState, Status
from reconciler.rules import System, Transfer
from tests.builders.reconciler import DEFAULTS, ON, RULES, Case, linked, outcome_of, to_crm, to_economic

BEFORE = ON - timedelta(days=1)
MINUTE = timedelta(minutes=1)


def test_r1_a_new_customer_is_created_and_the_link_exists_before_the_creation_is_sent() -> None:
    case = Case(facts={"number": 777}, crm_values={"name": " Nordhavn ", "country": "dk", "ean": "57 98 000 000 001"})
    (command,) = case.crm()
    assert isinstance(command, WriteEconomicCustomer)
    (part,) = command.parts
    assert (command.number, part.action, part.record, part.number) == (None, "create", "customer", 777)
    assert part.fields == {"name": "Nordhavn", "country": "dk", "ean": "5798000000001"}
    assert part.defaults == next(iter(DEFAULTS.values()))
    assert case.link.state is LinkState.CREATING
    assert case.link.customer.pending[System.ECONOMIC].operation == part.operation
    assert case.status == Status(state="creating")


def test_r1_a_created_customer_is_linked_and_the_same() -> None:
    case = linked()
    assert (case.link.number, case.link.state, case.link.flows) == (1042, LinkState.LINKED, True)
    assert case.crm() == ()


def test_r1_edits_made_meanwhile_follow_when_the_number_is_known() -> None:
    case = Case()
    (creation,) = case.crm()
    assert case.crm(phone="22222222") == ()
    assert to_economic(case.written(creation, created="1042")) == {"phone": "22222222"}


@pytest.mark.parametrize(
    ("transfer", "facts", "creates"),
    [
        (Transfer.CREATED, {}, True),
        (Transfer.CREATED, {"stage": Stage.LEAD}, True),
        (Transfer.CREATED, {"stage": Stage.INACTIVE}, False),
        (Transfer.CREATED, {"created": BEFORE}, False),
        (Transfer.CREATED, {"deleted": True}, False),
        (Transfer.ACTIVE, {"stage": Stage.LEAD}, False),
        (Transfer.ACTIVE, {"created": BEFORE, "active_since": ON}, True),
        (Transfer.ACTIVE, {"active_since": BEFORE}, False),
        (Transfer.HAND, {}, False),
    ],
)
def test_r1_r2_the_transfer_setting_decides_who_is_created(
    transfer: Transfer, facts: dict[str, object], *, creates: bool
) -> None:
    case = Case(rules=replace(RULES, transfer=transfer), facts=facts)
    assert bool(case.crm()) == creates


@pytest.mark.parametrize("agreement", ["none", "connected", "off", "disconnected"])
def test_nothing_is_created_while_the_integration_is_not_on(agreement: str) -> None:
    case = Case(rules=replace(RULES, agreement=agreement))  # type: ignore[arg-type]
    assert case.crm() == ()
    assert case.status is not None
    assert case.status.state == ("not_set_up" if agreement == "none" else "off")


@pytest.mark.parametrize(("stage", "state"), [(Stage.LEAD, "not_there_yet"), (Stage.INACTIVE, "not_there_yet")])
def test_r2_a_customer_that_waits_says_why(stage: Stage, state: str) -> None:
    case = Case(rules=replace(RULES, transfer=Transfer.ACTIVE), facts={"stage": stage})
    case.crm()
    assert case.status == Status(state=state)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("values", "what"),
    [
        ({"country": ""}, "country"),
        ({"country": "Langtbortistan"}, "country"),
        ({"name": " "}, "name"),
        ({"country": "USA"}, "defaults"),
    ],
)
def test_a_creation_that_lacks_something_waits_and_says_what(values: dict[str, str], what: str) -> None:
    case = Case()
    assert case.crm(**values) == ()
    assert case.status == Status(state="error", reason="missing", details=(what,))
    assert case.crm(name="Nordhavn", country="Sverige") != ()


def test_a_refused_creation_is_not_repeated_until_a_value_moves() -> None:
    case = Case()
    (creation,) = case.crm(email="nobody")
    assert case.refused(creation, "CustomerInvalidEmail", detail="email", message="Invalid") == ()
    assert case.status == Status(state="error", reason="CustomerInvalidEmail", details=("email",), message="Invalid")
    assert case.wait(timedelta(days=1)) == ()
    assert case.crm(email="post@nordhavn.dk") != ()


def test_a_creation_refused_for_its_defaults_is_tried_again_when_an_admin_chose_others() -> None:
    case = Case()
    (creation,) = case.crm()
    assert case.refused(creation, "CustomerInvalidVatZone") == ()
    case.rules = replace(RULES, defaults={one: replace_zone(two, 9) for one, two in DEFAULTS.items()})
    assert case.wait(MINUTE) != ()


def test_a_creation_whose_number_is_taken_is_tried_again_with_another() -> None:
    case = Case(facts={"number": 777})
    (creation,) = case.crm()
    assert case.refused(creation, "taken", detail="number") == ()
    assert case.crm() == ()
    case.facts["number"] = 778
    (again,) = case.crm()
    assert again.parts[0].number == 778  # type: ignore[union-attr]


def replace_zone(defaults: Defaults, zone: int) -> Defaults:
    return defaults.model_copy(update={"zone": zone})


def test_r1_a_creation_with_candidates_says_perhaps() -> None:
    case = Case()
    (creation,) = case.crm()
    case.hear(
        Heard(outcomes=outcome_of(creation, Result.REFUSED, reason="candidates"), candidates=(1001,))
    )  # fmt: skip
    assert case.status is not None
    assert (case.status.state, case.status.reason) == ("perhaps", "candidates")
    assert (case.link.candidates, case.link.state) == ((1001,), LinkState.UNLINKED)


def test_r5_a_creation_nobody_can_tell_about_is_never_repeated_by_itself() -> None:
    case = Case()
    (creation,) = case.crm()
    assert case.refused(creation, "ambiguous") == ()
    assert case.crm(phone="22222222") == ()
    assert case.status is not None
    assert case.status.state == "choice"


def test_r6_a_new_number_moves_the_link_and_no_field() -> None:
    case = linked()
    case.economic_version += 1
    assert case.hear(Heard(economic=case.economic_seen(number=2000, old=(1042,)))) == ()
    assert (case.link.number, case.link.old_numbers) == (2000, (1042,))
    (command,) = case.crm(phone="22222222")
    assert isinstance(command, WriteEconomicCustomer)
    assert (command.number, command.parts[0].number) == (2000, 2000)


def test_r6_the_absence_of_an_old_number_seen_first_does_not_hide_where_the_customer_went() -> None:
    case = linked()
    case.missing()
    case.missing()
    seen = case.economic_seen(version=2, number=2000, old=(1042,))
    assert case.hear(Heard(economic=seen)) == ()
    assert (case.link.number, case.link.state) == (2000, LinkState.LINKED)


def test_r8_deleted_in_e_conomic_rests_and_nothing_is_written() -> None:
    case = linked()
    assert case.missing() == ()
    assert case.status == Status(state="deleted", reason="deleted_there")
    assert case.crm(phone="22222222") == ()
    assert case.economic() != ()  # it is there again


def test_r9_deleted_in_the_crm_is_unlinked_and_e_conomic_is_left_alone() -> None:
    case = linked()
    case.facts["deleted"] = True
    assert case.crm() == ()
    assert (case.link.state, case.link.number, case.link.old_numbers) == (LinkState.UNLINKED, None, (1042,))
    case.facts["deleted"] = False
    assert case.crm() == ()  # never created anew by itself


def test_r12_a_barred_customer_keeps_flowing() -> None:
    case = linked()
    seen = case.economic_seen(version=9)
    assert seen.customer is not None
    case.hear(Heard(economic=replace(seen, customer=seen.customer.model_copy(update={"barred": True}))))
    assert case.link.barred
    assert case.crm(phone="22222222") != ()


def test_r13_merged_into_another_customer_rests() -> None:
    case = linked()
    case.facts["merged_into"] = "c2"
    assert case.crm(phone="22222222") == ()
    assert case.status == Status(state="choice", reason="merged")


def test_r17_a_customer_that_becomes_inactive_keeps_flowing() -> None:
    case = linked()
    case.facts["stage"] = Stage.INACTIVE
    assert case.crm(phone="22222222") != ()


def test_r18_lost_access_says_so_and_commands_wait_at_the_adapter() -> None:
    case = linked(replace(RULES, agreement="access_lost"))
    assert case.crm(phone="22222222") != ()
    assert case.status == Status(state="access_lost")


def test_r6_one_that_was_thought_renumbered_goes_on_when_its_number_is_seen_to_be_there() -> None:
    case = linked()
    case.link = replace(case.link, state=LinkState.RESTING, rest="renumbered", candidates=(60,))
    assert case.crm(phone="22222222") == ()
    assert to_economic(case.economic()) == {"phone": "22222222"}
    assert (case.link.state, case.link.candidates) == (LinkState.LINKED, ())


def test_r19_a_number_that_holds_another_customer_rests_until_it_is_the_same_again() -> None:
    case = linked(values={"cvr": "12345678"})
    assert case.economic(name="Sydhavn Maler A/S", cvr="87654321") == ()
    assert case.status == Status(state="choice", reason="other_identity")
    assert case.crm(phone="22222222") == ()
    assert to_economic(case.economic(name="Nordhavn Tømrer ApS", cvr="12345678")) == {"phone": "22222222"}


def test_r19_a_lone_edit_of_the_cvr_number_is_an_edit() -> None:
    case = linked(values={"cvr": "12345678"})
    assert to_crm(case.economic(cvr="87654321")) == {"cvr": "87654321"}


def test_r19_another_cvr_number_at_another_address_with_nobody_known_left_is_another_customer() -> None:
    case = linked(values={"cvr": "12345678", "street": "Havnegade 1"})
    case.crm_contacts["p1"] = {"name": "Mette", "email": "m@x.dk"}
    (command,) = case.crm()
    case.written(command, created="7")
    edited = {"cvr": "87654321", "street": "Torvet 9"}
    assert to_crm(case.economic(**edited)) == edited  # a company that moved, corrected in one go: its person is there
    case = linked(values={"cvr": "12345678", "street": "Havnegade 1"})
    case.crm_contacts["p1"] = {"name": "Mette", "email": "m@x.dk"}
    (command,) = case.crm()
    case.written(command, created="7")
    case.economic_contacts = {9: {"name": "Peter"}}
    assert case.economic(**edited) == ()
    assert case.status == Status(state="choice", reason="other_identity")


def test_r19_without_it_a_reused_number_overwrites_the_customer_in_the_crm(monkeypatch: pytest.MonkeyPatch) -> None:
    case = linked(values={"cvr": "12345678"})
    monkeypatch.setattr(record, "another_identity", lambda *_: False)
    written = to_crm(case.economic(name="Sydhavn Maler A/S", cvr="87654321"))
    assert written == {"name": "Sydhavn Maler A/S", "cvr": "87654321"}


def test_r19_every_lone_edit_of_a_detail_flows() -> None:
    for name in ("name", "cvr", "ean", "street", "phone", "email", "website"):
        case = linked(values={"cvr": "12345678", "ean": "5798000000001", "street": "A", "email": "a@x.dk"})
        value = {"cvr": "87654321", "ean": "5798000000018", "phone": "22222222", "email": "b@x.dk"}.get(name, "Nyt")
        assert to_crm(case.economic(**{name: value})) == {name: value}


def test_r8_r7_what_is_gone_while_a_stranger_looks_the_same_rests_as_renumbered_until_it_is_there_again() -> None:
    case = linked()
    case.link = replace(case.link, candidates=(60,))
    assert case.missing() == ()
    assert (case.link.state, case.link.rest, case.link.candidates) == (LinkState.RESTING, "renumbered", (60,))
    assert case.status == Status(state="choice", reason="renumbered")
    case.economic()
    assert (case.link.state, case.link.rest, case.link.candidates) == (LinkState.LINKED, "", ())


def test_r6_a_link_that_rests_for_its_number_goes_along_when_it_is_told_where() -> None:
    case = linked()
    case.link = replace(case.link, candidates=(60,))
    case.missing()
    seen = case.economic_seen(version=1, number=60, old=(1042,))
    case.hear(Heard(economic=seen))
    assert (case.link.state, case.link.number, case.link.candidates) == (LinkState.LINKED, 60, ())


def test_r11_deleted_on_both_sides_is_unlinked() -> None:
    case = linked()
    case.missing()
    case.facts["deleted"] = True
    assert case.crm() == ()
    assert (case.link.state, case.link.number, case.link.rest) == (LinkState.UNLINKED, None, "")


def test_r19_a_name_that_we_are_writing_ourselves_is_no_sign_of_another_customer() -> None:
    case = linked(values={"cvr": "12345678"})
    (command,) = case.crm(name="Nordhavn Tømrer A/S")
    case.carried_out(command)
    assert to_crm(case.economic(cvr="87654321")) == {"cvr": "87654321"}
    assert case.link.state is LinkState.LINKED
