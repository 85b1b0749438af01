"""What is remembered of an agreement? Its switch, its rules and its unanswered configuration; its row is its lock."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from economic_adapter.contract import AgreementObserved, ConfigureAgreement, Defaults, Reach, Reference
from reconciler import locks
from reconciler.agreement import STATES, Agreement, AgreementState, Chosen, agreement_of, state_of
from reconciler.rules import Area, Rules

__all__ = ["STATES", "Agreement", "AgreementState", "Chosen", "state_of"]


def hold(connection: sa.Connection, tenant: str, agreement: int) -> None:
    """Take the agreement's lock until the transaction ends: whoever may create or link holds it.

    It comes before any link: ``locks.Unordered`` where this transaction holds links already.
    """
    if locks.has_agreement(connection, tenant, agreement):
        return
    connection.execute(_HOLD, {"tenant": tenant, "agreement": agreement})
    locks.took_agreement(connection, tenant, agreement)


def chosen(connection: sa.Connection, tenant: str, agreement: int | None) -> Chosen | None:
    """The agreement that a change of the CRM concerns: the one named, else the one the tenant uses, else any connected."""
    row = connection.execute(_CHOSEN_ONE, {"tenant": tenant, "agreement": agreement}).one_or_none()
    return None if row is None else Chosen(row.agreement, row.since is not None)


def lock(connection: sa.Connection, tenant: str, agreement: int) -> Agreement | None:
    """Lock the agreement and read it; before any link, as in ``hold``."""
    locks.has_agreement(connection, tenant, agreement)
    row = connection.execute(_LOCK, {"tenant": tenant, "agreement": agreement}).one_or_none()
    locks.took_agreement(connection, tenant, agreement)
    return None if row is None else agreement_of(row._asdict())


def reference(connection: sa.Connection, tenant: str, agreement: int) -> Reference | None:
    """What that agreement offers for new customers, as far as it was told."""
    values = {"tenant": tenant, "agreement": agreement}
    told = connection.execute(_REFERENCE, values).scalar()
    return None if told is None else Reference.model_validate(told)


def of_tenant(connection: sa.Connection, tenant: str) -> list[Agreement]:
    """The tenant's agreements, the one in use first."""
    return [agreement_of(row._asdict()) for row in connection.execute(_OF_TENANT, {"tenant": tenant})]


def in_use(connection: sa.Connection, tenant: str) -> int | None:
    """The agreement a tenant uses; none where it uses none, or no more."""
    found = next(iter(of_tenant(connection, tenant)), None)
    return None if found is None or found.state == "disconnected" else found.agreement


def insert(connection: sa.Connection, tenant: str, agreement: int) -> None:
    """Remember that an agreement was heard of; safe to repeat."""
    connection.execute(_INSERT, {"tenant": tenant, "agreement": agreement})


def note(connection: sa.Connection, tenant: str, seen: AgreementObserved, now: datetime) -> None:
    """Store what was seen of a locked agreement; older than what is stored changes nothing."""
    connection.execute(
        _NOTE,
        {
            "tenant": tenant,
            "agreement": seen.agreement,
            "name": seen.name,
            "customers": seen.customers,
            "reference": None if seen.reference is None else seen.reference.model_dump_json(),
            "webhooks": seen.webhooks,
            "polling": seen.polling,
            "calls_today": seen.calls_today,
            "seen": seen.seen,
            "told": seen.model_dump_json(exclude={"reference", "outcome", "reach", "figures"}),
            "lost": seen.state == "access_lost",
            "now": now,
        },
    )
    if seen.figures is not None:
        values = {"at": seen.figures.at, "figures": seen.figures.model_dump_json()}
        connection.execute(_FIGURES, {"tenant": tenant, "agreement": seen.agreement, **values})


def reach(connection: sa.Connection, tenant: str, agreement: int, told: Reach) -> bool:
    """Store how e-conomic can be reached for an agreement; false for what is older than what is stored."""
    values = {"tenant": tenant, "agreement": agreement, **told.model_dump()}
    return connection.execute(_REACH, values).rowcount == 1


def move(
    connection: sa.Connection, tenant: str, agreement: int, state: str, now: datetime, *, reason: str = "", **other: Any
) -> None:
    """Give a locked agreement another state, and columns that change with it."""
    more = "".join(f", {column} = :{column}" for column in sorted(other))
    connection.execute(
        sa.text(f"""
            update sync.agreement set state = :state, reason = :reason, changed = :now{more}
            where tenant = :tenant and agreement = :agreement
        """),
        {"tenant": tenant, "agreement": agreement, "state": state, "reason": reason, "now": now, **other},
    )


