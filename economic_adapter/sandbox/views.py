"""What does a person see of this e-conomic? A list, a customer with its contact persons, the giving of access."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader

from economic_adapter.sandbox.data import AGREEMENT, Agreement, Contact, Customer, Data
from economic_adapter.sandbox.fields import CONTACT, CUSTOMER, Json
from economic_adapter.sandbox.wire import Answer, Request

SHOWN = 200
CUSTOMER_FIELDS = {
    "Stamdata": (
        ("name", "Navn"),
        ("cvrNo", "CVR-nr."),
        ("eanLocationNumber", "EAN-nr."),
        ("pnr", "P-nr."),
    ),
    "Adresse": (
        ("address1", "Adresse"),
        ("address2", "Adresse 2"),
        ("postCode", "Postnr."),
        ("city", "By"),
        ("country", "Land"),
    ),
    "Kontakt": (
        ("phone", "Telefon"),
        ("mobilePhone", "Mobil"),
        ("email", "E-mail"),
        ("homepage", "Hjemmeside"),
    ),
}
CONTACT_FIELDS = (("name", "Navn"), ("email", "E-mail"), ("phone", "Telefon"), ("notes", "Noter"))
COPIES = (
    ("receiveQuotes", "Tilbud"), ("receiveOrders", "Ordrer"), ("receiveInvoices", "Fakturaer"),
    ("receiveEInvoices", "E-fakturaer"), ("receiveStatementOfAccounts", "Kontoudtog"), ("receiveReminders", "Rykkere"),
)  # fmt: skip
TEXTS = [name for group in CUSTOMER_FIELDS.values() for name, _ in group]
DONE = {
    "gemt": "Kunden er gemt.",
    "oprettet": "Kunden er oprettet.",
    "slettet": "Kunden er slettet.",
    "kontakt": "Kontaktpersonen er gemt.",
    "kontaktvaek": "Kontaktpersonen er slettet.",
    "nummer": "Kunden har fået et nyt nummer.",
    "vaek": "e-conomic er nu væk i 30 sekunder. Her på siden kan du stadig rette.",
    "tilbage": "e-conomic svarer igen.",
    "webhook": "Den næste webhook går tabt.",
    "adgang": "Adgangen er taget tilbage.",
}


@cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def show_list(data: Data, agreement: Agreement, request: Request) -> Answer:
    wanted = request.query.get("q", "").strip().casefold()
    with data.lock:
        found = [
            customer
            for _, customer in sorted(agreement.customers.items())
            if not wanted or wanted in _searchable(agreement, customer)
        ]
        rows = [
            {
                "number": customer.number,
                "values": customer.values,
                "contacts": sum(not one.deleted for one in agreement.contacts_of[customer.number].values()),
            }
            for customer in found[:SHOWN]
        ]
        named: Json = {
            "rows": rows,
            "found": len(found),
            "total": len(agreement.customers),
            "shown": SHOWN,
            "q": request.query.get("q", ""),
            "done": DONE.get(request.query.get("ok", ""), ""),
        }
        return render(data, "list.html", agreement=agreement, **named)


def _searchable(agreement: Agreement, customer: Customer) -> str:
    values = [str(customer.number), *(str(customer.values.get(name, "")) for name in TEXTS)]
    values += [contact.values["name"] for contact in agreement.contacts_of[customer.number].values()]
    return "\n".join(values).casefold()


def show_customer(
    data: Data,
    agreement: Agreement,
    customer: Customer | None,
    values: Mapping[str, Any],
    *,
    done: str = "",
    wrong: list[str] | None = None,
    status: int = 200,
) -> Answer:
    people: list[Contact] = []
    if customer is not None:
        people = [contact for contact in agreement.contacts_of[customer.number].values() if not contact.deleted]
    return render(
        data,
        "customer.html",
        status=status,
        agreement=agreement,
        customer=customer,
        values=values,
        people=people,
        groups=CUSTOMER_FIELDS,
        contact_fields=CONTACT_FIELDS,
        copies=COPIES,
        limits={name: known.longest for name, known in CUSTOMER.items()},
        contact_limits={name: known.longest for name, known in CONTACT.items()},
        done=done,
        wrong=wrong or [],
    )


def show_access(data: Data, request: Request) -> Answer:
    """The install link: a person gives an app access to an agreement."""
    public = request.query.get("apppublictoken", "")
    app = next((app for app in data.apps.values() if app.public == public), None)
    return render(
        data,
        "access.html",
        status=200 if app else 404,
        app=app,
        agreements=sorted(data.agreements.values(), key=lambda one: one.number != AGREEMENT),
        query=request.raw_query,
    )


def show_lost(data: Data) -> Answer:
    return render(data, "lost.html", status=404)


def show_forged(data: Data) -> Answer:
    return render(data, "forged.html", status=403)


def render(data: Data, template: str, *, status: int = 200, agreement: Agreement | None = None, **named: Any) -> Answer:
    suffix = f"?aftale={agreement.number}" if agreement is not None and agreement.number != AGREEMENT else ""
    text = (
        _templates()
        .get_template(template)
        .render(agreement=agreement, suffix=suffix, away=round(data.faults.away()[0]), **named)
    )
    headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",  # with no-referrer a browser sends our own forms with ``Origin: null``
        "Cache-Control": "no-store",
    }
    return Answer(status, text.encode(), headers)
