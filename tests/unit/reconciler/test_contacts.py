"""Table C: contact persons with links and bases of their own. Each test names its row."""

from dataclasses import replace

import pytest

from crm_outbox.contract import Part, WriteCustomer
from economic_adapter.contract import EconomicPart, WriteEconomicCustomer
from reconciler.link import Command, Heard, Status
from reconciler.rules import Transfer
from tests.builders.reconciler import RULES, Case, linked

METTE = {"name": "Mette Hansen", "email": "mette@nordhavn.dk", "phone": "11111111"}


def part(commands: tuple[Command, ...]) -> Part | EconomicPart:
    """The one part about a contact person that these commands have."""
    (found,) = [one for command in commands for one in command.parts if one.record == "contact"]
    return found


def with_person(values: dict[str, str] | None = None) -> Case:
    """A linked customer with one contact person on both sides: CRM ``p1``, e-conomic 7."""
    case = linked()
    case.crm_contacts["p1"] = dict(values or METTE)
    (command,) = case.crm()
    case.written(command, created="7")
    assert case.status == Status(state="same")
    return case


def both_have(here: dict[str, str], there: dict[str, str]) -> tuple[Case, tuple[Command, ...]]:
    """A person is added on either side before the other is heard of; what the step that knows both sends."""
    case = linked()
    case.economic_contacts[7] = there
    case.crm_contacts["p1"] = here
    case.crm_version += 1
    case.economic_version += 1
    case.object_version += 1
    return case, case.hear(Heard(crm=case.crm_seen(), economic=case.economic_seen()))


def test_c1_a_person_added_in_the_crm_is_created_in_e_conomic() -> None:
    case = linked()
    case.economic_contacts[3] = {"name": "Jens Holm"}
    case.written(case.economic()[0], created="p9")
    case.crm_contacts["p1"] = METTE
    (command,) = case.crm()
    assert isinstance(command, WriteEconomicCustomer)
    one = part((command,))
    assert isinstance(one, EconomicPart)
    assert (one.action, one.number, one.fields, one.seen) == ("create", None, METTE, (3,))
    case.written(command, created="7")
    assert case.status == Status(state="same")
    assert case.crm() == ()


def test_c1_a_person_added_in_e_conomic_is_created_in_the_crm() -> None:
    case = linked()
    case.economic_contacts[7] = dict(METTE)
    (command,) = case.economic()
    assert isinstance(command, WriteCustomer)
    assert (command.version, part((command,)).action, part((command,)).fields) == ("1.1", "create", METTE)
    case.written(command, created="p1")
    assert case.status == Status(state="same")
    assert case.economic() == ()


def test_c1_a_person_whose_creation_ended_unclear_is_asked_about_where_somebody_edited_it() -> None:
    case = linked()
    case.crm_contacts["p1"] = dict(METTE)
    (command,) = case.crm()
    case.economic_contacts[7] = {**METTE, "email": ""}  # ours, or somebody else's of that name and phone
    assert case.refused(command, "ambiguous") == ()
    assert case.status == Status(state="choice", reason="unknown", details=("contact.email",))
    assert case.economic_contacts[7]["email"] == ""


def test_c1_the_persons_of_a_new_customer_follow_when_its_number_is_known() -> None:
    case = Case(crm_contacts={"p1": dict(METTE)})
    (creation,) = case.crm()
    assert [one.record for one in creation.parts] == ["customer"]
    (command,) = case.written(creation, created="1042")
    assert part((command,)).fields == METTE
    assert [one.number for one in (command,)] == [1042]  # type: ignore[union-attr]


def test_c1_edits_flow_both_ways_and_only_what_changed() -> None:
    case = with_person()
    case.crm_contacts["p1"]["phone"] = "22222222"
    (command,) = case.crm()
    one = part((command,))
    assert isinstance(one, EconomicPart)
    assert (one.action, one.number, one.object_version, one.fields) == ("change", 7, "p3", {"phone": "22222222"})
    case.written(command)
    case.economic_contacts[7]["email"] = "mh@nordhavn.dk"
    other = part(case.economic())
    assert isinstance(other, Part)
    assert (other.action, other.id, other.fields) == ("change", "p1", {"email": "mh@nordhavn.dk"})


def test_c1_notes_stay_where_they_are() -> None:
    case = with_person()
    case.crm_contacts["p1"]["notes"] = "Ring efter kl. 10"
    assert case.crm() == ()
    assert case.status == Status(state="same")


@pytest.mark.parametrize(
    ("here", "there"),
    [
        (METTE, {"name": "Mette H.", "email": "METTE@nordhavn.dk"}),
        (METTE, {"name": "mette hansen", "phone": "+45 11 11 11 11"}),
    ],
    ids=["same e-mail", "same name and phone"],
)
def test_c2_added_on_both_sides_and_surely_the_same_is_linked(here: dict[str, str], there: dict[str, str]) -> None:
    case, commands = both_have(here, there)
    (pair,) = case.contacts
    assert pair.crm is not None
    assert pair.economic is not None
    assert (pair.crm.id, pair.economic.id) == ("p1", "7")
    assert all(one.action == "change" for command in commands for one in command.parts)
    assert case.status is not None
    assert (case.status.state, case.status.details) == ("choice", ("contact.name",))


