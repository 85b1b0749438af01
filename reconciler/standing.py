"""How does a customer stand, all of it that a person or a page may be told? The first layer of a status, pure.

The state is the planner's own word (``status``); beside it stand what else waits, badges, what differs, and what that person
may do about it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

from crm_outbox.contract import Stage
from crm_outbox.messaging.envelope import Version
from reconciler import beside, contacts, fields, noting
from reconciler.asked import Task
from reconciler.causes import cause, lacks
from reconciler.contract import State
from reconciler.link import Kind, Link, LinkState, Status, flows
from reconciler.note import Note
from reconciler.person import Kept, Person, Right, may
from reconciler.plan import Do
from reconciler.rules import Rules, System
from reconciler.status import status
from reconciler.tasks import Plans, all_candidates, planned, tasks

Badge = Literal["barred", "lead", "does_not_flow", "receives_invoices"]
Act = Literal[
    "set_up", "reconnect", "resume", "correct", "retry", "choose", "create_again", "unlink", "leave", "choose_customer",
    "show_differences", "update", "create_now", "create", "show_details", "turn_on", "turn_off",
]  # fmt: skip

_ACTS: Final[Mapping[State, tuple[tuple[Act, Right], ...]]] = {
    "not_set_up": (("set_up", "administer"),),
    "off": (("set_up", "administer"),),
    "access_lost": (("reconnect", "administer"),),
    "paused": (("resume", "administer"),),
    "error": (("correct", "settle"), ("retry", "settle")),
    "choice": (("choose", "settle"),),
    "deleted": (("create_again", "create"), ("unlink", "settle"), ("leave", "settle")),
    "perhaps": (("choose_customer", "settle"),),
    "creating": (),
    "sending": (),
    "different": (("show_differences", "see"), ("update", "settle")),
    "not_there_yet": (("create_now", "create"),),
    "not_there": (("create", "create"),),
    "same": (("show_details", "see"),),
}
"""The buttons of each state, and the right each needs."""
DELETED: Final = frozenset({"deleted_there", "deleted_edited"})
"""Kinds of the question about a customer that is deleted in e-conomic."""
_MOST_ALSO: Final = 2
_BELOW_SENDING: Final[frozenset[State]] = frozenset({"different", "same"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Differing:
    """One detail of one record that differs, with what each side holds; ``person`` names the contact person it is of."""

    field: str
    """The detail: of an address, that."""
    crm: str
    economic: str
    person: str = ""
    kind: Kind = "customer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One button, and whether this person may press it; who lacks the right is told who has it."""

    name: Act
    allowed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is true of a customer. ``contacts``: how many of its contact persons are the same, of how many."""

    status: Status
    also: tuple[State, ...] = ()
    badges: tuple[Badge, ...] = ()
    notes: tuple[Note, ...] = ()
    differs: tuple[Differing, ...] = ()
    choices: int = 0
    """How much there is to choose, detail by detail; of one that may be there already, how many suggestions."""
    contacts: tuple[int, int] | None = None
    flows: bool = False
    towards: System | None = None
    """Where what is on its way goes to."""
    values: Mapping[str, str] = field(default_factory=dict)
    """What an error is about: the values of the CRM's fields it names, by field."""
    number: int | None = None
    """The customer's in e-conomic, where it is linked."""
    actions: tuple[Action, ...] = ()
    task: str = ""
    """The open question about one deleted in e-conomic, which *Leave it* answers, by its fingerprint."""


def standing(
    link: Link, rules: Rules, person: Person, kept: Kept, now: datetime, shown: Version | None = None
) -> Standing:
    """How that customer stands, for that person. ``shown``: the version on the screen, whose edit may be on its way still."""
    plans = planned(link, rules)
    asked = tasks(link, rules, now, plans)
    told = status(link, rules, now, asked, plans)
    linked = link.state is LinkState.LINKED
    if linked and flows(link, rules) and told.state in _BELOW_SENDING and _is_older(link.crm_version, shown):
        told = Status(state="sending")
    return Standing(
        status=told,
        also=tuple(_also(link, told, asked, plans)),
        badges=tuple(_badges(link, rules)),
        notes=tuple(one for one in link.notes if noting.holds(link, one, now)),
        differs=tuple(_differs(plans)),
        choices=_suggested(link) if told.state == "perhaps" else sum(one.choices for one in _choices(told, asked)),
        contacts=_contacts(link, plans) if linked else None,
        flows=flows(link, rules),
        towards=next((one.system for one in link.pending), None),
        values=_values(link, told.details) if told.state == "error" else {},
        number=link.number,
        actions=(*_actions(told, person, kept, asked), *_switch(link, rules, person, kept)),
        task=next((one.fingerprint for one in asked if one.kind in DELETED), ""),
    )


