"""How does an e-conomic come to hold thousands of customers at once? Invented ones, or records as given, without webhooks."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from economic_adapter.sandbox.data import AGREEMENT, Agreement, Contact, Customer, Data
from economic_adapter.sandbox.fields import CONTACT, CUSTOMER, Json, kept

_NEW: Json = {"customerGroupNumber": 1, "paymentTermId": 1, "zone": 1, "currency": "DKK", "access": True}
_CITIES = (("8000", "Aarhus C"), ("5000", "Odense C"), ("9000", "Aalborg"), ("2100", "København Ø"))


def seed(
    data: Data,
    *,
    customers: int = 0,
    contacts: int = 0,
    first: int = 1,
    days_ago: float = 30.0,
    records: Iterable[Mapping[str, Any]] = (),
    agreement: int = AGREEMENT,
) -> dict[str, int]:
    """So many invented customers from number ``first`` on, the contact persons dealt out among them, last changed then.

    ``records`` are taken as they are, unchecked: customers as the Customers API shows them, each with its ``contacts``.
    A number that is taken raises ``ValueError``. Says how many there are then.
    """
    with data.lock:
        place = data.agreement(agreement)
        at = data.now() - timedelta(days=days_ago)
        for number in range(first, first + customers):
            _customer(data, place, number, _invented(number), at)
        for nth in range(contacts if customers else 0):
            values = {
                "name": f"Person {nth + 1}",
                "email": f"person{nth + 1}@kunde.example",
                "phone": f"{20000000 + nth}",
            }
            _contact(data, place, first + nth % customers, values, at)
        for record in records:
            number = int(record["customerNumber"])
            _customer(data, place, number, record, at)
            for one in record.get("contacts", ()):
                _contact(data, place, number, one, at)
        return {"customers": len(place.customers), "contacts": len(place.contacts)}


def _customer(data: Data, place: Agreement, number: int, values: Mapping[str, Any], at: Any) -> None:
    if number in place.customers:
        raise ValueError(f"customer {number} is there already")
    held = kept({**_NEW, **values}, CUSTOMER)
    held.pop("customerNumber", None)
    place.customers[number] = Customer(number=number, values=held, version=data.version(), updated=at)
    place.contacts_of[number] = {}


def _contact(data: Data, place: Agreement, customer: int, values: Mapping[str, Any], at: Any) -> None:
    place.last_contact += 1
    held = kept(values, CONTACT)
    held.pop("customerNumber", None)
    others = place.contacts_of[customer]
    made = Contact(
        number=place.last_contact,
        customer=customer,
        shown_number=len(others) + 1,
        values=held,
        version=data.version(),
        updated=at,
    )
    place.contacts[made.number] = others[made.number] = made


def _invented(number: int) -> Json:
    postcode, city = _CITIES[number % len(_CITIES)]
    return {
        "name": f"Kunde {number} ApS",
        "cvrNo": f"{10_000_000 + number * 7 % 89_000_000}",
        "address1": f"Industrivej {number % 400 + 1}",
        "postCode": postcode,
        "city": city,
        "country": "Danmark",
        "phone": f"{70_000_000 + number}",
        "email": f"kontakt{number}@kunde.example",
    }
