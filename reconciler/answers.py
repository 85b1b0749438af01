"""What does a person's answer make of a link? The kinds of decision that need no other link, on the link as it stands now.

Linking, unlinking, creating and telling apart are messages of their own. Each gives the link after it and how it ended; what must still be written stands in the link as a choice and ends later.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from reconciler import carrying, contacts, fields, record
from reconciler.decisions import Decision, Ended
from reconciler.link import Base, Choice, Decided, EconomicSeen, Link, LinkState, Pair
from reconciler.rules import Rules
from reconciler.settle import put
from reconciler.tasks import WAIVED, every

Answered = tuple[Link, tuple[Ended, ...]]


def answered(link: Link, decided: Decided, rules: Rules, now: datetime) -> Answered:
    """The link after that decision. An answer to a question that is another one now is refused: ``moved``."""
    decision = decided.decision
    if decided.ended:
        return link, decided.ended
    if decision.wishes or decision.means in {"settle", "undo"}:
        return carrying.taken_up(link, decision, rules)
    if decision.task and all(one.fingerprint != decision.task for one in every(link, rules, now)):
        return _refused(link, decision, "moved")
    match decision.means:
        case "leave":
            return _left(link, decision, rules, now)
        case "bar":
            return _barred(link, decision, decided.economic)
        case _ if (does := _SIMPLE.get(decision.means)) is not None:
            return does(link, decision)
        case _:
            return _refused(link, decision, "not_here")


def _left(link: Link, decision: Decision, rules: Rules, now: datetime) -> Answered:
    task = next((one for one in every(link, rules, now) if one.fingerprint == decision.task), None)
    if task is None or task.kind not in WAIVED:
        return _refused(link, decision, "moved" if task is None else "not_left")
    return _done(replace(link, waived=tuple(dict.fromkeys((*link.waived, task.fingerprint)))), decision)


def _same_customer(link: Link, decision: Decision) -> Answered:
    """It is the same one after all: it flows again, and a person is asked which name, number and address are right."""
    there = link.customer.economic
    if link.rest != "other_identity" or there is None:
        return _refused(link, decision, "moved")
    base = dict(link.customer.base)
    for name in record.IDENTITY:
        known = base.get(name)
        if known is not None and not fields.same("customer", name, known.economic, fields.text(there.values, name)):
            base[name] = replace(known, unknown=True)
    link = replace(link, state=LinkState.LINKED, rest="")
    return _done(put(link, replace(link.customer, base=base, economic=replace(there, met={}))), decision)


def _retry(link: Link, decision: Decision) -> Answered:
    customer, *persons = (replace(pair, refusals=(), pause={}) for pair in link.pairs)
    link = replace(link, customer=customer, contacts=tuple(persons), candidates=(), candidates_here=())
    return _done(link, decision)


def _supplied(link: Link, decision: Decision) -> Answered:
    """What its creation lacks is given for this customer alone; the creation follows as it would with a default."""
    if link.state is not LinkState.UNLINKED or not link.crm_id or not contacts.alive(link.customer.crm):
        return _refused(link, decision, "gone")
    return _done(replace(link, supplied=decision.supplied), decision)


def _inactive(link: Link, decision: Decision) -> Answered:
    here = link.customer.crm
    if not contacts.alive(here):
        return _refused(link, decision, "gone")
    return _marked(
        link, "stage", Choice(decision=decision.id, crm={"stage": "inactive"}, seen_crm={}, seen_economic={})
    ), ()


def _barred(link: Link, decision: Decision, seen: EconomicSeen | None) -> Answered:
    """Barred in e-conomic, also when its CRM customer is gone and the two are linked no longer."""
    if seen is not None and link.number is None:
        there = link.customer.economic
        if there is not None and seen.customer is not None and there.id == str(seen.number):
            link = record.there(link, seen)
    if not contacts.alive(link.customer.economic):
        return _refused(link, decision, "gone")
    choice = Choice(decision=decision.id, economic={"barred": "yes"}, seen_crm={}, seen_economic={})
    return _marked(link, "barred", choice), ()


def _marked(link: Link, mark: str, choice: Choice) -> Link:
    kept = tuple(one for one in link.customer.refusals if mark not in one.values)
    chosen = {**link.customer.chosen, mark: choice}
    return put(link, replace(link.customer, chosen=chosen, refusals=kept))


def _flows(link: Link, decision: Decision) -> Answered:
    """It flows, or flows no longer; one whose linking is just being undone does not begin again."""
    on = decision.means == "flow"
    if link.state is not LinkState.LINKED:
        return _refused(link, decision, "not_linked")
    if on and link.number in link.parted:
        return _refused(link, decision, "parted")
    return _done(replace(link, flows=on), decision)


def _same_person(link: Link, decision: Decision) -> Answered:
    """A person of the CRM and one of e-conomic are one: paired without a base, so that blanks fill and rules decide."""

    def joined(link: Link, pair: Pair) -> Link | None:
        other = next((one for one in link.contacts if one.id == decision.other), None)
        if other is None or other.id == pair.id or not contacts.alive(other.economic) or not contacts.alive(pair.crm):
            return None
        if contacts.alive(pair.economic) or contacts.alive(other.crm):
            return None
        base: dict[str, Base] = {}
        one = replace(pair, economic=other.economic, base=base, refusals=(), pause={}, bounces={}, rest="", chosen={})
        link = replace(link, contacts=tuple(each for each in link.contacts if each.id != other.id))
        return put(link, one)

    return _person(link, decision, joined)


def _another_person(link: Link, decision: Decision) -> Answered:
    """A person of the CRM is none of those e-conomic has, or not that one: each is created on the other side."""

    def told_apart(link: Link, pair: Pair) -> Link | None:
        numbers = [
            one.economic.id
            for one in link.contacts
            if one.economic is not None
            and contacts.alive(one.economic)
            and not contacts.alive(one.crm)
            and decision.other in {None, one.id}
        ]
        if not numbers:
            return None
        pairs = [
            replace(one, rest="", refusals=()) if one.id == pair.id or _number(one) in numbers else one
            for one in link.contacts
        ]
        link = replace(link, contacts=tuple(pairs))
        apart = tuple(dict.fromkeys((*pair.apart, *numbers)))
        return put(link, replace(pair, rest="", refusals=(), apart=apart))

    return _person(link, decision, told_apart)


def _created_again(link: Link, decision: Decision) -> Answered:
    """A person that was removed on one side is created there again, as the other side has it."""
    return _person(link, decision, _again)


def _again(link: Link, pair: Pair) -> Link | None:
    """A person removed on one side is only the other's now, and is created there like any other."""
    if pair.rest not in {"removed", "removed_edited"}:
        return None
    here = pair.crm if contacts.alive(pair.crm) else None
    there = pair.economic if contacts.alive(pair.economic) else None
    return put(link, Pair(id=pair.id, kind=pair.kind, crm=here, economic=there, apart=pair.apart))


def _person(link: Link, decision: Decision, does: Callable[[Link, Pair], Link | None]) -> Answered:
    pair = next((one for one in link.contacts if one.id == decision.record), None)
    if link.state is not LinkState.LINKED:
        return _refused(link, decision, "not_linked")
    after = None if pair is None else does(link, pair)
    return _refused(link, decision, "gone") if after is None else _done(after, decision)


def _number(pair: Pair) -> str:
    return "" if pair.economic is None else pair.economic.id


def _done(link: Link, decision: Decision) -> Answered:
    return link, (Ended(decision=decision.id, result="done"),)


def _refused(link: Link, decision: Decision, reason: str) -> Answered:
    return link, (Ended(decision=decision.id, result="refused", reason=reason),)


_SIMPLE: dict[str, Callable[[Link, Decision], Answered]] = {
    "same_customer": _same_customer,
    "retry": _retry,
    "inactive": _inactive,
    "supply": _supplied,
    "flow": _flows,
    "still": _flows,
    "same_person": _same_person,
    "another_person": _another_person,
    "create": _created_again,
}
