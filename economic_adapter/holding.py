"""What does e-conomic keep of a value once it is written? Lengths and characters; part of the contract."""

import re
from typing import Literal

LENGTHS = {
    "name": 255, "cvr": 40, "ean": 13, "pnumber": 10, "street": 510, "postcode": 30, "city": 50, "country": 50,
    "phone": 255, "mobile": 50, "email": 255, "website": 255,
}  # fmt: skip
"""Characters e-conomic keeps of a customer's detail (customersapi 3.1.0; the smaller of both surfaces where they differ)."""
CONTACT_LENGTHS = {"name": 255, "email": 255, "phone": 50, "notes": 2000}

Receives = Literal["quotes", "orders", "invoices", "e_invoices", "statements", "reminders"]
"""The documents of which a contact person may get a copy by e-mail (Modtag e-mailkopi af)."""
INVOICE_COPIES: frozenset[Receives] = frozenset({"invoices", "e_invoices"})
"""Who gets a copy of one of these gets invoices at the e-mail address held of them."""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")


def hold(record: Literal["customer", "contact"], field: str, value: str) -> str:
    """What e-conomic holds of a value once written: control characters gone, at most two street lines, cut to length."""
    text = _CONTROL.sub("", value.replace("\r\n", "\n").replace("\r", "\n")).strip()
    if field == "street":
        first, *rest = [" ".join(line.split()) for line in text.split("\n") if line.strip()] or [""]
        second = " ".join(rest)
        return "\n".join(part for part in (first[:255].rstrip(), second[:255].rstrip()) if part)
    if field != "notes":
        text = " ".join(text.split())
    return text[: (LENGTHS if record == "customer" else CONTACT_LENGTHS)[field]].rstrip()
