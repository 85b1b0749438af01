"""What if every duty runs twice, and one of each dies? No twin, no lost update; whoever stood by takes over."""

import random
from collections.abc import Iterator
from functools import partial

import pytest
import sqlalchemy as sa

from crm_outbox.customers import PersonEdit
from economic_adapter.sandbox import ui
from tests.duties import AGREEMENT
from tests.faults.world import GROUPS, World, world
from tests.prepared import Database, Vhosts
from tests.sandbox_fixture import running_sandbox
from tests.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(480)]

SEED = 2026
TWICE = {name + more: what for name, what in GROUPS.items() for more in ("", "-2") if name + more != "hooks-2"}
"""All but what takes webhooks, which has one address."""
IN_CRM, IN_ECONOMIC = ("email", "mobile"), ("website", "postcode", "city")
"""Who changes what: a detail, and the address as a whole, belongs to one side, so that nobody has to be asked."""
_ECONOMIC_NAMES = {"website": "homepage", "postcode": "postCode", "city": "city"}


@pytest.fixture(scope="module")
def made(_database: Database, _vhosts: Vhosts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with (
        running_sandbox() as sandbox,
        world(
            _database.ready(),
            _vhosts.ready(),
            sandbox,
            tmp_path_factory.mktemp("log"),
            seed=16,
            groups=TWICE,
            clocks={"POLL_SECONDS": "1", "RESEND_SECONDS": "0.5"},
        ) as started,
    ):
        yield started


def test_random_edits_on_both_sides_end_the_same_with_two_of_everything(made: World) -> None:
    choice = random.Random(SEED)
    known = [made.create() for _ in range(5)]
    made.rests()
    numbers = {cvr: made.number(cvr) for cvr in known}
    for turn in range(80):
        cvr = choice.choice(known)
        match choice.randrange(6):
            case 0:
                made.edit_crm(cvr)
            case 1:
                made.edit_economic(cvr, numbers[cvr])
            case 2:
                _detail_in_crm(made, cvr, choice.choice(IN_CRM), turn)
            case 3:
                _detail_in_economic(made, cvr, numbers[cvr], choice.choice(IN_ECONOMIC), turn)
            case 4:
                _person_in_crm(made, cvr, turn)
            case _ if turn % 4 == 0:
                made.create()
            case _:
                made.edit_crm(cvr)
    made.rests()


@pytest.mark.parametrize("first", [name for name in GROUPS if name != "hooks"])
def test_whoever_stands_by_takes_over_when_the_other_one_is_killed(made: World, first: str) -> None:
    if not made.ids:
        made.create()
    processes = made.product.processes
    second = f"{first}-2"
    holder = first
    if first.startswith("relay"):
        holder = eventually(lambda: next((name for name in (second, first) if _holds_lane(made, name)), ""))
    processes.kill(holder)
    cvr = next(iter(made.ids))
    made.create()
    made.edit_crm(cvr)
    made.edit_economic(cvr, made.number(cvr))
    made.rests()
    processes.start_group(holder)


@pytest.mark.parametrize(("system", "who"), [("crm", "applier"), ("economic", "worker")])
def test_an_edit_made_after_the_decision_is_never_overwritten(made: World, system: str, who: str) -> None:
    cvr = made.create()
    made.rests()
    customer, number = made.ids[cvr], made.number(cvr)
    ours, theirs = "Havnegade 1", "Skovvej 2"
    in_crm = partial(made.product.change, customer, street=ours)
    in_economic = partial(
        ui.edit_customer, made.product.sandbox.data, number, {"address1": theirs, "address2": None}, agreement=AGREEMENT
    )
    first, later = (in_economic, in_crm) if system == "crm" else (in_crm, in_economic)
    processes = made.product.processes
    names = (who, f"{who}-2")
    for name in names:
        processes.kill(name)
    first()
    # The write is decided and nobody is there to carry it out: now a person edits the same detail where it is to go.
    eventually(lambda: _decided(made, customer, system), within=60)
    later()
    for name in names:
        processes.start_group(name)
    eventually(lambda: made.product.status(customer)["state"] == "choice", within=60)
    there = made.product.there(cvr)
    assert there is not None
    assert (made.product.customer(customer).street, there["address1"]) == (ours, theirs)
    made.product.change(customer, street=theirs)
    made.entered.customers[cvr]["street"] = theirs
    made.rests()


def _holds_lane(made: World, name: str) -> bool:
    return any(one.get("event") == "relay.holds_lane" and one["lane"] == "live" for one in made.product.logged(name))


def _decided(made: World, customer: str, system: str) -> bool:
    """Whether a write to that system is recorded and not answered."""
    query = sa.text(
        "select count(*) from sync.operation o join sync.link l on l.id = o.link"
        " where l.crm_id = :customer and o.system = :system and o.settled is null"
    )
    with made.engine.connect() as connection:
        return bool(connection.scalar(query, {"customer": customer, "system": system}))


def _detail_in_crm(made: World, cvr: str, detail: str, turn: int) -> None:
    value = f"turn{turn}@eksempel.example" if detail == "email" else f"21 31 41 {turn:02d}"
    made.product.change(made.ids[cvr], **{detail: value})
    made.entered.customers[cvr][detail] = value


def _detail_in_economic(made: World, cvr: str, number: int, detail: str, turn: int) -> None:
    value = {"postcode": f"{1000 + turn}", "city": f"By {turn}"}.get(detail, f"https://turn{turn}.example")
    ui.edit_customer(made.product.sandbox.data, number, {_ECONOMIC_NAMES[detail]: value}, agreement=AGREEMENT)
    made.entered.customers[cvr][detail] = value


def _person_in_crm(made: World, cvr: str, turn: int) -> None:
    """Another e-mail address of a person, or a new person."""
    persons = made.product.customer(made.ids[cvr]).contacts
    email = f"person{turn}@eksempel.example"
    if len(persons) < 3:
        name = f"Ida Nummer {turn}"
        edit = PersonEdit(fields={"name": name, "email": email})
        made.entered.persons[cvr][name] = {"email": email}
    else:
        person = persons[turn % len(persons)]
        edit = PersonEdit(id=person.id, fields={"email": email})
        made.entered.persons[cvr].setdefault(person.name, {})["email"] = email
    made.product.change(made.ids[cvr], edit)
