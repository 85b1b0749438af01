"""What does a worker have at hand, and how does it make one call? Permission first, then the call, then what it told.

Every call is permitted in a short transaction of its own on the agreement's row, so that all workers of all processes
obey one bucket, one pause and one breaker.
"""

import contextvars
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

import sqlalchemy as sa
from sqlalchemy import Connection

from crm_outbox.messaging.outbox import Outbox
from economic_adapter import budget as budgets
from economic_adapter import claims, records
from economic_adapter.budget import Lane, Wait
from economic_adapter.claims import Claim
from economic_adapter.client import Grant
from economic_adapter.protocol import Answer, Failed, Request, Throttled, Transient

LOOK_SECONDS: Final = 5.0
"""A look that somebody waits for is given up after so long."""

Finish = Callable[[Connection], None]
"""What a row leaves behind, in the transaction that ends its claim."""


class Sender(Protocol):
    """Who sends: ``client.Client``, or a test's own."""

    def send(self, request: Request, grant: Grant, within: float | None = None) -> Answer:
        """One call and its answer, or ``protocol.Failed``; ``within``: seconds after which it is given up."""
        ...


class Held(Exception):
    """The row has to wait and goes back as it is; no failure, and no attempt unless so said."""

    def __init__(self, wait: Wait, *, attempt: bool = False) -> None:
        super().__init__(wait.cause)
        self.wait = wait
        self.attempt = attempt


class Late(Transient):
    """Whoever waited for this look does so no longer. It says nothing of e-conomic, which may only be slow."""


class Stopped(Exception):
    """The claim is not its own any more, or the agreement was switched off: leave everything as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Everything the flows of a worker use. ``now`` and ``chance`` (from 0 to 1) are given, so that tests can say them.

    ``open_grant`` gives the grant of an agreement in clear. ``lost`` notes, in the caller's transaction, that e-conomic
    refuses us, and tells of it. ``check`` does a row of kind ``check``. ``ring`` wakes the relay after a commit.
    ``reached`` tells, in the caller's transaction, that whether e-conomic is called for an agreement is another now.
    """

    engine: sa.Engine
    client: Sender
    outbox: Outbox
    now: Callable[[], datetime]
    chance: Callable[[], float]
    open_grant: Callable[[Connection, int], Grant]
    lost: Callable[[Connection, int, Failed], None]
    check: Callable[["Desk", Claim, "Calls"], Finish]
    ring: Callable[[], None] = lambda: None
    reached: Callable[[Connection, int], None] = lambda _connection, _agreement: None
    backoff_max: float = 900.0
    confirm_missing: float = 60.0
    """Seconds after which a customer seen missing is looked at again, before it is told."""
    poll_overlap: float = 300.0
    """Seconds a poll reaches back behind the one before."""


