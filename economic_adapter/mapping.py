"""How does a record of ours become a body of e-conomic's, and back? Bodies in, bodies out; nothing is ever null.

A write is an overlay: our changed fields on the whole body that was read, so that everything else, ``access`` and
``objectVersion`` among it, stays as it was. A cleared field is left out, because e-conomic refuses nulls.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal

from economic_adapter.contract import Defaults, EconomicContact, EconomicCustomer, Receives, Shown, hold
from economic_adapter.protocol import Ambiguous, Fault

Record = Literal["customer", "contact"]
Body = dict[str, Any]

STREET = ("address1", "address2")
CUSTOMER = {
    "name": "name", "cvr": "cvrNo", "ean": "eanLocationNumber", "pnumber": "pnr", "postcode": "postCode",
    "city": "city", "country": "country", "phone": "phone", "mobile": "mobilePhone", "email": "email",
    "website": "homepage",
}  # fmt: skip
CONTACT = {"name": "name", "email": "email", "phone": "phone", "notes": "notes"}
LEGACY = {
    "name": "name", "cvr": "corporateIdentificationNumber", "ean": "ean", "pnumber": "pNumber", "street": "address",
    "postcode": "zip", "city": "city", "country": "country", "phone": "telephoneAndFaxNumber", "mobile": "mobilePhone",
    "email": "email", "website": "website",
}  # fmt: skip
RECEIVE: Mapping[Receives, str] = {
    "quotes": "receiveQuotes", "orders": "receiveOrders", "invoices": "receiveInvoices",
    "e_invoices": "receiveEInvoices", "statements": "receiveStatementOfAccounts", "reminders": "receiveReminders",
}  # fmt: skip
"""Which documents a contact person gets a copy of: a bookkeeper's choice, so off on those we create."""

_WIRE = {wire.lower(): ours for ours, wire in CUSTOMER.items()} | dict.fromkeys(map(str.lower, STREET), "street")
_DETAILS = {
    "CustomerMissingName": "name", "CustomerInvalidName": "name", "CustomerInvalidEmail": "email",
    "CustomerInvalidPNumber": "pnumber", "CustomerInvalidEAN": "ean", "CustomerInvalidEANThirteenDigits": "ean",
    "CustomerInvalidGroupId": "group", "CustomerInvalidPaymentTerm": "terms", "CustomerBarredPaymentTerm": "terms",
    "CustomerInvalidVatZone": "zone", "CustomerInvalidCustomerNumber": "number", "CustomerAlreadyExists": "number",
    "CustomerannotChangeNumber": "number", "CustomerContactNameNullOrEmpty": "name",
    "CustomerContactNameAlreadyExists": "name",
}  # fmt: skip
_HIGHEST: Final = 2_147_483_647
_MOST: Final = 1e15
"""No amount of money is as much; below it a float keeps every øre."""
_OTHER_WIRE = {"customergroupnumber": "group", "paymenttermid": "terms", "zone": "zone", "currency": "currency"}


def customer_values(body: Mapping[str, Any]) -> dict[str, str]:
    """Our fields of a customer's body; what is missing or null is an empty text."""
    lines = [text for text in (_text(body, line) for line in STREET) if text]
    return {field: _text(body, wire) for field, wire in CUSTOMER.items()} | {"street": "\n".join(lines)}


def contact_values(body: Mapping[str, Any]) -> dict[str, str]:
    """Our fields of a contact person's body."""
    return {field: _text(body, wire) for field, wire in CONTACT.items()}


def values(record: Record, body: Mapping[str, Any]) -> dict[str, str]:
    """Our fields of a body of that kind."""
    return customer_values(body) if record == "customer" else contact_values(body)


