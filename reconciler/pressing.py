"""What does a press on one of a status's buttons decide? One recorded decision of its person, however often the form is sent.

Pages, the widget and the JSON press alike; who may press what is asked before, at the door.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection

from crm_outbox.contract import Stage
from reconciler import beside, decided, deciding, flowing, joining, sides, store, views, wishing
from reconciler.alone import PERSON
from reconciler.decided import Saved
from reconciler.decisions import Decision, Means, NotDecided
from reconciler.link import CrmSeen, EconomicSeen, Link, LinkState
from reconciler.overwriting import overwriting
from reconciler.person import Person
from reconciler.rehearsal import Write
from reconciler.stepping import Clocked

Sides = tuple[CrmSeen | None, EconomicSeen | None]
"""What is recorded of a customer, in the CRM and in e-conomic."""


class NotThere(Exception):
    """The tenant has no such customer, or it stands in no agreement in use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """Who presses, about which customer of the CRM, and the form's id: sent again it is the same decision."""

    person: Person
    customer: str
    id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressed:
    """What came of it. ``stale`` are the details that moved since they were shown; ``moved``: what was shown as a whole did.

    Nothing was decided where ``saved`` is none.
    """

    saved: Saved | None = None
    stale: tuple[str, ...] = ()
    moved: bool = False


def update(clocked: Clocked, connection: Connection, press: Press, marks: Mapping[str, str]) -> Pressed:
    """Overwrite these details in e-conomic, each as its mark shows it was seen; one that moved is left out, and named.

    ``NotDecided`` for a detail that the customer has not.
    """
    stored = _stored(connection, press)
    if (before := _before(connection, press, stored)) is not None:
        return Pressed(saved=before)
    link, rules = stored.link, stored.agreement.rules_for(stored.link, clocked.resend)
    known = {
        row.key: row.detail if row.kind == "customer" else f"contact.{row.detail}" for row in beside.rows(link, rules)
    }
    now = {row.key: row for row in overwriting(link, rules).overwrites}
    pairs = {pair.id: pair for pair in link.pairs}
    if not marks.keys() <= known.keys():
        raise NotDecided("there is no such detail")
    stale = [key for key, mark in marks.items() if key not in now or now[key].mark != mark]
    whole = {row.record for row in now.values() if row.stands == "one_side"}
    moved = {
        now[key].record for key in stale if key in now
    } & whole  # a contact person is created as seen, or not at all
    chosen = [now[key] for key in marks if key not in stale and now[key].record not in moved]
    about = dict.fromkeys((row.record, PERSON if row.record in whole else row.detail) for row in chosen)
    wishes = [wishing.wish(link, pairs[record], detail, "crm") for record, detail in about]
    if not wishes:
        return Pressed(stale=tuple(known[key] for key in stale))
    decision = replace(_decision(clocked, press, link, "settle"), wishes=tuple(wishes))
    return Pressed(saved=deciding.save(clocked, connection, decision), stale=tuple(known[key] for key in stale))


def create(
    clocked: Clocked,
    connection: Connection,
    press: Press,
    *,
    not_these: Collection[int] = (),
    task: str = "",
    also_a_lead: bool = False,
) -> Pressed:
    """Create the customer in e-conomic now; ``not_these`` were shown as possible twins and are not it.

    A lead is created only where it was asked about: otherwise what was shown counts as moved.
    """
    stored = _stored(connection, press, made=True)
    if (before := _before(connection, press, stored)) is not None:
        return Pressed(saved=before)
    if stored.link.stage is Stage.LEAD and not also_a_lead:
        return Pressed(moved=True)
    decision = _decision(clocked, press, stored.link, "create")
    decision = replace(decision, task=task, ids=tuple(str(one) for one in not_these))
    return Pressed(saved=deciding.save(clocked, connection, decision))


def retry(clocked: Clocked, connection: Connection, press: Press) -> Pressed:
    """Try again what was refused."""
    return _plain(clocked, connection, press, "retry")


def unlink(clocked: Clocked, connection: Connection, press: Press, number: int) -> Pressed:
    """The customer is linked no longer with that number, which was shown; nothing is written or deleted in either system."""
    stored = _stored(connection, press)
    if (before := _before(connection, press, stored)) is not None:
        return Pressed(saved=before)
    if stored.link.number != number:
        return Pressed(moved=True)
    return Pressed(saved=deciding.save(clocked, connection, _decision(clocked, press, stored.link, "unlink")))


def link(clocked: Clocked, connection: Connection, press: Press, number: int) -> Pressed:
    """The customer is that one of e-conomic, which was shown as one that it may be."""
    return _is(clocked, connection, press, number, "link")


