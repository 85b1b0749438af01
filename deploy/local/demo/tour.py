"""What does the demo show? A tour of steps on one customer list in two systems, each with what happened and how long."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice

import sqlalchemy as sa

from crm_outbox import customers
from crm_outbox.messaging.outbox import Doorbell
from deploy.local.demo.books import Books
from deploy.local.demo.compare import Entered, Holding, Verdict, compare, crm_holdings, economic_holdings
from deploy.local.demo.processes import Processes, Say
from deploy.local.invented import companies, phone

TENANT = "demo"
GRANT = "sandbox-grant"
COMPANIES = 300
EDITS = 200


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
    rng: random.Random = field(default_factory=lambda: random.Random(2026))
    entered: Entered = field(default_factory=Entered)
    ids: dict[str, str] = field(default_factory=dict)
    """CRM id by CVR number."""

    def wait(self, what: str, done: Callable[[], str | None], within: float) -> None:
        """Wait until ``done`` answers none; it answers with what is still missing, which is said every 1.5 seconds."""
        begun = said = looked = time.monotonic()
        while (missing := done()) is not None:
            now = time.monotonic()
            if dead := self.processes.died():
                raise StepFailed(f"{what}: a process ended by itself: {dead}")
            if now - begun > within:
                raise StepFailed(f"{what}: after {within:.0f} s: {missing}")
            if now - said > 1.5:
                self.say(f"      {what}: {missing}")
                said = now
            # Comparing everything is work too: look again soon, but leave the cores to those who do the syncing.
            time.sleep(max(0.05, min(1.0, 5 * (now - looked))))
            looked = time.monotonic()

    # What is there

    def economic(self) -> dict[str, Holding]:
        return {one.details["cvr"]: one for one in economic_holdings(self.books.snapshot())}

    def numbers(self) -> dict[str, int]:
        return {str(body["cvrNo"]): int(body["customerNumber"]) for body in self.books.snapshot()["customers"]}

    def crm(self) -> dict[str, Holding]:
        with self.engine.connect() as connection:
            every = customers.all_of(connection, TENANT).values()
        return {one.details["cvr"]: one for one in crm_holdings(every)}

    def verdict(self) -> Verdict:
        with self.engine.connect() as connection:
            every = customers.all_of(connection, TENANT).values()
        return compare(crm_holdings(every), economic_holdings(self.books.snapshot()), self.entered)

    def missing(self) -> str | None:
        """How far both sides are the same and hold what was entered, in few words; none when all do."""
        verdict = self.verdict()
        if verdict.doubled:
            raise StepFailed("doubled: " + "; ".join(verdict.doubled[:5]))
        waiting = {problem.partition(" ")[0] for problem in (*verdict.lost, *verdict.differing)}
        total = len(self.entered.customers)
        return f"{total - len(waiting)} of {total} customers are the same in both" if waiting else None

    # What people do

    def create(self, count: int) -> None:
        """Create customers with persons in the CRM, one transaction each."""
        for company in islice(companies(2026), count):
            edit = customers.Edit(
                fields=company.fields, persons=[customers.PersonEdit(fields=person) for person in company.persons]
            )
            with self.engine.begin() as connection:
                made = customers.create(connection, TENANT, edit)
            self.doorbell.ring()
            cvr = company.fields["cvr"]
            self.ids[cvr] = made.held.customer.id
            self.entered.customers[cvr] = dict(company.fields)
            self.entered.persons[cvr] = {
                person["name"]: {"email": person["email"], "phone": person["phone"]} for person in company.persons
            }

    def edit_crm(self, cvr: str, **fields: str) -> None:
        """Edit a customer's details in the CRM."""
        with self.engine.begin() as connection:
            customers.change(connection, TENANT, self.ids[cvr], customers.Edit(fields=fields))
        self.doorbell.ring()
        self.entered.customers[cvr] |= fields

    def edit_crm_person(self, cvr: str, name: str, **fields: str) -> None:
        """Edit a contact person's details in the CRM, or add the person."""
        with self.engine.begin() as connection:
            held = customers.lock(connection, TENANT, self.ids[cvr])
            persons = held.customer.contacts if held else ()
            person_id = next((person.id for person in persons if person.name == name), None)
            named = fields if person_id else {"name": name, **fields}
            edit = customers.Edit(persons=[customers.PersonEdit(id=person_id, fields=named)])
            customers.change(connection, TENANT, self.ids[cvr], edit)
        self.doorbell.ring()
        self.entered.persons[cvr].setdefault(name, {}).update(fields)

    def edit_economic(self, cvr: str, number: int, **fields: str) -> None:
        """Edit a customer's details in e-conomic, under our words."""
        theirs = {
            "street": "address1",
            "city": "city",
            "postcode": "postCode",
            "website": "homepage",
            "mobile": "mobilePhone",
        }
        body = {theirs[name]: value for name, value in fields.items()}
        self.books.edit(number, body | ({"address2": ""} if "street" in fields else {}))
        self.entered.customers[cvr] |= fields

    def a_phone(self) -> str:
        return phone(self.rng)


def connect(tour: Tour) -> str:
    """a: the tenant's agreement is connected, and the integration switched on."""
    said = tour.command("economic_adapter", ["connect", "--tenant", TENANT, "--yes"], GRANT)
    switched = tour.command(
        "reconciler",
        ["switch-on", "--tenant", TENANT, "--transfer", "created", "--number-from", "10001", "--yes"],
        "",
    )
    return f"{said.splitlines()[-1]}\n{switched.splitlines()[-1]}"


