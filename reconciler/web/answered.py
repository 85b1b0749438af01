"""In which words is a question put, an answer offered, and said what came of it? Texts only."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from reconciler import fields
from reconciler.asked import Task
from reconciler.causes import CAUSES, cause
from reconciler.decided import Saved
from reconciler.facing import Facing
from reconciler.link import Link, Pair
from reconciler.replies import Answer, Offer
from reconciler.replying import Found
from reconciler.web import asks
from reconciler.web.says import whose, within
from reconciler.web.words import Words

BUTTONS: Final[Mapping[Answer, str]] = {
    "link": "Link", "not_the_same": "Not the same customer", "create": "Create again", "unlink": "Unlink",
    "inactive": "Set inactive in Clickmate", "leave": "Leave it", "bar": "Block the customer in e-conomic",
    "same_customer": "It is the same customer", "renumbered": "Yes, it is the same", "keep_own": "Customer no. {n}",
    "keep_merged": "Customer no. {n}", "same_person": "The same", "another_person": "Another",
    "create_person": "Create again", "supply": "Create in e-conomic", "retry": "Try again",
    "bring_back": "Bring the value back", "leave_empty": "Leave it empty in both",
}  # fmt: skip
REFUSED: Final[Mapping[str, str]] = {
    "moved": "The question has changed since you opened this page. See it as it is now and choose again.",
    "chosen": "The question has changed since you opened this page. See it as it is now and choose again.",
    "gone": "The customer is not there any more.",
    "unknown": "The customer is not there any more.",
    "linked_elsewhere": "Customer no. {n} is linked to another customer in Clickmate.",
    "linked": "The customer is linked already.",
    "absent": "Customer no. {n} was not found in e-conomic.",
    "under_way": "Something is being written for this customer just now. Try again in a moment.",
    "candidates": "There are more customers that it may be. See them and choose again.",
    "off": "The integration is off",
    "paused": "Sync is paused",
    "not_linked": "The customer is not linked any more.",
    "unsendable": "The customer in Clickmate holds what cannot be sent. Correct it there first.",
    "number": "Write a customer no.",
}
"""Why an answer was not carried out."""
_NOT_CARRIED: Final = "Your answer was not carried out."


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What came of an answer: in one line, and whether it is finished or refused."""

    text: str
    state: str
    undo: bool


def heading(words: Words, found: Found) -> str:
    """The question in a sentence."""
    one, task = found.question, found.task
    link = None if found.stored is None else found.stored.link
    if task is None or link is None:
        return asks.line(words, one)
    match one.kind:
        case "renumbered" if task.candidates:
            old = link.number or (link.old_numbers[-1] if link.old_numbers else "")
            return words(
                "Customer no. {old} no longer exists. Is it now customer no. {new}?", old=old, new=task.candidates[0]
            )
        case "other_identity":
            there = {} if link.customer.economic is None else link.customer.economic.values
            return words(
                "Customer no. {n} is now another customer in e-conomic: {name}. Nothing flows.",
                n=link.number or "", name=fields.text(there, "name"),
            )  # fmt: skip
        case "deleted_edited":
            here = one.reason == "deleted_here"
            systems = ("Clickmate", "e-conomic") if here else ("e-conomic", "Clickmate")
            return words(
                "The customer was deleted in {system} and changed in {other}.", system=systems[0], other=systems[1]
            )
        case "contact":
            return _contact(words, task, link) or asks.line(words, one)
        case "empty":
            return " ".join(_cleared(words, task))
        case _:
            return asks.line(words, one)


def may_be(words: Words, one: Facing) -> str:
    """Why that customer may be the one, in a line."""
    who = one.name or (words("Customer no. {n}", n=one.number) if one.number else one.customer)
    details = ", ".join(dict.fromkeys(within(words, name) for name in one.same))
    if not details:
        return who
    return words("May exist already: {customer}, same {details}", customer=who, details=details)


def button(words: Words, offer: Offer, kind: str, numbers: Mapping[str, int | None]) -> str:
    """What an answer is called."""
    if offer.answer == "create" and kind in {"candidates", "unclear"}:
        return words("Create anyway")
    if offer.answer == "not_the_same" and kind == "renumbered":
        return words("No")
    return words(BUTTONS[offer.answer], n=numbers.get(offer.answer) or offer.number or "")


def said(words: Words, saved: Saved) -> Told:
    """What came of an answer, from its decision."""
    undo = saved.state == "done" and saved.decision.means in {"link", "renumbered", "unlink", "not_the_same", "settle"}
    if saved.state == "open":
        return Told(text=words("Your answer is saved and is being carried out."), state="open", undo=False)
    if saved.state in {"refused", "partly"}:
        reason = next((one.reason for one in saved.outcome if one.result == "refused"), "")
        return Told(text=refused(words, reason, saved.decision.number), state="refused", undo=False)
    return Told(text=words("Your answer is carried out."), state="done", undo=undo)


def refused(words: Words, reason: str, number: int | None = None) -> str:
    """Why an answer was not carried out."""
    if reason.startswith("missing."):
        return words(cause(reason if reason in CAUSES else "missing.defaults").text)
    if reason in REFUSED:
        return words(REFUSED[reason], n=number or "")
    text = words(_NOT_CARRIED) if _NOT_CARRIED else ""
    return f"{text} {words('Technical')}: {reason}" if reason.isidentifier() else text


def person(pair: Pair) -> str:
    """What a contact person is called."""
    sides = [one for one in (pair.crm, pair.economic) if one is not None]
    return next((name for one in sides if (name := fields.text(one.values, "name"))), "")


def _contact(words: Words, task: Task, link: Link) -> str:
    pair = next((one for one in link.contacts if str(one.id) == task.subject), None)
    if pair is None:
        return ""
    if pair.rest in {"removed", "removed_edited"}:
        return f"{person(pair)}: {words('No longer in e-conomic')}"
    others = [one for one in link.contacts if one.id != pair.id and one.rest == "unclear"]
    if not others:
        return asks.caused(words, task.reason, task.details, person(pair), task.message, request_id=task.request_id)
    return words("Are {a} and {b} the same contact person?", a=person(pair), b=person(others[0]))


def _cleared(words: Words, task: Task) -> list[str]:
    told = {}
    for one in task.shown:
        system = "Clickmate" if not one.crm.strip() else "e-conomic"
        told[one.record, one.detail] = words(
            "{Detail} was cleared in {system}.", detail=whose(words, one.detail, one.person), system=system
        )
    return list(dict.fromkeys(told.values()))