def apart(clocked: Clocked, connection: Connection, press: Press, number: int) -> Pressed:
    """The customer is not that one of e-conomic, for good."""
    return _is(clocked, connection, press, number, "not_the_same")


def leave(clocked: Clocked, connection: Connection, press: Press, task: str) -> Pressed:
    """The question about a customer deleted in e-conomic is answered with leaving it as it is."""
    stored = _stored(connection, press)
    decision = replace(_decision(clocked, press, stored.link, "leave"), task=task)
    return Pressed(saved=_before(connection, press, stored) or deciding.save(clocked, connection, decision))


def still(clocked: Clocked, connection: Connection, press: Press) -> Pressed:
    """The customer flows automatically no longer: it is recorded and compared, and nothing is written by itself."""
    return _plain(clocked, connection, press, "still")


def flow(clocked: Clocked, connection: Connection, press: Press, shown: str) -> Pressed:
    """The customer flows automatically from here on, if what that writes is what was shown (``flowing.mark``)."""
    stored = _stored(connection, press)
    if (before := _before(connection, press, stored)) is not None:
        return Pressed(saved=before)
    if stored.link.state is LinkState.LINKED:
        # from here to the end of the transaction nothing of it moves
        stored = store.lock_id(connection, stored.link.id) or stored
        if flowing.mark(would_flow(connection, stored, clocked.resend, clocked.now())) != shown:
            return Pressed(moved=True)
    return Pressed(saved=deciding.save(clocked, connection, _decision(clocked, press, stored.link, "flow")))


def would_flow(connection: Connection, stored: store.Stored, resend: timedelta, now: datetime) -> tuple[Write, ...]:
    """What would be written if that customer flowed automatically from here on."""
    return would_write(stored, recorded(connection, [stored])[stored.link.id], resend, now)


def would_write(stored: store.Stored, sides_: Sides, resend: timedelta, now: datetime) -> tuple[Write, ...]:
    """As ``would_flow``, with what is recorded of both sides."""
    rules, (here, there) = stored.agreement.rules_for(stored.link, resend), sides_
    return flowing.would_write(stored.link, rules, now, crm=here, economic=there)


def recorded(connection: Connection, found: Sequence[store.Stored]) -> dict[UUID, Sides]:
    """What is recorded of both sides of these customers of one agreement, by link; in as many statements as of one."""
    if not found:
        return {}
    key, links = found[0].link, [one.link for one in found]
    here = sides.crm_of(connection, key.tenant, [one.crm_id for one in links])
    numbers = [one.number for one in links if one.number is not None]
    there = sides.economic_of(connection, key.tenant, key.agreement or 0, numbers)
    return {one.id: (here.get(one.crm_id), None if one.number is None else there.get(one.number)) for one in links}


def _is(clocked: Clocked, connection: Connection, press: Press, number: int, means: Means) -> Pressed:
    """Where it may not be that one any more, what was shown counts as moved."""
    stored = _stored(connection, press)
    if (before := _before(connection, press, stored)) is not None:
        return Pressed(saved=before)
    if number not in stored.link.may_be:
        return Pressed(moved=True)
    decision = replace(_decision(clocked, press, stored.link, means), number=number)
    return Pressed(saved=deciding.save(clocked, connection, decision))


def _plain(clocked: Clocked, connection: Connection, press: Press, means: Means) -> Pressed:
    stored = _stored(connection, press)
    before = _before(connection, press, stored)
    return Pressed(saved=before or deciding.save(clocked, connection, _decision(clocked, press, stored.link, means)))


def _stored(connection: Connection, press: Press, *, made: bool = False) -> store.Stored:
    """The link it is about, not locked; ``made``: of a customer that was only recorded so far, it is made."""
    tenant = press.person.tenant
    found = views.customer(connection, tenant, press.customer)
    if found.stored is None and made and found.agreement is not None:
        joining.locked(connection, tenant, found.agreement.agreement, press.customer, None)
        found = views.customer(connection, tenant, press.customer)
    if found.stored is None:
        raise NotThere
    return found.stored


def _before(connection: Connection, press: Press, stored: store.Stored) -> Saved | None:
    """What that very form decided before, if it was sent already."""
    saved = decided.get(connection, press.id)
    if saved is None:
        return None
    if saved.decision.link != stored.link.id:
        raise NotDecided("there is another decision of that id")
    return saved


def _decision(clocked: Clocked, press: Press, link: Link, means: Means) -> Decision:
    return Decision(
        id=press.id,
        tenant=link.tenant,
        agreement=link.agreement or 0,
        link=link.id,
        means=means,
        who=press.person.name,
        who_id=press.person.id,
        at=clocked.now(),
        seen=deciding.versions(link),
    )
