"""Which pairs are suggested to be one customer? As they were found over the whole of both systems, without those settled since.

What was found stands until it is looked for anew. A list and its counts are made of the same conditions.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from reconciler import sides, statements
from reconciler.classes import record_here, record_there
from reconciler.evidence import Evidence, Found
from reconciler.matching import still_found
from reconciler.profiles import Record

STRONG: Final = (Evidence.CVR, Evidence.EAN)
"""Evidence by which pairs are linked without an admin's approval of the group."""
EVERY: Final = tuple(str(one) for one in Evidence)


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """One pair, both as they are recorded now; ``holds`` off: the evidence it was found by does not hold any more."""

    agreement: int
    crm_id: str
    number: int
    evidence: str
    reasons: tuple[str, ...]
    here: Record
    there: Record
    holds: bool

    @property
    def key(self) -> str:
        """What its box in a form is named by."""
        return f"{self.number}.{self.crm_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """When pairs were looked for last, since when they are looked for anew, and which groups were approved by whom."""

    made: datetime | None
    asked: datetime | None
    approved: dict[str, str]

    def may_link(self, evidence: str) -> bool:
        """Whether pairs of that group may be linked many at once."""
        return evidence in STRONG or evidence in self.approved


def counts(connection: sa.Connection, tenant: str, agreement: int) -> dict[str, int]:
    """How many pairs there are of each evidence, the strongest first."""
    statement = sa.text(f"select s.evidence, count(*) as pairs {OPEN} group by s.evidence")
    found = {row.evidence: row.pairs for row in connection.execute(statement, _values(tenant, agreement))}
    return {one: found[one] for one in EVERY if one in found}


def shown(
    connection: sa.Connection,
    tenant: str,
    agreement: int,
    evidence: Sequence[str],
    *,
    limit: int | None = None,
    skip: int = 0,
) -> list[Suggestion]:
    """The pairs of these groups, the strongest evidence first."""
    values = {**_values(tenant, agreement), "evidence": list(evidence), "limit": limit, "skip": skip}
    found = []
    rows = connection.execute(_LIST, values).all()
    all_here = sides.crm_of(connection, tenant, [row.crm_id for row in rows])
    all_there = sides.economic_of(connection, tenant, agreement, [row.number for row in rows])
    for row in rows:
        here, there = all_here.get(row.crm_id), all_there.get(row.number)
        if here is not None and there is not None:
            pair = record_here(row.crm_id, here), record_there(there)
            found.append(
                Suggestion(
                    agreement=agreement, crm_id=row.crm_id, number=row.number, evidence=row.evidence,
                    reasons=tuple(row.reasons), here=pair[0], there=pair[1], holds=still_found(*pair, row.evidence),
                )
            )  # fmt: skip
    return found


def of_customer(connection: sa.Connection, tenant: str, agreement: int, crm_id: str) -> list[tuple[int, str]]:
    """The number and the evidence of each pair that is suggested with that customer of the CRM, which is there and unlinked.

    What of its own link is not saved yet does not count: told apart, or linked until now.
    """
    values = {**_values(tenant, agreement), "crm_id": crm_id}
    return [(row.number, row.evidence) for row in connection.execute(_OF_CUSTOMER, values)]


def state(connection: sa.Connection, tenant: str, agreement: int) -> State:
    """When pairs were looked for, and which groups may be linked."""
    values = _values(tenant, agreement)
    row = connection.execute(_STATE, values).one_or_none()
    approved = {one.evidence: one.who for one in connection.execute(_APPROVED, values)}
    return State(
        made=None if row is None else row.made, asked=None if row is None else row.asked, approved=approved
    )  # fmt: skip


def ask(connection: sa.Connection, tenant: str, agreement: int, now: datetime) -> None:
    """Have pairs looked for anew; nothing where they are already."""
    connection.execute(_ASK, {**_values(tenant, agreement), "now": now})


def asked(connection: sa.Connection) -> list[tuple[str, int, datetime]]:
    """Where pairs are to be looked for, and since when somebody waits."""
    return [(row.tenant, row.agreement, row.asked) for row in connection.execute(_ASKED)]


def replace(
    connection: sa.Connection, tenant: str, agreement: int, found: Iterable[Found], now: datetime, *,
    since: datetime | None = None,
) -> None:  # fmt: skip
    """Store the pairs that were found, and have the clock look at their customers and those of the pairs before.

    ``since``: whoever waited since then waits no longer.
    """
    values = _values(tenant, agreement)
    connection.execute(_MADE, {**values, "now": now, "since": since})
    connection.execute(_FORGET, values)
    rows = [
        {
            **values, "crm_id": one.crm, "number": int(one.economic), "evidence": str(one.evidence),
            "place": EVERY.index(one.evidence), "reasons": list(one.reasons),
        }
        for one in found
    ]  # fmt: skip
    if rows:
        connection.execute(_INSERT, rows)
    connection.execute(_LOOK_AT_THESE, values)


def keep(connection: sa.Connection, link: UUID, numbers: Sequence[int]) -> None:
    """That link, which is not locked, may be these; the clock tells how it stands then. Nothing where somebody steps on it."""
    connection.execute(_KEEP, {"id": link, "suggested": list(numbers)})


def look_at_alike(connection: sa.Connection, agreement: int, number: int) -> None:
    """Have the clock look again at unlinked customers that may be that one of e-conomic: it is another, or gone."""
    connection.execute(statements.LOOK_AT_ALIKE, {"agreement": agreement, "numbers": [number]})


def give_up(connection: sa.Connection, tenant: str, agreement: int) -> None:
    """Nobody waits for pairs any more: looking for them failed."""
    connection.execute(_GIVE_UP, _values(tenant, agreement))


def approve(
    connection: sa.Connection, tenant: str, agreement: int, evidence: str, who: tuple[str, str], now: datetime
) -> bool:
    """Let pairs of that group be linked; whether it was not approved before."""
    values = {**_values(tenant, agreement), "evidence": evidence, "who": who[0], "who_id": who[1], "now": now}
    return connection.execute(_APPROVE, values).rowcount > 0


def disapprove(connection: sa.Connection, tenant: str, agreement: int, evidence: str) -> bool:
    """Let no more pairs of that group be linked many at once; whether it was approved."""
    return connection.execute(_DISAPPROVE, {**_values(tenant, agreement), "evidence": evidence}).rowcount > 0


def holds(connection: sa.Connection, tenant: str, agreement: int, crm_id: str, number: int, evidence: str) -> bool:
    """Whether both are there and still found by evidence as strong as that."""
    here, there = sides.crm(connection, tenant, crm_id), sides.economic(connection, tenant, agreement, number)
    if here is None or there is None or here.customer is None or there.customer is None:
        return False
    return still_found(record_here(crm_id, here), record_there(there), evidence)


def _values(tenant: str, agreement: int) -> dict[str, Any]:
    return {"tenant": tenant, "agreement": agreement}


OPEN: Final = """
    from sync.suggestion s
    join sync.crm_side here on here.tenant = s.tenant and here.crm_id = s.crm_id
    join sync.economic_side there on there.agreement = s.agreement and there.number = s.number and there.tenant = s.tenant
    left join sync.link l on l.tenant = s.tenant and l.agreement = s.agreement and l.crm_id = s.crm_id
    where s.tenant = :tenant and s.agreement = :agreement
      and here.state -> 'customer' is not null and here.state -> 'customer' ->> 'merged_into' is null
      and not coalesce((here.state -> 'customer' ->> 'deleted')::boolean, false) and there.state is not null
      and (l.id is null or (l.state = 'unlinked' and not (s.number = any(l.apart))))
      and not exists (select from sync.link o where o.agreement = s.agreement and o.number = s.number
                      and (o.crm_id is not null or o.state <> 'unlinked'))
