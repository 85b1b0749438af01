"""In which order does a transaction lock what it needs? Who is told under runs; agreements, where it may link or create; links.

Who holds an agreement's lock may wait for its links in any order, because it is alone. Who does not never waits for one
link while it holds another: it has all it needs at once, or begins anew with the agreement's lock.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

import sqlalchemy as sa
from pydantic_core import to_json

from crm_outbox.contract import BackfillProgressed, CustomerWritten
from crm_outbox.messaging.envelope import Envelope
from crm_outbox.messaging.taking import Again
from economic_adapter.contract import AgreementObserved, CustomerObserved, ImportProgressed
from reconciler import agreements, bus, runs, store
from reconciler.link import LinkState
from reconciler.locks import Key, Unordered
from reconciler.rules import System
from reconciler.runs import Told

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """A link that a message may be about, as it stood when nothing was locked yet."""

    key: Key
    link: UUID | None
    state: str | None
    crm_id: str | None
    number: int | None
    followed: bool
    """What happens to it may concern other links."""


def within(engine: sa.Engine, does: Callable[[sa.Connection], _T], *first: Key) -> _T:
    """Do it in a transaction that locks these agreements first; anew with more of them where it turns out to need them."""
    keys = set(first)
    while True:
        try:
            with engine.begin() as connection:
                _hold(connection, keys)
                return does(connection)
        except Unordered as needed:
            if needed.keys <= keys:
                raise
            keys |= needed.keys


def prepare(connection: sa.Connection, envelopes: Sequence[Envelope], again: Collection[Again]) -> None:
    """Enter who is told under runs, and lock what a batch of messages needs before the first of them is dealt with.

    One alone is not looked at: it waits for its link while it holds no other, and begins anew where it needs the
    agreement's lock.
    """
    _enter(connection, envelopes)
    needed = frozenset(key for one in again if isinstance(one, Unordered) for key in one.keys)
    if len(envelopes) < 2:
        _hold(connection, needed)
        return
    alone: dict[UUID, Key] = {}
    keys = set(needed)
    found = _found(connection, envelopes)
    for nth, envelope in enumerate(envelopes):
        mine = found.get(nth, [])
        if _on_an_existing_link(envelope, mine) and (link := mine[0].link) is not None:
            alone[link] = mine[0].key
        else:
            keys |= {one.key for one in mine}
    _hold(connection, keys)
    wanted = [link for link, key in alone.items() if key not in keys]
    if len(wanted) < 2:
        return
    missing = set(wanted) - store.lock_at_once(connection, wanted)
    if missing:
        raise Unordered(alone[link] for link in missing)


def _hold(connection: sa.Connection, keys: Iterable[Key]) -> None:
    for tenant, agreement in sorted(keys):
        agreements.hold(connection, tenant, agreement)


def _on_an_existing_link(envelope: Envelope, found: Sequence[_Found]) -> bool:
    """Whether a message is about one link that exists, and can neither link nor create, nor concern any other link."""
    data = envelope.data
    if len(found) != 1 or not isinstance(data, CustomerObserved | CustomerWritten):
        return False
    one = found[0]
    if one.state not in {LinkState.LINKED, LinkState.RESTING} or one.crm_id is None or one.followed:
        return False
    if isinstance(data, CustomerWritten):
        return data.customer is not None and not data.customer.deleted and data.customer.merged_into is None
    if data.number not in {None, one.number}:
        return False
    here = None if data.crm is None else data.crm.customer
    return data.crm is None or (here is not None and not here.deleted and here.merged_into is None)


def _enter(connection: sa.Connection, envelopes: Sequence[Envelope]) -> None:
    """Enter everybody who is told under a run, before any version gate: what is known already counts too."""
    told = []
    for one in envelopes:
        seen = one.data
        if isinstance(seen, CustomerObserved) and seen.run is not None:
            if seen.crm is not None and seen.customer is not None:
                version = bus.version(seen.crm.version)
                told.append(Told(run=seen.run, system=System.CRM, customer=seen.customer, version=version))
            elif seen.number is not None:
                told.append(Told(run=seen.run, system=System.ECONOMIC, customer=str(seen.number)))
    if told:
        runs.entered(connection, told)


def _found(connection: sa.Connection, envelopes: Sequence[Envelope]) -> dict[int, list[_Found]]:
    wanted = [{"nth": nth, "tenant": one.tenant, **_about(one)} for nth, one in enumerate(envelopes)]
    found: dict[int, list[_Found]] = {}
    for row in connection.execute(_FOUND, {"wanted": to_json(wanted).decode()}):
        key = (row.tenant, row.agreement)
        one = _Found(
            key=key, link=row.id, state=row.state, crm_id=row.crm_id, number=row.number, followed=bool(row.followed)
        )
        found.setdefault(row.nth, []).append(one)
    return found


def _about(envelope: Envelope) -> dict[str, Any]:
    match envelope.data:
        case CustomerObserved(customer=str()) as seen:
            here = None if seen.crm is None else seen.crm.customer
            origin = None if here is None else here.origin
            operations = [] if origin is None else [origin]
            return {"agreement": seen.agreement, "crm_id": seen.customer, "operations": operations, "numbers": []}
        case CustomerObserved(number=int()) as seen:
            numbers = [seen.number, *seen.old_numbers]
            return {"agreement": seen.agreement, "numbers": numbers, "operations": []}
        case CustomerWritten() as answer:
            operations = [one.operation for one in answer.outcomes]
            return {"agreement": answer.agreement, "crm_id": answer.id, "operations": operations, "numbers": []}
        case AgreementObserved() as seen:
            return {"agreement": seen.agreement}
        case ImportProgressed() | BackfillProgressed() as far:
            return {"run": far.run}
        case _:
            return {}


_FOUND = sa.text("""
    select w.nth, w.tenant, coalesce(l.agreement, w.agreement, r.agreement, chosen.agreement) as agreement,
           l.id, l.state, l.crm_id, l.number,
           l.candidates <> '{}' or l.merged_into is not null or l.rest = 'merged' as followed
    from jsonb_to_recordset(:wanted) as w(
        nth integer, tenant text, agreement integer, crm_id text, numbers integer[], operations uuid[], run uuid)
    left join lateral (
        select run.agreement from sync.run where run.id = w.run or run.crm_run = w.run limit 1
    ) r on true
    left join lateral (
        select a.agreement from sync.agreement a
        where a.tenant = w.tenant and a.state <> 'disconnected' and w.crm_id is not null
        order by a.agreement is not distinct from w.agreement desc,
                 a.state in ('switching_on', 'on', 'off', 'access_lost') desc, a.agreement
        limit 1
    ) chosen on true
    left join lateral (
        select one.id, one.agreement, one.state, one.crm_id, one.number, one.candidates, one.merged_into, one.rest from sync.link one
        where one.tenant = w.tenant and one.agreement = coalesce(w.agreement, chosen.agreement) and one.crm_id = w.crm_id
        union
        select one.id, one.agreement, one.state, one.crm_id, one.number, one.candidates, one.merged_into, one.rest from sync.link one
        where one.tenant = w.tenant and one.agreement = w.agreement and one.number = any(w.numbers)
        union
        select one.id, one.agreement, one.state, one.crm_id, one.number, one.candidates, one.merged_into, one.rest from sync.operation o join sync.link one on one.id = o.link
        where o.id = any(w.operations) and o.settled is null and one.tenant = w.tenant
    ) l on true
    where coalesce(l.agreement, w.agreement, r.agreement, chosen.agreement) is not null
""")
"""A customer whose link is in an agreement that was left is looked for in the one that is used now."""
