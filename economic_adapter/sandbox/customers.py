"""What do ``/Customers`` and ``/Setup`` of the Customers API answer?"""

import re
from collections.abc import Iterator
from typing import Any

from economic_adapter.sandbox import changes, wire
from economic_adapter.sandbox.data import Agreement, Customer
from economic_adapter.sandbox.fields import CUSTOMER, Flaw, Json, kept, spelled
from economic_adapter.sandbox.gate import Call
from economic_adapter.sandbox.listing import Listing, body_of, number_in, shown, wrong_verb
from economic_adapter.sandbox.wire import Answer, Refused

HIGHEST = 999_999_999
_ADDRESS = re.compile(r"[^@\s,;<>\"]+@[^@\s,;<>\"]+\.[^@\s,;<>\".]{2,}")
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_RECIPIENTS = {
    "email": "CustomerInvalidEmail",
    "defaultInvoiceRecipient": "CustomerInvalidInvoiceEmail",
    "defaultOrderRecipient": "CustomerInvalidOrderEmail",
    "defaultQuoteRecipient": "CustomerInvalidQuotationEmail",
    "defaultReminderRecipient": "CustomerInvalidReminderEmail",
    "defaultStatementOfAccountRecipient": "CustomerInvalidStatementEmail",
}


def serve(call: Call) -> Answer:
    """One call below ``/Customers``."""
    method, tail = call.request.method, call.parts[1:]
    match tail:
        case [] | ["paged"] | ["count"] if method == "GET":
            agreement = call.agreement
            return LISTING.serve(call, [agreement.customers[number] for number in sorted(agreement.customers)])
        case [] if method == "POST":
            return create(call)
        case [] | ["paged"] | ["count"]:
            raise wrong_verb()
        case [part]:
            number = number_in(part)
            match method:
                case "GET":
                    return wire.answer(200, _show(call, _found(call, number)))
                case "PUT":
                    return replace(call, number)
                case "DELETE":
                    return delete(call, number)
                case _:
                    raise wrong_verb()
        case _:
            raise wire.not_found()


def setup(call: Call) -> Answer:
    """``GET /Setup``: the agreement's defaults."""
    if call.parts[1:]:
        raise wire.not_found()
    if call.request.method != "GET":
        raise wrong_verb()
    group = min(call.agreement.groups, default=None)
    values: Json = {"defaultLayoutNumber": 1, "objectVersion": call.agreement.setup_version}
    return wire.answer(200, values if group is None else {"defaultCustomerGroupNumber": group, **values})


def create(call: Call) -> Answer:
    """``POST``: the number must be chosen and free; the answer is the key alone."""
    body = body_of(call.request, CUSTOMER)
    number = body.get("customerNumber", 0)
    if not 1 <= number <= HIGHEST:
        message = f"The field CustomerNumber must be between 1 and {HIGHEST}"
        raise wire.invalid(Flaw("CustomerInvalidCustomerNumber", "CustomerNumber", message))
    if number in call.agreement.customers:
        raise wire.invalid(Flaw("CustomerAlreadyExists", "CustomerNumber"))
    values = _checked(call, body, None)
    changes.create_customer(call.data, call.agreement, number, values)
    location = f"{call.request.base}/customersapi/v3.1.0/Customers/{number}"
    return wire.answer(201, {"customerNumber": number}, {"Location": location})


def replace(call: Call, number: int) -> Answer:
    """``PUT``: everything anew, on the version the caller read; what is left out is gone, ``access`` becomes false."""
    body = body_of(call.request, CUSTOMER)
    customer = _found(call, number)
    if body.get("objectVersion") != customer.version:
        raise wire.conflict()
    if "customerNumber" not in body:
        raise wire.invalid(Flaw("CustomerInvalidCustomerNumber", "CustomerNumber"))
    if body["customerNumber"] != number:
        raise wire.invalid(Flaw("CustomerannotChangeNumber", "CustomerNumber"))
    values = _checked(call, body, customer)
    changes.replace_customer(call.data, call.agreement, customer, values)
    return Answer(call.data.settings.put_status)


