"""What is a customer of e-conomic that no link has? Rows R3, R6, R7 and R9, from values alone."""

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as some

from economic_adapter.contract import EconomicContact, EconomicCustomer
from reconciler import strangers
from reconciler.strangers import Around, Do, Former, Known, judge, likely, moved, values_of

VALUES: dict[str, Any] = {
    "name": "Sydhavn Maler A/S",
    "cvr": "87654321",
    "street": "Havnegade 1",
    "postcode": "5000",
    "city": "Odense",
}
LINK = UUID(int=1)


def customer(number: int = 60, **given: Any) -> EconomicCustomer:
    """A customer of e-conomic; only what the test names matters."""
    return EconomicCustomer(**{"number": number, "object_version": "v1", **VALUES, **given})


def known(number: int = 7, *, gone: bool = False, persons: tuple[int, ...] = (), **values: Any) -> Known:
    """A linked customer as e-conomic held it."""
    return Known(link=LINK, crm_id="c1", number=number, values=values, persons=frozenset(persons), gone=gone)


def test_r3_what_resembles_nothing_is_created_and_carries_who_was_told_apart() -> None:
    verdict = judge(customer(), Around(elsewhere=("c7",), former=(Former(crm_id="c8"),)))
    assert (verdict.do, verdict.ruled_out) == (Do.CREATE, ("c7", "c8"))


def test_r3_the_one_customer_of_its_number_is_linked_and_a_likeness_is_asked_about() -> None:
    linked = judge(customer(), Around(certain="c1", evidence="cvr", similar=("c1",)))
    assert (linked.do, linked.customers, linked.evidence) == (Do.LINK, ("c1",), "cvr")
    assert judge(customer(), Around(similar=("c2", "c1"))).customers == ("c2", "c1")


@pytest.mark.parametrize(
    "values",
    [
        VALUES,
        {"name": "Sydhavn Maler A/S", "cvr": "DK 87 65 43 21"},
        {"name": "SYDHAVN MALER A/S", "street": "Havnegade 1", "postcode": "5000"},
        {"name": "Et nyt navn", "cvr": "87654321", "street": "Havnegade 1", "postcode": "5000"},
        {"name": "Et nyt navn", "street": "Havnegade 1", "postcode": "5000"},
    ],
    ids=["all", "name and CVR", "name and address", "CVR and address", "address"],
)
def test_r7_a_customer_that_looks_like_a_linked_one_is_looked_for_under_its_old_number(values: dict[str, Any]) -> None:
    verdict = judge(customer(), Around(linked=(known(**values),), similar=("c5",), certain="c5"))
    assert (verdict.do, verdict.links) == (Do.LOOK, (LINK,))


@pytest.mark.parametrize(
    "values",
    [
        {"name": "Sydhavn Maler A/S"},
        {"cvr": "87654321", "name": "Sydhavn Tagdækning"},
        {"cvr": "11112222", "street": "Havnegade 1", "postcode": "5000"},
        {},
    ],
    ids=["name alone", "CVR alone", "address and another CVR", "nothing"],
)
def test_r7_what_may_be_somebody_else_as_well_is_no_lost_renumbering(values: dict[str, Any]) -> None:
    assert judge(customer(), Around(linked=(known(**values),))).do is Do.CREATE


def test_r7_another_cvr_number_is_a_question_when_the_old_number_is_gone_and_another_company_when_it_is_there() -> None:
    edited = {**VALUES, "cvr": "11112222"}
    assert judge(customer(), Around(linked=(known(**edited),))).do is Do.LOOK
    assert judge(customer(), Around(linked=(known(gone=True, **edited),))).do is Do.RENUMBERED
    there = Around(linked=(known(**edited),), told_apart=frozenset({"c1"}))
    assert judge(customer(), there).do is Do.CREATE


def test_r7_of_one_that_is_gone_from_its_number_the_name_is_enough_to_ask() -> None:
    assert judge(customer(), Around(linked=(known(gone=True, name=VALUES["name"]),))).do is Do.RENUMBERED
    assert judge(customer(), Around(linked=(known(gone=True, name="Another A/S"),))).do is Do.CREATE


def test_r7_one_that_differs_in_its_name_alone_is_looked_for_and_asked_about_when_it_is_gone() -> None:
    renamed = {**VALUES, "name": "Another A/S"}
    assert judge(customer(), Around(linked=(known(**renamed),))).do is Do.LOOK
    assert judge(customer(), Around(linked=(known(gone=True, **renamed),))).do is Do.RENUMBERED
    moved = {**renamed, "street": "Strandvejen 2"}
    assert judge(customer(), Around(linked=(known(**moved),))).do is Do.CREATE


def test_r7_a_private_person_with_a_name_and_nothing_else_is_looked_for_when_nothing_differs() -> None:
    seen = EconomicCustomer(number=60, object_version="v1", name="Jens Hansen")
    assert judge(seen, Around(linked=(known(name="Jens Hansen"),))).do is Do.LOOK
    assert judge(seen, Around(linked=(known(name="Jens Hansen", phone="12345678"),))).do is Do.CREATE


def test_r7_a_contact_number_of_a_linked_customer_tells_who_it_is() -> None:
    seen = customer(contacts=(EconomicContact(number=5, object_version="p1", name="Mette"),))
    assert likely(values_of(seen), seen, known(persons=(5,), cvr="11112222"))
    gone = customer(contacts=(EconomicContact(number=5, object_version="p1", name="Mette", deleted=True),))
    assert not likely(values_of(gone), gone, known(persons=(5,), cvr="11112222"))


