"""Which calls does the adapter make for customers and contact persons? Request values; where they lead to is ``client``'s."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from economic_adapter.protocol import PAGE, Request, Surface


def customer(number: int) -> Request:
    """One customer, whole."""
    return Request(method="GET", surface=Surface.CUSTOMERS, path=f"/Customers/{number}")


COUNT_CONTACTS = Request(method="GET", surface=Surface.CUSTOMERS, path="/Contacts/count")


def every_customer(cursor: str) -> Request:
    """All customers by number, as many at once as e-conomic gives; an empty cursor begins."""
    query = (("cursor", cursor),) if cursor else ()
    return Request(method="GET", surface=Surface.CUSTOMERS, path="/Customers", query=query)


def every_contact(cursor: str) -> Request:
    """All contact persons of all customers, as many at once as e-conomic gives; an empty cursor begins."""
    query = (("cursor", cursor),) if cursor else ()
    return Request(method="GET", surface=Surface.CUSTOMERS, path="/Contacts", query=query)


def contacts_of(number: int, cursor: str | None = None) -> Request:
    """The contact persons of one customer, deleted ones among them."""
    return _contacts(equals("customerNumber", number), cursor)


def contacts_since(moment: datetime, cursor: str | None = None) -> Request:
    """The contact persons changed since that moment."""
    return _contacts(since("lastUpdated", moment), cursor)


def customers_since(moment: datetime, page: int) -> Request:
    """The customers changed since that moment, oldest change first; only the legacy API knows when that was."""
    query = (
        ("filter", since("lastUpdated", moment)),
        ("sort", "lastUpdated"),
        ("pagesize", str(PAGE)),
        ("skippages", str(page)),
    )
    return Request(method="GET", surface=Surface.REST, path="/customers", query=query)


def twins(cvr: str, ean: str, page: int = 0) -> Request | None:
    """The customers with this CVR or this EAN number, only findable through the legacy API; none without either.

    A Danish CVR number is asked for as people write it: bare, with DK, in pairs.
    """
    clauses = [equals("corporateIdentificationNumber", one) for one in _spellings(cvr)]
    clauses += [equals("ean", ean)] if ean else []
    if not clauses:
        return None
    query = (("filter", any_of(clauses)), ("pagesize", str(PAGE)), ("skippages", str(page)))
    return Request(method="GET", surface=Surface.REST, path="/customers", query=query)


def _spellings(cvr: str) -> tuple[str, ...]:
    bare = re.sub(r"[\s.\-/]|^dk", "", cvr, flags=re.IGNORECASE)
    if not re.fullmatch(r"[0-9]{8}", bare, re.ASCII):
        return (cvr,) if cvr else ()
    return bare, f"DK{bare}", " ".join(bare[at : at + 2] for at in range(0, 8, 2))


def create_customer(body: bytes, key: UUID) -> Request:
    """A new customer under the number in the body."""
    return Request(method="POST", surface=Surface.CUSTOMERS, path="/Customers", body=body, key=key)


def replace_customer(number: int, body: bytes, key: UUID) -> Request:
    """All of a customer, under the ``objectVersion`` in the body."""
    return Request(method="PUT", surface=Surface.CUSTOMERS, path=f"/Customers/{number}", body=body, key=key)


def create_contact(body: bytes, key: UUID) -> Request:
    """A new contact person of the customer in the body."""
    return Request(method="POST", surface=Surface.CUSTOMERS, path="/Contacts", body=body, key=key)


def replace_contact(body: bytes, key: UUID) -> Request:
    """All of a contact person. At the collection: the address of the single record answers 405."""
    return Request(method="PUT", surface=Surface.CUSTOMERS, path="/Contacts", body=body, key=key)


def remove_contact(number: int, key: UUID) -> Request:
    """Take a contact person out of use."""
    return Request(method="DELETE", surface=Surface.CUSTOMERS, path=f"/Contacts/{number}", key=key)


def wire(body: Mapping[str, Any]) -> str:
    """A body as it is kept and sent, byte for byte."""
    return json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _contacts(clause: str, cursor: str | None) -> Request:
    query = (("filter", clause), *((("cursor", cursor),) if cursor else ()))
    return Request(method="GET", surface=Surface.CUSTOMERS, path="/Contacts", query=query)


def equals(name: str, value: str | int) -> str:
    """One clause of a filter. Brackets stay bare: e-conomic documents their escape and does not honour it."""
    escaped = re.sub(r"([$()*,])", r"$\1", str(value))
    return f"{name}$eq:{escaped}"


def since(name: str, moment: datetime) -> str:
    """The clause for "changed at or after"; e-conomic's resolution is one second, UTC."""
    return f"{name}$gte:{moment.astimezone(UTC).strftime('%Y-%m-%dT%H:%M:%SZ')}"


def any_of(clauses: list[str]) -> str:
    """Clauses of which one must hold."""
    return "$or:".join(clauses)
