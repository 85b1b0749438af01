"""What does the demo show? A tour of steps on one customer list in two systems, each with what happened and how long."""

import re
import time

from crm_outbox.contract import Stage
from deploy.local.demo.compare import Holding
from deploy.local.demo.hands import FIRST_NUMBER, GRANT, TENANT, StepFailed, Tour
from deploy.local.demo.lists import CRM_ONLY, ECONOMIC_ONLY, NO_COMMON_KEY, SAME_CVR

EDITS = 200
GROUP = "name_postcode"
"""The evidence by which the tour's pairs without a common key are the same."""


def connect(tour: Tour) -> str:
    """The tenant's agreement is connected, both lists are read and compared, and the integration is switched on."""
    said = tour.command("economic_adapter", ["connect", "--tenant", TENANT, "--yes"], GRANT)
    options = ["--tenant", TENANT, "--transfer", "active", "--number-from", str(FIRST_NUMBER)]
    preview = tour.asked("preview", ["switch-on", *options, "--preview"], tour.read)
    counts = _confirmed(preview)
    if not counts.startswith(f"{SAME_CVR},") or not counts.endswith(",0"):
        raise StepFailed(
            f"expected {SAME_CVR} to link by CVR and 0 to be created, the preview confirms {counts}:\n{preview}"
        )
    confirmed = ["switch-on", *options, "--yes", "--confirm", counts]
    switched = tour.asked("switching on", confirmed, lambda: f"{tour.linked()} customers are linked")
    tour.wait("linking", lambda: _linked(tour, SAME_CVR), within=60)
    if len(tour.books.snapshot()["customers"]) != SAME_CVR + NO_COMMON_KEY + ECONOMIC_ONLY:
        raise StepFailed("switching on with nothing ticked created customers in e-conomic")
    return "\n".join((said.splitlines()[-1], *_receipt(preview), switched.splitlines()[-1]))


def create(tour: Tour) -> str:
    """A customer of the CRM arrives in e-conomic."""
    company = tour.create()
    number, took = tour.arrives(company)
    return f'C new "{company.name}" + {len(company.persons)} contact persons  →  E customer no. {number}, {took:.1f} s'


def lead(tour: Tour) -> str:
    """A lead costs no call; the moment it becomes a customer, it arrives."""
    before = tour.books.calls("POST", "PUT")
    company = tour.create(Stage.LEAD)
    tour.entered.crm_only.add(company.name)
    tour.wait("the lead", lambda: tour.standing(company.name, "not_there_yet"), within=20)
    if tour.books.calls("POST", "PUT") != before:
        raise StepFailed("a lead was written to e-conomic")
    tour.entered.crm_only.discard(company.name)
    tour.activate(company)
    number, took = tour.arrives(company)
    return f'C new lead "{company.name}"  →  E nothing\nC lead becomes active  →  E customer no. {number}, {took:.1f} s'


def transfer(tour: Tour) -> str:
    """Every customer of e-conomic ends once in the CRM: linked, linked after its group was ticked, or created."""
    options = ["--tenant", TENANT, "--link-group", GROUP]
    preview = tour.asked("preview", ["transfer", *options, "--preview"], tour.read)
    counts = _confirmed(preview)
    begun = time.monotonic()
    confirmed = ["transfer", *options, "--yes", "--confirm", counts]
    tour.asked("transfer", confirmed, lambda: f"{tour.linked()} customers are linked")
    tour.entered.economic_only.clear()
    tour.wait("the transfer", tour.missing, within=60)
    crm, economic = tour.crm(), tour.economic()
    if len(economic) != SAME_CVR + NO_COMMON_KEY + ECONOMIC_ONLY + 2 or len(crm) != len(economic) + CRM_ONLY:
        raise StepFailed(f"C holds {len(crm)}, E {len(economic)}")
    return (
        f"{len(economic)} of {len(economic)} · {NO_COMMON_KEY} linked after the group name + postcode was ticked"
        f" · {ECONOMIC_ONLY} created in C · 0 doubled {time.monotonic() - begun:.1f} s"
    )


def renumber(tour: Tour) -> str:
    """A customer gets another number in e-conomic; nothing is created, and edits go on."""
    name = tour.keyed[2]
    old = tour.numbers()[name]
    new = old + 50_000
    tour.books.renumber(old, new)
    phone = tour.a_phone()
    tour.wait("the new number", lambda: tour.standing(name, "same", str(new)), within=20)
    tour.edit_crm(name, phone=phone)
    tour.wait("the phone number", lambda: _stands(tour.economic(), name, "phone", phone), within=20)
    return f"E customer no. {old} becomes {new}; C phone → {phone}  →  E {new}; nobody was created"


def lost_answer(tour: Tour) -> str:
    """e-conomic creates a customer, and the answer is lost; looking settles it, and there is one."""
    tour.books.lose_an_answer("POST", "*/customers")
    company = tour.create()
    number, took = tour.arrives(company, within=60)
    count = sum(one["name"] == company.name for one in tour.books.snapshot()["customers"])
    if count != 1:
        raise StepFailed(f"{company.name} stands {count} times in E")
    return (
        f'C new "{company.name}"; the answer to its creation was lost  →  E customer no. {number}, once, {took:.1f} s'
    )


