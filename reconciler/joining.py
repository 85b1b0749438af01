"""In what order are customers linked, told apart, or created from one another? The agreement, then both links, then steps.

Whoever links or creates holds the agreement's lock until the transaction ends, so that two who meet see each other.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal
from uuid import UUID, uuid4

from sqlalchemy import Connection

from crm_outbox.contract import Many
from crm_outbox.messaging.envelope import Envelope, Lane
from crm_outbox.messaging.outbox import append
from economic_adapter.contract import LookAtCustomer
from reconciler import agreements, bus, linking, sides, store
from reconciler.link import Create, Due, Link, Linked, LinkState, Step, Unlinked
from reconciler.rules import System
from reconciler.stepping import Clocked, dissolve, take_step


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What came of it: the step taken, or why none was. ``candidates``: both, for then the link has them."""

    step: Step | None = None
    refused: str = ""
    waits: bool = False
    """It is under way, and ends later."""
    said: str = ""
    """What is to be said of it although it was done."""


def link(
    clocked: Clocked,
    connection: Connection,
    tenant: str,
    agreement: int,
    crm_id: str,
    number: int,
    *,
    by: str,
    run: UUID | None = None,
    differing: Literal["rule", "keep", "economic"] = "rule",
    met: Mapping[str, str] | None = None,
    cause: Envelope | None = None,
    lane: Lane = Lane.LIVE,
) -> Tried:
    """Link a customer of the CRM with a number; refused: ``unknown``, ``linked_elsewhere`` (R14), ``under_way``, ``gone``,
    ``absent``, ``unseen``. A number that was never seen is looked at. Safe to repeat."""
    found = locked(connection, tenant, agreement, crm_id, number)
    mine = next((one for one in found if one.link.crm_id == crm_id), None)
    holder = next((one for one in found if one.link.number == number and one.link.crm_id != crm_id), None)
    if mine is None:
        return Tried(refused="unknown")
    if holder is not None and holder.link.crm_id:
        return Tried(refused="linked_elsewhere")
    if holder is not None and holder.link.state is not LinkState.UNLINKED:
        return Tried(refused="under_way")
    seen = sides.newest_economic(connection, tenant, agreement, number, clocked.now())
    if seen is not None and seen.customer is None:
        return Tried(refused="absent")
    words = Linked(number=number, by=by, run=run, economic=seen, differing=differing, met=met or {})
    if why := linking.cannot_link(mine.link, words):
        return Tried(refused=why)
    if holder is not None:
        dissolve(clocked, connection, holder, cause, lane)
    if seen is None:
        look(connection, tenant, agreement, number)
    return _tried(take_step(clocked, connection, mine, words, cause, lane=lane), "not_linked.")


def unlink(
    clocked: Clocked,
    connection: Connection,
    tenant: str,
    agreement: int,
    crm_id: str,
    *,
    by: Literal["person", "undo"],
    cause: Envelope | None = None,
    lane: Lane = Lane.LIVE,
) -> Tried:
    """Unlink a customer of the CRM (R15): nothing is written, and its number is free."""
    agreements.hold(connection, tenant, agreement)
    stored = store.lock(connection, tenant, agreement, crm_id)
    if stored is None:
        return Tried(refused="unknown")
    return _tried(take_step(clocked, connection, stored, Unlinked(by=by), cause, lane=lane), "not_unlinked")


def create_in_economic(
    clocked: Clocked,
    connection: Connection,
    tenant: str,
    agreement: int,
    crm_id: str,
    *,
    run: UUID | None = None,
    ruled_out: tuple[str, ...] = (),
    many: Many | None = None,
    decision: UUID | None = None,
    cause: Envelope | None = None,
    lane: Lane = Lane.LIVE,
) -> Tried:
    """Create a customer of the CRM in e-conomic now, unless it may be there already: then the link has its candidates."""
    found = locked(connection, tenant, agreement, crm_id, None)
    if not found:
        return Tried(refused="unknown")
    words = Create(system=System.ECONOMIC, run=run, ruled_out=ruled_out, many=many, decision=decision)
    return _tried(take_step(clocked, connection, found[0], words, cause, lane=lane), "not_created.")


