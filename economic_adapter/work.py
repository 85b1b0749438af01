"""How is one due row done? Claim, do, finish if the claim is still its own; a failure's class says what becomes of it.

Time never kills work: a row that cannot be done goes back with its cause. An outage, a 429 and a lost grant are no
attempts. Any crash is safe: a claim is freed by the clock, and what was sent is settled by looking.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta

import structlog
from prometheus_client import Counter
from sqlalchemy import Connection

from economic_adapter import budget as budgets
from economic_adapter import claims, importing, look, observation, poll, records, search, write
from economic_adapter.budget import Lane
from economic_adapter.claims import Claim, Kind
from economic_adapter.desk import Calls, Desk, Finish, Held, Late, Stopped
from economic_adapter.protocol import AccessLost, Failed, Forbidden, Throttled, Transient

log = structlog.get_logger(__name__)

ROWS = Counter("economic_work", "Rows of work by how they ended", ["kind", "result"])
BUG_ATTEMPTS = 3
BUG_REST = timedelta(hours=1)
"""A row that failed three times by our own mistake is tried once an hour, and shows as stuck meanwhile."""

_FLOWS: Mapping[Kind, Callable[[Desk, Claim, Calls], Finish]] = {
    "look": lambda desk, claim, calls: (search if claim.number is None else look).do(desk, claim, calls),
    "write": write.do,
    "poll": poll.do,
    "page": importing.do,
    "check": lambda desk, claim, calls: desk.check(desk, claim, calls),
}


def step(desk: Desk, agreement: int, worker: int) -> bool:
    """Do the best due row of an agreement; false when none may be done now. ``worker``: key of the worker's session lock.

    Raises only when the database is away.
    """
    claim = _claim(desk, agreement, worker)
    if claim is None:
        return False
    correlation = None if claim.cause is None else claim.cause.correlation
    with structlog.contextvars.bound_contextvars(agreement=agreement, correlation=correlation, kind=claim.kind):
        calls = Calls(desk, claim)
        try:
            finish = _FLOWS[claim.kind](desk, claim, calls)
            ended = _finish(desk, claim, calls, finish)
            ROWS.labels(claim.kind, "done" if ended else "lost").inc()
        except Stopped:
            _give_back(desk, claim, calls, Held(budgets.Wait(until=desk.now(), cause="")))
        except Held as held:
            _give_back(desk, claim, calls, held)
        except Failed as failed:
            _failed(desk, claim, calls, failed)
        except Exception as error:
            log.exception("work.bug", work=claim.id)
            _bug(desk, claim, calls, error)
    desk.ring()
    return True


def _claim(desk: Desk, agreement: int, worker: int) -> Claim | None:
    now = desk.now()
    with desk.engine.begin() as connection:
        account = records.account(connection, agreement)
        if account is None:
            return None
        lanes = [lane for lane in Lane if budgets.check(account.budget, lane, now) is None]
        if not lanes:
            return None
        claim = claims.claim(
            connection,
            agreement,
            state=account.state,
            tenant=account.tenant,
            lanes=lanes,
            worker=worker,
            now=now,
            probe=account.budget.failures >= budgets.BREAKER,
            looks=budgets.check_look(account.budget, now) is None,
        )
        if claim is not None:
            observation.tell_look(connection, desk.outbox, claim, "taken")
    if claim is not None and claim.look is not None:
        desk.ring()
    return claim


def _finish(desk: Desk, claim: Claim, calls: Calls, finish: Finish) -> bool:
    if claim.kind in {"poll", "check"}:  # they change the agreement's row, which is locked before any other
        return _ended(desk, claim, finish, before=calls.fold)
    if claim.kind == "page":
        ended = _ended(desk, claim, finish, before=lambda connection: importing.ahead(connection, claim, calls))
    else:
        ended = _ended(desk, claim, finish)
    with desk.engine.begin() as connection:  # apart, so that the agreement is not held while everything is written
        calls.fold(connection)
    return ended


def _ended(desk: Desk, claim: Claim, finish: Finish, before: Finish = lambda _: None) -> bool:
    with desk.engine.begin() as connection:
        before(connection)
        if not claims.still_mine(connection, claim):
            log.warning("work.claim_lost", work=claim.id)
            return False
        finish(connection)
        return True


def _give_back(desk: Desk, claim: Claim, calls: Calls, held: Held) -> None:
    with desk.engine.begin() as connection:
        _waits(desk, connection, claim, calls, held.wait.cause)
        if held.wait.cause:
            observation.tell_look(connection, desk.outbox, claim, "unanswered", held.wait.cause)
        claims.postpone(connection, claim, due_at=held.wait.until, waiting=held.wait.cause, attempt=held.attempt)
    ROWS.labels(claim.kind, "held").inc()


def _failed(desk: Desk, claim: Claim, calls: Calls, failed: Failed) -> None:
    now = desk.now()
    with desk.engine.begin() as connection:
        account = calls.fold_failure(connection, failed)
        _waits(desk, connection, claim, calls, _cause(failed))
        observation.tell_look(connection, desk.outbox, claim, "unanswered", _cause(failed))
        match failed:
            case Throttled():
                until = account.budget.paused_until or now
                claims.postpone(connection, claim, due_at=until, waiting="throttled", error=failed.code)
            case AccessLost() | Forbidden():
                desk.lost(connection, claim.agreement, failed)
                claims.postpone(connection, claim, due_at=now, waiting="access_lost", error=failed.code)
            case Transient():
                due = now + budgets.back_off(claim.attempts + 1, desk.backoff_max, desk.chance())
                if account.budget.probe_at is not None:  # it may be the only one there is to probe with
                    due = min(due, account.budget.probe_at)
                claims.postpone(connection, claim, due_at=due, waiting="away", error=_named(failed), attempt=True)
            case _:
                _rest(desk, connection, claim, _named(failed))
    ROWS.labels(claim.kind, type(failed).__name__.lower()).inc()
    log.warning("work.failed", work=claim.id, error=type(failed).__name__, code=failed.code, attempts=claim.attempts)


def _bug(desk: Desk, claim: Claim, calls: Calls, error: Exception) -> None:
    with desk.engine.begin() as connection:
        _waits(desk, connection, claim, calls, "bug")
        observation.tell_look(connection, desk.outbox, claim, "unanswered", "bug")
        _rest(desk, connection, claim, type(error).__name__)
    ROWS.labels(claim.kind, "bug").inc()


def _rest(desk: Desk, connection: Connection, claim: Claim, error: str) -> None:
    tried = claim.attempts + 1
    wait = BUG_REST if tried >= BUG_ATTEMPTS else budgets.back_off(tried + 3, desk.backoff_max, desk.chance())
    claims.postpone(connection, claim, due_at=desk.now() + wait, waiting="bug", error=error, attempt=True)


def _waits(desk: Desk, connection: Connection, claim: Claim, calls: Calls, cause: str) -> None:
    """Before the row is given back, because whoever asks for a run locks it before its row."""
    if claim.kind == "page":
        importing.waits(connection, desk, claim, calls, cause)


def _cause(failed: Failed) -> str:
    match failed:
        case Throttled():
            return "throttled"
        case AccessLost() | Forbidden():
            return "access_lost"
        case Late():
            return "late"
        case Transient():
            return "away"
        case _:
            return "bug"


def _named(failed: Failed) -> str:
    return f"{type(failed).__name__}:{failed.code}"
