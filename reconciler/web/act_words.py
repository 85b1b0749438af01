"""In which words is told what an act changed? Setting by setting, what was chosen before and after."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from reconciler import ruleset
from reconciler.history import Entry
from reconciler.web.rule_words import answer, asked, named, told
from reconciler.web.run_words import EVIDENCE, TITLES
from reconciler.web.says import label
from reconciler.web.words import Words

_TRANSFER: Final = "Transfer new customers to e-conomic: when the customer is created"
_RECEIVE: Final = "Transfer to Clickmate when a customer is created or changed in e-conomic: At once (webhooks)"
_THERE: Final = "When a contact person is removed in e-conomic: keep in Clickmate"
_HERE: Final = "When one is removed in Clickmate: keep in e-conomic"
SETTINGS: Final[Mapping[str, str]] = {
    "transfer": _TRANSFER, "receive": _RECEIVE,
    "flows": "Do customers flow automatically once they are linked, transferred or created?",
    "number_from": "Lowest number of new customers", "number_to": "Highest number of new customers",
    "may_create": "Who may create in e-conomic", "may_bulk": "Who may link and settle many at once, and undo what others did?",
    "inactive": "When a customer becomes inactive in Clickmate", "gone_there": _THERE, "gone_here": _HERE,
    "to_economic": "Edits to e-conomic", "to_crm": "Edits to Clickmate",
    "letter_to": "Who gets the letter", "letter_links": "Links of the letter open without a sign-in",
    "language": "Language of the letter, and for whoever has chosen none",
    "linked": "Customers linked", "filled": "Details filled in", "created": "Customers created", "errors": "Errors",
    "evidence": "Group of suggestions", "run": "What it was",
}  # fmt: skip
"""Settings as people call them; of one that is asked for with its first answer, the question."""
CHOICES: Final[Mapping[str, Mapping[str, str]]] = {
    "transfer": {
        "created": _TRANSFER, "active": "when the customer becomes active", "hand": "only when a user chooses",
    },
    "receive": {"webhooks": _RECEIVE, "checks": "By regular checks", "nothing": "Not at all"},
    "flows": {"yes": "Yes", "no": "Only when a user turns it on"},
    "may_create": {"users": "All users", "admins": "Administrators only"},
    "may_bulk": {"users": "All users", "admins": "Administrators only"},
    "inactive": {"flows": "It flows on", "rests": "It does not flow until it is active again"},
    "gone_there": {"keep": _THERE, "remove": "remove in Clickmate too"},
    "gone_here": {"keep": _HERE, "remove": "remove in e-conomic too"},
    "letter_links": {"yes": "Yes", "no": "No"},
    "language": {"da": "Danish", "en": "English"},
    "evidence": EVIDENCE,
    "run": TITLES,
}  # fmt: skip
AREAS: Final[Mapping[str, str]] = {
    "denmark": "Denmark", "eu": "EU", "abroad": "Abroad (also Greenland and the Faroe Islands)",
}  # fmt: skip
MAIL_OF: Final = "Mail to {name}"
_PAUSES: Final = frozenset({"to_economic", "to_crm"})
_PARTS: Final = frozenset({"group", "zone", "terms", "currency"})


def lines(words: Words, one: Entry) -> list[tuple[str, str, str]]:
    """What an act changed: each setting with what was chosen before and after; of anything else nothing."""
    if not one.is_act:
        return []
    return [
        (_setting(words, each.field), _choice(words, each.field, each.before), _choice(words, each.field, each.after))
        for each in one.changes
    ]


def _setting(words: Words, name: str) -> str:
    if name in SETTINGS:
        return asked(words, SETTINGS[name])
    if name in ruleset.DETAILS:
        return named(words, name)
    part, _, of = name.partition(".")
    if part == "mail":
        return words(MAIL_OF, name=of)
    if part in _PARTS and of in AREAS:
        return f"{label(words, part)}, {words(AREAS[of])}"
    return name


def _choice(words: Words, name: str, text: str) -> str:
    if name in _PAUSES:
        return _paused(words, text)
    if (chosen := CHOICES.get(name, {}).get(text)) is not None:
        return answer(words, chosen)
    rule = ruleset.read(text) if name in ruleset.DETAILS else None
    return text if rule is None else told(words, rule)


def _paused(words: Words, text: str) -> str:
    if not text:
        return words("are written")
    return words("paused until further notice") if text == "open" else words(
        "paused until {day}", day=words.day(datetime.fromisoformat(text))
    )  # fmt: skip