def customer(body: Mapping[str, Any], contacts: Iterable[Mapping[str, Any]] = ()) -> EconomicCustomer:
    """A customer as e-conomic holds it; ``Ambiguous`` for a body that cannot be one."""
    return EconomicCustomer(
        number=_number(body, "customerNumber"),
        object_version=version(body),
        barred=not body["access"] if isinstance(body.get("access"), bool) else None,
        group=_optional(body, "customerGroupNumber"),
        terms=_optional(body, "paymentTermId"),
        zone=_optional(body, "zone"),
        currency=_text(body, "currency"),
        shown=shown(body),
        contacts=tuple(contact(one) for one in sorted(contacts, key=contact_number)),
        **customer_values(body),
    )


def contact(body: Mapping[str, Any]) -> EconomicContact:
    """A contact person as e-conomic holds it; ``Ambiguous`` for a body that cannot be one."""
    return EconomicContact(
        number=contact_number(body),
        object_version=version(body),
        deleted=is_deleted(body),
        receives=tuple(one for one, wire in RECEIVE.items() if body.get(wire) is True),
        e_invoice_id=_readable(body, "eInvoiceId"),
        **contact_values(body),
    )


def shown(body: Mapping[str, Any]) -> Shown | None:
    """What people read of a customer and nothing is compared with; what cannot be read is left out, and stops nothing."""
    attention = _optional(body, "defaultAttention")
    found = Shown(
        invoice_recipient=_readable(body, "defaultInvoiceRecipient"),
        credit_limit=_amount(body, "creditMaximum"),
        attention=attention if attention is not None and 1 <= attention <= _HIGHEST else None,
    )
    return found if found != Shown() else None


def content(seen: EconomicCustomer) -> EconomicCustomer:
    """The customer without the versions of its records and what is only shown: equal when nothing we compare differs."""
    contacts = tuple(one.model_copy(update={"object_version": "", "e_invoice_id": ""}) for one in seen.contacts)
    only_shown = {"group": None, "terms": None, "zone": None, "currency": "", "shown": None}
    return seen.model_copy(update={"object_version": "", "contacts": contacts, **only_shown})


def lost(before: Iterable[Mapping[str, Any]], now: Iterable[Mapping[str, Any]]) -> frozenset[int]:
    """The numbers of contact persons that were there and are there no more."""

    def there(bodies: Iterable[Mapping[str, Any]]) -> frozenset[int]:
        return frozenset(contact_number(one) for one in bodies if not is_deleted(one))

    return there(before) - there(now)


def is_deleted(body: Mapping[str, Any]) -> bool:
    """Whether a contact person is only kept for old documents."""
    return body.get("isDeleted") is True


def version(body: Mapping[str, Any]) -> str:
    """The ``objectVersion``; ``Ambiguous`` without one, because nothing could be written under it."""
    found = body.get("objectVersion")
    if not isinstance(found, str) or not found:
        raise Ambiguous("no_object_version")
    return found


def customer_number(body: Mapping[str, Any]) -> int:
    """The number of a customer's body."""
    return _number(body, "customerNumber")


def contact_number(body: Mapping[str, Any]) -> int:
    """The number of a contact person's body."""
    return _number(body, "number")


def overlay(record: Record, body: Mapping[str, Any], fields: Mapping[str, str]) -> Body:
    """The whole body with our changed fields on it. A field that holds the value already is not touched."""
    whole = plain(body)
    held = values(record, body)
    for field, value in fields.items():
        if held[field] not in {value, kept := hold(record, field, value)}:
            _put(record, whole, field, kept)
    return whole


def bar(body: Mapping[str, Any]) -> Body:
    """The whole body of a customer that is to be barred: it stays, and nothing can be sold to it."""
    return plain(body) | {"access": False}


def new_customer(number: int, fields: Mapping[str, str], defaults: Defaults) -> Body:
    """The body of a customer to create. ``access`` is said, because e-conomic bars whom it is not said for."""
    body: Body = {
        "customerNumber": number,
        "customerGroupNumber": defaults.group,
        "paymentTermId": defaults.terms,
        "zone": defaults.zone,
        "currency": defaults.currency,
        "access": True,
    }
    for field, value in fields.items():
        _put("customer", body, field, hold("customer", field, value))
    return body