def lasts(link: Link, rules: Rules) -> bool:
    """Whether time alone never makes it stand otherwise: nothing is noted, nothing is under way, and nothing is paused."""
    return not (link.notes or link.pending or rules.paused)


def _switch(link: Link, rules: Rules, person: Person, kept: Kept) -> Iterable[Action]:
    """The other position of *Flows automatically*, of whoever is linked and does not rest because it is inactive."""
    if link.state is LinkState.LINKED and link.flows is flows(link, rules):
        yield Action(name="turn_off" if link.flows else "turn_on", allowed=may(person.role, "settle", kept))


def _is_older(known: Version | None, shown: Version | None) -> bool:
    return shown is not None and (known is None or known < shown)


def unknown(state: State, person: Person, kept: Kept) -> Standing:
    """How a customer stands that no link tells about: nothing is set up, or it was never heard of."""
    told = Status(state=state)
    return Standing(status=told, actions=_actions(told, person, kept))


def _also(link: Link, told: Status, asked: Sequence[Task], plans: Plans) -> Iterable[State]:
    """What else is true, in the order of precedence; at most two of it."""
    true: list[State] = []
    if _choices(told, asked):
        true.append("choice")
    if link.pending:
        true.append("sending" if link.state is not LinkState.CREATING else "creating")
    if any(one.do is Do.NOTHING and one.differing for _, one in plans):
        true.append("different")
    return [one for one in true if one != told.state][:_MOST_ALSO]


def _choices(told: Status, asked: Sequence[Task]) -> list[Task]:
    """The questions that wait beside what the line says: that one is deleted is said by the line itself."""
    said = DELETED if told.state == "deleted" else ()
    return [one for one in asked if one.kind not in {"candidates", "refused", "missing", *said}]


def _suggested(link: Link) -> int:
    whole = all_candidates(link)
    return len(link.may_be) + len(link.candidates_here) if whole is None else whole.count


def _values(link: Link, details: Sequence[str]) -> dict[str, str]:
    crm = link.customer.crm.values if link.customer.crm else {}
    return {name: fields.text(crm, name) for name in details if not name.startswith("contact.")}


def _badges(link: Link, rules: Rules) -> Iterable[Badge]:
    if link.barred:
        yield "barred"
    if link.stage is Stage.LEAD:
        yield "lead"
    elif link.state is LinkState.LINKED and not flows(link, rules):
        yield "does_not_flow"
    if link.state is LinkState.LINKED and any(
        one.gets_invoices and contacts.alive(one.economic) for one in link.contacts
    ):
        yield "receives_invoices"


def _differs(plans: Plans) -> Iterable[Differing]:
    for pair, one in plans:
        if not one.differing:
            continue
        crm, economic = (
            side.values if side is not None and not side.gone else {} for side in (pair.crm, pair.economic)
        )
        yield Differing(
            field=one.group.name,
            crm=beside.text(one.group, crm),
            economic=beside.text(one.group, economic),
            kind=pair.kind,
            person="" if pair.kind == "customer" else fields.text(crm, "name") or fields.text(economic, "name"),
        )


def _contacts(link: Link, plans: Plans) -> tuple[int, int]:
    """Of the contact persons that are there on either side, how many are the same on both."""
    alive = [one for one in link.contacts if contacts.alive(one.crm) or contacts.alive(one.economic)]
    unlike = {pair.id for pair, one in plans if one.differing}
    same = [one for one in alive if contacts.alive(one.crm) and contacts.alive(one.economic) and one.id not in unlike]
    return len(same), len(alive)


def _actions(told: Status, person: Person, kept: Kept, asked: Sequence[Task] = ()) -> tuple[Action, ...]:
    """A state's buttons. What is put right at its source needs no second try, and what is not cannot be corrected there.

    What was answered with leaving it cannot be left once more.
    """
    acts = _ACTS[told.state]
    if told.state == "deleted" and all(one.kind not in DELETED for one in asked):
        acts = tuple(one for one in acts if one[0] != "leave")
    if told.state == "error":
        at_source = cause(lacks(told.details) if told.reason == "missing" else told.reason).step == "source"
        acts = tuple(one for one in acts if (one[0] == "correct") == at_source)
    return tuple(Action(name=name, allowed=may(person.role, right, kept)) for name, right in acts)
