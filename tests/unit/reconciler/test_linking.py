"""What do linking and unlinking make of a link? Rows R4 and R14 to R19, and what a pass may write."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from crm_outbox.contract import Stage
from reconciler import fields, linking
from reconciler.link import Base, Linked, LinkState, Status, Unlinked
from reconciler.rules import Decides, Direction, Rule, Transfer
from reconciler.step import step
from tests.builders.reconciler import NOW, RULES, Case, linked, ruled, to_crm, to_economic

MINUTE = timedelta(minutes=1)
BY_HAND = replace(RULES, transfer=Transfer.HAND)
HERE = {"name": "Nordhavn Tømrer ApS", "cvr": "12345678", "phone": "11111111", "city": "Aarhus", "country": "Danmark"}
THERE = {"name": "Nordhavn Tømrer", "cvr": "12345678", "email": "post@nordhavn.dk", "city": "Aarhus"}
METTE = {"name": "Mette Hansen", "email": "mette@nordhavn.dk", "phone": "11111111"}


def apart(**given: object) -> Case:
    """A customer on either side, both known, not linked, and nothing wants to create."""
    case = Case(rules=BY_HAND, crm_values=dict(HERE), economic_values=dict(THERE), **given)  # type: ignore[arg-type]
    assert case.crm() == ()
    case.economic_version = 1
    return case


def join(case: Case, **given: object) -> tuple[object, ...]:
    words = {"number": 1042, "by": "person", "economic": case.economic_seen(), **given}
    return case.hear(Linked(**words))  # type: ignore[arg-type]


def test_r16_a_link_made_singly_fills_blanks_both_ways_and_the_rest_goes_by_rule() -> None:
    case = apart()
    commands = join(case)
    assert to_crm(commands) == {"email": "post@nordhavn.dk"}  # type: ignore[arg-type]
    assert to_economic(commands) == {"phone": "11111111", "country": "Danmark"}  # type: ignore[arg-type]
    assert (case.link.state, case.link.number, case.link.flows) == (LinkState.LINKED, 1042, True)
    assert (case.link.linked_by, case.link.linked_at, case.link.run) == ("person", NOW, None)
    assert case.status == Status(state="choice", reason="both", details=("name",))


def test_r19_another_customer_under_the_number_is_seen_also_where_nothing_was_agreed_yet() -> None:
    case = apart()
    case.crm_values |= {
        "name": "Nordhavn A/S",
        "cvr": "55667788",
    }  # the survivor of a merge: all that says who is asked
    case.crm()
    join(case, by="merged")
    assert case.status == Status(state="choice", reason="both", details=("name", "cvr"))
    assert case.economic(name="Nordhavn Tagdækning") == ()
    written = case.economic(name="Sydhavn Maler A/S", cvr="87654321", website="sydhavn.dk")
    assert (written, case.link.rest) == ((), "other_identity")
    assert case.wait(MINUTE) == ()
    assert case.link.state is LinkState.RESTING


def test_in_a_pass_blanks_are_filled_and_what_differs_stays_and_becomes_the_base() -> None:
    case, run = apart(), uuid4()
    commands = join(case, by="cvr", run=run, differing="keep")
    assert to_crm(commands) == {"email": "post@nordhavn.dk"}  # type: ignore[arg-type]
    assert to_economic(commands) == {"phone": "11111111", "country": "Danmark"}  # type: ignore[arg-type]
    assert case.link.run == run
    name = Base(crm="Nordhavn Tømrer ApS", economic="Nordhavn Tømrer")
    assert case.link.customer.base["name"] == name
    for command in commands:
        case.written(command)  # type: ignore[arg-type]
    assert case.status == Status(state="different", details=("name",))
    assert case.crm() == ()


def test_in_a_pass_e_conomic_s_values_may_be_chosen_where_they_differ() -> None:
    case, run = apart(), uuid4()
    commands = join(case, by="cvr", run=run, differing="economic")
    written = {"name": "Nordhavn Tømrer", "email": "post@nordhavn.dk"}
    assert to_crm(commands) == written  # type: ignore[arg-type]
    choice = case.link.customer.chosen["name"]
    assert choice.crm == {"name": "Nordhavn Tømrer"}
    assert (choice.economic, choice.decision, choice.seen_crm) == (None, run, {"name": "Nordhavn Tømrer ApS"})
    assert set(case.link.customer.chosen) == {"name"}  # what only one side has is filled by the plan
    for command in commands:
        case.written(command)  # type: ignore[arg-type]
    assert (case.status, case.link.customer.chosen) == (Status(state="same"), {})


def test_s6_what_a_person_chose_is_written_to_the_crm_while_nothing_is_received() -> None:
    case = apart()
    case.rules = replace(BY_HAND, receive=False)
    assert to_crm(join(case, by="cvr", differing="economic")) == {"name": "Nordhavn Tømrer"}  # type: ignore[arg-type]


def test_e_conomic_s_value_is_not_chosen_where_only_the_crm_may_change_it() -> None:
    case = apart()
    case.rules = replace(BY_HAND, customer={"name": Rule(direction=Direction.ONLY_CRM)})
    join(case, by="cvr", differing="economic")
    assert case.link.customer.chosen == {}
    assert case.link.customer.base["name"] == Base(crm="Nordhavn Tømrer ApS", economic="Nordhavn Tømrer")


@pytest.mark.parametrize("differing", ["rule", "keep", "economic"])
@pytest.mark.parametrize("decides", list(Decides))
def test_an_empty_value_is_never_taken_for_a_cleared_one_when_linking(differing: str, decides: Decides) -> None:
    case = apart()
    case.crm_values |= {"street": "Havnegade 1", "postcode": "8000"}
    case.economic_values |= {"street": "Havnegade 2", "postcode": "", "city": ""}
    case.rules = replace(BY_HAND, customer={"address": Rule(decides=decides), "name": Rule(decides=decides)})
    case.crm()
    commands = join(case, differing=differing)
    assert "" not in {**to_crm(commands), **to_economic(commands)}.values()  # type: ignore[arg-type]


def test_a_pass_links_only_what_was_seen_on_both_sides() -> None:
    case = apart()
    assert join(case, differing="keep", economic=None) == ()
    assert (case.link.state, case.counted) == (LinkState.UNLINKED, ("not_linked.unseen",))


def test_a_number_not_seen_yet_is_linked_and_nothing_is_written_until_it_is() -> None:
    case = apart()
    assert join(case, economic=None) == ()
    assert case.link.number == 1042
    assert to_economic(case.economic()) == {"phone": "11111111", "country": "Danmark"}


def test_linking_again_changes_nothing() -> None:
    case = apart()
    join(case, by="cvr", run=uuid4(), differing="keep")
    before = case.link
    join(case, by="person", differing="rule")
    assert case.link == before


def test_a_lead_that_is_linked_flows_once_it_is_a_customer() -> None:
    case = apart(facts={"stage": Stage.LEAD})
    assert join(case) == ()
    assert (case.link.state, case.link.flows) == (LinkState.LINKED, False)
    case.facts["stage"] = Stage.ACTIVE
    assert to_economic(case.crm()) == {"phone": "11111111", "country": "Danmark"}


@pytest.mark.parametrize("fact", [{"deleted": True}, {"merged_into": "c2"}])
def test_a_customer_that_is_gone_from_the_crm_is_not_linked(fact: dict[str, object]) -> None:
    case = apart(facts=fact)
    assert join(case) == ()
    assert case.counted == ("not_linked.gone",)


def test_a_number_that_was_seen_missing_is_not_linked() -> None:
    case = apart()
    assert join(case, economic=replace(case.economic_seen(), customer=None)) == ()
    assert case.counted == ("not_linked.absent",)


def test_a_customer_that_is_just_being_created_is_not_linked() -> None:
    case = Case(economic_values=dict(THERE))
    case.crm()
    assert join(case) == ()
    assert (case.link.state, case.counted) == (LinkState.CREATING, ("not_linked.under_way",))


def test_contact_persons_follow_what_is_chosen_for_what_differs() -> None:
    case = apart()
    case.crm_contacts["p1"] = dict(METTE)
    case.economic_contacts[7] = {**METTE, "phone": "22222222", "name": "Mette H."}
    case.crm()
    join(case, differing="keep")
    (person,) = case.contacts
    assert person.base["phone"] == Base(crm="11111111", economic="22222222")
    assert person.base["name"] == Base(crm="Mette Hansen", economic="Mette H.")


def test_r15_unlinked_by_hand_frees_the_number_and_is_remembered_as_not_the_same() -> None:
    case = linked()
    assert case.hear(Unlinked(by="person")) == ()
    assert (case.link.state, case.link.number, case.link.flows) == (LinkState.UNLINKED, None, False)
    assert (case.link.apart, case.link.parted) == ((1042,), ())
    assert case.crm(phone="99999999") == ()  # neither written nor created anew by itself
    assert case.status == Status(state="not_there")


def test_r15_the_bases_stay_so_that_unlinking_can_be_undone() -> None:
    case = linked()
    case.hear(Unlinked(by="person"))
    case.crm(phone="99999999")
    commands = join(case, by=linking.UNDO)
    assert to_economic(commands) == {"phone": "99999999"}  # type: ignore[arg-type]
    assert case.link.apart == ()


def test_r15_what_was_under_way_when_it_was_unlinked_changes_nothing_any_more() -> None:
    case = linked()
    (command,) = case.crm(phone="99999999")
    case.hear(Unlinked(by="person"))
    assert case.link.pending == ()
    before = case.link.customer.base
    case.written(command)
    assert case.link.customer.base == before
    assert (case.link.state, case.link.number) == (LinkState.UNLINKED, None)


def test_r16_linked_to_another_number_begins_without_a_base() -> None:
    case = linked()
    case.economic_values = dict(THERE)
    case.economic_version = 1
    commands = join(case, number=2000, economic=case.economic_seen(number=2000))
    assert (case.link.number, case.link.apart, case.link.old_numbers) == (2000, (1042,), (1042,))
    assert to_crm(commands) == {"cvr": "12345678", "email": "post@nordhavn.dk"}  # type: ignore[arg-type]
    assert case.status == Status(state="choice", reason="both", details=("name",))


def test_an_undone_pair_is_not_created_anew_and_an_edit_brings_the_former_partner_up() -> None:
    case = linked()
    case.hear(Unlinked(by="undo"))
    assert (case.link.apart, case.link.parted) == ((), (1042,))
    assert case.crm() == ()
    assert case.status == Status(state="not_there")
    assert case.crm(phone="99999999") == ()
    assert case.link.candidates == (1042,)
    assert case.status == Status(state="perhaps", reason="candidates")


def test_s6_what_e_conomic_changes_is_compared_and_not_written_while_nothing_is_received() -> None:
    case = linked(replace(RULES, receive=False))
    assert case.economic(phone="22222222") == ()
    assert case.status == Status(state="different", details=("phone",))
    assert to_economic(case.crm(city="Odense")) == {"city": "Odense"}
    case.rules = RULES
    assert to_crm(case.economic()) == {"phone": "22222222"}


def test_s6_persons_added_in_e_conomic_are_not_created_while_nothing_is_received() -> None:
    case = linked(replace(RULES, receive=False))
    case.economic_contacts[7] = dict(METTE)
    assert case.economic() == ()


def test_what_a_pass_writes_is_what_its_preview_said() -> None:
    for differing in ("rule", "keep", "economic"):
        case = apart()
        case.rules = ruled(phone=Rule(decides=Decides.CRM))
        said = Linked(number=1042, by="cvr", economic=case.economic_seen(), differing=differing)
        preview = step(case.link, said, case.rules, NOW)
        assert case.hear(said) == preview.commands
        assert case.hear(said) == ()
        assert all(one.base or one.pending or one.chosen for one in case.link.pairs)
        assert set(fields.FIELDS["customer"]) >= set(case.link.customer.base)