def choose(connection: sa.Connection, tenant: str, agreement: int, **columns: Any) -> None:
    """Set columns of a locked agreement that an admin chooses; its state stays."""
    given = ", ".join(f"{column} = :{column}" for column in sorted(columns))
    connection.execute(
        sa.text(f"update sync.agreement set {given} where tenant = :tenant and agreement = :agreement"),
        {"tenant": tenant, "agreement": agreement, **columns},
    )


def rules_of(connection: sa.Connection, known: Agreement, resend: timedelta) -> Rules:
    """The rules of an agreement as they are stored now."""
    return current(connection, known.tenant, known.agreement).as_rules(resend)


def current(connection: sa.Connection, tenant: str, agreement: int) -> AgreementState:
    """What a step needs of an agreement, as it is stored now."""
    return state_of(connection.execute(_RULES_OF, {"tenant": tenant, "agreement": agreement}).one()._asdict())


def give_rules(connection: sa.Connection, tenant: str, agreement: int, state: AgreementState) -> None:
    """Store the rules an admin chose."""
    connection.execute(_GIVE_RULES, {"tenant": tenant, "agreement": agreement, "rules": state.rules})


def occupy(connection: sa.Connection, tenant: str, agreement: int, run: UUID | None) -> None:
    """A run is carried out in a locked agreement, or none any more: customers without a link wait for it."""
    connection.execute(_OCCUPY, {"tenant": tenant, "agreement": agreement, "run": run})


def try_out(connection: sa.Connection, tenant: str, agreement: int, crm_id: str | None) -> None:
    """That customer flows alone while a locked agreement is off; none, and nobody does."""
    connection.execute(_TRY_OUT, {"tenant": tenant, "agreement": agreement, "crm_id": crm_id})


def skip_trial(connection: sa.Connection, tenant: str, agreement: int, now: datetime) -> None:
    """An admin does without a trial; said again, the first time stands."""
    connection.execute(_SKIP_TRIAL, {"tenant": tenant, "agreement": agreement, "now": now})


def expect(connection: sa.Connection, tenant: str, command: ConfigureAgreement, due: datetime, resent: int = 0) -> None:
    """Record a configuration before it leaves; it replaces one that is not answered yet."""
    connection.execute(
        _EXPECT,
        {
            "tenant": tenant,
            "agreement": command.agreement,
            "operation": command.operation,
            "configure": command.model_dump_json(),
            "due": due,
            "resent": resent,
        },
    )


def answered(connection: sa.Connection, tenant: str, agreement: int) -> None:
    """The configuration was answered."""
    connection.execute(_ANSWERED, {"tenant": tenant, "agreement": agreement})


def give_defaults(connection: sa.Connection, tenant: str, agreement: int, defaults: Mapping[Area, Defaults]) -> None:
    """Store what new customers get."""
    text = json.dumps({str(area): one.model_dump() for area, one in defaults.items()})
    connection.execute(_GIVE_DEFAULTS, {"tenant": tenant, "agreement": agreement, "defaults": text})


def unanswered(connection: sa.Connection, now: datetime) -> Sequence[tuple[str, int]]:
    """Agreements whose configuration waits for an answer for too long."""
    return [(row.tenant, row.agreement) for row in connection.execute(_UNANSWERED, {"now": now})]


def to_look_again(connection: sa.Connection) -> Sequence[tuple[str, int]]:
    """Agreements in which customers without a link are to be looked at, because they were switched on."""
    return [(row.tenant, row.agreement) for row in connection.execute(_TO_LOOK_AGAIN)]


def to_sweep(connection: sa.Connection, mark: datetime) -> Sequence[tuple[str, int]]:
    """Agreements that were on at that moment and have not been read in full since."""
    return [(row.tenant, row.agreement) for row in connection.execute(_TO_SWEEP, {"mark": mark})]


def to_sweep_after_a_run(connection: sa.Connection) -> Sequence[tuple[str, int]]:
    """Agreements in which a switching on was carried out, all was looked at after it, and nothing was read since."""
    return [(row.tenant, row.agreement) for row in connection.execute(_TO_SWEEP_AFTER)]


def brake(connection: sa.Connection, tenant: str, agreement: int) -> int:
    """How many customers a pass may write to beyond what was confirmed; one, where a part of few is less than one."""
    return int(connection.scalar(_BRAKE, {"tenant": tenant, "agreement": agreement}) or 1)


def looked(connection: sa.Connection, tenant: str, agreement: int) -> None:
    """Every customer of the tenant has a link in this agreement."""
    connection.execute(_LOOKED, {"tenant": tenant, "agreement": agreement})


