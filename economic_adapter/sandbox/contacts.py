"""What does ``/Contacts`` of the Customers API answer?"""

from collections.abc import Iterator, Sequence
from typing import Any

from economic_adapter.sandbox import changes, filters, wire
from economic_adapter.sandbox.data import Agreement, Contact
from economic_adapter.sandbox.fields import CONTACT, Flaw, Json, kept, stamp
from economic_adapter.sandbox.gate import Call
from economic_adapter.sandbox.listing import Listing, body_of, number_in, shown, wrong_verb
from economic_adapter.sandbox.wire import Answer, Refused


def serve(call: Call) -> Answer:
    """One call below ``/Contacts``. A contact is changed at the collection; its own address answers 405 to PUT."""
    method, tail = call.request.method, call.parts[1:]
    match tail:
        case [] | ["paged"] | ["count"] if method == "GET":
            return LISTING.serve(call, _records(call))
        case [] if method == "POST":
            return create(call)
        case [] if method == "PUT":
            return replace(call)
        case [] | ["paged"] | ["count"]:
            raise wrong_verb()
        case [part]:
            number = number_in(part)
            match method:
                case "GET":
                    return wire.answer(200, _show(call, _found(call, number)))
                case "DELETE":
                    return delete(call, number)
                case _:
                    raise wrong_verb()
        case _:
            raise wire.not_found()


def create(call: Call) -> Answer:
    """``POST``: the number is e-conomic's; the answer is the key alone."""
    body = body_of(call.request, CONTACT)
    customer = _customer_in(body)
    values = _checked(call.agreement, body, customer, None)
    contact = changes.create_contact(call.data, call.agreement, customer, values)
    location = f"{call.request.base}/customersapi/v3.1.0/Contacts/{contact.number}"
    return wire.answer(201, {"number": contact.number}, {"Location": location})


def replace(call: Call) -> Answer:
    """``PUT`` at the collection: everything anew, on the version the caller read."""
    body = body_of(call.request, CONTACT)
    number = body.get("number")
    if not isinstance(number, int) or isinstance(number, bool):
        raise wire.invalid(Flaw("InvalidValue", "Number", "Invalid value provided."))
    customer = _customer_in(body)
    contact = _found(call, number)
    if contact.deleted:
        raise Refused(404, "ResourceNotFound", f"The contact {number} is deleted.")
    if body.get("objectVersion") != contact.version:
        raise wire.conflict()
    if contact.customer != customer:
        raise wire.invalid(Flaw("CustomerNumberMismatch", "CustomerNumber"))
    changes.replace_contact(call.data, call.agreement, contact, _checked(call.agreement, body, customer, contact))
    return Answer(call.data.settings.put_status)


def delete(call: Call, number: int) -> Answer:
    """``DELETE``: the contact stays readable as deleted; refused while it is used."""
    contact = _found(call, number)
    if contact.deleted:
        raise Refused(404, "ResourceNotFound", f"The contact {number} is deleted.")
    if contact.in_use or is_referred_to(call.agreement, contact):
        raise wire.invalid(Flaw("CustomerContactIsInUse", "Number"))
    changes.delete_contact(call.data, call.agreement, contact)
    return Answer(call.data.settings.delete_status)


def is_referred_to(agreement: Agreement, contact: Contact) -> bool:
    """Whether its customer names it as attention or reference."""
    values = agreement.customers[contact.customer].values
    return contact.number in {values.get("defaultAttention"), values.get("defaultTheirRef")}


def problems(agreement: Agreement, values: Json, customer: int, contact: Contact | None) -> Iterator[Flaw]:
    """What e-conomic does not take in a contact: no name, or the name of another one of that customer.

    A contact that already shares its name keeps it; only a new name is held against the others.
    """
    name = str(values.get("name", "")).strip().casefold()
    if not name:
        yield Flaw("CustomerContactNameNullOrEmpty", "Name")
        return
    if contact is not None and str(contact.values.get("name", "")).strip().casefold() == name:
        return
    for other in agreement.contacts_of[customer].values():
        if other is not contact and not other.deleted and str(other.values["name"]).strip().casefold() == name:
            yield Flaw("CustomerContactNameAlreadyExists", "Name")
            return


def _customer_in(body: Json) -> int:
    number = body.get("customerNumber", 0)
    if not 1 <= number <= 999_999_999:
        message = "The field CustomerNumber must be between 1 and 999999999"
        raise wire.invalid(Flaw("InvalidValue", "CustomerNumber", message))
    return int(number)


def _checked(agreement: Agreement, body: Json, customer: int, contact: Contact | None) -> Json:
    if customer not in agreement.customers:
        raise wire.invalid(Flaw("CustomerDoesNotExist", "CustomerNumber"))
    values = kept(body, CONTACT)
    del values["customerNumber"]
    if found := list(problems(agreement, values, customer, contact)):
        raise wire.invalid(*found)
    return values


def _records(call: Call) -> Sequence[Contact]:
    records = call.agreement.contacts
    narrowed = _customer_asked(call.request.query.get("filter", ""))
    if narrowed is not None:
        records = call.agreement.contacts_of.get(narrowed, {})
    listed = call.data.settings.deleted_contacts == "listed"
    return [records[number] for number in sorted(records) if listed or not records[number].deleted]


def _customer_asked(text: str) -> int | None:
    """The customer when a filter asks for just one: the listing then looks at its contacts only."""
    try:
        asked = filters.read(text.strip())
    except filters.BadFilter:
        return None
    parts = asked.parts if isinstance(asked, filters.Joined) and asked.all else (asked,)
    for part in parts:
        if isinstance(part, filters.Clause) and (part.property.lower(), part.operator) == ("customernumber", "eq"):
            return int(part.value) if part.value and part.value.isdecimal() else None
    return None


def _found(call: Call, number: int) -> Contact:
    contact = call.agreement.contacts.get(number)
    if contact is None or (contact.deleted and call.data.settings.deleted_contacts == "gone"):
        raise Refused(404, "ResourceNotFound", f"There is no contact {number}.")
    return contact


def show(contact: Contact) -> Json:
    """A contact as the Customers API shows it."""
    return {
        "number": contact.number,
        "customerNumber": contact.customer,
        "userInterfaceNumber": contact.shown_number,
        **contact.values,
        "lastUpdated": stamp(contact.updated),
        "objectVersion": contact.version,
        "isDeleted": contact.deleted,
        "active": not contact.deleted,
    }


def _show(call: Call, contact: Contact) -> Json:
    return shown(call, show(contact))


def _get(contact: Contact, name: str) -> Any:
    match name:
        case "number":
            return contact.number
        case "customerNumber":
            return contact.customer
        case "userInterfaceNumber":
            return contact.shown_number
        case "lastUpdated":
            return contact.updated
        case "isDeleted":
            return contact.deleted
        case "active":
            return not contact.deleted
        case _:
            return contact.values.get(name)


LISTING: Listing[Contact] = Listing(properties=CONTACT, key=lambda contact: contact.number, get=_get, show=_show)
