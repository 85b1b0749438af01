"""What do linking, unlinking and creating make of a link? Rows R1, R4 and R14 to R16, and what a pass may write."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from crm_outbox.contract import Result, Stage, WriteCustomer
from economic_adapter.contract import WriteEconomicCustomer
from reconciler import fields, linking
from reconciler.link import Base, Create, Heard, Linked, LinkState, Status, Unlinked, new_link
from reconciler.rules import Decides, Direction, Rule, System, Transfer
from reconciler.step import began, held_back, ruling_out, step
from tests.builders.reconciler import LINK, NOW, RULES, Case, linked, outcome_of, ruled, to_crm, to_economic

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


@pytest.mark.parametrize("transfer", list(Transfer))
def test_the_button_creates_whatever_the_transfer_setting_says(transfer: Transfer) -> None:
    case = Case(rules=replace(RULES, transfer=transfer), facts={"stage": Stage.LEAD, "created": RULES.since})
    case.rules = BY_HAND
    case.crm()
    case.rules = replace(RULES, transfer=transfer)
    (command,) = case.hear(Create(system=System.ECONOMIC, ruled_out=("7", "12")))
    assert isinstance(command, WriteEconomicCustomer)
    assert (command.number, command.parts[0].action, command.parts[0].seen) == (None, "create", (7, 12))
    assert case.hear(Create(system=System.ECONOMIC)) == ()  # pressed twice
    assert case.counted == ("not_created.under_way",)
    case.written(command, created="1042")
    assert (case.link.state, case.link.linked_by, case.link.linked_at) == (LinkState.LINKED, "created", NOW)


@pytest.mark.parametrize(
    ("facts", "values", "why"),
    [
        ({"deleted": True}, {}, "gone"),
        ({"merged_into": "c2"}, {}, "gone"),
        ({}, {"country": ""}, "missing.country"),
        ({}, {"name": " "}, "missing.name"),
    ],
)
def test_the_button_creates_nothing_that_cannot_be(facts: dict[str, object], values: dict[str, str], why: str) -> None:
    case = Case(rules=BY_HAND, facts=facts)
    case.crm(**values)
    assert case.hear(Create(system=System.ECONOMIC)) == ()
    assert (case.link.state, case.counted) == (LinkState.UNLINKED, (f"not_created.{why}",))


def test_r8_a_customer_deleted_in_e_conomic_can_be_created_again_by_a_person() -> None:
    case = linked()
    case.missing()
    (command,) = case.hear(Create(system=System.ECONOMIC))
    assert isinstance(command, WriteEconomicCustomer)
    assert command.number is None
    case.economic_version = 0
    (outcome,) = outcome_of(command, Result.WRITTEN, created="1043")
    case.economic_version += 1
    case.hear(Heard(outcomes=(outcome,), economic=case.economic_seen(number=1043)))
    assert (case.link.number, case.link.old_numbers, case.status) == (1043, (1042,), Status(state="same"))


def test_r1_what_is_told_apart_is_carried_with_the_creation() -> None:
    case = Case(rules=BY_HAND)
    case.crm()
    case.link = linking.told_apart(replace(case.link, candidates=(8, 9)), numbers=(8,))
    assert (case.link.candidates, case.link.apart) == ((9,), (8,))
    (command,) = case.hear(Create(system=System.ECONOMIC))
    assert command.parts[0].seen == (8,)  # type: ignore[union-attr]


# ---- customers that only e-conomic has


def stranger(case: Case) -> Case:
    """A customer that e-conomic has and the CRM is to get."""
    case.link = replace(new_link("t", 1, "", LINK), number=1042)
    case.economic_values = dict(THERE)
    case.economic_contacts = {7: dict(METTE)}
    case.economic_version, case.crm_values = 1, {}
    return case


def create_here(case: Case, **given: object) -> tuple[object, ...]:
    return case.hear(Create(system=System.CRM, economic=case.economic_seen(), **given))  # type: ignore[arg-type]


def test_r3_a_customer_is_created_in_the_crm_active_and_as_e_conomic_holds_it() -> None:
    case = stranger(Case())
    (command,) = create_here(case, ruled_out=("c7",))
    assert isinstance(command, WriteCustomer)
    (part,) = command.parts
    assert (command.customer, command.version, command.ruled_out) == (None, None, ("c7",))
    assert (part.action, part.record, part.id, part.stage, part.fields) == (
        "create", "customer", None, Stage.ACTIVE, THERE,
    )  # fmt: skip
    assert (case.link.state, case.status) == (LinkState.CREATING, Status(state="creating"))
    assert create_here(case) == ()


def test_r3_the_answer_links_it_and_its_contact_persons_follow() -> None:
    case = stranger(Case())
    (command,) = create_here(case, run=UUID(int=7))
    assert isinstance(command, WriteCustomer)
    commands = case.written(command, created="c1")
    assert (case.link.crm_id, case.link.number, case.link.state) == ("c1", 1042, LinkState.LINKED)
    assert (case.link.flows, case.link.linked_by, case.link.run) == (True, "created", UUID(int=7))
    (persons,) = commands
    assert isinstance(persons, WriteCustomer)
    assert (persons.customer, persons.parts[0].fields) == ("c1", METTE)
    case.written(persons, created="p1")
    assert case.status == Status(state="same")
    assert case.economic() == ()


def test_r3_an_answer_without_state_is_followed_by_nothing_until_the_customer_is_seen() -> None:
    case = stranger(Case())
    (command,) = create_here(case)
    assert case.written(command, state=False, created="c1") == ()  # type: ignore[arg-type]
    assert case.link.crm_id == "c1"
    assert len(case.crm()) == 1  # its person


def test_r3_a_refusal_with_candidates_is_a_choice_and_nothing_is_created() -> None:
    case = stranger(Case())
    (command,) = create_here(case)
    refused = outcome_of(command, Result.REFUSED, reason="candidates")  # type: ignore[arg-type]
    assert case.hear(Heard(outcomes=refused, candidates_here=("c5",))) == ()
    assert (case.link.state, case.link.candidates_here) == (LinkState.UNLINKED, ("c5",))
    assert case.status == Status(state="perhaps", reason="candidates")
    (again,) = create_here(case, ruled_out=("c5",))
    assert again.ruled_out == ("c5",)  # type: ignore[attr-defined]


def test_a_customer_without_a_name_or_gone_from_e_conomic_is_not_created_in_the_crm() -> None:
    case = stranger(Case())
    case.economic_values["name"] = ""
    assert create_here(case) == ()
    assert case.counted == ("not_created.missing.name",)
    case = stranger(Case())
    case.hear(Create(system=System.CRM, economic=replace(case.economic_seen(), customer=None)))
    assert case.counted == ("not_created.gone",)


# ---- a creation that what is recorded holds back


def test_r1_a_creation_is_held_back_by_what_resembles_it_and_goes_out_when_that_is_told_apart() -> None:
    case = Case()
    case.crm_version = 1
    done = step(case.link, Heard(crm=case.crm_seen()), RULES, NOW)
    assert began(case.link, done) is not None
    held = held_back(done, ("7",), RULES, NOW)
    assert (held.commands, held.link.state, held.link.candidates) == ((), LinkState.UNLINKED, (7,))
    assert held.status == Status(state="perhaps", reason="candidates")
    case.link = held.link
    assert case.crm() == ()
    case.link = linking.told_apart(case.link, numbers=(7,))
    (command,) = case.wait(RULES.resend)
    assert command.parts[0].seen == (7,)  # type: ignore[union-attr]


def test_r1_customers_linked_elsewhere_are_ruled_out_with_the_creation() -> None:
    case = Case()
    case.crm_version = 1
    done = step(case.link, Heard(crm=case.crm_seen()), RULES, NOW)
    (command,) = ruling_out(done, ("30", "4")).commands
    assert command.parts[0].seen == (4, 30)  # type: ignore[union-attr]
    assert began(case.link, ruling_out(done, ("30",))) != began(case.link, done)


# ---- what is received


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