def create_in_crm(
    clocked: Clocked,
    connection: Connection,
    tenant: str,
    agreement: int,
    number: int,
    *,
    run: UUID | None = None,
    ruled_out: tuple[str, ...] = (),
    many: Many | None = None,
    decision: UUID | None = None,
    cause: Envelope | None = None,
    lane: Lane = Lane.LIVE,
) -> Tried:
    """Create a customer of e-conomic in the CRM now, unless it may be there already: then its link has the candidates."""
    agreements.hold(connection, tenant, agreement)
    store.lock_numbers(connection, tenant, agreement, [number])  # whoever has the link records what it is told after it
    seen = sides.newest_economic(connection, tenant, agreement, number, clocked.now())
    if seen is None or seen.customer is None:
        return Tried(refused="unknown" if seen is None else "absent")
    stored = stranger(connection, tenant, agreement, number)
    if stored.link.crm_id:
        return Tried(refused="linked_elsewhere")
    words = Create(system=System.CRM, run=run, ruled_out=ruled_out, many=many, economic=seen, decision=decision)
    return _tried(take_step(clocked, connection, stored, words, cause, lane=lane), "not_created.")


def tell_apart(
    clocked: Clocked,
    connection: Connection,
    tenant: str,
    agreement: int,
    crm_id: str,
    numbers: Collection[int],
    *,
    cause: Envelope | None = None,
) -> Tried:
    """A person said that this customer of the CRM is none of those numbers: remembered for good, on both links."""
    mine = locked(connection, tenant, agreement, crm_id, None)
    if not mine:
        return Tried(refused="unknown")
    for number in sorted(numbers):
        for holder in store.lock_numbers(connection, tenant, agreement, [number]):
            if not holder.link.crm_id:
                told = linking.told_apart(holder.link, ids=(crm_id,))
                prepared(clocked, connection, holder, cause, told)
                if holder.link.candidates_here and not told.candidates_here:
                    store.look_at(connection, holder.link.id)  # it is none of them: judged anew, like one just heard of
    stored = store.load(connection, mine[0].link.id)
    return Tried(step=prepared(clocked, connection, stored, cause, linking.told_apart(stored.link, numbers=numbers)))


def locked(connection: Connection, tenant: str, agreement: int, crm_id: str, number: int | None) -> list[store.Stored]:
    """The agreement and the links of both, locked; the CRM customer's link is made if it was only recorded so far."""
    agreements.hold(connection, tenant, agreement)
    if number is None:
        one = store.lock(connection, tenant, agreement, crm_id)
        found = [] if one is None else [one]
    else:
        found = store.lock_both(connection, tenant, agreement, crm_id, number)
    if not any(one.link.crm_id == crm_id for one in found) and sides.crm(connection, tenant, crm_id) is not None:
        store.insert(connection, uuid4(), tenant, agreement, crm_id)
        made = store.lock(connection, tenant, agreement, crm_id)
        found = found if made is None else [*found, made]
    return found


def stranger(connection: Connection, tenant: str, agreement: int, number: int) -> store.Stored:
    """The locked link of a number, made if it has none."""
    store.insert_stranger(connection, uuid4(), tenant, agreement, number)
    return store.lock_numbers(connection, tenant, agreement, [number])[0]


def prepared(
    clocked: Clocked, connection: Connection, stored: store.Stored, cause: Envelope | None, link: Link
) -> Step:
    return take_step(clocked, connection, stored, Due(), cause, prepare=lambda _: link)


def look(connection: Connection, tenant: str, agreement: int, number: int) -> None:
    append(connection, bus.OUTBOX, bus.asked(tenant, LookAtCustomer(agreement=agreement, number=number)))


def _tried(step: Step, prefix: str) -> Tried:
    if any(one.startswith("candidates.") for one in step.counted):
        return Tried(step=step, refused="candidates")
    refused = next((one for one in step.counted if one.startswith(prefix)), "")
    return Tried(refused=refused.removeprefix(prefix) or prefix) if refused else Tried(step=step)
