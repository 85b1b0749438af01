"""Which messages does a consumer leave lying? A queue that holds some, and none taken from it for a minute."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from crm_outbox.messaging import inbox
from crm_outbox.messaging.attention import LATE_SECONDS, Item, Kind
from crm_outbox.messaging.tables import MessageTables


@dataclass(slots=True, kw_only=True)
class Lying:
    """What one clock remembers of a consumer's queues; ``command`` starts its duty.

    The broker does not tell how long a message lies there, so a clock that has just started needs a minute to know.
    """

    consumer: str
    command: str
    _since: dict[str, datetime] = field(default_factory=dict, init=False)

    def items(
        self, connection: Connection, tables: MessageTables, depths: Mapping[str, int], now: datetime
    ) -> list[Item]:
        """The queues with messages of which none was taken for a minute; to be asked again and again."""
        found = []
        for queue in (f"{self.consumer}.inbound", f"{self.consumer}.bulk"):
            if not depths.get(queue, 0):
                self._since.pop(queue, None)
                continue
            since = self._since.setdefault(queue, now)
            if inbox.taken_since(connection, tables, self.consumer, since):
                self._since[queue] = now
            elif (now - since).total_seconds() >= LATE_SECONDS:
                cause = f"messages lie in {queue} and nobody takes them"
                found.append(Item(kind=Kind.INBOX_LATE, id=queue, since=since, cause=cause, command=self.command))
        return found
