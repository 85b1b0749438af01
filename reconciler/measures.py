"""What is measured of a tenant, for its page on how everything fares? Reading only; no value of a detail is among it."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from reconciler import agreements, alive, comparisons, installation, mailbox, runs
from reconciler.health import SPAN, Facts, Lag, Nightly
from reconciler.narrowing import ERRORS
from reconciler.rules import System

MOST: Final = 20_000
"""Writes whose edits are measured at most, the latest ones."""
MOST_NAMED: Final = 20


def of(connection: sa.Connection, tenant: str, now: datetime, *, has_mail: bool) -> Facts:
    """What is known of the agreement that a tenant uses, and of the parts that carry it."""
    known = next((one for one in agreements.of_tenant(connection, tenant) if one.state != "disconnected"), None)
    post = mailbox.post(connection, tenant)
    tasks = connection.execute(_TASKS, {"tenant": tenant, "errors": list(ERRORS)}).one()
    facts = Facts(
        now=now, questions=tasks.questions, errors=tasks.errors, oldest=tasks.oldest, oldest_error=tasks.oldest_error,
        has_mail=has_mail, readers=post.readers, mail_failed=post.failed, mail_given_up=post.given_up, duties=alive.last(connection),
        unsent=unsent(connection, now), told=installation.last(connection),
    )  # fmt: skip
    if known is None:
        return facts
    waits = connection.execute(_CRM, {"tenant": tenant, "agreement": known.agreement}).one()
    return replace(
        facts,
        state=known.state,
        since=known.changed,
        lags=_lags(connection, tenant, now),
        nightly=_nightly(connection, tenant, known.agreement),
        webhooks=known.webhooks,
        polling=known.polling,
        figures=known.figures,
        reach=known.reach,
        crm_waits=waits.waits,
        crm_answered=waits.answered,
    )


def unsent(connection: sa.Connection, now: datetime) -> datetime | None:
    """Since when the oldest message of ours has waited that is to leave at once; its age is the database's to say."""
    age: timedelta | None = connection.execute(_UNSENT).scalar()
    return None if age is None else now - age


def _lags(connection: sa.Connection, tenant: str, now: datetime) -> dict[System, Lag]:
    values = {"tenant": tenant, "since": now - SPAN, "most": MOST}
    return {
        System(row.system): Lag(half=row.times[0], most=row.times[1], edits=row.edits)
        for row in connection.execute(_LAGS, values)
    }


def _nightly(connection: sa.Connection, tenant: str, agreement: int) -> Nightly:
    swept = connection.execute(_SWEPT, {"tenant": tenant, "agreement": agreement}).one_or_none()
    newest = runs.latest(connection, tenant, agreement, ["sweep"])
    night = comparisons.last(connection, tenant, agreement)
    return Nightly(
        read_at=None if swept is None else swept.ended,
        found=0 if swept is None else swept.found,
        failed=newest is not None and newest.state == "failed",
        compared_at=None if night is None else night.at,
        compared=0 if night is None else night.customers,
        differences=0 if night is None else night.differences,
        customers=() if night is None else tuple((one["customer"], one["number"]) for one in night.silent[:MOST_NAMED]),
    )


_TASKS = sa.text("""
    select count(*) filter (where kind <> all(:errors)) as questions, count(*) filter (where kind = any(:errors)) as errors,
           min(opened) filter (where kind <> all(:errors)) as oldest,
           min(opened) filter (where kind = any(:errors)) as oldest_error
    from sync.task where tenant = :tenant and closed is null
""")
_UNSENT = sa.text("select clock_timestamp() - since from sync.outbox_pending where lane = 'live' order by id limit 1")
_LAGS = sa.text("""
    select system, count(*) as edits,
           percentile_disc(array[0.5, 0.95]) within group (order by extract(epoch from settled - made)::float8) as times
    from (
        select o.system, o.settled, case cardinality(o.edits) when 0 then array[o.caused] else o.edits end as edits from sync.operation o join sync.link l on l.id = o.link
        where l.tenant = :tenant and o.settled >= :since and o.caused is not null and o.result = 'written'
        order by o.settled desc limit :most
    ) carried cross join lateral unnest(edits) as made
    group by system
""")
_SWEPT = sa.text("""
    select ended, found + found_crm as found from sync.run
    where tenant = :tenant and agreement = :agreement and kind = 'sweep' and state = 'done'
    order by started desc limit 1
""")
_CRM = sa.text("""
    select (select min(o.sent) from sync.operation o join sync.link l on l.id = o.link
            where l.tenant = :tenant and l.agreement = :agreement and o.settled is null and o.system = 'crm'
              and o.acknowledged is null) as waits,
           (select at from sync.audit
            where tenant = :tenant and agreement = :agreement and system = 'crm' order by at desc, id desc limit 1) as answered
""")
