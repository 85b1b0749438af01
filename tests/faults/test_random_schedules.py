"""Do two reconcilers and two workers on real servers make a twin, or lose an edit? Three hundred random schedules at once.

A schedule is one customer: born in the CRM, as a lead, in e-conomic, or in both at the same moment, and then edited before
anybody could know whether it is linked. Every detail belongs to one side, so that nobody has to be asked.
"""

import random
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from crm_outbox import customers
from crm_outbox.contract import Stage
from deploy.local.demo.compare import DETAILS
from deploy.local.invented import Company
from economic_adapter.sandbox import ui
from tests.duties import AGREEMENT, TENANT
from tests.faults.test_two_of_everything import TWICE
from tests.faults.world import World, world
from tests.prepared import Database, Vhosts
from tests.sandbox_fixture import running_sandbox
from tests.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

SCHEDULES = 300
SEED = 1849
Act = Callable[[], object]


@pytest.fixture
def made(_database: Database, _vhosts: Vhosts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    logs = tmp_path_factory.mktemp("log")
    clocks = {"POLL_SECONDS": "1", "RESEND_SECONDS": "1"}
    with (
        running_sandbox() as sandbox,
        world(_database.ready(), _vhosts.ready(), sandbox, logs, seed=300, groups=TWICE, clocks=clocks) as started,
    ):
        yield started


def test_three_hundred_random_schedules_make_no_twin_and_lose_no_edit(made: World) -> None:
    choice = random.Random(SEED)
    waiting = [_schedule(made, choice, nth) for nth in range(SCHEDULES)]
    while waiting:
        acts = choice.choice(waiting[:20])
        acts.pop(0)()
        if not acts:
            waiting.remove(acts)
    eventually(lambda: _all_is_well(made), within=600, every=0.5)


def _schedule(made: World, choice: random.Random, nth: int) -> list[Act]:
    """What happens to one customer, in this order, while others go on in between."""
    company = next(made.invented)
    cvr = company.fields["cvr"]
    here, there = partial(_in_crm, made, company), partial(_in_economic, made, company)
    match choice.choice(["crm", "crm", "lead", "economic", "economic", "both"]):
        case "crm":
            return [here, *_some(choice, partial(_call, made, cvr, nth), partial(_write_to, made, cvr, nth))]
        case "lead":
            return [partial(here, Stage.LEAD), partial(_call, made, cvr, nth), partial(_activate, made, cvr)]
        case "economic":
            return [there, *_some(choice, partial(_move, made, cvr, nth), partial(_site, made, cvr, nth))]
        case _:
            born: list[Act] = [here, there]
            choice.shuffle(born)
            # At the same moment: had one side known the other's, a person would have entered a second one knowingly.
            return [partial(_at_once, made, born)]


def _at_once(made: World, acts: list[Act]) -> None:
    """Nobody reads or writes e-conomic between these, however long the machine takes from one to the next."""
    with made.product.sandbox.data.lock:
        for one in acts:
            one()


def _some(choice: random.Random, *acts: Act) -> list[Act]:
    return [choice.choice(acts) for _ in range(choice.randrange(4))]


def _expect(made: World, company: Company) -> None:
    cvr = company.fields["cvr"]
    made.entered.customers.setdefault(cvr, dict(company.fields))
    made.entered.persons[cvr] = {
        person["name"]: {"email": person["email"], "phone": person["phone"]} for person in company.persons
    }


def _in_crm(made: World, company: Company, stage: Stage = Stage.ACTIVE) -> None:
    persons = [customers.PersonEdit(fields=person) for person in company.persons]
    with made.product.engine.begin() as connection:
        edit = customers.Edit(fields=company.fields, persons=persons, stage=stage)
        made.ids[company.fields["cvr"]] = customers.create(connection, TENANT, edit).held.customer.id
    _expect(made, company)


def _activate(made: World, cvr: str) -> None:
    with made.product.engine.begin() as connection:
        customers.change(connection, TENANT, made.ids[cvr], customers.Edit(stage=Stage.ACTIVE))


def _in_economic(made: World, company: Company) -> None:
    data = made.product.sandbox.data
    first, _, second = company.fields["street"].partition("\n")
    values: dict[str, Any] = {
        theirs: company.fields[ours] for ours, theirs in DETAILS.items() if company.fields.get(ours)
    }
    values |= {"address1": first} | ({"address2": second} if second else {})
    number = ui.create_customer(data, values, None, agreement=AGREEMENT).number
    for person in company.persons:
        ui.create_contact(data, number, person, agreement=AGREEMENT)
    _expect(made, company)


def _call(made: World, cvr: str, nth: int) -> None:
    value = f"44 55 {nth // 100:02d} {nth % 100:02d}"
    made.product.change(made.ids[cvr], phone=value)
    made.entered.customers[cvr]["phone"] = value


def _write_to(made: World, cvr: str, nth: int) -> None:
    value = f"nr{nth}@eksempel.example"
    made.product.change(made.ids[cvr], email=value)
    made.entered.customers[cvr]["email"] = value


def _move(made: World, cvr: str, nth: int) -> None:
    _edit_there(made, cvr, {"address1": f"Nygade {nth}", "address2": None})
    made.entered.customers[cvr]["street"] = f"Nygade {nth}"


def _site(made: World, cvr: str, nth: int) -> None:
    _edit_there(made, cvr, {"homepage": f"https://nr{nth}.example"})
    made.entered.customers[cvr]["website"] = f"https://nr{nth}.example"


def _edit_there(made: World, cvr: str, values: dict[str, Any]) -> None:
    ui.edit_customer(made.product.sandbox.data, made.number(cvr), values, agreement=AGREEMENT)


def _all_is_well(made: World) -> bool:
    """Nothing is on its way, and each customer stands once on either side and holds what was entered."""
    left = made.unfinished()
    verdict = made.product.verdict(made.entered)
    if verdict.doubled:
        raise RuntimeError(f"doubled: {verdict.doubled}")
    assert not left, left
    assert verdict.same, f"{verdict}: {(verdict.lost + verdict.differing)[:4]}"
    assert (verdict.crm, verdict.economic) == (SCHEDULES, SCHEDULES)
    return True
