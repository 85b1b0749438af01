"""What does a mail say? Plain text in its reader's language; no customer in a subject, and each link leads through the CRM."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import quote

from reconciler.fields import GROUPS
from reconciler.mail.dates import UNTOUCHED, working_days
from reconciler.mailbox import Waiting, Written
from reconciler.web.says import label
from reconciler.web.words import Words, phone

SHOWN: Final = 20
"""Customers a digest names; the page shows the rest."""
SHOWN_OF_A_WEEK: Final = 200
_ON_INVOICES: Final = {field for group in GROUPS["customer"] if group.invoices for field in group.fields}

Link = Callable[[str], str]
"""The address by which a browser comes to a path of our pages, signed in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A mail's two parts."""

    subject: str
    body: str


def digest(words: Words, waiting: Sequence[Waiting], link: Link) -> Said:
    """What waits for that reader, what nobody touched for three working days first. ``waiting`` is not empty."""
    oldest = min(one.opened for one in waiting)
    first = sorted(waiting, key=lambda one: (working_days(one.opened, words.now) < UNTOUCHED, one.opened))
    count = len({one.customer or one.opened for one in waiting})
    subject = words.many("1 customer waits for your choice.", "{n} customers wait for your choice.", count)
    lines = [
        subject,
        words("The oldest since {day}.", day=words.day(oldest)),
        "",
        *(f"{_named(words, one)}\n{link(_page(one))}" for one in first[:SHOWN]),
    ]
    if len(first) > SHOWN:
        lines.append(words("and {n} more", n=words.number(len(first) - SHOWN)))
    return Said(subject=subject.rstrip("."), body=_text([*lines, "", link("/")]))


def lost(words: Words, since: datetime, link: Link) -> Said:
    """e-conomic refuses the access since then."""
    return Said(
        subject=words("Clickmate has lost access to e-conomic"),
        body=_text(
            [
                words("e-conomic has refused our access since {time}. Nothing is lost.", time=words.since(since)),
                words("An administrator must reconnect."),
                "",
                link("/set-up"),
            ]
        ),
    )


def stopped(words: Words, link: Link) -> Said:
    """Something waits, and nothing moves."""
    return Said(
        subject=words("The e-conomic sync has stopped"),
        body=_text(
            [
                words("Something has waited for 15 minutes, and nothing has moved meanwhile."),
                words("All edits are kept and are sent as soon as it goes on. Tell whoever runs the server."),
                "",
                link("/"),
            ]
        ),
    )


def letter(words: Words, changes: Sequence[Written], undo: Callable[[Written], str]) -> Said:
    """What the CRM changed in e-conomic in a week, and whom it removed there, what is on invoices first.

    ``changes`` is not empty. ``undo``: the address where such a change is undone; a removal is not.
    """
    subject = words.many(
        "1 of your details was changed from Clickmate this week",
        "{n} of your details were changed from Clickmate this week",
        len(changes),
    )
    invoices = [one for one in changes if _on_invoices(one)]
    others = [one for one in changes if one not in invoices]
    lines = [subject, ""]
    for title, part in ((words("Invoice details"), invoices), (words("Other"), others)):
        if part:
            lines += [title, "", *_changes(words, part[:SHOWN_OF_A_WEEK], undo)]
        if len(part) > SHOWN_OF_A_WEEK:
            lines.append(words("and {n} more", n=words.number(len(part) - SHOWN_OF_A_WEEK)))
    return Said(subject=subject, body=_text(lines))


def at(customer: str) -> str:
    """The path of a customer's page."""
    return f"/customers/{quote(customer, safe='')}"


def _on_invoices(one: Written) -> bool:
    """Whether it is printed on invoices or steers where they go: a contact person's address, where copies are sent to it.

    So does one who got copies, and is there no longer.
    """
    if one.record == "customer":
        return one.field in _ON_INVOICES
    return one.gets_invoices and (one.removed or one.field == "email")


def _changes(words: Words, changes: Iterable[Written], undo: Callable[[Written], str]) -> Iterable[str]:
    for one in changes:
        number = f" ({words('Customer no. {n}', n=one.number)})" if one.number else ""
        yield f"{_line(one.name)}{number}"
        if one.removed:
            removed = words("Contact person removed in {system}", system="e-conomic")
            yield from (f"  {removed}: {_value(words, one.field, one.before)}", "")
            continue
        person = f"{words('Contact person')}, " if one.record == "contact" else ""
        before, after = (_value(words, one.field, text) for text in (one.before, one.after))
        yield f"  {person}{label(words, one.field)}: {before} -> {after}"
        yield f"  {words('Undo')}: {undo(one)}"
        yield ""


def _value(words: Words, field: str, text: str) -> str:
    said = phone(text) if field in {"phone", "mobile"} else text
    return f'"{_line(said)}"' if said.strip() else words("(empty)")


def _named(words: Words, one: Waiting) -> str:
    return _line(one.name) or words("Choose the right details")


def _page(one: Waiting) -> str:
    return "/" if one.customer is None else at(one.customer)


def _line(text: str) -> str:
    """One line, whatever line breaks and control characters a name holds."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def _text(lines: Iterable[str]) -> str:
    return "\n".join(lines).rstrip() + "\n"
