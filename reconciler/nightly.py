"""Is everything that was recorded the same on both sides, or known to differ? Asked after each night's reading, and by operators."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog

from reconciler import agreements, braking, comparisons, overview, store
from reconciler.silent import Standing, compared
from reconciler.stepping import Clocked

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One agreement: how many linked customers stand how, and the silent differences with their details."""

    tenant: str
    agreement: int
    standing: dict[str, int]
    silent: list[dict[str, object]]

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
    for link in store.of_agreement(connection, tenant, agreement):
        found = compared(link, braking.still(rules) if link.id in held else rules, now, told=link.id not in untold)
        if found is None:
            continue
        standing[str(found.standing)] += 1
        if found.standing is Standing.SILENT:
            silent.append({"customer": link.crm_id, "number": link.number, "details": list(found.details)})
    return Comparison(tenant=tenant, agreement=agreement, standing=dict(sorted(standing.items())), silent=silent)


def carry_on(engine: sa.Engine, clocked: Clocked) -> int:
    """Compare each agreement that a sweep has read since it was compared last; returns how many were."""
    with engine.connect() as connection:
        found = comparisons.to_make(connection)
    for tenant, agreement, run in found:
        with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
            # one snapshot: what is edited meanwhile would else be told of one table and not yet of the other
            made = compare(connection, tenant, agreement, clocked.now(), clocked.resend)
        with engine.begin() as connection:
            comparisons.insert(connection, tenant, agreement, run, made.standing, made.silent, clocked.now())
        if made.silent:
            log.error("compare.silent_differences", agreement=agreement, differences=len(made.silent))
    return len(found)
