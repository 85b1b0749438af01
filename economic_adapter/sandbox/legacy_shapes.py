"""How does the legacy REST API show a customer and a contact person? The same data under other names."""

from typing import Any

from economic_adapter.sandbox.data import Contact, Customer
from economic_adapter.sandbox.fields import Json, Kind, Property, stamp

_ALL = frozenset({"eq", "ne", "lt", "lte", "gt", "gte", "like", "in", "nin"})
_TEXTS = {
    "city": "city",
    "corporateIdentificationNumber": "cvrNo",
    "country": "country",
    "currency": "currency",
    "ean": "eanLocationNumber",
    "email": "email",
    "name": "name",
    "publicEntryNumber": "voucherNumber",
    "telephoneAndFaxNumber": "phone",
    "mobilePhone": "mobilePhone",
    "vatNumber": "vatNo",
    "website": "homepage",
    "zip": "postCode",
    "pNumber": "pnr",
}


def _field(kind: Kind = "text", *, sortable: bool = True) -> Property:
    return Property(kind=kind, filters=_ALL, sortable=sortable)


CUSTOMER: dict[str, Property] = {
    **{name: _field(sortable=name != "pNumber") for name in _TEXTS},
    "address": _field(),
    "balance": _field("number"),
    "creditLimit": _field("number"),
    "customerNumber": _field("integer"),
    "lastUpdated": _field("moment"),
    "barred": _field("flag", sortable=False),
    "customerGroup.customerGroupNumber": _field("integer", sortable=False),
}
CONTACT: dict[str, Property] = {
    "customerContactNumber": _field("integer"),
    "name": _field(),
    "email": _field(),
    "phone": _field(),
    "eInvoiceId": _field(),
    "sortKey": _field("integer"),
}
_NOTIFICATIONS = {
    "receiveInvoices": "invoices",
    "receiveOrders": "orders",
    "receiveQuotes": "quotations",
    "receiveReminders": "reminders",
}


def customer_value(customer: Customer, name: str) -> Any:
    """One property of a customer, for filters and sorting."""
    match name:
        case "customerNumber":
            return customer.number
        case "lastUpdated":
            return customer.updated
        case "address":
            return _address(customer)
        case "barred":
            return not customer.values["access"]
        case "balance":
            return 0.0
        case "creditLimit":
            return customer.values.get("creditMaximum")
        case "customerGroup.customerGroupNumber":
            return customer.values["customerGroupNumber"]
        case _:
            return customer.values.get(_TEXTS[name])


def contact_value(contact: Contact, name: str) -> Any:
    """One property of a contact person, for filters and sorting."""
    match name:
        case "customerContactNumber":
            return contact.number
        case "sortKey":
            return contact.shown_number
        case _:
            return contact.values.get(name)


def show_customer(base: str, customer: Customer) -> Json:
    """A customer; what is empty is left out, ``barred`` is there only when true."""
    values, number = customer.values, customer.number
    link = f"{base}/customers/{number}"
    shown: Json = {"customerNumber": number}
    for name, source in _TEXTS.items():
        if source in values:
            shown[name] = values[source]
    if address := _address(customer):
        shown["address"] = address
    if not values["access"]:
        shown["barred"] = True
    if "creditMaximum" in values:
        shown["creditLimit"] = values["creditMaximum"]
    terms, group, zone = values["paymentTermId"], values["customerGroupNumber"], values["zone"]
    for name, source in (("attention", "defaultAttention"), ("customerContact", "defaultTheirRef")):
        if source in values:
            shown[name] = {
                "customerContactNumber": values[source],
                "customer": {"customerNumber": number, "self": link},
                "self": f"{link}/contacts/{values[source]}",
            }
    return shown | {
        "paymentTerms": {"paymentTermsNumber": terms, "self": f"{base}/payment-terms/{terms}"},
        "customerGroup": {"customerGroupNumber": group, "self": f"{base}/customer-groups/{group}"},
        "vatZone": {"vatZoneNumber": zone, "self": f"{base}/vat-zones/{zone}"},
        "balance": 0.0,
        "dueAmount": 0.0,
        "lastUpdated": stamp(customer.updated),
        "eInvoicingDisabledByDefault": values["defaultDisableEInvoicing"],
        "contacts": f"{link}/contacts",
        "deliveryLocations": f"{link}/delivery-locations",
        "templates": {
            "invoice": f"{link}/templates/invoice",
            "invoiceLine": f"{link}/templates/invoiceline",
            "self": f"{link}/templates",
        },
        "totals": {
            "drafts": f"{base}/invoices/totals/drafts/customers/{number}",
            "booked": f"{base}/invoices/totals/booked/customers/{number}",
            "self": f"{link}/totals",
        },
        "invoices": {
            "drafts": f"{link}/invoices/drafts",
            "booked": f"{link}/invoices/booked",
            "self": f"{link}/invoices",
        },
        "self": link,
    }


def show_contact(base: str, contact: Contact) -> Json:
    """A contact person of a customer."""
    customer = f"{base}/customers/{contact.customer}"
    shown: Json = {"customerContactNumber": contact.number, "sortKey": contact.shown_number}
    for name in ("name", "email", "phone", "notes", "eInvoiceId"):
        if name in contact.values:
            shown[name] = contact.values[name]
    if contact.deleted:
        shown["deleted"] = True
    return shown | {
        "emailNotifications": [word for flag, word in _NOTIFICATIONS.items() if contact.values[flag]],
        "customer": {"customerNumber": contact.customer, "self": customer},
        "self": f"{customer}/contacts/{contact.number}",
    }


def _address(customer: Customer) -> str:
    lines = (customer.values.get("address1"), customer.values.get("address2"))
    return "\n".join(line for line in lines if line)
