"""Is what is worth telling noted when it happens, and does it go with the next edit of that detail, or after a week?"""

from dataclasses import replace
from datetime import timedelta

from reconciler import noting
from reconciler.link import Heard, Linked, LinkState
from reconciler.note import Note
from reconciler.rules import Decides, Direction, Rule, System
from tests.builders.deciding import Deciding, deciding
from tests.builders.reconciler import RULES, ruled

ONLY_THERE = ruled(phone=Rule(direction=Direction.ONLY_ECONOMIC, decides=Decides.ECONOMIC))


def told(case: Deciding) -> list[Note]:
    return [one for one in case.link.notes if noting.holds(case.link, one, case.now)]


def kinds(case: Deciding) -> list[tuple[str, str]]:
    return [(one.kind, one.detail) for one in told(case)]


def put_back() -> Deciding:
    """The phone may only be changed in e-conomic, and was changed in the CRM."""
    case = deciding(ONLY_THERE)
    (command,) = case.crm(phone="87654321")
    assert kinds(case) == [], "not before it is put back"
    case.written(command)
    return case


def test_an_edit_that_was_put_back_is_told_with_its_time() -> None:
    case = put_back()
    (one,) = told(case)
    assert (one.kind, one.detail, one.at) == ("put_back", "phone", case.now)


def test_an_edit_that_only_e_conomic_made_is_not_put_back_when_it_arrives() -> None:
    case = deciding(ONLY_THERE)
    (command,) = case.economic(phone="87654321")
    case.written(command)
    assert kinds(case) == []


def test_what_a_person_chose_is_not_put_back() -> None:
    case = deciding(replace(ONLY_THERE, paused=frozenset(System)))
    case.crm(phone="87654321")
    case.rules = ONLY_THERE
    case.rules = replace(ONLY_THERE, receive=False)
    (command,) = case.settle(phone="economic")
    case.written(command)
    assert kinds(case) == []


def test_it_stays_while_other_details_are_edited_and_goes_with_the_next_edit_of_its_own() -> None:
    case = put_back()
    for command in case.crm(city="Odense"):
        case.written(command)
    assert kinds(case) == [("put_back", "phone")]
    case.crm_values["phone"] = "12 34 56 78"
    case.crm()
    assert kinds(case) == [("put_back", "phone")], "another spelling is no edit"
    for command in case.economic(phone="11223344"):
        case.written(command)
    assert kinds(case) == []
    assert case.link.notes == ()


def test_it_goes_after_a_week_also_when_nothing_happens() -> None:
    case = put_back()
    case.now += noting.KEPT_FOR - timedelta(seconds=1)
    assert kinds(case) == [("put_back", "phone")]
    case.now += timedelta(seconds=1)
    assert kinds(case) == []
    case.hear_again()
    assert case.link.notes == ()


def test_what_e_conomic_could_not_hold_whole_says_how_much_it_holds() -> None:
    case = deciding(RULES)
    (command,) = case.crm(city="L" * 60)
    case.written(command)
    (one,) = told(case)
    assert (one.kind, one.detail, one.limit) == ("shortened", "address", 50)
    (command,) = case.crm(city="Aarhus")
    case.written(command)
    assert kinds(case) == []


def test_what_fits_or_only_loses_blanks_is_not_shortened() -> None:
    case = deciding(RULES)
    for command in case.crm(city="  Odense   C ", name="N" * 255):
        case.written(command)
    assert kinds(case) == []


def test_kept_different_is_told_until_it_is_chosen_anew() -> None:
    case = deciding(RULES)
    case.rules = replace(RULES, paused=frozenset(System))
    case.crm(name="Nordhavn A")
    case.settle(name="different")
    assert kinds(case) == [("kept", "name")]
    case.rules = RULES
    for command in case.settle(name="crm"):
        case.written(command)
    assert kinds(case) == []


def test_a_customer_that_went_to_another_number_is_told_with_both() -> None:
    case = deciding(RULES)
    case.economic_version += 1
    case.hear(Heard(economic=case.economic_seen(number=2000, old=(1042,))))
    (one,) = told(case)
    assert (one.kind, one.old, one.new) == ("renumbered", 1042, 2000)
    case.economic_version += 1
    case.hear(Heard(economic=case.economic_seen(number=3000, old=(2000,))))
    assert [(one.old, one.new) for one in told(case)] == [(2000, 3000)]


def test_whom_a_person_links_with_another_customer_is_not_renumbered() -> None:
    case = deciding(RULES)
    case.now += timedelta(hours=1)
    case.hear(Linked(number=2000, by="person"))
    assert case.link.number == 2000
    assert kinds(case) == []


def test_one_that_is_linked_no_longer_is_told_nothing_of() -> None:
    case = put_back()
    case.missing()
    assert case.link.state is LinkState.RESTING
    assert kinds(case) == []


def test_a_link_keeps_no_more_notes_than_may_be_read() -> None:
    case = put_back()
    (one,) = case.link.notes
    many = tuple(replace(one, detail="kept", kind="renumbered", record=None, new=1042, old=n) for n in range(3))
    case.link = replace(case.link, notes=many * 30)
    case.rules = ONLY_THERE
    (command,) = case.crm(phone="99887766")
    case.written(command)
    assert len(case.link.notes) <= noting.MOST
    assert case.link.notes[-1].kind == "put_back"
