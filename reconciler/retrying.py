"""In what order are errors tried again? One at once; many by the clock, a customer a transaction, until answered or stopped.

Each is a decision of whoever asked for it. What was sent ends as it ends: done, or failed again.
"""

from datetime import datetime
from uuid import UUID, uuid5

import sqlalchemy as sa
import structlog
from sqlalchemy import Connection

from reconciler import acts, decided, deciding, retries, singly, store, worklists
from reconciler.decided import Saved
from reconciler.decisions import Decision, NotDecided
from reconciler.link import Link
from reconciler.narrowing import ERRORS, MOST, Filter
from reconciler.person import Person
from reconciler.retries import Item, Retry
from reconciler.stepping import Clocked

log = structlog.get_logger(__name__)


def one(clocked: Clocked, connection: Connection, person: Person, task: UUID, decision: UUID) -> Saved | None:
    """Try one error again; none where there is no such error any more. Sent again it tells how the first stands."""
    known = decided.get(connection, decision)
    if known is not None and known.decision.tenant == person.tenant:
        return known
    found = worklists.question(connection, person.tenant, task)
    if found is None or found[0].kind not in ERRORS or found[0].link is None:
        return None
    stored = store.find(connection, found[0].link)
    if stored is None or found[1] is not None:
        return None
    return deciding.save(clocked, connection, _again(clocked, stored.link, decision, person.name, person.id))


def many(
    connection: Connection, person: Person, wanted: Filter, shown: datetime, retry: UUID, now: datetime
) -> Retry | None:
    """Have every error tried again that a filter showed at that moment and that is still there; none where there is none.

    Sent again it tells how the first stands.
    """
    known = retries.find(connection, person.tenant, retry)
    if known is not None:
        return known
    found, _ = worklists.questions(connection, person.tenant, "errors", wanted, limit=MOST)
    tasks = [each.id for each in found if each.opened <= shown and each.link is not None]
    if not tasks:
        return None
    if retries.insert(connection, retry, person.tenant, (person.name, person.id), now, tasks):
        acts.add(connection, person, "retry_all", now, None, {"errors": ("", str(len(tasks)))})
    return retries.find(connection, person.tenant, retry)


def stop(connection: Connection, person: Person, retry: UUID, now: datetime) -> Retry | None:
    """Begin with no more of an attempt; how far it came, none where there is no such attempt."""
    if retries.stop(connection, person.tenant, retry):
        acts.add(connection, person, "stop_retry", now)
    return retries.find(connection, person.tenant, retry)


def carry_on(engine: sa.Engine, clocked: Clocked) -> int:
    """The next errors of every attempt, and those that were answered; returns how many moved."""
    return singly.carry_on(engine, clocked, retries, _moved, _failed)


def _failed(connection: Connection, item: Item, error: Exception) -> None:
    if not isinstance(error, NotDecided):
        log.error("retry.item_failed", retry=str(item.retry), position=item.position, exc_info=error)
    retries.mark(connection, item, "failed")


def _moved(clocked: Clocked, connection: Connection, item: Item) -> bool:
    """Try an error again, or see how it ended; whether it moved."""
    stored = store.find(connection, item.link)
    asked = retries.lock(connection, item)
    if asked is None:
        return False
    tenant, who, who_id = asked
    if stored is None or stored.link.tenant != tenant:
        retries.mark(connection, item, "done")
        return True
    if item.state == "planned":
        if not retries.is_open(connection, item):
            retries.mark(connection, item, "done")  # it was corrected at its source
            return True
        deciding.save(
            clocked, connection, _again(clocked, stored.link, uuid5(item.retry, str(item.position)), who, who_id)
        )
        retries.mark(connection, item, "sent")
        return True
    if stored.link.pending:
        return False
    retries.mark(connection, item, "failed" if retries.is_open(connection, item) else "done")
    return True


def _again(clocked: Clocked, link: Link, decision: UUID, who: str, who_id: str) -> Decision:
    return Decision(
        id=decision,
        tenant=link.tenant,
        agreement=link.agreement or 0,
        link=link.id,
        means="retry",
        who=who,
        who_id=who_id,
        at=clocked.now(),
        seen=deciding.versions(link),
    )
