"""Which rows of a list are wanted? A filter, and the conditions it sets on questions, writes and choices, for their statements."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from reconciler import fields
from reconciler.carrying import MARKS
from reconciler.contract import TaskKind
from reconciler.decisions import KEEP

MOST: Final = 10_000
"""A list is counted, and shown, so far; what is beyond is found with a filter."""
MOST_PAST: Final = 1_000
"""The same of what was written and decided, which grows for ever."""
ERRORS: Final[tuple[TaskKind, ...]] = ("refused", "missing")
"""Questions that say what stops a customer, and are put right at their source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What is shown of a list; what is not given does not matter.

    ``detail`` is a group of fields, or ``contact`` for all of contact persons. ``person`` is an id: who decided, or to whom
    a question was handed. ``who`` is ``crm`` or
    ``economic`` (an edit made there flowed), ``rule`` or ``person``; ``system`` is where something was written.
    """

    detail: str = ""
    kind: str = ""
    since: datetime | None = None
    person: str = ""
    who: str = ""
    system: str = ""
    customer: str = ""
    group: int | None = None


def fields_of(detail: str) -> list[str]:
    """A detail and the fields it is made of."""
    return [detail, *(one for group in fields.GROUPS["customer"] if group.name == detail for one in group.fields)]


def of_questions(tenant: str, tab: Literal["questions", "errors"], wanted: Filter) -> tuple[str, dict[str, Any]]:
    """The conditions on an open question ``t``, and their values."""
    conditions = ["t.tenant = :tenant", "t.closed is null"]
    conditions.append(f"t.kind {'=' if tab == 'errors' else '<>'} {'any' if tab == 'errors' else 'all'}(:errors)")
    values: dict[str, Any] = {"tenant": tenant, "errors": list(ERRORS)}
    if wanted.kind:
        conditions.append("t.kind = :kind")
        values["kind"] = wanted.kind
    if wanted.since:
        conditions.append("t.opened >= :since")
        values["since"] = wanted.since
    if wanted.detail == "contact":
        conditions.append("exists (select from unnest(t.details) d where d = 'contact' or d like 'contact.%')")
    elif wanted.detail:
        conditions.append("t.details && cast(:details as text[])")
        values["details"] = fields_of(wanted.detail)
    if wanted.person:
        conditions.append(_HELD + " and h.person = :person)")
        values["person"] = wanted.person
    if wanted.customer:
        conditions.append("t.link in (select l.id from sync.link l where l.tenant = :tenant and l.crm_id = :customer)")
        values["customer"] = wanted.customer
    if wanted.group is not None:
        conditions.append(f"exists (select {_IN_GROUP} where l.id = t.link and {_GROUP})")
        values["group"] = str(wanted.group)
    return " and ".join(conditions), values


def of_settled(tenant: str, now: datetime, wanted: Filter) -> tuple[str, dict[str, Any]]:
    """The conditions on a write ``a`` that a rule decided within the last month, and their values."""
    # who was removed cannot be put back
    conditions = ["a.tenant = :tenant", "a.by = 'rule'", "a.action <> 'remove'", "a.at >= :since"]
    values = {"tenant": tenant}
    month: dict[str, Any] = {"since": max(now - KEEP, wanted.since or now - KEEP)}
    more, given = of_writes(wanted)
    return " and ".join([*conditions, *more]), {**values, **month, **given}


def of_writes(wanted: Filter) -> tuple[list[str], dict[str, Any]]:
    """The conditions on a write ``a`` that a filter sets, but for time and who, and their values."""
    conditions, values = [], dict[str, Any]()
    if wanted.detail == "contact":
        conditions.append("a.record = 'contact'")
    elif wanted.detail:
        conditions.append(
            "a.record = 'customer' and exists (select from unnest(cast(:fields as text[])) f where a.after ->> f <> coalesce(a.before ->> f, ''))"
        )
        values["fields"] = fields_of(wanted.detail)
    if wanted.system:
        conditions.append("a.system = :system")
        values["system"] = wanted.system
    if wanted.customer:
        conditions.append("a.crm_id = :customer")
        values["customer"] = wanted.customer
    if wanted.group is not None:
        conditions.append(
            "exists (select from sync.economic_side e where e.agreement = a.agreement and e.number = a.number and "
            + _GROUP
            + ")"
        )
        values["group"] = str(wanted.group)
    return conditions, values


def of_kept(tenant: str, wanted: Filter) -> tuple[str, dict[str, Any]]:
    """The conditions on a choice ``c`` of a record ``k`` of a link ``l``, decided in ``d``, and their values."""
    conditions = [
        "l.tenant = :tenant", "k.chosen <> '{}'", "c.key <> all(:marks)", "c.value ->> 'crm' is null",
        "c.value ->> 'economic' is null",
    ]  # fmt: skip
    values: dict[str, Any] = {"tenant": tenant, "marks": sorted(MARKS)}
    if wanted.detail == "contact":
        conditions.append("k.kind = 'contact'")
    elif wanted.detail:
        conditions.append("k.kind = 'customer' and c.key = :detail")
        values["detail"] = wanted.detail
    if wanted.since:
        conditions.append("d.at >= :since")
        values["since"] = wanted.since
    if wanted.person:
        conditions.append("d.who_id = :person")
        values["person"] = wanted.person
    if wanted.customer:
        conditions.append("l.crm_id = :customer")
        values["customer"] = wanted.customer
    if wanted.group is not None:
        conditions.append(
            f"exists (select from sync.economic_side e where e.agreement = l.agreement and e.number = l.number and {_GROUP})"
        )
        values["group"] = str(wanted.group)
    return " and ".join(conditions), values


_HELD = "exists (select from sync.handover h where h.link = t.link and t.opened <= h.at"
NOT_MINE = _HELD + " and h.person <> :person)"
"""An open question ``t`` was handed to somebody else."""
_GROUP = "e.state ->> 'group' = :group"
_IN_GROUP = """from sync.link l join sync.economic_side e on e.agreement = l.agreement and e.number = l.number"""