def delete(call: Call, number: int) -> Answer:
    """``DELETE``: refused for a customer that is used anywhere."""
    customer = _found(call, number)
    if customer.in_use:
        raise wire.invalid(Flaw("CustomerIsInUse", "CustomerNumber"))
    changes.delete_customer(call.data, call.agreement, customer)
    return Answer(call.data.settings.delete_status)


def problems(agreement: Agreement, values: Json, customer: Customer | None) -> Iterator[Flaw]:
    """What e-conomic does not take in a customer, beyond its shape."""
    if not str(values.get("name", "")).strip():
        yield Flaw("CustomerMissingName", "Name")
    if values.get("customerGroupNumber") not in agreement.groups:
        yield Flaw("CustomerInvalidGroupId", "CustomerGroupNumber")
    term = agreement.terms.get(values.get("paymentTermId", 0))
    if term is None:
        yield Flaw("CustomerInvalidPaymentTerm", "PaymentTermId")
    elif term.closed:
        yield Flaw("CustomerBarredPaymentTerm", "PaymentTermId")
    zone = agreement.zones.get(values.get("zone", 0))
    if zone is None or zone.closed:
        yield Flaw("CustomerInvalidVatZone", "Zone")
    if values.get("currency") not in agreement.currencies:
        yield Flaw("CustomerInvalidCurrency", "Currency")
    for name, code in _RECIPIENTS.items():
        if name in values and not _addresses(values[name]):
            yield Flaw(code, spelled(name))
    ean = values.get("eanLocationNumber")
    if ean is not None and not (ean.isascii() and ean.isdigit() and len(ean) == 13):
        yield Flaw("CustomerInvalidEANThirteenDigits", "EanLocationNumber")
    elif ean is not None and sum(int(digit) * (1, 3)[at % 2] for at, digit in enumerate(ean)) % 10:
        yield Flaw("CustomerInvalidEAN", "EanLocationNumber")
    if "pnr" in values and not re.fullmatch(r"[0-9]{10}", values["pnr"]):
        yield Flaw("CustomerInvalidPNumber", "Pnr")
    for name, value in values.items():
        if isinstance(value, str) and _FORBIDDEN.search(value):
            yield Flaw("CustomerInvalidCharacters", spelled(name))
    for name, code in (
        ("defaultAttention", "CustomerInvalidDefaultAttention"),
        ("defaultTheirRef", "CustomerInvalidDefaultTheirRef"),
    ):
        contact = agreement.contacts.get(values.get(name, 0))
        if (name in values and (contact is None or contact.deleted or customer is None)) or (
            contact is not None and customer is not None and contact.customer != customer.number
        ):
            yield Flaw(code, spelled(name))


def _addresses(text: str) -> bool:
    parts = text.split()
    return bool(parts) and all(_ADDRESS.fullmatch(part) for part in parts)


def _checked(call: Call, body: Json, customer: Customer | None) -> Json:
    values = kept(body, CUSTOMER)
    del values["customerNumber"]
    if found := list(problems(call.agreement, values, customer)):
        raise wire.invalid(*found)
    return values


def _found(call: Call, number: int) -> Customer:
    customer = call.agreement.customers.get(number)
    if customer is None:
        raise Refused(404, "ResourceNotFound", f"There is no customer {number}.")
    return customer


def show(customer: Customer) -> Json:
    """A customer as the Customers API shows it; what is empty is left out."""
    return {"customerNumber": customer.number, **customer.values, "objectVersion": customer.version}


def _show(call: Call, customer: Customer) -> Json:
    return shown(call, show(customer))


def _get(customer: Customer, name: str) -> Any:
    return customer.number if name == "customerNumber" else customer.values.get(name)


LISTING: Listing[Customer] = Listing(properties=CUSTOMER, key=lambda customer: customer.number, get=_get, show=_show)
