"""Is everything that was recorded the same on both sides, or known to differ? Asked after each night's reading, and by operators."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final
from uuid import UUID

import sqlalchemy as sa
import structlog

from crm_outbox.messaging.envelope import Lane
from crm_outbox.messaging.outbox import append_all
from reconciler import agreements, asked, braking, bus, comparisons, ordering, overlooking, overview, questions, store
from reconciler.silent import Standing, compared
from reconciler.stepping import Clocked
from reconciler.tasks import overlooked

log = structlog.get_logger(__name__)
MOST: Final = 1000
"""Customers that are asked about at one time; a comparison counts all of them, and asks about more as these are settled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One agreement: how many linked customers stand how, and the silent differences with their details."""

    tenant: str
    agreement: int
    standing: dict[str, int]
    silent: list[dict[str, object]]
    links: list[UUID]
    """The links of those."""

    @property
    def customers(self) -> int:
        """How many were compared."""
        return sum(self.standing.values())


def compare(connection: sa.Connection, tenant: str, agreement: int, now: datetime, resend: timedelta) -> Comparison:
    """Compare every linked customer of an agreement, on what is recorded of both sides."""
    known = next(one for one in agreements.of_tenant(connection, tenant) if one.agreement == agreement)
    rules = agreements.rules_of(connection, known, resend)
    held = overview.held(connection, tenant, agreement)
    untold = overview.untold(connection, tenant, agreement)
    standing: Counter[str] = Counter()
    silent: list[dict[str, object]] = []
    links: list[UUID] = []
    for link in store.of_agreement(connection, tenant, agreement):
        found = compared(link, braking.still(rules) if link.id in held else rules, now, told=link.id not in untold)
        if found is None:
            continue
        standing[str(found.standing)] += 1
        if found.standing is Standing.SILENT:
            silent.append({"customer": link.crm_id, "number": link.number, "details": list(found.details)})
            links.append(link.id)
    standing_ = dict(sorted(standing.items()))
    return Comparison(tenant=tenant, agreement=agreement, standing=standing_, silent=silent, links=links)


def carry_on(engine: sa.Engine, clocked: Clocked) -> int:
    """Compare each agreement that a sweep has read since it was compared last; returns how many were."""
    with engine.connect() as connection:
        found = comparisons.to_make(connection)
    for tenant, agreement, run in found:
        with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
            # one snapshot: what is edited meanwhile would else be told of one table and not yet of the other
            made = compare(connection, tenant, agreement, clocked.now(), clocked.resend)
        _ask_all(engine, clocked, tenant, agreement, made.links)
        with engine.begin() as connection:
            comparisons.insert(connection, tenant, agreement, run, made.standing, made.silent, clocked.now())
        if made.silent:
            log.error("compare.silent_differences", agreement=agreement, differences=len(made.silent))
    return len(found)


def _ask_all(engine: sa.Engine, clocked: Clocked, tenant: str, agreement: int, links: Sequence[UUID]) -> None:
    """Open and close the questions that a comparison leads to: each customer as it stands now, in a transaction of its own."""
    with engine.connect() as connection:
        known = questions.about_silent(connection, tenant, agreement)
    differing, asked_about = set(links), set(known)
    room = max(0, MOST - len(differing & asked_about))
    more = [one for one in links if one not in asked_about][:room]
    for link in (*known, *more):
        ordering.within(engine, partial(_ask, clocked, link=link))


def _ask(clocked: Clocked, connection: sa.Connection, link: UUID) -> None:
    stored = store.lock_id(connection, link)
    if stored is None:
        return
    rules = stored.agreement.rules_for(stored.link, clocked.resend)
    now = clocked.now()
    stands = overlooking.found(connection, stored.link, braking.still(rules) if stored.held else rules, now)
    before = [one for one in stored.asked if one.kind == "silent"]
    wanted = () if stands is None else (overlooked(stored.link, stands.details),)
    drafts = questions.save(connection, stored.link, asked.difference(before, wanted), "gone", now, None, Lane.LIVE)
    append_all(connection, bus.OUTBOX, drafts)
