"""What needs a person, told in the broker's own pages: a queue for each kind, one small message for each open item.

Each package's clock keeps its own messages there and leaves those of the others alone. Whatever is purged is back at the
next turn of the clock.
"""

import hashlib
import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy import Connection

from crm_outbox.messaging import inbox, telemetry
from crm_outbox.messaging.management import Letter, Management
from crm_outbox.messaging.tables import MessageTables

EXCHANGE = "attention"
LATE_SECONDS = 60.0
_TRIES = 20


class Kind(StrEnum):
    """The kinds of item; each has the queue ``attention.<kind>``."""

    PARKED = "parked"
    OUTBOX_LATE = "outbox-late"
    INBOX_LATE = "inbox-late"
    AGREEMENT_PAUSED = "agreement-paused"
    UNCLEAR_WRITE = "unclear-write"
    DEAD_LETTER = "dead-letter"
    IMPORT_STOPPED = "import-stopped"

    @property
    def queue(self) -> str:
        """Its queue, which is also the routing key."""
        return f"{EXCHANGE}.{self.value}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing that waits for a person. ``cause`` and ``command`` hold ids only, no personal data."""

    kind: Kind
    id: str
    since: datetime
    cause: str
    command: str


def refresh(management: Management, package: str, items: Sequence[Item]) -> int:
    """Make the queues show exactly these items of this package; returns how many queues had to be changed.

    Safe to repeat, and beside the clocks of other packages: what two of them do to each other at one moment is mended
    at the next turn.
    """
    changed = 0
    for kind in Kind:
        wanted = {item.id: _body(package, item) for item in items if item.kind is kind}
        digests = {key: hashlib.sha256(body).hexdigest() for key, body in wanted.items()}
        lying = management.look(kind.queue)
        if Counter(_identity(letter) for letter in lying if _owner(letter) == package) == Counter(digests.items()):
            continue
        changed += 1
        others = [letter for letter in _take_all(management, kind.queue, len(lying)) if _owner(letter) != package]
        for letter in others:
            management.publish(
                EXCHANGE,
                kind.queue,
                letter.body,
                {"message_id": letter.message_id, "type": letter.type, "headers": dict(letter.headers)}
                | {"content_type": "application/json"},
            )
        for key, body in wanted.items():
            management.publish(
                EXCHANGE,
                kind.queue,
                body,
                {
                    "message_id": key,
                    "type": f"attention.{kind.value}",
                    "content_type": "application/json",
                    "headers": {"package": package, "digest": digests[key]},
                },
            )
    return changed


def of_outbox(connection: Connection, tables: MessageTables, package: str, now: datetime) -> list[Item]:
    """The parked messages of a package's outbox, and its lanes whose oldest message has waited for a minute."""
    parked = tables.parked
    items = [
        Item(
            kind=Kind.PARKED,
            id=f"{package}-{row.id}",
            since=row.parked_at,
            cause=str(row.reason),
            command=f"{package} outbox retry {row.id} --yes",
        )
        for row in connection.execute(
            sa.select(parked.c.id, parked.c.reason, parked.c.parked_at).order_by(parked.c.id).limit(1000)
        )
    ]
    pending = tables.pending
    oldest = connection.execute(sa.select(pending.c.lane, sa.func.min(pending.c.since)).group_by(pending.c.lane))
    for lane, since in oldest:
        if (now - since).total_seconds() >= LATE_SECONDS:
            items.append(
                Item(
                    kind=Kind.OUTBOX_LATE,
                    id=f"{package}-{lane}",
                    since=since,
                    cause=f"messages of the {lane} lane wait to be sent; see the broker's alarms",
                    command=f"{package} run relay",
                )
            )
    return items


def of_dead_letters(
    connection: Connection, tables: MessageTables, management: Management, package: str, consumer: str, now: datetime
) -> list[Item]:
    """The dead-letter queues of a package's consumer that hold messages, each with the reasons they were refused for."""
    depths = management.depths()
    items = []
    for queue in (f"{consumer}.inbound", f"{consumer}.bulk"):
        waiting = depths.get(f"{queue}.dead", 0)
        telemetry.DEAD_LETTERS.labels(f"{queue}.dead").set(waiting)
        if not waiting:
            continue
        reasons, since = inbox.latest_reasons(connection, tables, consumer, waiting)
        said = ", ".join(f"{reason} ({number})" for reason, number in sorted(reasons.items())) or "delivery limit"
        items.append(
            Item(
                kind=Kind.DEAD_LETTER,
                id=f"{queue}.dead",
                since=since or now.replace(minute=0, second=0, microsecond=0),
                cause=f"{waiting} refused: {said}",
                command=f"{package} deadletter {queue} list",
            )
        )
    return items


def _take_all(management: Management, queue: str, expected: int) -> list[Letter]:
    """Take what lies there; what was only looked at a moment ago may still be on its way back into the queue."""
    taken = management.take(queue)
    for _ in range(_TRIES):
        if len(taken) >= expected:
            break
        time.sleep(0.02)
        taken += management.take(queue)
    return taken


def _body(package: str, item: Item) -> bytes:
    document = {
        "package": package,
        "kind": item.kind.value,
        "id": item.id,
        "since": item.since.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "cause": item.cause,
        "command": item.command,
    }
    return json.dumps(document, ensure_ascii=False).encode()


def _owner(letter: Letter) -> str:
    return str(letter.headers.get("package", ""))


def _identity(letter: Letter) -> tuple[str, str]:
    return letter.message_id or "", str(letter.headers.get("digest", ""))