def test_r7_one_known_to_be_gone_from_its_number_is_asked_about_without_a_look() -> None:
    verdict = judge(customer(), Around(linked=(known(gone=True, **VALUES), known(8, **VALUES))))
    assert verdict.do is Do.RENUMBERED


def test_r7_at_most_three_numbers_are_looked_at_those_that_agree_most_first() -> None:
    alike = [replace(known(n, name=VALUES["name"], cvr=VALUES["cvr"]), link=uuid4()) for n in range(1, 9)]
    best = replace(known(99, **VALUES), link=uuid4())
    verdict = judge(customer(), Around(linked=(*alike, best)))
    assert (len(verdict.links), verdict.links[0]) == (strangers.LOOKS, best.link)


def test_r7_what_is_being_looked_at_already_is_waited_for() -> None:
    alike = replace(known(**VALUES), looked=True)
    assert judge(customer(), Around(linked=(alike,))).do is Do.WAIT
    assert judge(customer(), Around(linked=(alike, replace(known(8, **VALUES), link=uuid4())))).do is Do.LOOK


def test_r7_one_that_is_still_under_its_number_is_a_double_and_a_question() -> None:
    verdict = judge(customer(), Around(linked=(known(**VALUES),), told_apart=frozenset({"c1"})))
    assert (verdict.do, verdict.customers) == (Do.ASK, ("c1",))


def test_a_creation_under_way_that_may_be_it_is_waited_for() -> None:
    sent = {"name": "Sydhavn Maler A/S", "cvr": "87654321"}
    edited = {**sent, "cvr": "11112222", "phone": "12345678"}
    other = {"name": "Nordhavn ApS", "cvr": "11112222"}
    under_way = ((UUID(int=2), other), (UUID(int=3), sent), (UUID(int=4), edited))
    verdict = judge(customer(), Around(creating=under_way, similar=("c3",)))
    assert (verdict.do, verdict.links) == (Do.WAIT, (UUID(int=3), UUID(int=4)))


def test_what_a_creation_that_nobody_can_tell_the_end_of_may_have_made_is_asked_about() -> None:
    sent = {"name": "Sydhavn Maler A/S", "cvr": "87654321", "defaults": "1 1 1 DKK"}
    other = {"name": "Nordhavn ApS", "cvr": "11112222"}
    verdict = judge(customer(), Around(unclear=(("c1", other), ("c2", sent)), similar=("c3",)))
    assert (verdict.do, verdict.customers) == (Do.ASK, ("c2", "c3"))


def test_r9_a_customer_deleted_in_the_crm_does_not_come_back() -> None:
    assert judge(customer(), Around(former=(Former(crm_id="c1", gone=True),))).do is Do.RECORD


def test_an_undone_pair_is_asked_about_the_former_partner_first_and_never_linked_by_itself() -> None:
    around = Around(former=(Former(crm_id="c1", parted=True),), certain="c1", similar=("c9", "c1"))
    verdict = judge(customer(), around)
    assert (verdict.do, verdict.customers) == (Do.ASK, ("c1", "c9"))


def test_news_is_what_was_not_recorded_or_differs_in_a_detail() -> None:
    person = EconomicContact(number=5, object_version="p1", name="Mette")
    before = customer(contacts=(person,))
    assert moved(None, before)
    assert not moved(before, customer(object_version="v2", terms=3, contacts=(person,)))
    assert moved(before, customer(phone="11111111", contacts=(person,)))
    assert moved(before, customer(contacts=(person.model_copy(update={"email": "m@x.dk"}),)))
    assert moved(before, customer(contacts=(person.model_copy(update={"deleted": True}),)))


IDS = some.sampled_from(["c1", "c2", "c3"])
SHORT = some.dictionaries(some.sampled_from(list(VALUES)), some.sampled_from([*VALUES.values(), "", "x"]), max_size=4)
AROUND = some.builds(
    Around,
    linked=some.lists(
        some.builds(Known, link=some.uuids(), crm_id=IDS, number=some.integers(1, 99), values=SHORT, gone=some.booleans()),
        max_size=3,
    ).map(tuple),
    creating=some.lists(some.tuples(some.uuids(), SHORT), max_size=2).map(tuple),
    former=some.lists(some.builds(Former, crm_id=IDS, gone=some.booleans(), parted=some.booleans()), max_size=2).map(tuple),
    certain=some.sampled_from(["", "c1"]),
    similar=some.lists(IDS, max_size=2).map(tuple),
    elsewhere=some.lists(IDS, max_size=2).map(tuple),
)  # fmt: skip


@given(around=AROUND)
def test_it_is_created_only_where_nobody_known_may_be_it(around: Around) -> None:
    verdict = judge(customer(), around)
    nobody = not around.similar and not around.certain and not any(one.gone or one.parted for one in around.former)
    assert verdict.do is not Do.CREATE or nobody
    assert verdict.do is not Do.CREATE or set(around.elsewhere) <= set(verdict.ruled_out)
    assert bool(verdict.links) == (verdict.do in {Do.LOOK, Do.RENUMBERED, Do.WAIT})
    assert bool(verdict.customers) == (verdict.do in {Do.LINK, Do.ASK})


@given(around=AROUND)
def test_it_links_by_itself_only_the_certain_one_that_was_never_parted_from_it(around: Around) -> None:
    verdict = judge(customer(), around)
    assert verdict.do is not Do.LINK or verdict.customers == (around.certain,)
    assert verdict.do is not Do.LINK or not any(one.parted for one in around.former)
