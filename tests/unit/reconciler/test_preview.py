"""Does a preview count every customer once, and say exactly what the run would write?"""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from crm_outbox.contract import ContactPerson, Customer, Stage
from crm_outbox.messaging.envelope import Version
from economic_adapter.contract import EconomicContact, EconomicCustomer
from reconciler import preview as previews
from reconciler.classes import CONTESTED, LEAD, LINKED, ONLY, Here, There
from reconciler.link import CrmSeen, EconomicSeen, Heard, Link, Linked, LinkState, new_link
from reconciler.previewed import Asked, Preview
from reconciler.receipt import counts, receipt
from reconciler.rehearsal import rehearse
from reconciler.rules import System
from reconciler.step import step
from tests.builders.reconciler import NOW, ON, RULES

RUN = UUID("00000000-0000-4000-8000-00000000000a")
CVRS = ("13748136", "35204539", "11111119", "")
NAMES = ("Nordhavn ApS", "Alfa A/S", "Beta", "")
PHONES = ("22222222", "33333333", "")
PERSONS = ("Anne Holm", "Bo Ny")


def here(crm_id: str, **values: Any) -> Here:
    customer = Customer(**{"id": crm_id, "created": ON - timedelta(days=1), "country": "Danmark", **values})
    return Here(id=crm_id, seen=CrmSeen(version=Version(1, 1), customer=customer))


def there(number: int, **values: Any) -> There:
    customer = EconomicCustomer(**{"number": number, "object_version": "a", "country": "Danmark", **values})
    return There(number=number, seen=EconomicSeen(version=Version(1, 1), number=number, customer=customer))


def asked(**given_: Any) -> Asked:
    return Asked(**{"tenant": "t", "agreement": 1, "run": RUN, **given_})


def looked(crm: list[Here], economic: list[There], **given_: Any) -> Preview:
    return previews.preview(crm, economic, asked(**given_), RULES, NOW)


_values = st.fixed_dictionaries(
    {
        "cvr": st.sampled_from(CVRS),
        "name": st.sampled_from(NAMES),
        "phone": st.sampled_from(PHONES),
        "postcode": st.sampled_from(("8000", "")),
        "email": st.sampled_from(("a@alfa.dk", "")),
    }
)
_people = st.lists(st.sampled_from(PERSONS), max_size=2, unique=True)


@st.composite
def companies(draw: st.DrawFn) -> tuple[list[Here], list[There]]:
    """Some customers on each side, few enough values that they meet."""
    crm = [
        here(
            f"c{nth}",
            stage=draw(st.sampled_from(list(Stage))),
            deleted=draw(st.booleans()) and draw(st.booleans()),
            contacts=tuple(ContactPerson(id=f"c{nth}p{at}", name=name) for at, name in enumerate(draw(_people))),
            **draw(_values),
        )
        for nth in range(draw(st.integers(0, 5)))
    ]
    economic = [
        there(
            nth,
            barred=draw(st.booleans()),
            contacts=tuple(
                EconomicContact(number=10 * nth + at, object_version="a", name=name)
                for at, name in enumerate(draw(_people))
            ),
            **draw(_values),
        )
        for nth in range(1, 1 + draw(st.integers(0, 5)))
    ]
    return crm, economic


_choices = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(("switch_on", "transfer")),
        "differing": st.sampled_from(("keep", "economic")),
        "groups": st.sampled_from((frozenset(), frozenset({"name_postcode"}))),
        "create_there": st.booleans(),
        "without_barred": st.booleans(),
    }
)


@given(companies(), _choices)
def test_the_classes_of_each_side_add_up_to_its_total(
    sides: tuple[list[Here], list[There]], choices: dict[str, Any]
) -> None:
    crm, economic = sides
    shown = looked(crm, economic, **choices)
    assert sum(shown.crm.values()) == sum(not one.seen.customer.deleted for one in crm if one.seen.customer)
    assert sum(shown.economic.values()) == len(economic)
    linked = [name for name in shown.crm if name not in {ONLY, LEAD, CONTESTED}]
    assert all(shown.crm[name] == shown.economic[name] for name in linked if not name.startswith("suggested"))


@given(companies(), _choices)
def test_nothing_is_created_or_overwritten_that_was_not_asked_for(
    sides: tuple[list[Here], list[There]], choices: dict[str, Any]
) -> None:
    shown = looked(*sides, **choices)
    made = [one.action for one in shown.items]
    assert "create_there" not in made or choices["create_there"]
    assert "create_here" not in made or choices["kind"] == "transfer"
    if choices["differing"] == "keep":
        assert not shown.overwritten
    if choices["differing"] == "economic":
        over = [one for item in shown.items for one in item.writes if one.id and one.before]
        assert all(one.system is System.CRM for one in over)


