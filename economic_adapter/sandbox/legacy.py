"""What does the legacy REST API answer? Reads only, in its own envelope, on the same data."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from economic_adapter.sandbox import filters, wire
from economic_adapter.sandbox.data import Customer
from economic_adapter.sandbox.fields import Json, Property
from economic_adapter.sandbox.gate import Call
from economic_adapter.sandbox.legacy_shapes import (
    CONTACT,
    CUSTOMER,
    contact_value,
    customer_value,
    show_contact,
    show_customer,
)
from economic_adapter.sandbox.wire import Answer, Refused

R = TypeVar("R")
LARGEST = 1000


class LegacyRefused(Exception):
    """An answer in the legacy shape."""

    def __init__(self, refusal: Answer) -> None:
        super().__init__(refusal.status)
        self.answer = refusal


def serve(call: Call) -> Answer:
    """One call; raises ``LegacyRefused``."""
    if call.request.method != "GET":
        raise LegacyRefused(wire.legacy_error(405, "This sandbox serves reads of this API only."))
    agreement, base = call.agreement, call.request.base
    match call.parts:
        case ["self"]:
            return wire.answer(200, _self(call))
        case ["customers"]:
            rows = [agreement.customers[number] for number in sorted(agreement.customers)]
            return _page(call, rows, CUSTOMER, customer_value, lambda row: show_customer(base, row))
        case ["customers", part]:
            return wire.answer(200, show_customer(base, _customer(call, part)))
        case ["customers", part, "contacts"]:
            own = agreement.contacts_of[_customer(call, part).number]
            return _page(call, list(own.values()), CONTACT, contact_value, lambda row: show_contact(base, row))
        case ["customers", part, "contacts", number]:
            found = agreement.contacts_of[_customer(call, part).number].get(int(number) if number.isdecimal() else 0)
            if found is None:
                raise _missing()
            return wire.answer(200, show_contact(base, found))
        case ["customer-groups"]:
            groups = [_group(base, choice.number, choice.name) for choice in agreement.groups.values()]
            return _rows(call, groups)
        case ["payment-terms"]:
            return _rows(
                call,
                [
                    {"paymentTermsNumber": term.number, "name": term.name, **term.more}
                    | {"self": f"{base}/payment-terms/{term.number}"}
                    for term in agreement.terms.values()
                ],
            )
        case ["vat-zones"]:
            return _rows(
                call,
                [
                    {"vatZoneNumber": zone.number, "name": zone.name, "enabledForCustomer": not zone.closed}
                    | {"enabledForSupplier": True, "self": f"{base}/vat-zones/{zone.number}"}
                    for zone in agreement.zones.values()
                ],
            )
        case ["currencies"]:
            return _rows(
                call,
                [
                    {"code": code, "name": name, "isoNumber": iso, "self": f"{base}/currencies/{code}"}
                    for code, (name, iso) in agreement.currencies.items()
                ],
            )
        case _:
            raise _missing()


def refusal(refused: Refused) -> Answer:
    """What the gate refused, in the legacy shape."""
    found = wire.legacy_error(refused.status, refused.title or refused.detail)
    found.headers.update(refused.headers)
    return found


def _missing() -> LegacyRefused:
    return LegacyRefused(wire.legacy_error(404, "The resource was not found.", "E06000", "Check the address."))


def _customer(call: Call, part: str) -> Customer:
    found = call.agreement.customers.get(int(part)) if part.isdecimal() and part.isascii() else None
    if found is None:
        raise _missing()
    return found


def _group(base: str, number: int, name: str) -> Json:
    link = f"{base}/customer-groups/{number}"
    account = {"accountNumber": 5600, "name": "Debitorer", "self": f"{base}/accounts/5600"}
    return {"customerGroupNumber": number, "name": name, "account": account} | {
        "customers": f"{link}/customers",
        "self": link,
    }


def _rows(call: Call, rows: list[Json]) -> Answer:
    filterable = {"name": Property(filters=frozenset({"eq", "ne", "like"}), sortable=True)}
    return _page(call, rows, filterable, lambda row, name: row.get(name), lambda row: row)


def _page(
    call: Call,
    rows: Sequence[R],
    properties: dict[str, Property],
    get: Callable[[R, str], Any],
    show: Callable[[R], Json],
) -> Answer:
    query = call.request.query
    size, skip = _number(query.get("pagesize", ""), 20), _number(query.get("skippages", ""), 0)
    if not 1 <= size <= LARGEST or skip < 0:
        raise LegacyRefused(
            wire.legacy_error(400, f"The page size must be between 1 and {LARGEST}.", "E04810", "Ask for less.")
        )
    found = _ordered(query.get("sort", ""), _chosen(query.get("filter", ""), rows, properties, get), properties, get)
    path = call.request.base + call.request.path
    last = max(0, -(-len(found) // size) - 1)

    def link(page: int) -> str:
        named = [("pagesize", str(size)), ("skippages", str(page))]
        named += [(name, query[name]) for name in ("filter", "sort") if query.get(name)]
        return f"{path}?{urlencode(named, quote_via=quote, safe='')}"

    pagination: Json = {
        "skipPages": skip,
        "pageSize": size,
        "maxPageSizeAllowed": LARGEST,
        "results": len(found),
        "resultsWithoutFilter": len(rows),
        "firstPage": link(0),
    }
    if skip < last:
        pagination["nextPage"] = link(skip + 1)
    if skip > 0:
        pagination["previousPage"] = link(skip - 1)
    pagination["lastPage"] = link(last)
    here = f"{path}?{call.request.raw_query}" if call.request.raw_query else path
    return wire.answer(
        200,
        {
            "collection": [show(row) for row in found[skip * size : (skip + 1) * size]],
            "pagination": pagination,
            "metaData": {"create": {"description": "Create one.", "href": here, "httpMethod": "post"}},
            "self": here,
        },
    )


def _number(text: str, default: int) -> int:
    if not text:
        return default
    return int(text) if text.lstrip("-").isdecimal() else -1


def _chosen(text: str, rows: Sequence[R], properties: dict[str, Property], get: Callable[[R, str], Any]) -> Sequence[R]:
    if not text.strip():
        return rows
    try:
        test = filters.predicate(filters.read(text.strip()), properties, get)
    except filters.BadFilter as bad:
        allowed = [name for name, known in properties.items() if known.filters]
        more: Json = {"errors": [bad.message]}
        if bad.property:
            more["allowedFilteringFields"] = allowed
        raise LegacyRefused(
            wire.legacy_error(400, "Could not parse query string filter parameter.", "", "See the documents.", **more)
        ) from None
    return [row for row in rows if test(row)]


def _ordered(
    sort: str, rows: Sequence[R], properties: dict[str, Property], get: Callable[[R, str], Any]
) -> Sequence[R]:
    if not sort.strip():
        return rows
    try:
        return filters.ordered(rows, sort, properties, get)
    except filters.BadFilter as bad:
        raise LegacyRefused(
            wire.legacy_error(400, "Could not parse query string sort parameter.", errors=[bad.message])
        ) from None


def _self(call: Call) -> Json:
    agreement, base, app = call.agreement, call.request.base, call.data.apps[call.grant.app]
    language = {"languageNumber": 1, "name": "Dansk", "culture": "da-DK", "self": f"{base}/languages/1"}
    return {
        "agreementNumber": agreement.number,
        "agreementType": {"agreementTypeNumber": 1, "name": "Denmark"},
        "userName": "Bogholder",
        "signupDate": "2019-03-01",
        "user": {
            "loginId": "BOG",
            "email": "bogholder@nordhavn.example",
            "name": "Bogholder",
            "agreementNumber": agreement.number,
            "language": language,
        },
        "company": {
            "name": agreement.name,
            "addressLine1": "Havnegade 12",
            "zip": "8000",
            "city": "Aarhus C",
            "country": "Danmark",
            "companyIdentificationNumber": agreement.cvr,
        },
        "application": {
            "appNumber": 4711,
            "name": app.name,
            "appPublicToken": app.public,
            "created": "2026-01-02",
            "requiredRoles": [{"roleNumber": 1, "name": call.grant.role, "self": f"{base}/app-roles/1"}],
            "self": f"{base}/apps/4711",
        },
        "settings": {"baseCurrency": "DKK", "internationalLedger": "false"},
        "companyAffiliation": "E-conomic",
        "canSendElectronicInvoice": True,
        "modules": [{"moduleNumber": 1, "name": "Salg", "self": f"{base}/modules/1"}],
        "self": f"{base}/self",
    }
