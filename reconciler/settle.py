"""How did the writes end? Outcomes settle pending operations: the base moves, or a refusal is remembered, or both wait.

An outcome passes no version gate: it is about its operation alone. One whose operation is settled already is ignored.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from uuid import uuid5

from crm_outbox.contract import Many, Outcome, Result
from economic_adapter.contract import Defaults
from reconciler import fields
from reconciler.link import Base, Heard, Link, LinkState, Pair, Pause, Pending, Refusal, Side
from reconciler.pair import UNCLEAR
from reconciler.rules import Rules, System

LATER = frozenset({"off", "disconnected", "access_lost", "throttled", "paused", "away", "not_found"})
"""Reasons that are about the moment, not about the values: tried again later, nothing is remembered. What is not found
there is told by its state."""
STOPPED = "stopped"
"""The code of a creation that a person stopped together with the pass it belonged to. Nothing is asked about it."""
SOUGHT_AGAIN = "sought_again"
"""What is counted for a creation that goes on under a new operation: it has not ended."""
DEFAULTS = "defaults"
"""The entry of a refused creation's values that stands for the defaults and the number it was sent with."""
NUMBERS = "numbers"
"""The same for the range of numbers in which none was left."""


def settle(link: Link, outcome: Outcome, heard: Heard, rules: Rules, now: datetime) -> tuple[Link, str]:
    """The link after that outcome, and what to count: ``answer_ignored``, ``acknowledged``, ``sought_again``, or the result itself."""
    for pair in link.pairs:
        for pending in pair.pending.values():
            if pending.operation == outcome.operation:
                return _settled(link, pair, pending, outcome, heard, rules, now)
    return link, "answer_ignored"


def put(link: Link, pair: Pair) -> Link:
    """The link with that record in the place of the one of the same id."""
    if pair.kind == "customer":
        return link if pair is link.customer else replace(link, customer=pair)
    if any(one is pair for one in link.contacts):
        return link
    others = tuple(pair if one.id == pair.id else one for one in link.contacts)
    return replace(link, contacts=others)


def refused_for(link: Link, pending: Pending, candidates: tuple[str, ...], whole: Many | None = None) -> Link:
    """The link with a customer's creation that did not leave, because the target may have that customer already."""
    customer = link.customer
    refusal = Refusal(
        system=pending.system, action="create", code="candidates", many=whole, values=_values(pending, "")
    )
    others = {system: one for system, one in customer.pending.items() if one is not pending}
    there = pending.system is System.ECONOMIC
    return replace(
        link,
        state=LinkState.UNLINKED,
        candidates=tuple(int(one) for one in candidates) if there else link.candidates,
        candidates_here=link.candidates_here if there else candidates,
        customer=replace(customer, pending=others, refusals=(*customer.refusals, refusal)),
    )


def stopped(pair: Pair, pending: Pending) -> Pair:
    """The record whose creation a person stopped: it comes into being when one of its values moves, or by a person."""
    values = _values(replace(pending, defaults=None), "")
    refusal = Refusal(system=pending.system, action="create", code=STOPPED, values=values)
    return replace(pair, refusals=(*pair.refusals, refusal))


def gate(link: Link, pair: Pair, system: System) -> str:
    """What must move before a refused write may be tried at once: that record's version, else that of its customer."""
    side = pair.side(system)
    if side is not None and side.version:
        return side.version
    return str(link.crm_version if system is System.CRM else link.economic_version)


def terms(defaults: Defaults | None, number: int | None) -> str:
    """What a creation asks for besides its fields, as a text to compare."""
    return f"{defaults} {number}"


def standing(refusal: Refusal, pair: Pair, defaults: str, numbers: str) -> bool:
    """Whether a refusal still holds: nothing it was about has moved. A creation nobody can tell about waits for a person."""
    if refusal.perhaps_made:
        return True
    crm = pair.crm.values if pair.crm else {}
    economic = pair.economic.values if pair.economic else {}
    created_in = refusal.system if refusal.action == "create" else None
    for name, (here, there) in refusal.values.items():
        if name == DEFAULTS:
            moved = here != defaults
        elif name == NUMBERS:
            moved = here != numbers
        else:
            moved_here = created_in is not System.CRM and fields.text(crm, name) != here
            moved = moved_here or (created_in is not System.ECONOMIC and fields.text(economic, name) != there)
        if moved:
            return False
    return True


def _settled(
    link: Link,
    pair: Pair,
    pending: Pending,
    outcome: Outcome,
    heard: Heard,
    rules: Rules,
    now: datetime,
) -> tuple[Link, str]:
    if outcome.result is Result.WAITING:
        waits = replace(pending, acknowledged=now, cause=outcome.reason)
        return put(link, replace(pair, pending={**pair.pending, pending.system: waits})), "acknowledged"
    open_writes = {system: one for system, one in pair.pending.items() if one is not pending}
    pair = replace(pair, pending=open_writes)
    if outcome.result is Result.REFUSED:
        whole = pair.kind == "customer" and pending.action == "create"
        if whole and _nameless(outcome, heard) and rules.agreement in {"on", "access_lost"}:
            return _sought_again(link, pair, pending, now), SOUGHT_AGAIN
        return _refused(link, pair, pending, outcome, heard, rules, now), f"refused.{outcome.reason}"
    if pending.action == "create":
        created = outcome.created
        if created is None:
            unclear = outcome.model_copy(update={"result": Result.REFUSED, "reason": "unclear"})
            return _refused(link, pair, pending, unclear, heard, rules, now), "refused.unclear"
        return _created(link, pair, pending, created, rules, now), str(outcome.result)
    return put(link, _written(pair, pending)), str(outcome.result)


