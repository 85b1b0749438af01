"""How does an import go from one page or phase to the next, and how does it end? Each in the transaction of what was read."""

from collections.abc import Callable

import structlog
from sqlalchemy import Connection

from economic_adapter import agreements, claims, imports, staging, store
from economic_adapter.claims import Claim
from economic_adapter.desk import Desk
from economic_adapter.imports import Import, Phase
from economic_adapter.protocol import PAGE

log = structlog.get_logger(__name__)

MOST_RESTARTS = 3
_AT_ONCE = store.Gather(quiet=0, most=0)

Ending = Callable[[Connection, Import], None]


def go_on(connection: Connection, desk: Desk, claim: Claim, row: Import, phase: Phase, **values: object) -> None:
    """The next phase, with what it begins with."""
    row = imports.save(connection, row.run, **{"phase": phase, "cursor": "", "pages": 0, **values})
    imports.tell(connection, desk.outbox, row)
    claims.again(connection, claim, desk.now())


def turn_page(connection: Connection, desk: Desk, claim: Claim, row: Import, cursor: str, **values: object) -> None:
    """The next page of the same listing."""
    row = imports.save(connection, row.run, **{"cursor": cursor, "pages": row.pages + 1, **values})
    imports.tell(connection, desk.outbox, row)
    claims.again(connection, claim, desk.now())


def begin_again(desk: Desk, claim: Claim, why: str) -> Ending:
    """The ending that begins a listing again."""
    return lambda connection, row: again(connection, desk, claim, row, why)


def again(connection: Connection, desk: Desk, claim: Claim, row: Import, why: str) -> None:
    """A listing that makes no sense is begun again, a few times; then the run fails."""
    if row.restarts >= MOST_RESTARTS:
        fail(connection, desk, claim, row, why)
        return
    log.warning("import.listing_restarted", run=str(row.run), why=why)
    if row.phase == "contacts":
        staging.drop_contacts(connection, row.run)
    turn = row.turn + 1 if row.phase == "customers" else row.turn
    go_on(connection, desk, claim, row, row.phase, restarts=row.restarts + 1, turn=turn)


def fail(connection: Connection, desk: Desk, claim: Claim, row: Import, cause: str) -> None:
    """The run ends for a reason that is told in words."""
    imports.tell(connection, desk.outbox, imports.end(connection, row, "failed", desk.now(), cause))
    claims.finish(connection, claim)
    log.error("import.failed", run=str(row.run), kind=row.kind, cause=cause)


def close(connection: Connection, desk: Desk, claim: Claim, row: Import) -> None:
    """Everybody was told. Who is listed nowhere any more is looked at; its absence is believed when seen twice."""
    staging.found_again(connection, row.run, row.agreement, row.turn, row.began or desk.now())
    gone = staging.listed_nowhere(connection, row.run, row.agreement, row.turn)
    unnoticed = 0
    for first in range(0, len(gone), PAGE):
        some = gone[first : first + PAGE]
        unnoticed += len(some) - len(store.told_of(connection, claim.agreement, some))
        for number in some:
            store.mark(connection, claim.agreement, number, why="sweep", now=desk.now(), gather=_AT_ONCE)
    if row.kind == "sweep":
        row = imports.save(connection, row.run, found=row.found + unnoticed)
        agreements.missed(connection, claim.agreement, row.found)
    imports.tell(connection, desk.outbox, imports.end(connection, row, "closed", desk.now()))
    claims.finish(connection, claim)
    log.info("import.closed", run=str(row.run), kind=row.kind, customers=row.read, calls=row.calls, found=row.found)
