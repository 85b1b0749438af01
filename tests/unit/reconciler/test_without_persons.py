"""A customer of e-conomic that came without its contact persons: they are not known, and nobody takes that for gone."""

from dataclasses import replace

from crm_outbox.contract import NotSent
from reconciler.link import EconomicSeen, Heard, LinkState, Unlinked
from reconciler.rehearsal import rehearse
from tests.builders.reconciler import Case, linked, part_actions

WHY = NotSent(reason="too_large", detail="contacts.notes")


def bare(case: Case) -> EconomicSeen:
    """e-conomic's customer as it is seen when its persons are too many for a message."""
    case.economic_version += 1
    seen = case.economic_seen()
    assert seen.customer is not None
    return replace(seen, customer=seen.customer.model_copy(update={"contacts": ()}), unsendable=WHY)


def with_persons() -> Case:
    """Both sides hold two persons."""
    case = linked()
    for number, name in ((7, "Mette Holm"), (8, "Ib Dahl")):
        case.economic_contacts[number] = {"name": name, "email": f"{number}@nordhavn.example"}
        case.crm_contacts[f"p{number}"] = {"name": name, "email": f"{number}@nordhavn.example"}
    case.crm_version, case.economic_version = case.crm_version + 1, case.economic_version + 1
    case.hear(Heard(crm=case.crm_seen(), economic=case.economic_seen()))
    assert [one.rest for one in case.contacts] == ["", ""]
    assert all(one.crm and one.economic for one in case.contacts)
    return case


def test_an_edit_in_the_crm_meanwhile_creates_nobody_and_an_observation_marks_nobody_removed() -> None:
    case = with_persons()
    case.hear(Heard(economic=bare(case)))
    case.crm_contacts["p9"] = {"name": "Anne Friis", "email": "anne@nordhavn.example"}
    assert case.crm(phone="99999999") == (), "nobody knows whether e-conomic has her"
    assert case.hear(Heard(economic=bare(case))) == ()
    assert [one.rest for one in case.contacts] == ["", "", ""]
    assert not any(one.economic is not None and one.economic.gone for one in case.contacts)
    case.economic_contacts[9] = {"name": "Anne Friis", "email": "anne@nordhavn.example"}
    commands = case.economic()
    assert "create" not in part_actions(commands), "she was there all the time"
    assert len(case.contacts) == 3


def test_a_state_the_crm_could_not_send_in_between_does_not_make_them_known() -> None:
    case = linked()
    case.hear(Heard(economic=bare(case)))
    case.unsendable()
    assert case.status is not None
    assert case.status.message == "nul"
    case.crm_contacts["p9"] = {"name": "Anne Friis", "email": "anne@nordhavn.example"}
    assert case.crm() == (), "the CRM's side is known again, e-conomic's persons are not"
    assert case.status.message == "economic_too_large"
    case.economic_contacts[9] = {"name": "Anne Friis", "email": "anne@nordhavn.example"}
    assert "create" not in part_actions(case.economic())


def test_what_the_crm_could_not_send_stays_said_when_e_conomic_is_seen_without_persons() -> None:
    case = linked()
    case.unsendable()
    case.hear(Heard(economic=bare(case)))
    assert case.status is not None
    assert case.status.message == "nul"
    case.economic()
    assert case.status.message == "nul"


def test_an_unlinked_customer_is_not_held_back_by_what_the_other_could_not_tell() -> None:
    case = linked()
    case.hear(Heard(economic=bare(case)))
    case.hear(Unlinked(by="person"))
    assert (case.link.state, case.link.unsendable) == (LinkState.UNLINKED, "")
    case.crm(phone="99999999")
    assert case.link.unsendable == ""


def test_gone_in_e_conomic_is_gone_whatever_came_of_its_persons_before() -> None:
    case = linked()
    case.hear(Heard(economic=bare(case)))
    case.missing()
    assert (case.link.rest, case.link.unsendable) == ("deleted_there", "")


def test_a_preview_shows_no_person_for_a_customer_seen_without_them() -> None:
    case = linked()
    case.crm_contacts["p9"] = {"name": "Anne Friis"}
    seen = bare(case)
    shown = rehearse(
        case.link, Heard(crm=replace(case.crm_seen(9)), economic=seen), case.rules, case.now, economic=seen
    )
    assert shown.writes == ()
