"""One question of each kind that has a page of its own, all of one tenant: what their pictures are taken of."""

from crm_outbox.contract import Customer
from economic_adapter.contract import WriteEconomicCustomer
from reconciler import clock, questions
from tests.browser.gallery import linked
from tests.builders.crm import a_person
from tests.builders.meeting import Both, sydhavn
from tests.builders.sync import TENANT, done, economic_answered, refused, there

PAUSED = '["crm", "economic"]'


def of_every_kind(both: Both) -> dict[str, str]:
    """The address of each, by its kind."""
    _candidates(both)
    _deleted(both)
    _renumbered(both)
    _another_identity(both)
    _merged(both)
    _doubtful_person(both)
    _cleared(both)
    _unclear(both)
    lacking = both.new(id="kunde-41", name="Uden Land ApS", cvr="20000041", country="")
    both.in_crm(lacking)
    with both.engine.connect() as connection:
        return {one.kind: f"/tasks/{one.id}" for one in questions.listed(connection, TENANT)}


def _candidates(both: Both) -> None:
    both.in_economic(sydhavn(50, cvr="", postcode="5000"), why="import")
    both.in_crm(both.new(id="kunde-31", name="Sydhavn Maler A/S", cvr="", postcode="5000", city="Odense"))


def _deleted(both: Both) -> None:
    """Deleted in e-conomic; in Clickmate; in e-conomic after an edit in Clickmate."""
    linked(both, 32, "Skovby Gartneri")
    here, edited = linked(both, 33, "Lukket Butik ApS"), linked(both, 34, "Fjordens Fisk A/S")
    both.gone(32, 2)
    both.in_crm(here.model_copy(update={"deleted": True}), 2)
    both.set(paused=PAUSED)
    both.in_crm(edited.model_copy(update={"phone": "99887766"}), 2)
    both.gone(34, 2)
    both.set(paused="[]")


def _renumbered(both: Both) -> None:
    customer = linked(both, 35, "Nordhavn Tømrer ApS", cvr="", phone="87654321")
    both.gone(35, 2)
    both.in_economic(there(customer, 95, "v9"))


def _another_identity(both: Both) -> None:
    customer = linked(both, 36, "Østergaard VVS ApS", city="Odense")
    moved = {"name": "Sydfyns Bageri", "cvr": "87654399", "email": "brød@bageri.example", "phone": "62212223"}
    both.in_economic(there(customer, 36, "v2", contacts=(), **moved), 2)


def _merged(both: Both) -> None:
    merged, heir = linked(both, 37, "Kaj Jensens Eftf."), linked(both, 38, "Kaj Jensen & Søn")
    both.in_crm(merged.model_copy(update={"merged_into": heir.id}), 2)


def _doubtful_person(both: Both) -> None:
    customer = linked(both, 39, "Lindholm El A/S")
    both.set(paused=PAUSED)
    person = a_person(name="Mette Holm", phone="40506070")
    both.in_crm(with_person := customer.model_copy(update={"contacts": (person,)}), 2)
    other = a_person(name="Mette Holm", email="mh@lindholm.example")
    both.in_economic(there(customer.model_copy(update={"contacts": (other,)}), 39, "v2"), 2)
    both.set(paused="[]")
    both.in_crm(with_person, 3)


def _cleared(both: Both) -> None:
    both.in_crm(linked(both, 40, "Havblik Camping").model_copy(update={"email": ""}), 2)


def _unclear(both: Both) -> None:
    """A creation of which nobody can tell whether it landed."""
    both.said()
    both.in_crm(both.new(id="kunde-42", name="Måske Sendt ApS", cvr="20000042"))
    (command,) = [one for one in both.said_only(WriteEconomicCustomer) if one.customer == "kunde-42"]
    both.hear(economic_answered(command, refused(command.parts[0].operation, "ambiguous")))


def a_pass_that_stopped(both: Both) -> str:
    """The address of the brake's question: three customers would be written, one may be."""
    customers = [linked(both, number, f"Kunde {number}") for number in (61, 62, 63)]
    both.set(brake_customers=1, brake_percent=100, paused=PAUSED)
    for one in customers:
        both.in_crm(one.model_copy(update={"phone": "22334455"}), 2)
    both.set(paused="[]")
    both.look_again()
    while clock.tell_again(both.engine, both.clocked):
        pass
    with both.engine.connect() as connection:
        (found,) = [one for one in questions.listed(connection, TENANT) if one.kind == "brake"]
    return f"/tasks/{found.id}"


def by_rule(both: Both, number: int, name: str) -> Customer:
    """A customer whose phone was changed on both sides, and Clickmate's holds by rule."""
    customer = linked(both, number, name)
    both.set(paused=PAUSED)
    both.in_economic(there(customer, number, "v2", contacts=(), phone="33445566"), 2)
    customer = customer.model_copy(update={"phone": "22334455"})
    both.in_crm(customer, 2)
    both.set(paused="[]")
    both.said()
    both.in_crm(customer, 3)
    (command,) = both.said_only(WriteEconomicCustomer)
    seen = there(customer, number, "v3", contacts=())
    both.hear(economic_answered(command, done(command.parts[0].operation), customer=seen, version=3))
    return customer


def refused_email(both: Both, number: int, name: str) -> Customer:
    """A customer whose e-mail address e-conomic refused."""
    customer = linked(both, number, name).model_copy(update={"email": "kaj(a)jensen"})
    both.in_crm(customer, 2)
    (command,) = [one for one in both.said_only(WriteEconomicCustomer) if one.customer == customer.id]
    no = refused(command.parts[0].operation, "CustomerInvalidEmail", detail="email", message="Invalid email.")
    held = there(customer, number, "v1", contacts=(), email=f"post@firma{number}.example")
    both.hear(economic_answered(command, no, customer=held, version=2))
    return customer
