"""In which words is a question asked, an error explained and a past deed told? Texts only, by what they are about."""

from collections.abc import Mapping, Sequence
from typing import Final

from reconciler import acts
from reconciler.acts import Act
from reconciler.causes import cause, lacks
from reconciler.contract import TaskKind
from reconciler.decisions import Means
from reconciler.history import RULED, Entry
from reconciler.rules import System
from reconciler.web import says
from reconciler.web.rule_words import named
from reconciler.web.says import LABELS
from reconciler.web.words import Words, phone
from reconciler.worklists import Question

BESIDE: Final = frozenset({"values", "bouncing", "silent"})
"""Kinds of question that are settled on the customer's page."""
KINDS: Final[Mapping[TaskKind, str]] = {
    "values": "Changed in both systems", "candidates": "May exist already", "deleted_there": "Deleted in e-conomic",
    "deleted_here": "Deleted in Clickmate", "deleted_edited": "Deleted and changed", "renumbered": "New customer no.",
    "other_identity": "Another customer", "merged": "Merged customers", "contact": "Contact person", "refused": "Refused",
    "empty": "Cleared detail", "bouncing": "Changed again and again", "missing": "Something is missing",
    "brake": "Stopped", "unclear": "Not known whether it arrived", "silent": "Found by the nightly check",
}  # fmt: skip
"""What a question is, in a word or two: to filter by."""
SAYS: Final[Mapping[TaskKind, str]] = {
    "deleted_there": "Deleted in e-conomic",
    "deleted_here": "The customer was deleted in Clickmate. It is untouched in e-conomic.",
    "merged": "Two customers were merged in Clickmate. Which customer in e-conomic should it stay linked to?",
    "bouncing": "The two systems keep changing the same detail. Choose what should apply.",
    "unclear": "We do not know whether the edit reached e-conomic. Look there, and choose.",
    "silent": "The nightly check found a difference we had not seen. The fault is ours.",
}
"""A question that is the same whoever it is about."""
SYSTEMS: Final[Mapping[System, str]] = {System.CRM: "Clickmate", System.ECONOMIC: "e-conomic"}
DEEDS: Final[Mapping[Means, str]] = {
    "settle": "Chose the right details", "undo": "Undid it", "retry": "Tried again", "leave": "Left it as it is",
    "link": "Linked to customer no. {n}", "renumbered": "Linked to customer no. {n}",
    "not_the_same": "Not the same as customer no. {n}", "create": "Created it anyway", "unlink": "Unlinked",
    "inactive": "Set inactive in Clickmate", "bar": "Block the customer in e-conomic",
    "same_customer": "It is the same customer", "same_person": "The same contact person",
    "another_person": "Another contact person", "supply": "Chose defaults for this customer",
    "flow": "Let it flow automatically", "still": "Stopped it from flowing automatically",
}  # fmt: skip
"""What a person did, where no value says it."""
ACTS: Final[Mapping[Act, str]] = {
    "connect": "Gave access to e-conomic",
    "right_agreement": "Said that it is the right agreement",
    "wrong_agreement": "Said that it is not the right agreement",
    "disconnect": "Disconnected from e-conomic",
    "check": "Had the access to e-conomic checked",
    "switch_off": "Turned the integration off",
    "set_up": "Changed the set-up",
    "rights": "Changed who may do what",
    "new_customers": "Changed the choices for new and inactive customers and removed persons",
    "rules": "Changed the rules",
    "undo_rules": "Undid a change of the rules",
    "mail": "Changed who is told by mail",
    "pause": "Paused a direction",
    "resume": "Resumed a direction",
    "ask_switch_on": "Had it shown what turning on would do",
    "ask_trial": "Had it shown what a trial with one customer would do",
    "ask_transfer": "Had it shown what transferring all customers would do",
    "confirm_switch_on": "Turned the integration on",
    "confirm_trial": "Began a trial with one customer",
    "confirm_transfer": "Transferred all customers from e-conomic",
    "pause_run": "Paused what was going on",
    "resume_run": "Resumed what was paused",
    "stop_run": "Stopped what was going on",
    "undo_switch_on": "Undid what turning on had done",
    "undo_transfer": "Undid a transfer of all customers",
    "keep_trial": "Ended the trial and kept the customer linked",
    "undo_trial": "Ended the trial and undid it",
    "skip_trial": "Did without a trial",
    "release_brake": "Let the edits that were held be written",
    "stop_brake": "Stopped the edits that were held",
    "retry_all": "Had all errors of a list tried again",
    "stop_retry": "Stopped trying errors again",
    "approve_group": "Approved a group of suggestions",
    "withdraw_group": "Took back the approval of a group of suggestions",
}
"""What an admin did."""
_PHONES: Final = frozenset({"phone", "mobile"})


def line(words: Words, one: Question) -> str:
    """What a question is about, in one line."""
    details = detailed(words, one.details)
    match one.kind:
        case "missing":
            return words(cause(lacks(one.details)).text)
        case "refused":
            return caused(words, one.reason, one.details, one.value, one.message, one.number, one.request_id)
        case "brake":
            return words("Stopped")
        case "renumbered":
            return words(KINDS["renumbered"])
        case "empty":
            return ", ".join([words(KINDS["empty"]), *([details] if details else [])])
        case "unclear" if details and one.number is not None:
            return f"{words(SAYS['unclear'])} ({details})"
        case _ if one.kind in SAYS:
            return words(SAYS[one.kind])
        case "values":
            return details or words("Choose the right details")
        case _:
            return ", ".join([words(KINDS[one.kind]), *([details] if details else [])])


def detailed(words: Words, details: Sequence[str]) -> str:
    """Details as people call them, in a row."""
    known = [named(words, name) for name in details if name.removeprefix("contact.") in LABELS]
    return ", ".join(dict.fromkeys(known))


def caused(
    words: Words,
    code: str,
    details: Sequence[str],
    value: str,
    message: str,
    number: int | None = None,
    request_id: str = "",
) -> str:
    """Why something was refused, and where it is put right. ``value`` is what was refused, ``message`` the other side's own words."""
    about = next(iter(details), "")
    return says.caused(words, code, about, value or ("" if number is None else str(number)), message, request_id)


def shown(field: str, value: str) -> str:
    """A value as people read it."""
    return phone(value) if field.removeprefix("contact.") in _PHONES else value


def doer(words: Words, one: Entry) -> str:
    """Who did it: the person; the rule; or, of what flowed, the system in which somebody had changed it."""
    if one.is_act and (one.who, one.who_id) == (acts.OPERATOR, ""):
        return words("The operator")
    if one.by == "person" or (one.action == RULED and one.who):
        return one.who
    return words("A rule") if one.source is None else SYSTEMS[one.source]


def deed(words: Words, one: Entry) -> str:
    """What was done, where it was more than writing details; empty else."""
    if one.action == RULED:
        details = detailed(words, one.details)
        return ": ".join([words("Settled because the rule was changed"), *([details] if details else [])])
    if one.system is None:
        if one.is_act:
            return next((words(text) for act, text in ACTS.items() if act == one.action), one.action)
        text = next((text for means, text in DEEDS.items() if means == one.action), None)
        return one.action if text is None else words(text, n="" if one.about is None else one.about)
    match one.action:
        case "create":
            return words("Created in {system}", system=SYSTEMS[one.system])
        case "bar":
            return words("Blocked in e-conomic")
        case "remove":
            return words("Contact person removed in {system}", system=SYSTEMS[one.system])
        case _:
            return words("Set inactive in Clickmate") if "stage" in [each.field for each in one.changes] else ""
