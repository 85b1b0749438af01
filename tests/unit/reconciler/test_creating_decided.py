"""When does "create" end? With the answer to the creation, written or refused with its reason; not when it is recorded."""

from uuid import UUID, uuid4

from crm_outbox.contract import Outcome, Result
from reconciler.link import Create, Heard, LinkState, Unlinked
from reconciler.rules import System
from tests.builders.deciding import Deciding, deciding
from tests.builders.reconciler import ON

DECISION = UUID("00000000-0000-4000-8000-0000000000d1")


def pressed() -> Deciding:
    """A customer from before, and a person who pressed "create"."""
    case = Deciding(facts={"created": ON.replace(year=2020)})
    case.crm()
    case.hear(Create(system=System.ECONOMIC, decision=DECISION))
    assert case.link.state is LinkState.CREATING
    assert case.ended == []
    return case


def test_a_creation_that_was_written_ends_the_decision_once() -> None:
    case = pressed()
    heard = case.carried_out(case.commands[0], created="1042")
    case.hear(heard)
    case.hear(heard)
    assert [(one.decision, one.result, one.reason) for one in case.history] == [(DECISION, "written", "")]


def test_one_that_waits_has_not_ended() -> None:
    case = pressed()
    (operation,) = [one.operation for one in case.link.pending]
    case.hear(Heard(outcomes=(Outcome(operation=operation, result=Result.WAITING, reason="away"),)))
    assert case.ended == []


def test_a_refused_creation_ends_the_decision_with_the_reason() -> None:
    case = pressed()
    case.refused(case.commands[0], "CustomerInvalidEmail", detail="email")
    assert [(one.decision, one.result, one.reason) for one in case.history] == [
        (DECISION, "refused", "CustomerInvalidEmail")
    ]
    case.crm(phone="22222222")
    assert len(case.history) == 1


def removed_person() -> Deciding:
    case = deciding()
    case.crm_contacts["p1"] = {"name": "Mette Holm", "email": "mette@nordhavn.example"}
    case.economic_contacts[7] = {"name": "Mette Holm", "email": "mette@nordhavn.example"}
    case.crm_version, case.economic_version = case.crm_version + 1, case.economic_version + 1
    case.hear(Heard(crm=case.crm_seen(), economic=case.economic_seen()))
    del case.economic_contacts[7]
    case.economic()
    assert [one.rest for one in case.contacts] == ["removed"]
    return case


def test_a_person_created_again_ends_the_decision_with_the_answer() -> None:
    case = removed_person()
    (command,) = case.decide(means="create", record=case.contacts[0].id)
    assert case.ended == []
    case.written(command, created="8")
    assert case.ended == [("", "written", "")]


def test_a_person_that_is_refused_ends_it_with_the_reason() -> None:
    case = removed_person()
    (command,) = case.decide(means="create", record=case.contacts[0].id)
    case.refused(command, "CustomerContactNameAlreadyExists", detail="name")
    assert case.ended == [("", "refused", "CustomerContactNameAlreadyExists")]


def test_a_creation_that_goes_with_its_link_ends_the_decision() -> None:
    case = removed_person()
    case.decide(means="create", record=case.contacts[0].id)
    case.hear(Unlinked(by="person"))
    assert case.ended == [("", "refused", "gone")]


def test_an_answer_to_something_else_ends_nothing() -> None:
    case = pressed()
    case.hear(Heard(outcomes=(Outcome(operation=uuid4(), result=Result.WRITTEN, created="7"),)))
    assert case.ended == []