def test_c2_blanks_are_filled_when_two_persons_are_linked() -> None:
    _, commands = both_have(
        {"name": "Mette Hansen", "email": "mette@nordhavn.dk"},
        {"name": "Mette Hansen", "email": "mette@nordhavn.dk", "phone": "11111111"},
    )
    assert part(commands).fields == {"phone": "11111111"}


@pytest.mark.parametrize(
    "there",
    [{"name": "Mette Hansen"}, {"name": "Mette Hansen", "email": "other@nordhavn.dk"}],
    ids=["name alone", "another e-mail"],
)
def test_c2_the_same_name_alone_is_asked_about_and_nobody_is_created(there: dict[str, str]) -> None:
    case, commands = both_have(METTE, there)
    assert commands == ()
    assert case.status == Status(state="choice", reason="contact", details=("contact",))


def test_c3_removed_in_e_conomic_is_kept_in_the_crm_and_not_created_anew() -> None:
    case = with_person()
    case.economic_contacts.clear()
    assert case.economic() == ()
    assert case.contacts[0].rest == "removed"
    assert case.status == Status(state="same")
    assert case.crm() == ()


def test_c4_removed_in_the_crm_is_left_in_e_conomic_and_not_created_anew() -> None:
    case = with_person()
    case.crm_contacts.clear()
    assert case.crm() == ()
    assert case.contacts[0].rest == "removed"
    assert case.economic() == ()


def test_c3_a_person_who_comes_back_flows_again() -> None:
    case = with_person()
    person = case.economic_contacts.pop(7)
    case.economic()
    case.economic_contacts[7] = person | {"phone": "22222222"}
    assert part(case.economic()).fields == {"phone": "22222222"}


def test_c3_a_person_made_anew_with_the_same_e_mail_is_the_same() -> None:
    case = with_person()
    person = case.economic_contacts.pop(7)
    case.economic()
    case.economic_contacts[8] = person
    assert case.economic() == ()
    (pair,) = case.contacts
    assert pair.economic is not None
    assert (pair.economic.id, pair.rest) == ("8", "")


def test_c5_removed_on_one_side_and_edited_on_the_other_is_asked_about() -> None:
    case = with_person()
    case.economic_contacts.clear()
    case.crm_contacts["p1"]["phone"] = "22222222"
    case.crm_version += 1
    case.economic_version += 1
    assert case.hear(Heard(crm=case.crm_seen(), economic=case.economic_seen())) == ()
    assert case.status == Status(state="choice", reason="contact", details=("contact",))


def test_removed_on_both_sides_is_forgotten() -> None:
    case = with_person()
    case.crm_contacts.clear()
    case.crm()
    case.economic_contacts.clear()
    case.economic()
    assert case.contacts == ()


def test_c7_an_e_mail_that_several_use_identifies_nobody_alone() -> None:
    case = with_person({"name": "Mette Hansen", "email": "info@nordhavn.dk"})
    case.crm_contacts["p2"] = {"name": "Jens Holm", "email": "info@nordhavn.dk"}
    case.economic_contacts[8] = {"name": "Anna Lund", "email": "info@nordhavn.dk"}
    case.crm_version += 1
    case.economic_version += 1
    assert case.hear(Heard(crm=case.crm_seen(), economic=case.economic_seen())) == ()
    assert case.status == Status(state="choice", reason="contact", details=("contact",))
    case.economic_contacts[8]["name"] = "jens holm"
    case.economic()
    assert len(case.contacts) == 2


def test_c8_a_person_without_a_name_waits_and_is_no_error() -> None:
    case = linked()
    case.crm_contacts["p1"] = {"name": "", "email": "mette@nordhavn.dk"}
    assert case.crm() == ()
    assert case.status == Status(state="different", details=("contact.email",))
    case.crm_contacts["p1"]["name"] = "Mette Hansen"
    assert part(case.crm()).action == "create"


def test_c6_a_person_moved_to_another_customer_in_the_crm_is_created_there_and_left_where_it_was() -> None:
    old, new = with_person(), linked()
    person = old.crm_contacts.pop("p1")
    assert old.crm() == ()
    assert old.status == Status(state="same")
    assert [one.rest for one in old.contacts] == ["removed"]
    new.crm_contacts["p1"] = person
    (command,) = new.crm()
    assert (part((command,)).action, part((command,)).fields) == ("create", METTE)


def test_c8_persons_of_a_customer_that_is_not_linked_wait_and_are_no_error() -> None:
    case = Case(rules=replace(RULES, transfer=Transfer.HAND), crm_contacts={"p1": dict(METTE)})
    assert case.crm() == ()
    assert case.status == Status(state="not_there")


def test_c9_persons_are_read_with_their_customer_whatever_the_cause() -> None:
    case = with_person()
    case.economic_contacts[7]["phone"] = "33333333"
    (command,) = case.economic()  # a hook tells of the customer only
    assert part((command,)).fields == {"phone": "33333333"}