def edit_both(tour: Tour) -> str:
    """A phone number flows one way, an address the other."""
    name = tour.keyed[0]
    number = tour.numbers()[name]
    old, new = tour.entered.customers[name]["phone"], tour.a_phone()
    begun = time.monotonic()
    tour.edit_crm(name, phone=new)
    tour.wait("the phone number", lambda: _stands(tour.economic(), name, "phone", new), within=20)
    there = time.monotonic() - begun
    was, street = tour.entered.customers[name]["street"], f"Havnegade {tour.rng.randint(1, 99)}"
    begun = time.monotonic()
    tour.edit_economic(name, number, street=street)
    tour.wait("the address", lambda: _stands(tour.crm(), name, "street", street), within=20)
    back = time.monotonic() - begun
    return (
        f"C phone of {number}  {old} → {new}  →  E {there:.1f} s\n"
        f"E address of {number}  {was.splitlines()[0]} → {street}  →  C {back:.1f} s (webhook, 2 s of gathering)"
    )


def persons(tour: Tour) -> str:
    """Contact persons added and changed on each side."""
    name = tour.keyed[1]
    number = tour.numbers()[name]
    tour.edit_crm_person(name, "Åse Østergaard", email="aase@eksempel.example", phone="20 30 40 50")
    tour.books.add_contact(number, {"name": "Bjørn Kjær", "email": "bjorn@eksempel.example", "phone": "21 31 41 51"})
    tour.entered.persons[name]["Bjørn Kjær"] = {"email": "bjorn@eksempel.example", "phone": "21 31 41 51"}
    tour.wait("both added persons", lambda: tour.missing(name), within=20)
    contacts = {
        one["name"]: one["number"] for one in tour.books.snapshot()["contacts"] if one["customerNumber"] == number
    }
    tour.edit_crm_person(name, "Bjørn Kjær", phone="22 32 42 52")
    tour.books.edit_contact(contacts["Åse Østergaard"], {"email": "aase.oestergaard@eksempel.example"})
    tour.entered.persons[name]["Åse Østergaard"]["email"] = "aase.oestergaard@eksempel.example"
    tour.wait("both changed persons", lambda: tour.missing(name), within=20)
    return f"at {number}: C added Åse Østergaard, E added Bjørn Kjær; each then changed on the other side; all four arrived"


def away(tour: Tour) -> str:
    """e-conomic goes away for ten seconds while both sides are edited."""
    numbers = tour.numbers()
    tour.books.take_away(10)
    begun = time.monotonic()
    for name in tour.keyed[3:23]:
        tour.edit_crm(name, phone=tour.a_phone())
        tour.edit_economic(name, numbers[name], website=f"www.ny-{numbers[name]}.example")
    while (left := 10 - (time.monotonic() - begun)) > 0:
        tour.say(f"      e-conomic is away, {left:.0f} s left; 20 edits wait on each side")
        time.sleep(min(1.5, left))
    back = time.monotonic()
    tour.wait("the edits of both sides", tour.missing, within=60)
    return f"20 edits on each side while e-conomic was away 10 s; all stand in both {time.monotonic() - back:.1f} s after it came back"


def killed(tour: Tour) -> str:
    """Relay and worker are killed in the middle of 200 edits."""
    numbers = tour.numbers()
    chosen = tour.keyed[23 : 23 + EDITS // 2]
    victims = ("relay-crm", "relay-economic", "relay-sync", "worker")
    for position, name in enumerate(chosen):
        tour.edit_crm(name, phone=tour.a_phone(), email=f"ny-{numbers[name]}@eksempel.example")
        tour.edit_economic(name, numbers[name], street=f"Nygade {position + 1}")
        if position == len(chosen) // 2:
            for victim in victims:
                tour.processes.kill(victim)
            tour.say("      SIGKILL: the three relays and the worker, in the middle of the edits")
    for victim in victims:
        tour.processes.start_group(victim)
    begun = time.monotonic()
    tour.wait("the edits of both sides", tour.missing, within=90)
    return (
        f"{EDITS} edits on both sides; relays and worker killed with SIGKILL in the middle, started again;"
        f" all stand in both {time.monotonic() - begun:.1f} s later"
    )


def compared(tour: Tour) -> str:
    """Both systems are compared, field by field, once they have been at rest."""
    verdict = tour.verdict()
    if not verdict.same:
        raise StepFailed(f"{verdict}\n" + "\n".join((*verdict.lost, *verdict.doubled, *verdict.differing)[:12]))
    return str(verdict)


def _stands(side: dict[str, Holding], name: str, detail: str, value: str) -> str | None:
    found = side[name].details[detail] if name in side else "nothing"
    return None if found == value else f"{detail} is {found!r}"


def _confirmed(preview: str) -> str:
    """The counts that a preview asks to be confirmed."""
    found = re.search(r"--confirm ([0-9,]+)", preview)
    if found is None:
        raise StepFailed(f"the preview names no counts to confirm:\n{preview}")
    return found.group(1)


def _receipt(preview: str) -> list[str]:
    return [line for line in preview.splitlines() if line.strip() and "--confirm" not in line]


def _linked(tour: Tour, count: int) -> str | None:
    found = tour.linked()
    return None if found >= count else f"{found} of {count} customers are linked"
