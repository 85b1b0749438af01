"""What can an operator ask of the adapter? Agreements, operations, pauses, keys, status; figures and ids, no personal data.

Each function takes an engine, prints, and says with its result whether anything needs a person (1) or not (0).
"""

import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from crm_outbox.messaging import outbox
from crm_outbox.messaging.outbox import Outbox
from economic_adapter import access, addresses, agreements, imports, registering, store
from economic_adapter.budget import UNTIL_RESUMED, Lane
from economic_adapter.sealing import KeyRing
from economic_adapter.tables import agreement, mark, messages, operation, work

_BATCH = 100


def show_agreements(engine: sa.Engine) -> int:
    """One line for each agreement."""
    with engine.begin() as connection:
        found = agreements.every(connection)
        old = addresses.old_secrets(connection, datetime.now(UTC))
    for one in found:
        customers = "?" if one.customers is None else one.customers
        _say(
            f"{one.number}  {one.state}  tenant {one.tenant}  customers {customers}  webhooks {one.webhooks}"
            f"  calls today {one.calls_today}{_old_secret(one.number, old)}"
            f"  {one.cause or one.rights.get('webhooks_note', '')}".rstrip()
        )
    return 1 if any(one.state == "access_lost" for one in found) else 0


def show_operation(engine: sa.Engine, name: UUID) -> int:
    """Where one operation is, by its id."""
    with engine.begin() as connection:
        row = connection.execute(sa.select(operation).where(operation.c.operation == name)).mappings().one_or_none()
        waits = None
        if row is not None and row["work"] is not None:
            waits = connection.execute(sa.select(work).where(work.c.id == row["work"])).mappings().one_or_none()
    if row is None:
        _say("no such operation")
        return 1
    shown = {
        key: row[key] for key in ("operation", "agreement", "customer", "number", "state", "attempt", "chosen_number")
    }
    shown |= {key: row[key] for key in ("planned_at", "sent_at", "answered_at")}
    shown["action"] = f"{row['part'].get('action', 'configure')} {row['part'].get('record', 'agreement')}"
    shown["fields"] = sorted(row["part"].get("fields", {}))
    if row["outcome"] is not None:
        shown["result"] = row["outcome"]["result"]
        shown["reason"] = row["outcome"].get("reason", "")
    if waits is not None:
        shown |= {key: waits[key] for key in ("due_at", "waiting", "attempts", "last_error")}
    for key, value in shown.items():
        if value not in {None, ""} if not isinstance(value, list) else value:
            _say(f"{key}: {value}")
    return 0 if row["answered_at"] is not None else 1


def pause(engine: sa.Engine, number: int, *, on: bool, do: bool, told: Outbox) -> int:
    """Stop (or let go on) all calls for an agreement, and tell so; what comes meanwhile is kept."""
    with engine.begin() as connection:
        known = agreements.named(connection, number, lock=True)
        if known is None:
            _say(f"no agreement {number}")
            return 1
        if do:
            now = datetime.now(UTC)
            values: dict[str, Any] = {"paused_until": UNTIL_RESUMED if on else None}
            if on:
                values["rights"] = agreement.c.rights.concat(
                    sa.func.jsonb_build_object(access.PAUSED_AT, now.isoformat())
                )
            connection.execute(sa.update(agreement).where(agreement.c.number == number).values(**values))
            if not on:
                agreements.hurry(connection, number, now)
            access.observe(connection, told, number, now)
    _say(f"agreement {number} {'is' if do else 'would be'} {'paused' if on else 'going on'}{_repeat(do)}")
    return 0


def rotate_hook_secret(engine: sa.Engine, number: int, hours: float, *, do: bool) -> int:
    """Have the worker give an agreement's webhook a new secret; the old one is taken for so many hours after that."""
    with engine.begin() as connection:
        known = agreements.named(connection, number)
        if known is None or known.webhooks != "registered":
            _say(f"no agreement {number}" if known is None else f"agreement {number} has no webhook of ours")
            return 1
        if do:
            store.plan(
                connection,
                number,
                "check",
                due_at=datetime.now(UTC),
                lane=Lane.PERSON,
                key=registering.ROTATE,
                command={registering.KEEP: hours * 3600},
            )
    _say(
        f"a worker {'gives' if do else 'would give'} the webhook of agreement {number} a new secret; when e-conomic has it,"
        f" the old one is taken for {hours:g} hours more{_repeat(do)}"
    )
    return 0


def rotate_keys(engine: sa.Engine, keys: KeyRing, *, do: bool) -> int:
    """Seal every grant with the first key of the ring, in batches; says what is left under others."""
    done = 0
    while do:
        with engine.begin() as connection:
            batch = agreements.reseal(connection, keys, _BATCH)
        done += batch
        if batch == 0:
            break
    with engine.begin() as connection:
        used = agreements.keys_in_use(connection)
    left = sum(count for name, count in used.items() if name != keys.first)
    _say(f"sealed again: {done}; under key {keys.first}: {used.get(keys.first, 0)}; under others: {left}{_repeat(do)}")
    return 1 if left and do else 0


def status(engine: sa.Engine) -> int:
    """What waits: work by kind and cause, marks, messages; 1 when something is stuck."""
    now = datetime.now(UTC)
    with engine.begin() as connection:
        rows = connection.execute(
            sa.select(
                work.c.kind,
                work.c.waiting,
                sa.func.count().label("count"),
                sa.func.min(work.c.created_at).label("since"),
            )
            .group_by(work.c.kind, work.c.waiting)
            .order_by(work.c.kind, work.c.waiting)
        ).all()
        marks = connection.scalar(sa.select(sa.func.count()).select_from(mark))
        unclear = connection.scalar(sa.select(sa.func.count()).where(operation.c.state == "ambiguous"))
        lost = connection.scalar(sa.select(sa.func.count()).where(agreement.c.state == "access_lost"))
        lanes = outbox.figures(connection, messages)
        runs = imports.running(connection)
    report = {
        "work": [
            {"kind": row.kind, "waiting": row.waiting or "due", "count": row.count, "oldest_s": _age(now, row.since)}
            for row in rows
        ],
        "imports": [
            {
                "run": str(run.run),
                "agreement": run.agreement,
                "kind": run.kind,
                "state": run.waiting or run.state,
                "phase": run.phase,
                "read": run.read,
                "count": run.count,
                "calls": run.calls,
            }
            for run in runs
        ],
        "marks": marks,
        "unclear_writes": unclear,
        "agreements_without_access": lost,
        "outbox": {
            str(lane.lane): {"waiting": lane.waiting, "oldest_s": round(lane.age), "parked": lane.parked}
            for lane in lanes
        },
    }
    _say(json.dumps(report, indent=2))
    return (
        1 if unclear or lost or any(lane.parked for lane in lanes) or any(row.waiting == "bug" for row in rows) else 0
    )


def _old_secret(number: int, old: Mapping[int, datetime | None]) -> str:
    if number not in old:
        return ""
    until = old[number]
    said = "until e-conomic has the new one" if until is None else f"until {until.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    return f"  old hook secret taken {said}"


def _age(now: datetime, since: datetime) -> int:
    return max(0, round((now - since).total_seconds()))


def _repeat(done: bool) -> str:
    return "" if done else "; repeat with --yes"


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