"""
"""The pairs of which both are there, and free, and were not told apart."""
_LIST = sa.text(f"""
    select s.crm_id, s.number, s.evidence, s.reasons {OPEN} and s.evidence = any(:evidence)
    order by s.place, s.crm_id limit :limit offset :skip
""")
_OF_CUSTOMER = sa.text("""
    select s.number, s.evidence
    from sync.suggestion s
    join sync.economic_side there on there.agreement = s.agreement and there.number = s.number and there.tenant = s.tenant
    where s.tenant = :tenant and s.agreement = :agreement and s.crm_id = :crm_id and there.state is not null
      and not exists (select from sync.link o where o.agreement = s.agreement and o.number = s.number
                      and (o.crm_id <> s.crm_id or (o.crm_id is null and o.state <> 'unlinked')))
""")
_STATE = sa.text("select made, asked from sync.suggesting where tenant = :tenant and agreement = :agreement")
_APPROVED = sa.text("select evidence, who from sync.approved_group where tenant = :tenant and agreement = :agreement")
_ASK = sa.text("""
    insert into sync.suggesting as s (tenant, agreement, asked) values (:tenant, :agreement, :now)
    on conflict (tenant, agreement) do update set asked = coalesce(s.asked, excluded.asked)
""")
_ASKED = sa.text("select tenant, agreement, asked from sync.suggesting where asked is not null order by asked limit 10")
_MADE = sa.text("""
    insert into sync.suggesting as s (tenant, agreement, made) values (:tenant, :agreement, :now)
    on conflict (tenant, agreement) do update set
        made = excluded.made, asked = case when s.asked <= cast(:since as timestamptz) then null else s.asked end
""")
_GIVE_UP = sa.text("update sync.suggesting set asked = null where tenant = :tenant and agreement = :agreement")
_FORGET = sa.text("delete from sync.suggestion where tenant = :tenant and agreement = :agreement")
_INSERT = sa.text("""
    insert into sync.suggestion (tenant, agreement, crm_id, number, evidence, place, reasons)
    values (:tenant, :agreement, :crm_id, :number, :evidence, :place, cast(:reasons as text[]))
""")
_LOOK_AT_THESE = sa.text("""
    update sync.link set look_again = true where id in (
        select l.id from sync.link l
        where l.tenant = :tenant and l.agreement = :agreement and l.state = 'unlinked' and (
            l.suggested <> '{}' or l.crm_id in (
                select s.crm_id from sync.suggestion s where s.tenant = :tenant and s.agreement = :agreement))
        for no key update skip locked)
""")
_KEEP = sa.text("""
    update sync.link set suggested = :suggested, look_again = true where id in (
        select l.id from sync.link l where l.id = :id and l.state = 'unlinked' for no key update skip locked)
""")
_APPROVE = sa.text("""
    insert into sync.approved_group (tenant, agreement, evidence, who, who_id, at)
    values (:tenant, :agreement, :evidence, :who, :who_id, :now) on conflict (tenant, agreement, evidence) do nothing
""")
_DISAPPROVE = sa.text("""
    delete from sync.approved_group where tenant = :tenant and agreement = :agreement and evidence = :evidence
""")
