"""What can the tour do? A person's hands on both systems: enter, edit, look, wait, and remember what was entered."""

import random
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field

import sqlalchemy as sa

from crm_outbox import customers
from crm_outbox.contract import Stage
from crm_outbox.messaging.outbox import Doorbell
from deploy.local.demo.books import Books
from deploy.local.demo.compare import Entered, Holding, Verdict, compare, crm_holdings, economic_holdings
from deploy.local.demo.crm.app import PEOPLE
from deploy.local.demo.lists import Lists
from deploy.local.demo.processes import Processes, Say
from deploy.local.demo.visitor import Visitor
from deploy.local.invented import Company, companies, phone

TENANT = "demo"
GRANT = "sandbox-grant"
FIRST_NUMBER = 10001
LONGEST = 300.0
"""Seconds after which a step is given up though it still moves. On two quiet cores none takes more than a minute."""


class StepFailed(Exception):
    """A step did not hold: what was expected, and what was found."""


@dataclass(slots=True, kw_only=True)
class Tour:
    """The tour's hands: the CRM's database, the bookkeeper's side, the processes, and what was entered so far."""

    engine: sa.Engine
    doorbell: Doorbell
    books: Books
    processes: Processes
    say: Say
    command: Callable[[str, list[str], str], str]
    environ: Mapping[str, str] = field(repr=False)
    rng: random.Random = field(default_factory=lambda: random.Random(2026))
    entered: Entered = field(default_factory=Entered)
    ids: dict[str, str] = field(default_factory=dict)
    """CRM id by company name."""
    keyed: tuple[str, ...] = ()
    """Customers that stand in both systems under one CVR number."""
    invented: Iterator[Company] = field(default_factory=lambda: companies(1849))
    """Newcomers, none of whom stands on a list."""

    def wait(self, what: str, done: Callable[[], str | None], within: float) -> None:
        """Wait until ``done`` answers none; it answers with what is still missing, which is said every 1.5 seconds.

        ``within``: seconds in which something must have moved, for a slow machine needs longer as a whole.
        """
        begun = moved = said = looked = time.monotonic()
        before = None
        while (missing := done()) is not None:
            now = time.monotonic()
            if missing != before:
                before, moved = missing, now
            if dead := self.processes.died():
                raise StepFailed(f"{what}: a process ended by itself: {dead}")
            if now - moved > within or now - begun > LONGEST:
                still = (
                    f"nothing moved for {now - moved:.0f} s" if now - moved > within else f"after {now - begun:.0f} s"
                )
                raise StepFailed(f"{what}: {still}: {missing}")
            if now - said > 1.5:
                self.say(f"      {what}: {missing}")
                said = now
            # Comparing everything is work too: look again soon, but leave the cores to those who do the syncing.
            time.sleep(max(0.05, min(1.0, 5 * (now - looked))))
            looked = time.monotonic()

    def asked(self, what: str, arguments: list[str], far: Callable[[], str]) -> str:
        """Run a command of the reconciler; how far it came is said every 1.5 seconds. Its output."""
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(self.command, "reconciler", [*arguments, "--wait", f"{LONGEST:.0f}"], "")
            while not running.done():
                wait([running], timeout=1.5)
                if not running.done():
                    self.say(f"      {what}: {far()}")
            return running.result()

    # What is there

    def economic(self) -> dict[str, Holding]:
        return {one.details["name"]: one for one in economic_holdings(self.books.snapshot())}

    def numbers(self) -> dict[str, int]:
        return {str(body["name"]): int(body["customerNumber"]) for body in self.books.snapshot()["customers"]}

    def crm(self) -> dict[str, Holding]:
        with self.engine.connect() as connection:
            every = customers.all_of(connection, TENANT).values()
        return {one.details["name"]: one for one in crm_holdings(every)}

    def linked(self) -> int:
        """How many customers are linked, by the reconciler's own word."""
        with self.engine.connect() as connection:
            return int(connection.scalar(sa.text("select count(*) from sync.link where state = 'linked'")) or 0)

    def read(self) -> str:
        """How many customers the reconciler has recorded of each side."""
        query = sa.text("select (select count(*) from sync.crm_side), (select count(*) from sync.economic_side)")
        with self.engine.connect() as connection:
            here, there = connection.execute(query).one()
        return f"C {here}, E {there} customers read"

    def standing(self, name: str, state: str, number: str = "") -> str | None:
        """None once the customer stands like that (under that number), else how it stands."""
        query = sa.text("select status, number from sync.link where crm_id = :id")
        with self.engine.connect() as connection:
            row = connection.execute(query, {"id": self.ids[name]}).one_or_none()
        stands = ("", "") if row is None else (row.status, str(row.number or ""))
        return None if stands[0] == state and number in {"", stands[1]} else f"it stands as {stands}"

    def verdict(self, *names: str) -> Verdict:
        """Everything compared; only these customers, if any are named."""
        with self.engine.connect() as connection:
            here = crm_holdings(customers.all_of(connection, TENANT).values())
        there, entered = economic_holdings(self.books.snapshot()), self.entered
        if names:
            here, there = ([one for one in side if one.details["name"] in names] for side in (here, there))
            entered = Entered(
                customers={name: entered.customers[name] for name in names},
                persons={name: entered.persons[name] for name in names},
            )
        return compare(here, there, entered, by="name")

    def missing(self, *names: str) -> str | None:
        """How far both sides are the same and hold what was entered, in few words; none when all do."""
        verdict = self.verdict(*names)
        if verdict.doubled:
            raise StepFailed("doubled: " + "; ".join(verdict.doubled[:5]))
        problems = (*verdict.lost, *verdict.differing)
        return f"{len(problems)} details are not the same yet, such as {problems[0]}" if problems else None

    # What people do

    def keep(self, lists: Lists) -> None:
        """Enter both lists by hand, each in its own system, before anything connects them."""
        with self.engine.begin() as connection:
            for company in lists.crm:
                stage = Stage.LEAD if company.name in lists.leads else Stage.ACTIVE
                made = customers.create(connection, TENANT, _edit(company, stage))
                self.ids[company.name] = made.held.customer.id
        self.books.enter(lists.economic, FIRST_NUMBER)
        for company in (*lists.economic, *lists.crm):
            self._expect(company)
        self.keyed = lists.keyed
        self.entered.crm_only |= lists.crm_only
        self.entered.economic_only |= lists.economic_only

    def create(self, stage: Stage = Stage.ACTIVE) -> Company:
        """A newcomer with its persons, in the CRM."""
        company = next(self.invented)
        with self.engine.begin() as connection:
            made = customers.create(connection, TENANT, _edit(company, stage))
        self.doorbell.ring()
        self.ids[company.name] = made.held.customer.id
        self._expect(company)
        return company

    def activate(self, company: Company) -> None:
        """The lead becomes a customer."""
        with self.engine.begin() as connection:
            edit = customers.Edit(stage=Stage.ACTIVE)
            customers.change(connection, TENANT, self.ids[company.name], edit)
        self.doorbell.ring()

    def arrives(self, company: Company, within: float = 20) -> tuple[int, float]:
        """Wait until a customer of the CRM stands in e-conomic with its persons; its number, and the seconds."""
        begun = time.monotonic()
        names = {person["name"] for person in company.persons}

        def there() -> str | None:
            found = self.economic().get(company.name)
            return None if found is not None and set(found.persons) == names else "not there yet"

        self.wait(company.name, there, within)
        return self.numbers()[company.name], time.monotonic() - begun

    def _expect(self, company: Company) -> None:
        """Remember what was entered; what one list leaves blank, the other may know."""
        filled = {name: value for name, value in company.fields.items() if value}
        self.entered.customers.setdefault(company.name, {}).update(filled)
        self.entered.persons[company.name] = {
            person["name"]: {"email": person["email"], "phone": person["phone"]} for person in company.persons
        }

    def edit_crm(self, name: str, /, **fields: str) -> None:
        """Edit a customer's details in the CRM."""
        with self.engine.begin() as connection:
            customers.change(connection, TENANT, self.ids[name], customers.Edit(fields=fields))
        self.doorbell.ring()
        self.entered.customers[name] |= fields

    def edit_crm_person(self, name: str, person: str, **fields: str) -> None:
        """Edit a contact person's details in the CRM, or add the person."""
        with self.engine.begin() as connection:
            held = customers.lock(connection, TENANT, self.ids[name])
            persons = held.customer.contacts if held else ()
            person_id = next((one.id for one in persons if one.name == person), None)
            named = fields if person_id else {"name": person, **fields}
            edit = customers.Edit(persons=[customers.PersonEdit(id=person_id, fields=named)])
            customers.change(connection, TENANT, self.ids[name], edit)
        self.doorbell.ring()
        self.entered.persons[name].setdefault(person, {}).update(fields)

    def edit_economic(self, name: str, number: int, /, **fields: str) -> None:
        """Edit a customer's details in e-conomic, under our words."""
        theirs = {
            "name": "name",
            "street": "address1",
            "city": "city",
            "postcode": "postCode",
            "website": "homepage",
            "mobile": "mobilePhone",
        }
        body = {theirs[detail]: value for detail, value in fields.items()}
        self.books.edit(number, body | ({"address2": ""} if "street" in fields else {}))
        self.entered.customers[name] |= fields

    def rename(self, name: str, new: str) -> None:
        """Both systems call it otherwise from here on."""
        self.entered.customers[new] = self.entered.customers.pop(name)
        self.entered.persons[new] = self.entered.persons.pop(name)
        self.entered.customers[new]["name"] = new
        self.ids[new] = self.ids.pop(name)

    def visitor(self, who: str) -> Visitor:
        """One of the people of the demo's CRM at our pages, signed in as there."""
        known, (name, role) = self.environ, PEOPLE[who]
        pages, crm, keys = (known[one] for one in ("WEB_PUBLIC_URL", "CRM_ORIGIN", "CRM_KEYS"))
        return Visitor(pages, crm, keys, tenant=TENANT, who=who, name=name, role=role)

    def a_phone(self) -> str:
        return phone(self.rng)


def _edit(company: Company, stage: Stage) -> customers.Edit:
    persons = [customers.PersonEdit(fields=person) for person in company.persons]
    return customers.Edit(fields=company.fields, stage=stage, persons=persons)
