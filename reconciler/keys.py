"""By which keys are customers found again on the other side? Canonical values, made from what a customer holds."""

import re
from collections.abc import Iterable, Mapping

from crm_outbox.contract import Customer
from economic_adapter.contract import EconomicContact, EconomicCustomer
from reconciler import fields, names

VERSION = 1
"""Goes up by one with a release that makes any key otherwise, such as by another canonical value: all are made anew then."""
MARK = f"keys:{VERSION}"
"""In the keys of every record, also one without any other: shows by which rules they were made."""
OLD_MARKS = tuple(f"keys:{one}" for one in range(1, VERSION))
"""The marks of keys that an earlier release made."""
STRONG = ("cvr", "ean", "email", "phone", "name")
"""Kinds by which one customer is looked for; ``name`` is there by its weaker key."""

_PUBLIC = frozenset(
    "gmail.com googlemail.com hotmail.com hotmail.dk outlook.com outlook.dk live.dk live.com msn.com yahoo.com yahoo.dk "
    "icloud.com me.com mac.com mail.dk mail.com mail.tele.dk jubii.dk ofir.dk stofanet.dk tdcadsl.dk post.tele.dk "
    "protonmail.com proton.me gmx.net gmx.de gmx.com youmail.dk privat.dk get2net.dk worldonline.dk webspeed.dk "
    "sol.dk c.dk city.dk post11.tele.dk post.cybercity.dk vip.cybercity.dk pc.dk fibermail.dk dlgmail.dk".split()
)
"""Where anybody has an address: the part after @ says nothing."""


def of(values: Mapping[str, str], persons: Iterable[Mapping[str, str]] = ()) -> tuple[str, ...]:
    """The keys of a customer with its contact persons, as ``kind:value``, sorted; ``MARK`` is always among them."""
    found = {MARK}
    name = names.folded(text(values, "name"))
    for kind, value in (
        ("cvr", identity(values)),
        ("ean", ean(values)),
        ("pnumber", pnumber(values)),
        ("name", name),
        ("postcode", postcode(values)),
    ):
        if value:
            found.add(f"{kind}:{value[:200]}")
    found.update(f"phone:{phone}" for phone in phones(values))
    for holder in (values, *persons):
        if address := email(holder):
            found.add(f"email:{address}")
    return tuple(sorted(found))


def of_customer(customer: Customer | EconomicCustomer | None) -> tuple[str, ...]:
    """The keys of a customer as a message carries it; of one that is not there, only ``MARK``."""
    if customer is None:
        return (MARK,)
    values = {field: getattr(customer, field) for field in fields.FIELDS["customer"]}
    people = [one for one in customer.contacts if not (isinstance(one, EconomicContact) and one.deleted)]
    return of(values, [{"email": one.email} for one in people])


def ordered(name: str) -> str:
    """A name as lists are ordered by it and searched by its beginning; of none a blank, so that it is known to be made."""
    return " ".join(name.lower().split())[:100] or " "


def strong(keys: Iterable[str]) -> tuple[str, ...]:
    """Those of the keys by which a customer may be looked for."""
    return tuple(key for key in keys if key.partition(":")[0] in STRONG)


def identity(values: Mapping[str, str]) -> str:
    """The CVR number (eight digits) or a foreign VAT number with its letters; empty for anything else.

    The check digit is no gate. One digit eight times over is a filler, not a number.
    """
    value = canon(values, "cvr")
    if re.fullmatch(r"[0-9]{8}", value):
        return "" if len(set(value)) == 1 else value
    foreign = re.fullmatch(r"(?!DK)[A-Z]{2}[0-9A-Z]{2,13}", value)
    return value if foreign and sum(letter.isdigit() for letter in value) >= 5 else ""


def ean(values: Mapping[str, str]) -> str:
    """The EAN number: thirteen digits; empty for anything else."""
    value = canon(values, "ean")
    return value if re.fullmatch(r"[0-9]{13}", value) and len(set(value)) > 1 else ""


def pnumber(values: Mapping[str, str]) -> str:
    """The P-number: ten digits; empty for anything else."""
    value = canon(values, "pnumber")
    return value if re.fullmatch(r"[0-9]{10}", value) and len(set(value)) > 1 else ""


def postcode(values: Mapping[str, str]) -> str:
    """The postcode, with its country unless that is Denmark."""
    value = canon(values, "postcode")
    country = canon(values, "country")
    return value if not value or country in {"", "DK"} else f"{country}-{value}"


def phones(values: Mapping[str, str]) -> frozenset[str]:
    """Phone and mobile: at least seven digits, whichever field they stand in."""
    return frozenset(
        value
        for field in ("phone", "mobile")
        if re.fullmatch(r"\+?[0-9]{7,15}", value := canon(values, field)) and len(set(value)) > 1
    )


def email(values: Mapping[str, str]) -> str:
    """The e-mail address; empty when it is none, or several."""
    value = canon(values, "email")
    return value if re.fullmatch(r"[^\s@,;<>]+@[^\s@,;<>]+\.[^\s@,;<>.]+", value) and len(value) <= 254 else ""


def domain(address: str) -> str:
    """The part after @ where it belongs to one company; empty for those where anybody has an address."""
    host = address.rpartition("@")[2]
    return "" if host in _PUBLIC else host


def city(values: Mapping[str, str]) -> str:
    """The city in plain letters, without a district's letters ("Aarhus C", "København NV")."""
    words = names.plain(canon(values, "city").lower()).split()
    while len(words) > 1 and re.fullmatch(r"[cknsvø]|nv|sv|oe|nord|syd|vest|oest", words[-1]):
        words.pop()
    return " ".join(words)


def street(values: Mapping[str, str]) -> str:
    """The first line of the address in plain letters, up to and with the house number."""
    line = next(iter(text(values, "street").strip().splitlines()), "")
    words = names.plain(fields.canon("customer", "street", line[:120]).lower())
    words = " ".join(re.sub(r"[\W_]+", " ", words).split())
    house = re.match(r"(.*?[^\W\d_].*? [0-9]+)(?: ?([a-z])\b)?", words)
    return f"{house[1]}{house[2] or ''}" if house else words


def canon(values: Mapping[str, str], field: str) -> str:
    """The canonical value of a field; nothing for a text far longer than any value."""
    value = text(values, field)
    return fields.canon("customer", field, value) if value and len(value) <= 600 else ""


def text(values: Mapping[str, str], field: str) -> str:
    """The value of a field; a missing one is empty."""
    return values.get(field) or ""
