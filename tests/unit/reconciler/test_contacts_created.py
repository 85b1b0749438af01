"""What becomes of a contact person between its creation and the answer, and of one that cannot be created? Rows of table C."""

from dataclasses import replace

from crm_outbox.contract import Result
from economic_adapter.contract import EconomicPart
from reconciler.link import Base, Heard, Status
from reconciler.rules import Direction, Rule, System
from tests.builders.reconciler import RULES, linked, outcome_of
from tests.unit.reconciler.test_contacts import METTE, part


def test_a_person_seen_before_the_answer_to_its_creation_is_the_same_one() -> None:
    case = linked()
    case.crm_contacts["p1"] = dict(METTE)
    (command,) = case.crm()
    answer = case.carried_out(command, created="7")
    assert case.economic() == ()  # the echo: a stranger who may be ours is not created in the CRM
    case.hear(answer)
    (pair,) = case.contacts
    assert pair.economic is not None
    assert (pair.economic.id, pair.pending) == ("7", {})
    assert pair.base["name"] == Base(crm=METTE["name"], economic=METTE["name"])


def test_a_person_in_the_crm_carries_the_operation_that_made_it() -> None:
    case = linked()
    case.economic_contacts[7] = dict(METTE)
    (command,) = case.economic()
    case.carried_out(command, created="p1", state=False)
    assert case.hear(Heard(crm=case.crm_seen())) == ()
    (pair,) = case.contacts
    assert pair.crm is not None
    assert pair.crm.id == "p1"
    assert System.CRM in pair.pending


def test_a_person_removed_right_after_its_creation_was_answered_is_gone() -> None:
    case = linked()
    case.crm_contacts["p1"] = dict(METTE)
    (command,) = case.crm()
    answer = case.carried_out(command, created="7")
    case.economic_contacts.clear()
    case.economic()
    case.hear(answer)
    assert case.contacts[0].rest == "removed"


def test_somebody_unseen_there_refuses_the_creation_and_is_matched_first() -> None:
    case = linked()
    case.crm_contacts["p1"] = dict(METTE)
    (command,) = case.crm()
    case.economic_contacts[7] = dict(METTE)
    assert case.refused(command, "candidates") == ()
    (pair,) = case.contacts
    assert pair.economic is not None
    assert pair.economic.id == "7"
    case = linked()
    case.crm_contacts["p1"] = dict(METTE)
    (command,) = case.crm()
    case.economic_contacts[7] = {"name": "Jens Holm"}
    (theirs,) = case.refused(command, "candidates")
    assert part((theirs,)).fields == {"name": "Jens Holm"}
    one = part(case.written(theirs, created="p2"))
    assert isinstance(one, EconomicPart)
    assert (one.action, one.fields, one.seen) == ("create", METTE, (7,))


def test_c7_a_name_that_e_conomic_knows_already_is_asked_about_and_not_repeated() -> None:
    case = linked()
    case.crm_contacts["p1"] = dict(METTE)
    (command,) = case.crm()
    assert case.refused(command, "CustomerContactNameAlreadyExists", detail="name") == ()
    assert case.status is not None
    assert (case.status.state, case.status.details) == ("choice", ("contact.name",))
    assert case.crm() == ()


def test_no_person_is_created_where_persons_may_not_be_changed() -> None:
    case = linked(replace(RULES, contact={"name": Rule(direction=Direction.ONLY_ECONOMIC)}))
    case.crm_contacts["p1"] = dict(METTE)
    assert case.crm() == ()


def test_answers_in_parts_settle_each_its_own() -> None:
    case = linked()
    case.crm_contacts |= {"p1": dict(METTE), "p2": {"name": "Jens Holm"}}
    (command,) = case.crm()
    first, second = outcome_of(command, Result.WRITTEN, created="7")
    case.economic_contacts[7] = dict(METTE)
    case.economic_version += 1
    case.hear(Heard(outcomes=(first,), economic=case.economic_seen()))
    assert [bool(pair.pending) for pair in case.contacts] == [False, True]
    case.economic_contacts[8] = {"name": "Jens Holm"}
    case.economic_version += 1
    case.hear(Heard(outcomes=(second.model_copy(update={"created": "8"}),), economic=case.economic_seen()))
    assert case.status == Status(state="same")


def test_a_person_created_and_missing_in_an_older_read_is_there_again_with_the_next() -> None:
    case = linked()
    case.crm_contacts["p1"] = dict(METTE)
    (command,) = case.crm()
    before = case.economic_seen(version=50)
    case.written(command, state=False, created="7")
    assert case.hear(Heard(economic=before)) == ()
    assert case.contacts[0].rest == "removed"
    case.economic_version = 50
    assert case.economic() == ()
    assert (len(case.contacts), case.contacts[0].rest) == (1, "")
    assert case.status == Status(state="same")
