"""Does *Update in e-conomic* overwrite only what a person may want overwritten, and say why it leaves the rest alone?"""

from dataclasses import replace
from typing import Any

import pytest

from reconciler.overwriting import Left, overwriting
from reconciler.pair import Base
from reconciler.rules import Decides, Direction, Rule, Rules, System
from tests.builders.deciding import Deciding, deciding
from tests.builders.reconciler import RULES, ruled


def still(rules: Rules = RULES, **values: str) -> Deciding:
    """One that both systems hold and that does not flow."""
    case = deciding(rules, **values)
    case.link = replace(case.link, flows=False)
    return case


def told(case: Deciding) -> tuple[list[str], dict[str, Left]]:
    found = overwriting(case.link, case.rules)
    return [row.detail for row in found.overwrites], {row.detail: why for row, why in found.left}


def test_what_clickmate_or_both_changed_is_overwritten_and_what_only_e_conomic_changed_is_not() -> None:
    case = still(email="a@nordhavn.example")
    case.crm(name="Nordhavn A", phone="87654321")
    case.economic(name="Nordhavn B", email="b@nordhavn.example")
    assert told(case) == (["name", "phone"], {"email": "changed_there"})


def test_what_is_the_same_is_neither() -> None:
    assert told(still()) == ([], {})


@pytest.mark.parametrize(
    ("direction", "expected"),
    [
        (Direction.ONLY_ECONOMIC, ([], {"name": "only_there"})),
        (Direction.ONLY_CRM, (["name"], {})),
        (Direction.BOTH, (["name"], {})),
        (Direction.NONE, ([], {})),
    ],
)
def test_where_a_detail_may_be_changed_decides(direction: Direction, expected: Any) -> None:
    case = still(ruled(name=Rule(direction=direction, decides=Decides.ASK, may_be_empty=False)))
    case.crm(name="Nordhavn A")
    assert told(case) == expected


def test_an_address_is_one_detail() -> None:
    case = still()
    case.crm(city="Odense", street="Kajen 1")
    assert told(case) == (["address"], {})


def test_what_was_emptied_in_clickmate_empties_e_conomic_only_where_it_may_be_empty() -> None:
    case = still(email="a@nordhavn.example", website="nordhavn.example")
    case.crm(email="", website="")
    assert told(case) == (["website"], {"email": "empty_here"})


def test_what_clickmate_never_held_empties_nothing() -> None:
    case = still()
    case.economic(website="nordhavn.example")
    pair = case.link.customer
    base = {name: one for name, one in pair.base.items() if name != "website"}
    case.link = replace(case.link, customer=replace(pair, base=base))
    assert told(case) == ([], {"website": "empty_here"})


def test_of_a_link_just_made_both_values_are_there_and_clickmates_is_taken() -> None:
    case = still()
    case.crm(website="nordhavn.example")
    case.economic(website="nordhavn.test")
    pair = case.link.customer
    base = {name: one for name, one in pair.base.items() if name != "website"}
    case.link = replace(case.link, customer=replace(pair, base=base))
    assert told(case) == (["website"], {})


def test_what_is_under_way_already_is_neither() -> None:
    case = deciding(RULES)
    case.crm(phone="87654321")
    assert case.link.pending
    assert told(case) == ([], {})


def test_what_a_person_chose_is_carried_out_and_not_overwritten_beside_it() -> None:
    case = still()
    case.rules = replace(RULES, paused=frozenset(System))
    case.crm(name="Nordhavn A")
    case.settle(name="economic")
    assert told(case) == ([], {})


def test_what_was_kept_different_can_be_overwritten_by_choice() -> None:
    case = still()
    case.crm(name="Nordhavn A")
    case.settle(name="different")
    assert told(case) == (["name"], {})


def test_a_write_nobody_can_tell_the_end_of_is_written_anew() -> None:
    case = still()
    case.crm(name="Nordhavn A")
    pair = case.link.customer
    unknown = {**pair.base, "name": Base(crm="", economic="", unknown=True)}
    case.link = replace(case.link, customer=replace(pair, base=unknown))
    assert told(case) == (["name"], {})


def test_one_that_is_not_linked_has_nothing_to_overwrite() -> None:
    case = still()
    case.crm(name="Nordhavn A")
    case.missing()
    assert told(case) == ([], {})