def create(tour: Tour) -> str:
    """b: customers of the CRM arrive in e-conomic."""
    before = tour.books.calls()
    tour.create(COMPANIES)
    tour.wait("creating", tour.missing, within=90)
    verdict = tour.verdict()
    return (
        f"C {verdict.crm} new customers, {verdict.persons} persons  →  E {verdict.economic} customers, all of them"
        f" ({tour.books.calls() - before} calls)"
    )


def edit_both(tour: Tour) -> str:
    """c: a phone number flows one way, an address the other."""
    cvr = sorted(tour.ids)[0]
    number = tour.numbers()[cvr]
    old, new = tour.entered.customers[cvr]["phone"], tour.a_phone()
    begun = time.monotonic()
    tour.edit_crm(cvr, phone=new)
    tour.wait("the phone number", lambda: _stands(tour.economic(), cvr, "phone", new), within=20)
    there = time.monotonic() - begun
    was, street = tour.entered.customers[cvr]["street"], f"Havnegade {tour.rng.randint(1, 99)}"
    begun = time.monotonic()
    tour.edit_economic(cvr, number, street=street)
    tour.wait("the address", lambda: _stands(tour.crm(), cvr, "street", street), within=20)
    back = time.monotonic() - begun
    return (
        f"C phone of {number}  {old} → {new}  →  E {there:.1f} s\n"
        f"E address of {number}  {was.splitlines()[0]} → {street}  →  C {back:.1f} s (webhook, 2 s of gathering)"
    )


def persons(tour: Tour) -> str:
    """d: contact persons added and changed on each side."""
    cvr = sorted(tour.ids)[1]
    number = tour.numbers()[cvr]
    tour.edit_crm_person(cvr, "Åse Østergaard", email="aase@eksempel.example", phone="20 30 40 50")
    tour.books.add_contact(number, {"name": "Bjørn Kjær", "email": "bjorn@eksempel.example", "phone": "21 31 41 51"})
    tour.entered.persons[cvr]["Bjørn Kjær"] = {"email": "bjorn@eksempel.example", "phone": "21 31 41 51"}
    tour.wait("both added persons", tour.missing, within=20)
    contacts = {
        one["name"]: one["number"] for one in tour.books.snapshot()["contacts"] if one["customerNumber"] == number
    }
    tour.edit_crm_person(cvr, "Bjørn Kjær", phone="22 32 42 52")
    tour.books.edit_contact(contacts["Åse Østergaard"], {"email": "aase.oestergaard@eksempel.example"})
    tour.entered.persons[cvr]["Åse Østergaard"]["email"] = "aase.oestergaard@eksempel.example"
    tour.wait("both changed persons", tour.missing, within=20)
    return f"at {number}: C added Åse Østergaard, E added Bjørn Kjær; each then changed on the other side; all four arrived"


def away(tour: Tour) -> str:
    """e: e-conomic goes away for ten seconds while both sides are edited."""
    numbers = tour.numbers()
    tour.books.take_away(10)
    begun = time.monotonic()
    for cvr in sorted(tour.ids)[2:22]:
        tour.edit_crm(cvr, phone=tour.a_phone())
        tour.edit_economic(cvr, numbers[cvr], website=f"www.ny-{cvr}.example")
    while (left := 10 - (time.monotonic() - begun)) > 0:
        tour.say(f"      e-conomic is away, {left:.0f} s left; 20 edits wait on each side")
        time.sleep(min(1.5, left))
    back = time.monotonic()
    tour.wait("the edits of both sides", tour.missing, within=40)
    return f"20 edits on each side while e-conomic was away 10 s; all stand in both {time.monotonic() - back:.1f} s after it came back"


def killed(tour: Tour) -> str:
    """f: relay and worker are killed in the middle of 200 edits."""
    numbers = tour.numbers()
    chosen = sorted(tour.ids)[22 : 22 + EDITS // 2]
    victims = ("relay-crm", "relay-economic", "relay-sync", "worker")
    for position, cvr in enumerate(chosen):
        tour.edit_crm(cvr, phone=tour.a_phone(), email=f"ny-{cvr}@eksempel.example")
        tour.edit_economic(cvr, numbers[cvr], street=f"Nygade {position + 1}")
        if position == len(chosen) // 2:
            for name in victims:
                tour.processes.kill(name)
            tour.say("      SIGKILL: the three relays and the worker, in the middle of the edits")
    for name in victims:
        tour.processes.start_group(name)
    begun = time.monotonic()
    tour.wait("the edits of both sides", tour.missing, within=60)
    return (
        f"{EDITS} edits on both sides; relays and worker killed with SIGKILL in the middle, started again;"
        f" all stand in both {time.monotonic() - begun:.1f} s later"
    )


def compared(tour: Tour) -> str:
    """g: both systems are compared, field by field, once they have been at rest."""
    verdict = tour.verdict()
    if not verdict.same:
        raise StepFailed(f"{verdict}\n" + "\n".join((*verdict.lost, *verdict.doubled, *verdict.differing)[:12]))
    return str(verdict)


def _stands(side: dict[str, Holding], cvr: str, detail: str, value: str) -> str | None:
    found = side[cvr].details[detail] if cvr in side else "nothing"
    return None if found == value else f"{detail} is {found!r}"
