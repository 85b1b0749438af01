"""One customer in each state a person may meet it in, all of one tenant: what pictures are taken of and journeys begin with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType

from crm_outbox.contract import Customer, Stage
from economic_adapter.contract import WriteEconomicCustomer
from tests.builders.crm import a_customer, a_person
from tests.builders.meeting import Both, sydhavn
from tests.builders.sync import economic_answered, refused, there

SCRIPT = "<script>hit=1</script><img src=x onerror=hit=1>\"'&amp;{{7*7}}"
"""What must stay text wherever it is written."""


@dataclass(frozen=True, slots=True)
class State:
    """A state by its name, the customer that is in it, the columns of the agreement that make it so, and on which version."""

    name: str
    customer: Customer
    agreement: dict[str, object]
    version: str = "1.1"


def linked(both: Both, number: int, name: str, **given: object) -> Customer:
    words = {
        "id": f"kunde-{number}", "cvr": f"{20000000 + number}", "street": f"Havnegade {number}", "postcode": "8000", "city": "Aarhus C",
        "phone": f"86121{number:03}", "email": f"post@firma{number}.example",
    }  # fmt: skip
    both.said()
    return both.linked(number, name=name, **{**words, **given})


def contested(
    both: Both,
    number: int = 10,
    name: str = "Birk & Søn ApS",
    theirs: Mapping[str, object] = MappingProxyType({}),
) -> Customer:
    """A customer whose name and e-mail somebody changed on both sides, and whatever more the test names in e-conomic."""
    customer = linked(both, number, "Birk Tømrer ApS")
    both.set(paused='["crm", "economic"]')
    changed = {"name": "Birk og Søn ApS", "email": "faktura@birk.example", "contacts": ()}
    both.in_economic(there(customer, number, "v2", **{**changed, **theirs}), 2)
    edited = {"name": name, "email": "anne@birk.example"}
    customer = customer.model_copy(update=edited)
    both.in_crm(customer, 2)
    both.set(paused="[]")
    return customer


def of_every_state(both: Both) -> list[State]:
    """A customer in each of the states of the box at the right."""
    made: list[State] = []

    def add(name: str, customer: Customer, version: str = "1.1", **agreement: object) -> None:
        made.append(State(name, customer, agreement, version))

    early = {"created": both.time - timedelta(days=400), "active_since": both.time - timedelta(days=400)}
    same = linked(both, 11, "Nordhavn Tømrer ApS")
    add("same", same)
    add("off", same, state="off")
    add("access_lost", same, state="access_lost")
    edited = linked(both, 12, "Østergaard VVS ApS")
    both.set(paused='["economic"]')
    edited = edited.model_copy(update={"phone": "87654321"})
    both.in_crm(edited, 2)
    add("paused", edited, "1.2", paused='["economic"]')
    both.set(paused="[]")
    add("sending", linked(both, 13, "Lindholm El A/S"), "1.2")
    wrong = linked(both, 14, "Kaj Jensens Eftf.").model_copy(update={"email": "kaj(a)jensen"})
    both.in_crm(wrong, 2)
    (command,) = [one for one in both.said_only(WriteEconomicCustomer) if one.customer == wrong.id]
    no = refused(command.parts[0].operation, "CustomerInvalidEmail", detail="email")
    both.hear(economic_answered(command, no))
    add("error", wrong, "1.2")
    add("choice", contested(both), "1.2")
    gone = linked(both, 15, "Skovby Gartneri")
    both.gone(15, 2)
    both.later(hours=25)
    both.gone(15, 3)
    add("deleted", gone)
    perhaps = both.new(id="kunde-16", name="Sydhavn Maler A/S", postcode="5000", city="Odense")
    both.in_economic(sydhavn(50, cvr="", postcode="5000"), why="import")
    both.in_crm(perhaps)
    add("perhaps", perhaps)
    creating = both.new(id="kunde-17", name="Ny Kunde ApS", cvr="20000017")
    both.in_crm(creating)
    add("creating", creating)
    lone = a_customer(id="kunde-19", name="Havblik Camping", **early)
    both.in_crm(lone)
    add("not_there", lone)
    lead = a_customer(id="kunde-20", name="Interesseret Kunde", stage=Stage.LEAD, **early)
    both.in_crm(lead)
    add("lead", lead)
    return made


def hostile(both: Both) -> Customer:
    """A customer of whom every text is script, on both sides, and is asked about."""
    text = SCRIPT
    both.said()
    customer = both.linked(
        60,
        id="kunde-script",
        name=f"A {text}",
        street=f"B {text}",
        city=f"C {text}",
        website="",
        contacts=(a_person(name=f"D {text}", email=""),),
    )
    both.set(paused='["crm", "economic"]')
    both.in_economic(there(customer, 60, "v2", name=f"E {text}", city=f"F {text}", contacts=()), 2)
    customer = customer.model_copy(update={"name": f"G {text}", "city": f"H {text}"})
    both.in_crm(customer, 2)
    both.set(paused="[]")
    return customer


def in_state(both: Both, state: State) -> Callable[[], None]:
    """Put the agreement in what that state needs; calling the result puts it back."""
    both.set(**state.agreement) if state.agreement else None
    return lambda: both.set(state="on", paused="[]")
