"""What does a person do in e-conomic's own pages? Create, edit, renumber, bar and delete, without any version."""

from collections.abc import Mapping
from typing import Any

from economic_adapter.sandbox import changes, contacts, customers
from economic_adapter.sandbox.data import AGREEMENT, Contact, Customer, Data, Webhook
from economic_adapter.sandbox.fields import CONTACT, CUSTOMER, Flaw, Json, Property, flaws, kept

_KEYS = {"customerNumber", "objectVersion"}
_NEW: Json = {"customerGroupNumber": 1, "paymentTermId": 1, "zone": 1, "currency": "DKK", "access": True}


class NotTaken(Exception):
    """e-conomic does not take what the person entered."""

    def __init__(self, *found: Flaw) -> None:
        super().__init__(", ".join(f"{flaw.code} ({flaw.property})" for flaw in found))
        self.flaws = found


def create_customer(
    data: Data, values: Mapping[str, Any], number: int | None = None, *, agreement: int = AGREEMENT
) -> Customer:
    """A new customer, under the lowest free number unless one is given; ``values`` as the Customers API names them."""
    with data.lock:
        place = data.agreement(agreement)
        chosen = number or next(free for free in range(1, customers.HIGHEST) if free not in place.customers)
        if chosen in place.customers:
            raise NotTaken(Flaw("CustomerAlreadyExists", "CustomerNumber"))
        checked = _merged({}, {**_NEW, **values}, CUSTOMER)
        _refuse(list(customers.problems(place, checked, None)))
        return changes.create_customer(data, place, chosen, checked)


def edit_customer(data: Data, number: int, values: Mapping[str, Any], *, agreement: int = AGREEMENT) -> Customer:
    """Changes what is named and leaves the rest; an empty text or none clears."""
    with data.lock:
        place = data.agreement(agreement)
        customer = place.customers[number]
        merged = _merged(customer.values, values, CUSTOMER)
        _refuse(list(customers.problems(place, merged, customer)))
        changes.replace_customer(data, place, customer, merged)
        return customer


def bar_customer(data: Data, number: int, *, barred: bool = True, agreement: int = AGREEMENT) -> Customer:
    """Bars a customer, or lifts that."""
    return edit_customer(data, number, {"access": not barred}, agreement=agreement)


def renumber_customer(data: Data, number: int, to: int, *, agreement: int = AGREEMENT) -> Customer:
    """Gives a customer another free number."""
    with data.lock:
        place = data.agreement(agreement)
        customer = place.customers[number]
        if not 1 <= to <= customers.HIGHEST:
            raise NotTaken(Flaw("CustomerInvalidCustomerNumber", "CustomerNumber"))
        if to in place.customers:
            raise NotTaken(Flaw("CustomerAlreadyExists", "CustomerNumber"))
        changes.renumber_customer(data, place, customer, to)
        return customer


def delete_customer(data: Data, number: int, *, agreement: int = AGREEMENT) -> None:
    """Deletes a customer that is not in use."""
    with data.lock:
        place = data.agreement(agreement)
        customer = place.customers[number]
        if customer.in_use:
            raise NotTaken(Flaw("CustomerIsInUse", "CustomerNumber"))
        changes.delete_customer(data, place, customer)


def create_contact(data: Data, customer: int, values: Mapping[str, Any], *, agreement: int = AGREEMENT) -> Contact:
    """A new contact person of a customer."""
    with data.lock:
        place = data.agreement(agreement)
        checked = _merged({}, values, CONTACT)
        if customer not in place.customers:
            raise KeyError(customer)
        _refuse(list(contacts.problems(place, checked, customer, None)))
        return changes.create_contact(data, place, customer, checked)


def edit_contact(data: Data, number: int, values: Mapping[str, Any], *, agreement: int = AGREEMENT) -> Contact:
    """Changes what is named and leaves the rest; an empty text or none clears."""
    with data.lock:
        place = data.agreement(agreement)
        contact = _present(place.contacts[number])
        merged = _merged(contact.values, values, CONTACT)
        _refuse(list(contacts.problems(place, merged, contact.customer, contact)))
        changes.replace_contact(data, place, contact, merged)
        return contact


def delete_contact(data: Data, number: int, *, agreement: int = AGREEMENT) -> None:
    """Deletes a contact person that is not in use."""
    with data.lock:
        place = data.agreement(agreement)
        contact = _present(place.contacts[number])
        if contact.in_use or contacts.is_referred_to(place, contact):
            raise NotTaken(Flaw("CustomerContactIsInUse", "Number"))
        changes.delete_contact(data, place, contact)


def make_webhook(data: Data, url: str, *, method: str = "POST", body: str = "", agreement: int = AGREEMENT) -> None:
    """A webhook made by hand, which the Webhooks API does not show; the merge fields work in the address too."""
    with data.lock:
        place = data.agreement(agreement)
        values: Json = {
            "name": "Clickmate",
            "url": url,
            "contentType": "application/x-www-form-urlencoded",
            "postData": body or "old=[OLDNUMBER]&new=[NEWNUMBER]",
            "isDisabled": False,
        }
        place.webhooks[changes.CUSTOMER_UPDATED] = Webhook(
            event=changes.CUSTOMER_UPDATED,
            app=None,
            values=values,
            version=data.version(),
            updated=data.now(),
            method=method,
        )


def revoke(data: Data, grant: str) -> None:
    """Takes an app's access back."""
    with data.lock:
        data.grants[grant].revoked = True


def give_access(data: Data, agreement: int, public: str) -> str:
    """Gives the app of that public token access to an agreement; the new grant's token. Raises ``KeyError``."""
    with data.lock:
        app = next((app for app in data.apps.values() if app.public == public), None)
        if app is None or agreement not in data.agreements:
            raise KeyError(public)
        token = data.token()
        data.add_grant(token, app.secret, agreement)
        return token


def _present(contact: Contact) -> Contact:
    if contact.deleted:
        raise KeyError(contact.number)
    return contact


def _merged(held: Json, wanted: Mapping[str, Any], properties: Mapping[str, Property]) -> Json:
    """What is held with what is wanted on top; raises ``NotTaken`` for names nobody can edit and for wrong shapes."""
    named = {name: value for name, value in wanted.items() if value is not None}
    unknown = [name for name in wanted if name in _KEYS or name not in properties or properties[name].read_only]
    if unknown:
        raise NotTaken(*(Flaw("UnknownField", name) for name in unknown))
    _refuse(list(flaws(named, properties)))
    cleared = {name for name, value in wanted.items() if value is None}
    return kept({name: value for name, value in {**held, **named}.items() if name not in cleared}, properties)


def _refuse(found: list[Flaw]) -> None:
    if found:
        raise NotTaken(*found)
