"""What holds of linking whatever both sides hold and whatever the rules say?"""

from dataclasses import replace
from datetime import timedelta
from typing import Literal

from hypothesis import given
from hypothesis import strategies as some

from crm_outbox.contract import WriteCustomer
from reconciler import fields
from reconciler.link import Create, Heard, Linked, LinkState, Unlinked, new_link
from reconciler.rules import Decides, Direction, Rule, Rules, System
from tests.builders.reconciler import ON, Case, ruled

VALUES = {
    "name": ["Nordhavn Tømrer", "NORDHAVN TØMRER ApS", "Sydhavn"],
    "cvr": ["", "12345678", "DK 12 34 56 78", "87654321"],
    "street": ["", "Havnegade 1", "Torvet 9"],
    "postcode": ["", "8000", "DK-8000"],
    "city": ["", "Aarhus", "Aarhus C"],
    "country": ["", "Danmark", "DK"],
    "phone": ["", "12345678", "+45 12 34 56 78", "87654321"],
    "email": ["", "post@nordhavn.dk", "POST@nordhavn.dk"],
}
CUSTOMERS = some.fixed_dictionaries({name: some.sampled_from(pool) for name, pool in VALUES.items()})
PERSONS = some.fixed_dictionaries(
    {
        "name": some.sampled_from(["Mette", "Mette Holm", "Jens"]),
        "email": some.sampled_from(["", "mette@x.dk"]),
        "phone": some.sampled_from(["", "11111111", "22222222"]),
    }
)
RULES = some.dictionaries(
    some.sampled_from([group.name for group in fields.GROUPS["customer"]]),
    some.builds(
        Rule,
        direction=some.sampled_from(Direction),
        decides=some.sampled_from(Decides),
        may_be_empty=some.booleans(),
    ),
    max_size=4,
).map(lambda chosen: ruled(**chosen))
DIFFERING = some.sampled_from(["rule", "keep", "economic"])
Differing = Literal["rule", "keep", "economic"]


def met(
    here: dict[str, str], there: dict[str, str], people: tuple[dict[str, str], dict[str, str]], rules: Rules
) -> Case:
    """Both sides known, not linked, nothing under way: a customer from before the integration was switched on."""
    case = Case(
        rules=rules, crm_values=dict(here), economic_values=dict(there), facts={"created": ON - timedelta(days=1)}
    )
    case.crm_contacts, case.economic_contacts = {"p1": dict(people[0])}, {7: dict(people[1])}
    case.crm_version = case.economic_version = 1
    case.hear(Heard(crm=case.crm_seen()))
    assert case.link.state is LinkState.UNLINKED
    return case


@given(here=CUSTOMERS, there=CUSTOMERS, people=some.tuples(PERSONS, PERSONS), rules=RULES, differing=DIFFERING)
def test_linking_empties_nothing_and_said_again_changes_nothing(
    here: dict[str, str],
    there: dict[str, str],
    people: tuple[dict[str, str], dict[str, str]],
    rules: Rules,
    differing: Differing,
) -> None:
    case, seen = _linked(here, there, people, rules, differing)
    written = [(name, value) for one in case.commands for part in one.parts for name, value in part.fields.items()]
    assert all(not fields.blank(value) for _, value in written)
    before = case.link
    assert case.hear(seen) == ()
    assert case.link == before


@given(here=CUSTOMERS, there=CUSTOMERS, people=some.tuples(PERSONS, PERSONS), rules=RULES)
def test_a_pass_that_keeps_writes_only_where_nothing_stood(
    here: dict[str, str], there: dict[str, str], people: tuple[dict[str, str], dict[str, str]], rules: Rules
) -> None:
    case, _ = _linked(here, there, people, rules, "keep")
    for pending in case.link.pending:
        assert all(fields.blank(pending.seen.get(name, "")) for name in pending.values)


@given(here=CUSTOMERS, there=CUSTOMERS, people=some.tuples(PERSONS, PERSONS), rules=RULES)
def test_a_pass_that_takes_e_conomic_s_writes_no_other_value_there_than_into_a_blank(
    here: dict[str, str], there: dict[str, str], people: tuple[dict[str, str], dict[str, str]], rules: Rules
) -> None:
    case, _ = _linked(here, there, people, rules, "economic")
    for pending in case.link.pending:
        if pending.system is System.ECONOMIC:
            assert all(fields.blank(pending.seen.get(name, "")) for name in pending.values)


@given(here=CUSTOMERS, there=CUSTOMERS, people=some.tuples(PERSONS, PERSONS), differing=DIFFERING)
def test_unlinked_and_linked_again_by_undo_is_where_it_was(
    here: dict[str, str],
    there: dict[str, str],
    people: tuple[dict[str, str], dict[str, str]],
    differing: Differing,
) -> None:
    case, _ = _linked(here, there, people, ruled(), differing)
    for _round in range(4):
        for command in case.commands:
            case.written(command, created="p9" if isinstance(command, WriteCustomer) else "9")
    bases = {one.id: one.base for one in case.link.pairs}
    case.hear(Unlinked(by="undo"))
    assert (case.link.state, case.link.number, case.link.pending) == (LinkState.UNLINKED, None, ())
    case.hear(Linked(number=1042, by="undo", economic=case.economic_seen(version=case.economic_version + 1)))
    assert {one.id: one.base for one in case.link.pairs if one.id in bases} == bases


@given(there=CUSTOMERS, people=some.tuples(PERSONS, PERSONS), system=some.sampled_from(System))
def test_a_creation_is_told_once_however_often_it_is_asked_for(
    there: dict[str, str], people: tuple[dict[str, str], dict[str, str]], system: System
) -> None:
    case = met({**there, "country": "DK"}, there, people, ruled())
    if system is System.CRM:
        case.link = replace(new_link("t", 1, "", case.link.id), number=1042)
    words = Create(system=system, economic=case.economic_seen())
    commands = case.hear(words)
    again = case.hear(words)
    assert (len(commands) <= 1, again) == (True, ())
    assert len([one for one in case.link.customer.pending.values() if one.action == "create"]) == 1


def _linked(
    here: dict[str, str],
    there: dict[str, str],
    people: tuple[dict[str, str], dict[str, str]],
    rules: Rules,
    differing: Differing,
) -> tuple[Case, Linked]:
    case = met(here, there, people, rules)
    said = Linked(number=1042, by="cvr", economic=case.economic_seen(), differing=differing)
    case.hear(said)
    return case, said