def _written(pair: Pair, pending: Pending) -> Pair:
    """The base moves at once, with the answer (T8). Until the state after it is seen, the side holds what was written."""
    side = pair.side(pending.system)
    if pending.action == "remove":
        gone = side is None or side.gone or side.version != pending.version
        was = pending.version or ""
        return pair if side is None or gone else _on(pair, pending.system, replace(side, gone=True, superseded=was))
    refusals = tuple(
        one
        for one in pair.refusals
        if one.system is not pending.system or not any(name in pending.becomes for name in one.values)
    )
    pair = replace(pair, base={**pair.base, **pending.becomes}, refusals=refusals)
    if side is None or side.version != pending.version:
        return pair  # what is recorded was read after this write
    now = replace(
        side, values={**side.values, **pending.values}, version="", superseded=pending.version or ""
    )  # fmt: skip
    return _on(pair, pending.system, now)


def _created(link: Link, pair: Pair, pending: Pending, created: str, rules: Rules, now: datetime) -> Link:
    """The record exists there now. One that was seen before this answer came, as a stranger, is the same one."""
    twin = next(
        (one for one in link.contacts if one.id != pair.id and _id(one.side(pending.system)) == created), None
    )  # fmt: skip
    side = pair.side(pending.system) or Side(id=created, values=pending.values)
    if twin is not None and pair.kind == "contact":
        side = twin.side(pending.system) or side
        link = replace(link, contacts=tuple(one for one in link.contacts if one.id != twin.id))
    pair = replace(_on(pair, pending.system, side), base=dict(pending.becomes), refusals=(), rest="")
    link = put(link, pair)
    if pair.kind == "contact":
        return link
    link = replace(
        link,
        state=LinkState.LINKED,
        flows=rules.flows_first,
        candidates=(),
        candidates_here=(),
        linked_by="created",
        linked_at=now,
    )
    if pending.system is System.CRM:
        return replace(link, crm_id=created)
    return replace(link, number=int(created))


def _refused(
    link: Link,
    pair: Pair,
    pending: Pending,
    outcome: Outcome,
    heard: Heard,
    rules: Rules,
    now: datetime,
) -> Link:
    system, reason = pending.system, outcome.reason
    customer = pair.kind == "customer" and pending.action == "create"
    nameless = customer and _nameless(outcome, heard)
    if customer:
        link = replace(
            link, state=LinkState.UNLINKED, candidates=heard.candidates, candidates_here=heard.candidates_here
        )
    if reason == "version" or reason in LATER or nameless or (pair.kind == "contact" and reason == "candidates"):
        version = pending.version if reason == "version" and pending.version else gate(link, pair, system)
        pause = Pause(version=version, until=now + rules.resend)
        return put(link, replace(pair, pause={**pair.pause, system: pause}))
    if reason in UNCLEAR and pending.action == "change":
        return put(link, replace(pair, base={**pair.base, **_unknown(pair, pending)}))
    range_ = {NUMBERS: (rules.numbers, "")} if reason == "no_number" else {}
    refusal = Refusal(
        system=system,
        action="change" if pending.action == "bar" else pending.action,
        code=reason,
        message=outcome.message,
        request_id=outcome.request_id,
        detail=outcome.detail,
        many=heard.candidates_many if customer and reason == "candidates" else None,
        values={} if pending.action == "remove" else _values(pending, outcome.detail) | range_,
    )
    rest = "removed" if pending.action == "remove" and pair.rest == "to_remove" else pair.rest
    return put(link, replace(pair, refusals=(*pair.refusals, refusal), rest=rest))


def _nameless(outcome: Outcome, heard: Heard) -> bool:
    """Whether candidates stopped a creation and none is named, as in an answer that is told again."""
    return outcome.reason == "candidates" and not (heard.candidates or heard.candidates_here or heard.candidates_many)


def _sought_again(link: Link, pair: Pair, pending: Pending, now: datetime) -> Link:
    """The link with the same creation under a new operation: nobody can be asked about customers that are not named."""
    counter = link.counter + 1
    again = replace(
        pending,
        operation=uuid5(link.id, f"operation/{counter}"),
        sent=now,
        due=now,
        resent=0,
        acknowledged=None,
        cause="",
    )
    return put(replace(link, counter=counter), replace(pair, pending={**pair.pending, pending.system: again}))


def _unknown(pair: Pair, pending: Pending) -> Mapping[str, Base]:
    return {name: replace(pair.base.get(name, one), unknown=True) for name, one in pending.becomes.items()}


def _values(pending: Pending, detail: str) -> dict[str, tuple[str, str]]:
    """Both values of what was refused, as the decision had seen them; of a change that names its field, of that one."""
    if pending.mark:
        return {pending.mark: ("", "")}
    target_is_crm = pending.system is System.CRM
    pairs = {}
    for name in pending.becomes if pending.action == "create" else pending.values:
        before, after = fields.text(pending.seen, name), pending.becomes[name]
        pairs[name] = (before, after.economic) if target_is_crm else (after.crm, before)
    if pending.action == "create":
        if pending.defaults is not None:
            pairs[DEFAULTS] = (terms(pending.defaults, pending.number), "")
        return pairs
    return {detail: pairs[detail]} if detail in pairs else pairs


def _id(side: Side | None) -> str | None:
    return None if side is None else side.id


def _on(pair: Pair, system: System, side: Side) -> Pair:
    return replace(pair, crm=side) if system is System.CRM else replace(pair, economic=side)
