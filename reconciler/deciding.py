"""In what order is a decision dealt with? Lock the link, store the decision, step: one transaction, and once for its id.

One that may link or create locks the agreement before the link; ``ordering.within`` begins anew where that shows late.
What it sets going ends in later steps; each part ends written on both sides, or refused with a reason.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final
from uuid import UUID, uuid5

from sqlalchemy import Connection

from economic_adapter.contract import Reference
from reconciler import agreements, carrying, chosen, decided, fields, items, joining, linking, runs, sides, store
from reconciler.decided import Saved
from reconciler.decisions import KEEP, Decision, Ended, NotDecided, NotUndone, Supplied, backwards
from reconciler.items import Planned
from reconciler.joining import Tried
from reconciler.link import Decided, Link, LinkState, Pair
from reconciler.stepping import Clocked, take_step
from reconciler.tasks import all_candidates, every

_JOINING = frozenset({"link", "renumbered", "unlink", "create", "not_the_same"})
_BACK = frozenset({"link", "renumbered", "unlink", "not_the_same"})
"""What is undone without values: the values a linking filled go back when its run is undone."""
NOT_OFFERED: Final[Mapping[str, str]] = {
    "group": "there is no group {given}; there are: {offered}",
    "terms": "there are no terms {given}; there are: {offered}",
    "zone": "there is no VAT zone {given}; there are: {offered}",
    "currency": "there is no currency {given}; there are: {offered}",
}
"""What is said of a choice for one customer that the agreement does not offer."""


def save(clocked: Clocked, connection: Connection, decision: Decision) -> Saved:
    """Store a decision and set it going; repeated with the same id it only tells how the first one stands.

    ``NotDecided`` for a customer of another tenant, or none.
    """
    about = [(one.record, one.detail) for one in decision.wishes]
    if len(set(about)) < len(about):
        raise NotDecided("a detail was chosen twice")
    if not about and (decision.means == "settle" or (decision.means == "undo" and decision.undoes is None)):
        raise NotDecided("nothing was chosen")
    if decision.means == "supply":
        _offered(decision.supplied, agreements.reference(connection, decision.tenant, decision.agreement))
    elsewhere = decision.record is None and (decision.means in _JOINING or (decision.means == "undo" and not about))
    before = store.find(connection, decision.link)
    if elsewhere or (before is not None and before.link.state is not LinkState.LINKED):
        agreements.hold(connection, decision.tenant, decision.agreement)
    stored = store.lock_id(connection, decision.link)
    if stored is None or (stored.link.tenant, stored.link.agreement) != (decision.tenant, decision.agreement):
        raise NotDecided("there is no such customer")
    known = decided.get(connection, decision.id)
    if known is not None and known.decision.link != decision.link:
        raise NotDecided("there is another decision of that id")
    if not decided.insert(connection, decision):
        return _get(connection, decision.id)
    if elsewhere:
        tried = _joined(clocked, connection, stored, decision)
        waits = tried.waits or (tried.step is not None and _under_way(tried.step.link, decision))
        if tried.refused or not waits:
            reason = tried.refused or tried.said
            ended = Ended(decision=decision.id, result="refused" if tried.refused else "done", reason=reason)
            decided.note(connection, [ended], clocked.now())
    else:
        take_step(clocked, connection, stored, _message(clocked, connection, stored.link, decision))
    return _get(connection, decision.id)


def undo(
    clocked: Clocked, connection: Connection, tenant: str, undone: UUID, who: str, new: UUID, *, who_id: str = ""
) -> Saved:
    """Put back what a decision did, where nobody edited since; itself a decision, named ``new``, that can be undone.

    ``NotDecided`` when there is none, it is over 30 days old, or nothing of it was carried out.
    """
    first = decided.get(connection, undone)
    if first is None or first.decision.tenant != tenant:
        raise NotDecided("there is no such decision")
    if first.decision.means in _JOINING:
        agreements.hold(connection, tenant, first.decision.agreement)
    stored = store.lock_id(connection, first.decision.link)
    first = _get(connection, undone)
    if stored is None:
        raise NotDecided("its customer is not known any more")
    now = clocked.now()
    if now - first.decision.at > KEEP:
        raise NotUndone("old", f"it is over {KEEP.days} days old")
    wishes = backwards(first.outcome, carrying.standing_in(stored.link))
    if not wishes and not (first.state == "done" and first.decision.means in _BACK):
        if first.state == "open":
            raise NotUndone("open", "it is not carried out yet")
        raise NotUndone("nothing", "it changed nothing that can be put back")
    decision = replace(
        first.decision, id=new, means="undo", who=who, who_id=who_id, at=now, wishes=wishes, undoes=undone, task="",
        seen=versions(stored.link),
    )  # fmt: skip
    return save(clocked, connection, decision)


def versions(link: Link) -> tuple[str, str]:
    """The versions of both sides that a page of this link shows."""
    return str(link.crm_version or ""), str(link.economic_version or "")


def chosen_first(connection: Connection, link: Link, ended: Ended) -> Saved | None:
    """The decision that settled a detail before that part of another could, if what both sides hold now is what it chose."""
    if ended.other is not None:
        return decided.get(connection, ended.other)
    pair = next((one for one in link.pairs if one.id == ended.record), None)
    if pair is None or pair.crm is None or pair.economic is None:
        return None
    group = next((one for one in fields.GROUPS[pair.kind] if one.name == ended.detail), None)
    for other in decided.of_link(connection, link.id):
        if group is None or other.decision.id == ended.decision:
            continue
        for one in other.outcome:
            if (one.record, one.detail) != (ended.record, ended.detail) or one.result == "refused":
                continue
            if one.crm is None or one.economic is None:
                continue
            here = all(
                fields.same(pair.kind, name, one.crm[1].get(name, ""), fields.text(pair.crm.values, name))
                for name in group.fields
            )
            there = all(
                fields.same(pair.kind, name, one.economic[1].get(name, ""), fields.text(pair.economic.values, name))
                for name in group.fields
            )
            if here and there:
                return other
    return None


def kept(link: Link) -> list[tuple[Pair, str, UUID]]:
    """The details of a customer that were chosen to stay different, and by which decision."""
    return [
        (pair, name, choice.decision)
        for pair in link.pairs
        for name, choice in pair.chosen.items()
        if name not in carrying.MARKS and chosen.kept(choice)
    ]


def _under_way(link: Link, decision: Decision) -> bool:
    """Whether a creation that was decided has left, and ends with its answer."""
    return any(one.action == "create" and decision.id in one.decided.values() for one in link.pending)


def _joined(clocked: Clocked, connection: Connection, stored: store.Stored, decision: Decision) -> Tried:
    """Link, unlink, create or tell apart, or why not."""
    link, number = stored.link, decision.number
    key = (clocked, connection, decision.tenant, decision.agreement)
    if decision.means == "undo":
        return _back(clocked, connection, stored, decision)
    if decision.task:
        rules = stored.agreement.rules_for(link, clocked.resend)
        if all(one.fingerprint != decision.task for one in every(link, rules, clocked.now())):
            return Tried(refused="moved")
    # the question that was answered is about all of them
    many = all_candidates(link) if decision.task else None
    crm_id = link.crm_id or next(iter(decision.ids), "")
    number = link.number if number is None and not link.crm_id else number
    match decision.means:
        case "unlink":
            return joining.unlink(*key, crm_id, by="person")
        case "link" | "renumbered" if number is not None:
            return joining.link(*key, crm_id, number, by="person", run=decision.id)
        case "not_the_same" if number is not None:
            apart = [joining.tell_apart(*key, one, [number]) for one in ((crm_id,) if link.crm_id else decision.ids)]
            return next((one for one in apart if one.refused), apart[-1] if apart else Tried(refused="unknown"))
        case "create" if link.crm_id:
            ruled_out = tuple(dict.fromkeys((*decision.ids, *(str(one) for one in link.apart))))
            return joining.create_in_economic(*key, crm_id, ruled_out=ruled_out, many=many, decision=decision.id)
        case "create" if number is not None:
            return joining.create_in_crm(*key, number, ruled_out=decision.ids, many=many, decision=decision.id)
    return Tried(refused="number")


def _back(clocked: Clocked, connection: Connection, stored: store.Stored, decision: Decision) -> Tried:
    """Undo a linking, an unlinking or a telling apart; where the link went on since, it stays: ``moved``."""
    first = None if decision.undoes is None else decided.get(connection, decision.undoes)
    link, key = stored.link, (clocked, connection, decision.tenant, decision.agreement)
    if first is None or not link.crm_id:
        return Tried(refused="gone")
    match first.decision.means:
        case "link" | "renumbered" if link.number == first.decision.number:
            return _unlinked_again(clocked, connection, stored, first.decision, decision)
        case "unlink" if link.number is None and link.old_numbers:
            return joining.link(*key, link.crm_id, link.old_numbers[-1], by=linking.UNDO)
        case "not_the_same" if first.decision.number in link.apart:
            apart = tuple(one for one in link.apart if one != first.decision.number)
            locked = joining.locked(connection, decision.tenant, decision.agreement, link.crm_id, None)
            joining.prepared(clocked, connection, locked[0], None, replace(locked[0].link, apart=apart))
            return Tried()
    return Tried(refused="moved")


def _unlinked_again(
    clocked: Clocked, connection: Connection, stored: store.Stored, first: Decision, decision: Decision
) -> Tried:
    """A linking is undone as a run of one customer: what it filled is put back first, by the clock, and then it is unlinked."""
    link, now = stored.link, clocked.now()
    if any(
        one.decision.undoes == first.id and one.state == "open"
        for one in decided.of_link(connection, link.id)
        if one.decision.id != decision.id
    ):
        return Tried(refused="under_way")
    filled = decided.writes(connection, first.id) or any(first.id in one.decided.values() for one in link.pending)
    if link.run == first.id and filled and stored.agreement.state == "on":
        run = uuid5(decision.id, "undo")
        options = {"decision": str(first.id), "undo": str(decision.id)}
        runs.insert(
            connection, run, link.tenant, decision.agreement, "undo",
            state="running", started=now, asked_by=decision.who, options=options,
        )  # fmt: skip
        back = Planned(action="link", crm_id=link.crm_id, number=link.number, link=link.id)
        items.insert(connection, run, [back])
        return Tried(waits=True)
    tried = joining.unlink(clocked, connection, link.tenant, decision.agreement, link.crm_id, by="undo")
    persons = "persons" if decided.persons_made(connection, link) else ""
    return replace(tried, said="filled_stays" if filled and link.run == first.id else persons)


def _message(clocked: Clocked, connection: Connection, link: Link, decision: Decision) -> Decided:
    there = link.customer.economic
    if decision.means != "bar" or there is None or link.number is not None:
        return Decided(decision=decision)
    seen = sides.newest_economic(connection, link.tenant, decision.agreement, int(there.id), clocked.now())
    return Decided(decision=decision, economic=seen)


def _offered(given: Supplied | None, reference: Reference | None) -> None:
    """Only what the agreement offers may be chosen for a customer."""
    if given is None or given == Supplied():
        raise NotDecided("nothing was chosen")
    if reference is None:
        raise NotDecided("what the agreement offers is not known yet")
    for what, number, choices in (
        ("group", given.group, reference.groups),
        ("terms", given.terms, reference.terms),
        ("zone", given.zone, reference.zones),
    ):
        if number is not None and all(one.number != number for one in choices):
            offered = ", ".join(f"{one.number} {one.name}" for one in choices)
            raise NotDecided(NOT_OFFERED[what], given=str(number), offered=offered or "-")
    if given.currency and given.currency not in reference.currencies:
        offered = ", ".join(reference.currencies) or "-"
        raise NotDecided(NOT_OFFERED["currency"], given=given.currency, offered=offered)


def _get(connection: Connection, decision: UUID) -> Saved:
    found = decided.get(connection, decision)
    if found is None:
        raise NotDecided("there is no such decision")
    return found
