"""A person stopped a pass before it wrote to a customer: what stays, what is asked, and what still flows afterwards?"""

from dataclasses import replace
from datetime import timedelta

from crm_outbox.contract import Stage
from reconciler import braking, deciding, wishing
from reconciler.braking import still
from reconciler.decisions import Decision
from reconciler.link import Decided, Due, LinkState, Stopped
from reconciler.rules import System
from reconciler.settle import STOPPED as CODE
from reconciler.silent import Standing, compared
from reconciler.step import step
from tests.builders.reconciler import LINK, RULES, Case, linked, to_crm, to_economic

DAY = timedelta(days=1)


def held(case: Case) -> Case:
    """The customer is held, as a pass that braked holds it."""
    case.rules = still(case.rules)
    return case


def stopped(case: Case) -> Case:
    case.rules = RULES
    assert case.hear(Stopped()) == ()
    return case


def test_what_differs_stays_and_is_never_written_by_itself() -> None:
    case = held(linked())
    case.crm(phone="22222222")
    stopped(case)
    assert case.status is not None
    assert (case.status.state, case.status.details) == ("different", ("phone",))
    assert case.wait(DAY) == ()
    assert case.crm() == ()
    assert case.economic() == ()
    found = compared(case.link, RULES, case.now)
    assert found is not None
    assert found.standing is Standing.ACCEPTED


def test_the_next_edit_of_that_detail_in_the_crm_flows() -> None:
    case = held(linked())
    case.crm(phone="22222222")
    stopped(case)
    assert to_economic(case.crm(phone="33333333")) == {"phone": "33333333"}


def test_the_next_edit_of_that_detail_in_e_conomic_flows() -> None:
    case = held(linked())
    case.crm(phone="22222222")
    stopped(case)
    assert to_crm(case.economic(phone="44444444")) == {"phone": "44444444"}


def test_another_detail_flows_and_takes_nothing_of_it_along() -> None:
    case = held(linked())
    case.crm(phone="22222222")
    stopped(case)
    assert to_economic(case.crm(mobile="55555555")) == {"mobile": "55555555"}


def test_a_question_stays_a_question() -> None:
    case = held(linked())
    case.crm(phone="22222222", name="Nordhavn Tag ApS")
    case.economic(name="Nordhavn Mur ApS")
    stopped(case)
    assert case.status is not None
    assert (case.status.state, case.status.details) == ("choice", ("name",))


def test_what_a_person_decided_about_the_customer_was_no_part_of_the_pass_and_goes() -> None:
    case = held(linked())
    case.crm(phone="22222222", name="Nordhavn Tag ApS")
    case.economic(name="Nordhavn Mur ApS")
    link = case.link
    wish = wishing.wish(link, link.customer, "name", "crm", None)
    said = Decision(
        id=LINK, tenant="t", agreement=1, link=link.id, means="settle", who="Marie", at=case.now, wishes=(wish,),
        seen=deciding.versions(link),
    )  # fmt: skip
    assert case.hear(Decided(decision=said)) == ()
    freed = step(case.link, Due(), RULES, case.now)
    assert [one.detail for one in braking.writes(case.link, freed)] == ["phone"]
    case.rules = RULES
    assert to_economic(case.hear(Stopped())) == {"name": "Nordhavn Tag ApS"}


def test_both_directions_stop() -> None:
    case = held(linked())
    case.crm(phone="22222222")
    case.economic(website="nordhavn.example")
    stopped(case)
    assert case.wait(DAY) == ()


def test_a_contact_person_is_not_created_until_somebody_edits_it() -> None:
    case = held(linked())
    case.crm_contacts["p1"] = {"name": "Ida Holm"}
    case.crm()
    stopped(case)
    assert case.wait(DAY) == ()
    assert case.status is not None
    assert case.status.state == "different"
    case.crm_contacts["p1"]["phone"] = "66666666"
    (command,) = case.crm()
    assert [(part.record, part.action, part.fields) for part in command.parts] == [
        ("contact", "create", {"name": "Ida Holm", "phone": "66666666"})
    ]


def test_a_customer_is_not_created_until_somebody_edits_it() -> None:
    case = held(Case(facts={"stage": Stage.ACTIVE}))
    case.crm()
    stopped(case)
    assert case.link.state is LinkState.UNLINKED
    assert case.wait(DAY) == ()
    assert case.status is not None
    assert case.status.state == "not_there"
    case.rules = replace(RULES, defaults={**RULES.defaults})
    assert case.wait(DAY) == ()
    assert to_economic(case.crm(phone="77777777"))["phone"] == "77777777"


def test_saying_it_again_changes_nothing() -> None:
    case = held(linked())
    case.crm(phone="22222222")
    case.crm_contacts["p1"] = {"name": "Ida Holm"}
    case.crm()
    stopped(case)
    link = case.link
    stopped(case)
    assert case.link == link


def test_where_nothing_would_be_written_nothing_is_remembered() -> None:
    case = linked()
    link = case.link
    stopped(case)
    assert case.link == link
    assert all(one.code != CODE for pair in case.link.pairs for one in pair.refusals)


def test_what_is_under_way_already_is_answered_as_ever() -> None:
    case = linked()
    (command,) = case.crm(phone="22222222")
    stopped(case)
    assert case.link.customer.pending[System.ECONOMIC].values == {"phone": "22222222"}
    case.written(command)
    assert case.status is not None
    assert case.status.state == "same"
