"""Which details flow, which move together, and when are two values the same? The field table.

Equality is canonical equality under what e-conomic can hold: a value that e-conomic had to shorten still agrees.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from economic_adapter import contract as economic
from reconciler import countries
from reconciler.link import Kind, Pair
from reconciler.rules import Decides, Direction, Rule, Rules


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """One detail as people choose for it: one field, or several that move as one. ``rule`` holds until chosen anew."""

    name: str
    fields: tuple[str, ...]
    rule: Rule
    invoices: bool = False
    """Whether it is printed on invoices, or steers where they go."""


def _one(name: str, decides: Decides, *, may_be_empty: bool = True, invoices: bool = False) -> Group:
    return Group(
        name=name, fields=(name,), rule=Rule(decides=decides, may_be_empty=may_be_empty), invoices=invoices
    )  # fmt: skip


GROUPS: Mapping[Kind, tuple[Group, ...]] = {
    "customer": (
        _one("name", Decides.ASK, may_be_empty=False, invoices=True),
        _one("cvr", Decides.ASK, may_be_empty=False, invoices=True),
        _one("ean", Decides.ECONOMIC, may_be_empty=False, invoices=True),
        _one("pnumber", Decides.ECONOMIC),
        Group(
            name="address",
            fields=("street", "postcode", "city", "country"),
            rule=Rule(decides=Decides.ASK, may_be_empty=False),
            invoices=True,
        ),
        _one("phone", Decides.CRM),
        _one("mobile", Decides.CRM),
        _one("email", Decides.ASK, may_be_empty=False, invoices=True),
        _one("website", Decides.CRM),
    ),
    "contact": (
        _one("name", Decides.ASK, may_be_empty=False),
        _one("email", Decides.CRM),
        _one("phone", Decides.CRM),
        Group(name="notes", fields=("notes",), rule=Rule(direction=Direction.NONE, decides=Decides.CRM)),
    ),
}
INVOICE_EMAIL = Group(
    name="invoice_email", fields=("email",), rule=Rule(decides=Decides.ASK, may_be_empty=False), invoices=True
)
"""By whose rule the e-mail of a contact person goes who gets copies of invoices: it steers where those are sent."""
RULED: Mapping[Kind, tuple[Group, ...]] = {
    kind: tuple(
        one
        for group in groups
        for one in ((group, INVOICE_EMAIL) if (kind, group.name) == ("contact", "email") else (group,))
    )
    for kind, groups in GROUPS.items()
}
"""Every detail that a rule can be chosen for."""
FIELDS: Mapping[Kind, tuple[str, ...]] = {
    kind: tuple(field for group in groups for field in group.fields) for kind, groups in GROUPS.items()
}


def rule(kind: Kind, group: Group, rules: Rules, *, gets_invoices: bool = False) -> Rule:
    """The rule an admin chose for that detail, else the one of the table. ``gets_invoices``: of a contact person who does."""
    ruled = _ruled(group) if gets_invoices else group
    return (rules.customer if kind == "customer" else rules.contact).get(ruled.name, ruled.rule)


def rule_of(pair: Pair, group: Group, rules: Rules) -> Rule:
    """The rule for that detail of that record."""
    return rule(pair.kind, group, rules, gets_invoices=pair.gets_invoices)


def ruled(pair: Pair, group: Group) -> Group:
    """The detail whose rule holds for that detail of that record."""
    return _ruled(group) if pair.gets_invoices else group


def _ruled(group: Group) -> Group:
    return INVOICE_EMAIL if group.fields == INVOICE_EMAIL.fields else group


def text(values: Mapping[str, str], field: str) -> str:
    """The value of a field; a missing one is empty."""
    return values.get(field, "")


def blank(value: str) -> bool:
    """Whether a value is empty: null, missing, blanks and invisible characters are one value."""
    return not _folded(value)


def canon(kind: Kind, field: str, value: str) -> str:
    """The value by which that field is compared. Applying it again changes nothing."""
    return _canon(kind, field, value)


@lru_cache(maxsize=16384)
def _canon(kind: Kind, field: str, value: str) -> str:
    """Remembered, because a step asks for the same values several times."""
    return (_CUSTOMER if kind == "customer" else _CONTACT)[field](value)


def same(kind: Kind, field: str, one: str, other: str) -> bool:
    """Whether two values of one system mean the same."""
    return one == other or canon(kind, field, one) == canon(kind, field, other)


def held(kind: Kind, field: str, value: str) -> str:
    """What is written to e-conomic for a value, and what e-conomic then holds of it."""
    spelled = canon(kind, field, value) if field in {"ean", "pnumber"} else value  # blanks would cost digits
    return economic.hold(kind, field, spelled)


def limit(kind: Kind, field: str) -> int:
    """How many characters e-conomic holds of that field."""
    return (economic.LENGTHS if kind == "customer" else economic.CONTACT_LENGTHS)[field]


def agree(kind: Kind, field: str, crm: str, economic_value: str) -> bool:
    """Whether both systems hold the same, as far as e-conomic can hold it."""
    return same(kind, field, crm, economic_value) or same(kind, field, held(kind, field, crm), economic_value)


@lru_cache(maxsize=16384)
def _folded(value: str) -> str:
    """Unicode composed, invisible characters gone, blanks and line breaks single."""
    visible = "".join(" " if letter.isspace() else letter for letter in value if _visible(letter))
    return " ".join(unicodedata.normalize("NFC", visible).split())


def _visible(letter: str) -> bool:
    return letter.isspace() or unicodedata.category(letter) not in {"Cc", "Cf"}


def _lower(value: str) -> str:
    return _folded(_folded(value).lower())


def _joined(without: str, text: str) -> str:
    """The text without those characters; what then stands together is composed anew."""
    return unicodedata.normalize("NFC", re.sub(without, "", text))


def _cvr(value: str) -> str:
    letters = _joined(r"[\s.\-/:]", _folded(_folded(value).upper()))
    return letters[2:] if re.fullmatch(r"DK[0-9]{8}", letters) else letters


def _digits(value: str) -> str:
    return _joined(r"[\s.\-]", _folded(value))


def _phone(value: str) -> str:
    """Digits; +45 and 0045 go when eight digits follow; other countries keep their code."""
    text = _lower(value)
    bare = re.sub(r"[\s.\-/()]", "", text.replace("(0)", "") if re.match(r"\(?(\+|00)", text) else text)
    if not (match := re.fullmatch(r"(\+|00)?([0-9]+)", bare)):
        return text
    abroad, digits = match.groups()
    if not abroad:
        return digits
    return digits[2:] if re.fullmatch(r"45[1-9][0-9]{7}", digits) else f"+{digits}"


def _postcode(value: str) -> str:
    letters = _joined(r"\s", _folded(_folded(value).upper()))
    return re.sub(r"^DK-?(?=[0-9]{4}$)", "", letters)


def _country(value: str) -> str:
    return countries.code(_folded(value)) or _folded(_folded(value).casefold())


def _website(value: str) -> str:
    rest, before = _folded(value), None
    while rest != before:
        before, rest = rest, re.sub(r"^(https?://|www\.)", "", rest, flags=re.IGNORECASE).rstrip("/").strip()
    host = re.split(r"[/?#]", rest, maxsplit=1)[0]
    return _folded(host.lower()) + rest[len(host) :]


_Canoniser = Callable[[str], str]
_CUSTOMER: Mapping[str, _Canoniser] = {
    "name": _folded, "cvr": _cvr, "ean": _digits, "pnumber": _digits,
    "street": _folded, "postcode": _postcode, "city": _folded, "country": _country,
    "phone": _phone, "mobile": _phone, "email": _lower, "website": _website,
}  # fmt: skip
_CONTACT: Mapping[str, _Canoniser] = {"name": _folded, "email": _lower, "phone": _phone, "notes": _folded}