@given(companies(), _choices)
def test_each_customer_is_in_one_item_at_most(sides: tuple[list[Here], list[There]], choices: dict[str, Any]) -> None:
    shown = looked(*sides, **choices)
    ids = [one.crm_id for one in shown.items if one.crm_id is not None]
    numbers = [one.number for one in shown.items if one.number is not None]
    assert len(ids) == len(set(ids))
    assert len(numbers) == len(set(numbers))


@given(companies())
def test_a_transfer_leaves_no_customer_of_e_conomic_unsaid(sides: tuple[list[Here], list[There]]) -> None:
    shown = looked(*sides, kind="transfer")
    said = {one.number for one in shown.items} | {one.number for one in shown.skipped}
    assert said == {one.number for one in sides[1]}


@given(companies(), _choices)
def test_asked_twice_it_says_the_same(sides: tuple[list[Here], list[There]], choices: dict[str, Any]) -> None:
    crm, economic = sides
    one = looked(crm, economic, **choices)
    again = looked(crm[::-1], economic[::-1], **{**choices, "run": uuid5(RUN, "again")})
    assert one.fingerprint == again.fingerprint
    assert one.confirmed_by == again.confirmed_by


def test_a_rehearsal_ends_with_both_sides_as_the_rules_want_them() -> None:
    mine = here("c1", cvr="13748136", name="Alfa", phone="", website="alfa.dk")
    theirs = there(7, cvr="13748136", name="Alfa", phone="22222222")
    link = step(new_link("t", 1, "c1", RUN), Heard(crm=mine.seen), RULES, NOW).link
    words = Linked(number=7, by="cvr", run=RUN, economic=theirs.seen, differing="keep")
    done = rehearse(link, words, RULES, NOW, crm=mine.seen, economic=theirs.seen)
    assert {(one.system, one.field, one.after) for one in done.writes} == {
        (System.CRM, "phone", "22222222"),
        (System.ECONOMIC, "website", "alfa.dk"),
    }
    assert done.differing == ()
    assert not done.link.pending


def test_a_linked_customer_that_drifted_while_it_was_off_is_shown() -> None:
    mine, theirs = here("c1", cvr="13748136", name="Alfa"), there(7, cvr="13748136", name="Alfa")
    link = step(new_link("t", 1, "c1", RUN), Heard(crm=mine.seen), RULES, NOW).link
    link = step(link, Linked(number=7, by="cvr", economic=theirs.seen), RULES, NOW).link
    assert link.state is LinkState.LINKED
    edited = here("c1", cvr="13748136", name="Alfa", phone="55555555")
    seen = replace(edited.seen, version=Version(1, 2))
    off = replace(RULES, agreement="off")
    drifted: Link = step(link, Heard(crm=seen), off, NOW + timedelta(hours=1)).link
    shown = looked([replace(edited, seen=seen, link=drifted)], [theirs])
    (item,) = shown.items
    assert (item.action, item.number) == ("change", 7)
    assert [(one.system, one.field, one.after) for one in item.writes] == [(System.ECONOMIC, "phone", "55555555")]
    assert shown.crm == {LINKED: 1}


def test_numbers_that_are_the_same_already_and_empty_sides_are_named() -> None:
    assert looked([], []).safe == ("empty_crm", "empty_economic")
    same = looked([here("a", cvr="13748136", number=7, name="A")], [there(7, cvr="13748136", name="A")])
    assert same.safe == ("numbers_match",)


def test_the_receipt_prints_the_counts_that_confirm_it() -> None:
    shown = looked([here("a", cvr="13748136", name="A")], [there(7, cvr="13748136", name="A", phone="22222222")])
    assert counts(shown.confirmed_by) == "1,1,0"
    assert any("linked by CVR no." in line for line in receipt(shown))


def test_what_follows_when_a_pause_is_over_is_shown_as_well() -> None:
    crm = [here("c1", cvr=CVRS[0], phone="22222222")]
    economic = [there(1, cvr=CVRS[0], email="a@alfa.dk", phone="33333333")]
    for given_ in ({}, {"differing": "economic"}):
        shown = looked(crm, economic, **given_)
        paused = previews.preview(crm, economic, asked(**given_), replace(RULES, paused=frozenset(System)), NOW)
        assert [one.writes for one in paused.items] == [one.writes for one in shown.items] != [()]