_HOLD = sa.text("""
    select 1 from sync.agreement where tenant = :tenant and agreement = :agreement for no key update
""")
_CHOSEN_ONE = sa.text("""
    select agreement, since from sync.agreement
    where tenant = :tenant and state <> 'disconnected'
    order by agreement is not distinct from cast(:agreement as integer) desc,
             state in ('switching_on', 'on', 'off', 'access_lost') desc, agreement
    limit 1
""")
_LOCK = sa.text("""
    select * from sync.agreement where tenant = :tenant and agreement = :agreement for no key update
""")
_OF_TENANT = sa.text("""
    select * from sync.agreement where tenant = :tenant
    order by state in ('switching_on', 'on', 'off', 'access_lost') desc, state <> 'disconnected' desc, changed desc
""")
_RULES_OF = sa.text("""
    select state, since, transfer, rules::text as rules, defaults::text as defaults, paused::text as paused,
           receive, inactive, gone_there, gone_here, flows_first, number_from, number_to, read_at, busy, pilot
    from sync.agreement where tenant = :tenant and agreement = :agreement
""")
_GIVE_RULES = sa.text("""
    update sync.agreement set rules = cast(:rules as jsonb) where tenant = :tenant and agreement = :agreement
""")
_TRY_OUT = sa.text("update sync.agreement set pilot = :crm_id where tenant = :tenant and agreement = :agreement")
_SKIP_TRIAL = sa.text("""
    update sync.agreement set pilot_skipped = coalesce(pilot_skipped, :now)
    where tenant = :tenant and agreement = :agreement
""")
_OCCUPY = sa.text("update sync.agreement set busy = :run where tenant = :tenant and agreement = :agreement")
_INSERT = sa.text("""
    insert into sync.agreement (tenant, agreement) values (:tenant, :agreement) on conflict do nothing
""")
_NOTE = sa.text("""
    update sync.agreement set
        name = :name, customers = coalesce(:customers, customers),
        reference = coalesce(cast(:reference as jsonb), reference), webhooks = :webhooks, polling = :polling,
        calls_today = :calls_today, seen = :seen, told = cast(:told as jsonb),
        lost_since = case when :lost then coalesce(lost_since, cast(:now as timestamptz)) end
    where tenant = :tenant and agreement = :agreement and (seen is null or seen <= :seen)
""")
_REACH = sa.text("""
    update sync.agreement
    set reach_at = :at, down_since = :down_since, next_call = :next_call, paused_since = :paused_since
    where tenant = :tenant and agreement = :agreement and (reach_at is null or reach_at <= :at)
""")
_FIGURES = sa.text("""
    update sync.agreement set figures = cast(:figures as jsonb)
    where tenant = :tenant and agreement = :agreement
      and (figures is null or cast(figures ->> 'at' as timestamptz) <= :at)
""")
_EXPECT = sa.text("""
    update sync.agreement
    set operation = :operation, configure = cast(:configure as jsonb), due = :due, resent = :resent
    where tenant = :tenant and agreement = :agreement
""")
_ANSWERED = sa.text("""
    update sync.agreement set operation = null, configure = null, due = null, resent = 0
    where tenant = :tenant and agreement = :agreement
""")
_GIVE_DEFAULTS = sa.text("""
    update sync.agreement set defaults = cast(:defaults as jsonb)
    where tenant = :tenant and agreement = :agreement
""")
_UNANSWERED = sa.text("select tenant, agreement from sync.agreement where due <= :now order by due limit 100")
_TO_LOOK_AGAIN = sa.text(
    "select tenant, agreement from sync.agreement where look_again and busy is null and state = 'on'"
)
_TO_SWEEP = sa.text("""
    select a.tenant, a.agreement from sync.agreement a
    where a.state = 'on' and a.busy is null and a.since <= :mark
      and not exists (select from sync.run r
                      where r.tenant = a.tenant and r.agreement = a.agreement and r.kind in ('sweep', 'read')
                        and r.started >= :mark)
    order by a.tenant, a.agreement
""")
_TO_SWEEP_AFTER = sa.text("""
    select a.tenant, a.agreement from sync.agreement a
    where a.state = 'on' and a.busy is null and not a.look_again
      and exists (
          select from sync.run r
          where r.tenant = a.tenant and r.agreement = a.agreement and r.kind = 'switch_on' and r.state = 'done'
            and r.total > 0 and r.ended >= a.since
            and not exists (select from sync.run later
                            where later.tenant = r.tenant and later.agreement = r.agreement
                              and later.kind in ('sweep', 'read') and later.started >= r.ended))
      and not exists (select from sync.link l
                      where l.tenant = a.tenant and l.agreement = a.agreement and l.look_again)
    order by a.tenant, a.agreement
""")
_BRAKE = sa.text("""
    select least(a.brake_customers, greatest(1, (
        select count(*) from sync.link l
        where l.tenant = a.tenant and l.agreement = a.agreement and l.state = 'linked') * a.brake_percent / 100))
    from sync.agreement a where a.tenant = :tenant and a.agreement = :agreement
""")
_LOOKED = sa.text("update sync.agreement set look_again = false where tenant = :tenant and agreement = :agreement")
_REFERENCE = sa.text("select reference from sync.agreement where tenant = :tenant and agreement = :agreement")
