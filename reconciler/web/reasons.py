"""Why is a person asked about a customer, and why was a choice not carried out? In sentences, never as codes."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from reconciler import beside, fields
from reconciler.alone import PERSON, Stuck
from reconciler.beside import Row
from reconciler.decisions import Ended
from reconciler.link import Kind, Link, Refusal
from reconciler.pair import UNCLEAR
from reconciler.rules import System
from reconciler.web.says import caused, label, whose
from reconciler.web.words import Words

MOVED: Final = "{Detail} was changed after you opened this page. See the new value and choose again."
REFUSED: Final[Mapping[str, str]] = {
    "moved": MOVED,
    "chosen": "{Detail} was chosen again meanwhile.",
    "gone": "{Detail} is not in both systems any more.",
    "not_linked": "The customer is not linked any more.",
    "unclear": "We do not know whether the edit reached e-conomic. Look there, and choose.",
    "ambiguous": "We do not know whether the edit reached e-conomic. Look there, and choose.",
}
STUCK: Final[Mapping[Stuck, str]] = {
    "not_received": "What is created in e-conomic is not transferred to Clickmate, see Set-up.",
    "does_not_flow": "Is created in Clickmate when the customer flows automatically.",
    "only_there": "Contact persons may only be created in e-conomic.",
    "only_here": "Contact persons may only be created in Clickmate.",
    "nameless": "The contact person lacks a name.",
    "unclear": "May be a contact person that the other system has already. You are asked when the customer flows automatically.",
    "edited": "Removed in one system and changed in the other. You are asked when the customer flows automatically.",
    "removes": "Removed in the other system, and here too when the customer flows automatically.",
}
"""Why a contact person in one system only cannot be carried over from here."""
CARRIED: Final = "Is created in e-conomic with: Update in e-conomic"
UNDOING: Final[Mapping[str, str]] = {
    "moved": "Cannot undo: the detail has changed since",
    "chosen": "Cannot undo: the detail has changed since",
    "edited": "Cannot undo: the detail has changed since",
    "persons": "Contact persons that were created are kept.",
    "filled_stays": "What was filled in stays.",
    "under_way": "It is being undone already.",
}
"""What an undo could not put back, or leaves as it is."""
NOT_UNDONE: Final[Mapping[str, str]] = {
    "old": "It is over 30 days old and cannot be undone any more.",
    "open": "It is not carried out yet. Undo it when it is.",
    "nothing": "It changed nothing that can be put back.",
}


def person(words: Words, kind: Kind, name: str) -> str:
    """Whose a detail is: a contact person's by name, or as such where they have none; nobody's, of the customer."""
    return name or ("" if kind == "customer" else words("Contact person"))


def named(words: Words, row: Row, *, inside: bool = False) -> str:
    """The detail of a row, of a contact person with whose it is; ``inside`` a sentence."""
    return whose(words, row.detail, person(words, row.kind, row.person), inside=inside)


def named_in(words: Words, link: Link, record: UUID | None, detail: str) -> str:
    """The same of a detail of one of that link's records."""
    pair = next((one for one in link.pairs if one.id == record), None)
    if pair is None or not detail:
        return label(words, detail) if detail else ""
    return whose(words, detail, person(words, pair.kind, beside.person(pair)))


def why(words: Words, rows: Iterable[Row], agreed: datetime | None) -> str:
    """Why the person is asked, a sentence for each cause. ``agreed``: since when the contested details differ."""
    said = dict.fromkeys(one for row in rows if row.asks for one in _why(words, row, agreed))
    return " ".join(one if one.endswith(".") else f"{one}." for one in said)


def cause(words: Words, row: Row) -> str:
    """Why a write of that detail was refused last; nothing where none was."""
    refusal = row.refusal
    if refusal is None:
        return ""
    if refusal.code in UNCLEAR:
        return words(REFUSED["unclear"])
    field = refusal.detail or row.fields[0]
    value = (row.economic if refusal.system is System.CRM else row.crm) if row.fields[1:] else row.texts[field]
    about = field if field in row.fields else row.detail
    return caused(words, refusal.code, about, value, refusal.message, refusal.request_id)


def stays(words: Words, row: Row) -> str:
    """Why a contact person who was removed in one system was not removed in the other; nothing where nobody tried."""
    refusal = row.stays
    if refusal is None:
        return ""
    return caused(words, refusal.code, "name", row.person, refusal.message, refusal.request_id)


def one_side(words: Words, row: Row) -> str:
    """Of a contact person in one system only: what carries them over, or why nothing does; nothing of any other."""
    if row.stands != "one_side":
        return ""
    return words(CARRIED) if row.stuck is None else words(STUCK[row.stuck])


def refused(words: Words, ended: Ended, link: Link, *, undo: bool = False) -> str:
    """Why a part of a decision was not carried out."""
    name = named_in(words, link, ended.record, ended.detail)
    if undo and ended.reason in UNDOING:
        text = words(UNDOING[ended.reason])
        return f"{name}: {text}" if name else text
    if ended.reason in REFUSED:
        moved = ended.reason == "gone" and ended.detail == PERSON
        return words(MOVED if moved else REFUSED[ended.reason], detail=name)
    refusal = _refusal(link, ended)
    field = refusal.detail if refusal is not None and refusal.detail else ended.detail
    value = "" if ended.economic is None else fields.text(ended.economic[1], field)
    said = ("", "") if refusal is None else (refusal.message, refusal.request_id)
    text = caused(words, ended.reason, field, value, *said)
    return f"{name}: {text}" if name else text


def _why(words: Words, row: Row, agreed: datetime | None) -> Iterable[str]:
    if row.refusal is not None:
        if row.refusal.code in UNCLEAR:
            yield words("We could not tell whether the edit arrived")
        elif row.refusal.system is System.ECONOMIC:
            yield words("e-conomic refused {detail}", detail=named(words, row, inside=True))
        return
    match row.reason:
        case "empty":
            yield words("{Detail} was cleared and may not be empty", detail=named(words, row))
        case "bouncing":
            yield words("The two systems keep changing the same detail. Choose what should apply.")
        case "kept":
            yield words("One of two values that were to stay different has changed")
        case "unknown":
            if row.changed:
                yield words("We could not tell whether the edit arrived")
        case _ if row.base is None:
            yield words("First comparison. The customer was just linked.")
        case _:
            if agreed is not None:
                yield words("The customer was changed in both systems since {date}", date=words.day(agreed))


def _refusal(link: Link, ended: Ended) -> Refusal | None:
    for pair in link.pairs:
        if pair.id != ended.record:
            continue
        group = next((one for one in fields.GROUPS[pair.kind] if one.name == ended.detail), None)
        for one in pair.refusals:
            if one.code == ended.reason and group is not None and any(name in one.values for name in group.fields):
                return one
    return None