def new_contact(number: int, fields: Mapping[str, str]) -> Body:
    """The body of a contact person to create at that customer; it receives no documents until a bookkeeper says so."""
    body: Body = {"customerNumber": number, **dict.fromkeys(RECEIVE.values(), False)}
    for field, value in fields.items():
        _put("contact", body, field, hold("contact", field, value))
    return body


def agrees(record: Record, body: Mapping[str, Any], fields: Mapping[str, str]) -> bool:
    """Whether the body holds every one of these fields as e-conomic would hold it."""
    held = values(record, body)
    return all(hold(record, field, held[field]) == hold(record, field, value) for field, value in fields.items())


def unknown_fields(record: Record, fields: Mapping[str, str]) -> list[str]:
    """Names that are no fields of ours."""
    known = {*CUSTOMER, "street"} if record == "customer" else set(CONTACT)
    return sorted(set(fields) - known)


def detail(record: Record, fault: Fault) -> str:
    """Our name of the field a fault is about, empty when it is not known."""
    named = fault.property.rpartition(".")[2].lower()
    if fault.code in _DETAILS:
        return _DETAILS[fault.code]
    if record == "contact":
        return named if named in CONTACT else ""
    return _WIRE.get(named) or _OTHER_WIRE.get(named, "")


def legacy_differs(body: Mapping[str, Any], held: Mapping[str, Any]) -> bool:
    """Whether a customer as the legacy API shows it differs from the body kept, in anything we map.

    Blanks and line ends are folded: how one address there becomes two lines here is not documented.
    """
    ours = customer_values(held)
    if any(_folded(_text(body, wire)) != _folded(ours[field]) for field, wire in LEGACY.items()):
        return True
    group, terms, zone = (
        _optional(body.get(outer) or {}, inner)
        for outer, inner in (
            ("customerGroup", "customerGroupNumber"),
            ("paymentTerms", "paymentTermsNumber"),
            ("vatZone", "vatZoneNumber"),
        )
    )
    access = held.get("access")
    return (
        group != _optional(held, "customerGroupNumber")
        or terms != _optional(held, "paymentTermId")
        or zone != _optional(held, "zone")
        or _text(body, "currency") != _text(held, "currency")
        or (isinstance(access, bool) and (body.get("barred") is True) == access)
    )


def plain(body: Mapping[str, Any]) -> Body:
    """The body without its nulls, at any depth."""
    return {key: plain(value) if isinstance(value, dict) else value for key, value in body.items() if value is not None}


def _put(record: Record, body: Body, field: str, kept: str) -> None:
    if record == "customer" and field == "street":
        first, _, second = kept.partition("\n")
        parts = dict(zip(STREET, (first, second), strict=True))
    else:
        parts = {(CUSTOMER if record == "customer" else CONTACT)[field]: kept}
    for wire, text in parts.items():
        body.pop(wire, None)
        if text:
            body[wire] = text


def _text(body: Mapping[str, Any], wire: str) -> str:
    found = body.get(wire)
    if found is None:
        return ""
    if isinstance(found, bool | dict | list):
        raise Ambiguous("strange_body")
    return str(found)


def _readable(body: Mapping[str, Any], wire: str) -> str:
    found = body.get(wire)
    return found.strip() if isinstance(found, str) else ""


def _amount(body: Mapping[str, Any], wire: str) -> float | None:
    found = body.get(wire)
    if not isinstance(found, int | float) or isinstance(found, bool):
        return None
    return float(found) if -_MOST < found < _MOST else None


def _number(body: Mapping[str, Any], wire: str) -> int:
    found = _optional(body, wire)
    if found is None or not 1 <= found <= _HIGHEST:
        raise Ambiguous("strange_body")
    return found


def _optional(body: Mapping[str, Any], wire: str) -> int | None:
    found = body.get(wire)
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def _folded(text: str) -> str:
    return " ".join(text.split())
