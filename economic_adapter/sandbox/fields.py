"""Which properties do e-conomic's records have, and which shapes does it take? The published descriptions as tables."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

Json = dict[str, Any]
Kind = Literal["text", "integer", "number", "flag", "moment", "list"]

_EQUAL = frozenset({"eq", "ne"})
_ORDERED = _EQUAL | {"lt", "lte", "gt", "gte"}
_LISTED = _ORDERED | {"in", "nin"}
_LIKE = _LISTED | {"like"}
_PYTHON: dict[str, tuple[type, ...]] = {
    "text": (str,),
    "moment": (str,),
    "integer": (int,),
    "number": (int, float),
    "flag": (bool,),
    "list": (list,),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Property:
    """One property of a record: its kind, longest text, and what may be asked about it."""

    kind: Kind = "text"
    longest: int | None = None
    filters: frozenset[str] = frozenset()
    sortable: bool = False
    read_only: bool = False


class Flaw(NamedTuple):
    """One entry of the ``errors`` array: e-conomic's code, the property in its own spelling, and the text."""

    code: str
    property: str
    message: str = ""


def _text(longest: int, *names: str) -> dict[str, Property]:
    return {name: Property(longest=longest) for name in names}


def _plain(kind: Kind, *names: str) -> dict[str, Property]:
    return {name: Property(kind=kind) for name in names}


CUSTOMER: dict[str, Property] = {
    "customerNumber": Property(kind="integer", filters=_LISTED, sortable=True),
    **_plain("integer", "customerGroupNumber", "zone"),
    **_text(3, "currency"),
    **_plain("flag", "access"),
    **_text(255, "name", "address1", "address2"),
    **_text(30, "postCode"),
    **_text(50, "city", "country", "contactPerson"),
    **_text(255, "phone", "email"),
    **_plain("integer", "paymentDays"),
    **_text(50, "bankAccount"),
    **_text(40, "cvrNo"),
    **_plain("integer", "ourRef", "layoutGroup", "paymentTermId"),
    **_text(255, "homepage"),
    **_plain("integer", "defaultTheirRef", "defaultAttention", "layoutGroupPrint", "language", "discountGroupNumber"),
    **_plain("integer", "priceGroupNumber", "defaultDeliveryLocation"),
    **_text(13, "eanLocationNumber"),
    **_text(30, "voucherNumber"),
    **_text(50, "county", "vatNo"),
    **_plain("number", "creditMaximum"),
    **_text(30, "recipientPeppol"),
    **_plain("number", "defaultDiscountPct"),
    **_text(20, "bankGiroNumber"),
    **_text(50, "iban"),
    **_text(20, "swift"),
    **_plain("moment", "directDebitMandateDate"),
    **_text(40, "pnr"),
    **_plain("integer", "nemHandelReceiverType"),
    **_text(50, "mobilePhone"),
    **_plain("integer", "emailAttachmentLanguage"),
    **_plain("flag", "defaultDisableEInvoicing"),
    **_text(255, "defaultInvoiceRecipient", "defaultOrderRecipient", "defaultQuoteRecipient"),
    **_text(255, "defaultReminderRecipient", "defaultStatementOfAccountRecipient"),
    **_plain("integer", "defaultInvoiceTemplate", "defaultOrderTemplate", "defaultQuoteTemplate"),
    **_plain("integer", "defaultReminderTemplate", "defaultStatementOfAccountTemplate"),
    "objectVersion": Property(),
}
CONTACT: dict[str, Property] = {
    "number": Property(kind="integer", filters=_LISTED, sortable=True, read_only=True),
    "customerNumber": Property(kind="integer", filters=_LISTED, sortable=True),
    "userInterfaceNumber": Property(kind="integer", filters=_LISTED, read_only=True),
    "name": Property(longest=255, filters=_LIKE),
    "email": Property(longest=255, filters=_LIKE),
    "phone": Property(longest=50),
    "notes": Property(longest=2000),
    "eInvoiceId": Property(longest=50, filters=_ORDERED),
    "lastUpdated": Property(kind="moment", filters=_ORDERED, read_only=True),
    **_plain("flag", "receiveQuotes", "receiveOrders", "receiveInvoices", "receiveEInvoices"),
    **_plain("flag", "receiveStatementOfAccounts", "receiveReminders"),
    "objectVersion": Property(),
    "isDeleted": Property(kind="flag", filters=_ORDERED, read_only=True),
    "active": Property(kind="flag", filters=_ORDERED, read_only=True),
}
WEBHOOK: dict[str, Property] = {
    "eventType": Property(filters=_LISTED, sortable=True),
    "name": Property(longest=100, filters=_ORDERED | {"like"}, sortable=True),
    "url": Property(longest=1000, filters=_ORDERED | {"like"}),
    "contentType": Property(longest=50),
    "postData": Property(longest=4000),
    "customHeaders": Property(kind="list"),
    "isDisabled": Property(kind="flag", filters=_ORDERED),
    "lastDisabledDate": Property(kind="moment", filters=_ORDERED, read_only=True),
    "lastUpdated": Property(kind="moment", filters=_ORDERED, read_only=True),
    "objectVersion": Property(),
}


def spelled(name: str) -> str:
    """A property as e-conomic spells it in its errors: ``PaymentTermId``."""
    return name[:1].upper() + name[1:]


def flaws(body: Mapping[str, Any], properties: Mapping[str, Property]) -> Iterator[Flaw]:
    """What is wrong with the shape of a body: explicit nulls, wrong kinds, texts too long. Unknown names are ignored."""
    for name, value in body.items():
        known = properties.get(name)
        if known is None or known.read_only:
            continue
        if value is None or not _is(value, known.kind):
            yield Flaw("InvalidValue", spelled(name), "Invalid value provided.")
        elif known.longest is not None and len(value) > known.longest:
            message = f"The field {spelled(name)} must be a string with a maximum length of {known.longest}."
            yield Flaw("StringTooLong", spelled(name), message)


def kept(body: Mapping[str, Any], properties: Mapping[str, Property]) -> Json:
    """What e-conomic keeps of a body: known writable properties, empty texts as nothing, every flag (left out = false)."""
    values: Json = {}
    for name, known in properties.items():
        if known.read_only or name == "objectVersion":
            continue
        if known.kind == "flag":
            values[name] = bool(body.get(name, False))
        elif name in body and body[name] != "":
            values[name] = body[name]
    return values


def _is(value: object, kind: Kind) -> bool:
    if isinstance(value, bool):
        return kind == "flag"
    if kind == "moment":
        return isinstance(value, str) and moment(value) is not None
    return isinstance(value, _PYTHON[kind])


def moment(text: str) -> datetime | None:
    """A date or a date with time, UTC when nothing else is said; nothing if it is neither."""
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def stamp(at: datetime) -> str:
    """A time as e-conomic writes it: whole seconds, Z."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
