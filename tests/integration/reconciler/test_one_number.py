"""May two links have one number? Never: one that e-conomic gives again, or gives a renumbered customer, has one link."""

from dataclasses import replace

import pytest

from economic_adapter.contract import CustomerObserved, EconomicCustomer, WriteEconomicCustomer
from tests.builders.meeting import Both
from tests.builders.sync import done, economic_answered, economic_seen, there

pytestmark = pytest.mark.slow


def created(both: Both, number: int, **given: str) -> str:
    """A customer of the CRM is created in e-conomic and given that number."""
    customer = both.new(name="Sydhavn", **given)
    both.in_crm(customer)
    (command,) = both.said_only(WriteEconomicCustomer)
    both.created(command, customer, number, version=5)
    return customer.id


def test_a_creation_given_the_number_of_one_that_was_deleted_there_takes_it(both: Both) -> None:
    gone = both.linked(7, name="Nordhavn")
    both.gone(7, 2)
    assert both.pairs() == [(gone.id, 7, "resting deleted_there")]
    new = created(both, 7, phone="12345678")
    assert both.pairs() == [(gone.id, None, "resting deleted_there"), (new, 7, "linked")]
    assert both.of(gone.id).old_numbers == (7,)
    assert both.said_only(WriteEconomicCustomer) == []


def test_it_takes_it_too_when_nobody_had_told_that_the_number_was_free(both: Both) -> None:
    gone = both.linked(7, name="Nordhavn")
    both.in_crm(gone.model_copy(update={"phone": "11111111"}), 2)
    (edit,) = both.said_only(WriteEconomicCustomer)
    new = created(both, 7, email="ny@havn.test")
    assert both.pairs() == [(gone.id, None, "resting deleted_there"), (new, 7, "linked")]
    answer = economic_answered(
        edit,
        done(edit.parts[0].operation).model_copy(update={"result": "refused", "reason": "changed"}),
        customer=EconomicCustomer(number=7, object_version="v1", name="Sydhavn", email="ny@havn.test"),
        version=6,
    )
    both.hear(answer)
    both.in_crm(gone.model_copy(update={"phone": "22222222"}), 3)
    assert both.pairs() == [(gone.id, None, "resting deleted_there"), (new, 7, "linked")]
    assert both.said_only(WriteEconomicCustomer) == []


def test_one_whose_number_was_given_away_is_asked_about_when_it_turns_up_under_another(both: Both) -> None:
    gone = both.linked(7, name="Nordhavn Tømrer", phone="87654321")
    both.gone(7, 2)
    new = created(both, 7)
    both.in_economic(there(gone, 9, "v9"))
    assert both.creations() == []
    assert sorted(both.pairs()) == sorted([(gone.id, None, "resting renumbered"), (new, 7, "linked")])
    assert both.of(gone.id).candidates == (9,)


def test_a_creation_given_a_number_that_only_a_stranger_had_takes_it(both: Both) -> None:
    known = both.new(name="Sydhavn Maler", postcode="5000")
    both.in_crm(known)
    (waits,) = both.said_only(WriteEconomicCustomer)
    both.in_economic(EconomicCustomer(number=50, object_version="v1", name="Sydhavn Maler", postcode="5000"))
    both.refused(waits, 60)
    assert ("", 50, "unlinked") in both.pairs()
    new = created(both, 50)
    assert sorted(both.pairs()) == sorted([(known.id, None, "unlinked"), (new, 50, "linked")])


def test_a_number_that_is_being_created_in_the_crm_is_not_taken_but_asked_about(both: Both) -> None:
    both.in_economic(EconomicCustomer(number=50, object_version="v1", name="Vesthavn", cvr="12345678"))
    (here,) = both.creations()
    new = created(both, 50)
    assert sorted(both.pairs()) == sorted([(new, None, "unlinked"), ("", 50, "creating")])
    assert both.of(new).candidates == (50,)
    both.answered(here, both.made(here, "c9"))
    assert sorted(both.pairs()) == sorted([(new, None, "unlinked"), ("c9", 50, "linked")])
    assert both.said_only(WriteEconomicCustomer) == []


@pytest.mark.parametrize("deleted", [False, True], ids=["and that one is there", "and that one was deleted there"])
def test_an_answer_that_shows_it_under_another_s_number_settles_and_asks(both: Both, deleted: bool) -> None:
    first, second = both.linked(7, name="Nordhavn"), both.linked(8, name="Sydhavn")
    if deleted:
        both.gone(8, 2)
    both.in_crm(first.model_copy(update={"phone": "11111111"}), 2)
    (edit,) = both.said_only(WriteEconomicCustomer)
    shown = there(first, 8, "v2", phone="11111111")
    answer = economic_answered(edit, done(edit.parts[0].operation), customer=shown, version=9)
    assert isinstance(answer.data, CustomerObserved)
    both.hear(replace(answer, data=answer.data.model_copy(update={"old_numbers": (7,)})))
    stands = "resting deleted_there" if deleted else "linked"
    assert both.pairs() == [(first.id, 7, "resting renumbered"), (second.id, 8, stands)]
    assert both.of(first.id).candidates == (8,)
    assert both.of(first.id).pending == ()


@pytest.mark.parametrize("absent", [False, True], ids=["seen there", "seen missing there"])
def test_one_renumbered_to_a_number_that_another_has_is_asked_about(both: Both, absent: bool) -> None:
    first, second = both.linked(7, name="Nordhavn"), both.linked(8, name="Sydhavn")
    if absent:
        both.gone(8, 9, old_numbers=(7,))
    else:
        both.hear(economic_seen(there(second, 8, "v2"), 9, old_numbers=(7,)))
        both.gone(7, 9)  # it was looked at, for the other one has nothing in common with it
    stands = "resting deleted_there" if absent else "linked"
    assert both.pairs() == [(first.id, 7, "resting renumbered"), (second.id, 8, stands)]
    assert both.of(first.id).candidates == (8,)
    assert both.creations() == []
