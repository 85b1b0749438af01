"""In which words is a rule told? Where a detail may be changed, who decides, and an example with a customer's own name."""

import re
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlencode

from reconciler.always import Take, name_of, proposed
from reconciler.beside import Row
from reconciler.rules import Decides, Direction, Rule, Rules
from reconciler.ruleset import Part
from reconciler.web.says import label, within
from reconciler.web.words import Words

WHERE: Final[Mapping[Direction, str]] = {
    Direction.BOTH: "May be changed in: Both systems",
    Direction.ONLY_ECONOMIC: "Only in e-conomic",
    Direction.ONLY_CRM: "Only in Clickmate",
    Direction.NONE: "Not synced",
}
WHO: Final[Mapping[Decides, str]] = {
    Decides.CRM: "If both have changed it: Keep Clickmate's",
    Decides.ECONOMIC: "Keep e-conomic's",
    Decides.ASK: "Ask",
}
"""The first of each begins with what is asked: see ``asked`` and ``answer``."""
BOTH: Final[Mapping[Decides, str]] = {
    Decides.CRM: "If the {detail} of {customer} is changed in both systems, we keep Clickmate's.",
    Decides.ECONOMIC: "If the {detail} of {customer} is changed in both systems, we keep e-conomic's.",
    Decides.ASK: "If the {detail} of {customer} is changed in both systems, we ask you.",
}
ONE: Final[Mapping[Direction, str]] = {
    Direction.ONLY_ECONOMIC: "If the {detail} of {customer} is changed in Clickmate, we put e-conomic's back.",
    Direction.ONLY_CRM: "If the {detail} of {customer} is changed in e-conomic, we put Clickmate's back.",
    Direction.NONE: "If the {detail} of {customer} is changed in one system, the other keeps its own.",
}
PHONE: Final = "If the phone of {customer} is changed in both systems, we keep Clickmate's."
NOTES: Final[Mapping[str, str]] = {
    "name": "Upper and lower case are kept as they are.",
    "cvr": "A wrong check digit is a hint, never a refusal.",
    "ean": "13 digits.",
    "pnumber": "10 digits, without a check digit.",
    "address": "Address, postcode, city and country move as one.",
    "phone": "Compared by digits.",
    "mobile": "Compared by digits.",
    "email": "Invoices go here unless the customer has an invoice e-mail.",
    "contact.email": "Of contact persons who get no copies of invoices.",
    "contact.invoice_email": "Of contact persons who get copies of invoices or e-invoices from e-conomic.",
    "contact.name": "First and last name in Clickmate, one name in e-conomic.",
}
ONLY_THERE: Final[Sequence[tuple[str, bool, str]]] = (
    ("Customer no.", False, "Given when the customer is created."),
    ("Invoice e-mail", True, ""),
    ("Customer group", True, "Chosen when the customer is created, and never changed by us."),
    ("VAT zone", True, "Chosen when the customer is created, and never changed by us."),
    ("Payment terms", True, "Chosen when the customer is created, and never changed by us."),
    ("Currency", True, "Chosen when the customer is created, and never changed by us."),
    ("Credit limit", True, ""),
    ("Attn.", True, ""),
    ("ID (e-invoice)", True, ""),
    ("Blocked", False, "Shown as a badge."),
    ("Receive e-mail copies of", True, "All off on contact persons we create."),
)
"""Details that are changed in e-conomic alone: their name, whether they stand on invoices, and what is to be said of them."""
NO_HOME: Final = (
    "Title of a contact person", "Mobile of a contact person", "Address of a contact person",
    "Second address of a customer",
)  # fmt: skip
_FORM: Final = re.compile(r"[\s,]+(?:A/S|ApS|I/S|K/S|P/S|IVS|AMBA|A\.M\.B\.A\.|SMBA)\.?$", re.IGNORECASE)


def asked(words: Words, text: str) -> str:
    """What is asked, of the first of its answers."""
    return words(text).partition(": ")[0]


def answer(words: Words, text: str) -> str:
    """An answer as a list offers it, beginning with a capital."""
    said = words(text)
    said = said.partition(": ")[2] or said
    return said[:1].upper() + said[1:]


def named(words: Words, name: str) -> str:
    """A detail by its name, of a contact person as such."""
    return f"{words('Contact person')}: {within(words, name)}" if name.startswith("contact.") else label(words, name)


def told(words: Words, rule: Rule) -> str:
    """A rule in a few words."""
    parts = [answer(words, WHERE[rule.direction])]
    if rule.direction is Direction.BOTH:
        parts.append(answer(words, WHO[rule.decides]))
    if not rule.may_be_empty:
        parts.append(words("May not be empty"))
    return ", ".join(parts)


def always(words: Words, row: Row, rules: Rules) -> list[tuple[Take, str, str]]:
    """What may be done always instead of choosing it: for which choice, in words, and what the preview of it is asked."""
    name = name_of(row)
    detail = within(words, name) if row.kind == "customer" else f"{within(words, 'contact')}: {within(words, name)}"
    text = words("Always do this with {detail}", detail=detail)
    return [(take, f"{text} ({_part(words, one)})", _query(name, one)) for take, one in proposed(row, rules).items()]


def _part(words: Words, part: Part) -> str:
    if part.decides is not None:
        return answer(words, WHO[part.decides])
    return words("May be empty") if part.direction is None else answer(words, WHERE[part.direction])


def _query(name: str, part: Part) -> str:
    asked = {"direction": part.direction, "decides": part.decides, "empty": "yes" if part.may_be_empty else None}
    return urlencode({f"{what}.{name}": value for what, value in asked.items() if value is not None})


def example(words: Words, name: str, rule: Rule, names: Sequence[tuple[str, str]]) -> str:
    """What the rule does, of a customer or a contact person of this very company."""
    person = name.startswith("contact.")
    known = [one for one in (_spoken(each[1] if person else each[0]) for each in names) if one]
    # a Danish genitive adds an s, which reads best where none stands
    fits = next((one for one in known if one[-1].lower() not in "sxz"), next(iter(known), ""))
    whose = fits or words("a contact person" if person else "a customer")
    if rule.direction is not Direction.BOTH:
        return words(ONE[rule.direction], detail=within(words, name), customer=whose)
    if name == "phone" and rule.decides is Decides.CRM:
        return words(PHONE, customer=whose)
    return words(BOTH[rule.decides], detail=within(words, name), customer=whose)


def _spoken(name: str) -> str:
    """A company as people speak of it, without its legal form."""
    return _FORM.sub("", name.strip())