class Calls:
    """The calls of one claimed row, one after another."""

    def __init__(self, desk: Desk, claim: Claim) -> None:
        self._desk = desk
        self._claim = claim
        self._grant: Grant | None = None
        self.made = 0
        """How many were made."""
        self._answer: Answer | None = None
        self._ends = None if claim.look is None else time.monotonic() + LOOK_SECONDS

    def both(self, first: Request, second: Request) -> tuple[Answer | Failed, Answer | Failed]:
        """Two calls that only read, at the same time; raises as ``send`` where the first may not be made."""
        grant = self._permitted(None, calls=2)
        answers: list[Answer | Failed] = []
        context = contextvars.copy_context()  # so that the logs of both name the same
        other = threading.Thread(target=lambda: answers.append(context.run(self._tried, second, grant)), daemon=True)
        other.start()
        mine = self._tried(first, grant)
        other.join()
        theirs = answers[0] if answers else Transient("lost")
        for one in (mine, theirs):
            self._answer = _sign_of_life(one) or self._answer
        return mine, theirs

    def send(self, request: Request, record: Callable[[Connection], bool] | None = None) -> Answer:
        """One call. ``record`` stores, in the permitting transaction, that it leaves; false stops it.

        Raises ``Held`` when it may not be made now, ``Stopped`` when the row is not ours any more, or ``protocol.Failed``.
        """
        grant = self._permitted(record)
        said = self._tried(request, grant)
        self._answer = _sign_of_life(said)
        if isinstance(said, Failed):
            raise said
        return said

    def _permitted(self, record: Callable[[Connection], bool] | None, calls: int = 1) -> Grant:
        desk, claim = self._desk, self._claim
        with desk.engine.begin() as connection:
            account = self._locked(connection)
            if claim.kind not in claims.ALLOWED[account.state]:
                raise Stopped
            told = self._told(account)
            if (wait := budgets.stopped(told, desk.now())) is not None:
                raise Held(wait)
            for _ in range(calls):
                told = budgets.spend(told, desk.now(), look=claim.kind == "look" and claim.lane is Lane.PERSON)
            self._keep(connection, account, told)
            if record is not None and not (claims.still_mine(connection, claim) and record(connection)):
                raise Stopped
            if self._grant is None:
                self._grant = desk.open_grant(connection, claim.agreement)
        self.made += calls
        return self._grant

    def _sent(self, request: Request, grant: Grant) -> Answer:
        if self._ends is None:
            return self._desk.client.send(request, grant)
        left = self._ends - time.monotonic()
        if left <= 0:
            raise Late("late")
        try:
            return self._desk.client.send(request, grant, within=left)
        except Transient as failed:
            if time.monotonic() < self._ends:
                raise
            raise Late("late", failed.head) from None

    def _tried(self, request: Request, grant: Grant) -> Answer | Failed:
        try:
            return self._sent(request, grant)
        except Failed as failed:
            return failed

    def fold(self, connection: Connection) -> None:
        """Put what the last good answer told into the agreement's budget; locks the agreement if there is something."""
        if self._answer is not None:
            account = self._locked(connection)
            self._keep(connection, account, self._told(account))

    def fold_failure(self, connection: Connection, failed: Failed) -> records.Account:
        """The same for a call that failed: a pause, a step towards the breaker, or a sign of life."""
        account = self._locked(connection)
        now, rate = self._desk.now(), None if failed.head is None else failed.head.rate
        match failed:
            case Throttled():
                after = budgets.throttled(account.budget, rate, failed.retry_after, now, self._desk.chance())
            case Late():
                after = account.budget
            case Transient():
                told = budgets.told(account.budget, rate, now)
                after = budgets.failed(told, now, self._desk.backoff_max, self._desk.chance())
            case _:
                after = budgets.answered(account.budget, rate, now)
        self._answer = None
        return self._keep(connection, account, after)

    def _locked(self, connection: Connection) -> records.Account:
        account = records.account(connection, self._claim.agreement)
        if account is None:
            raise Stopped
        return account

    def _told(self, account: records.Account) -> budgets.Budget:
        answer, self._answer = self._answer, None
        if answer is None:
            return account.budget
        return budgets.answered(account.budget, answer.head.rate, self._desk.now())

    def _keep(self, connection: Connection, account: records.Account, after: budgets.Budget) -> records.Account:
        if after != account.budget:
            records.keep_budget(connection, account.number, after)
        now = self._desk.now()
        if account.budget.failures >= budgets.BREAKER and after.failures == 0:
            claims.hurry(connection, account.number, now)
        if budgets.reach(after, now) != budgets.reach(account.budget, now):
            self._desk.reached(connection, account.number)
        return records.Account(number=account.number, tenant=account.tenant, state=account.state, budget=after)


def _sign_of_life(said: Answer | Failed) -> Answer | None:
    """What an answer told of e-conomic, also a bad one: it is there, and the flow may go on with what it said."""
    if isinstance(said, Answer):
        return said
    if isinstance(said, Transient | Throttled) or said.head is None:
        return None
    return Answer(head=said.head)
