"""What does a person do with refused messages? Look, send them to their queue once more, or drop them.

A retried message is confirmed in its queue before it leaves the dead-letter queue; if something breaks between, it is in
both, and the inbox takes it once.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from crm_outbox.messaging.delivery import Delivery
from crm_outbox.messaging.held import Held
from crm_outbox.messaging.management import Letter, Management
from crm_outbox.messaging.settings import Broker

USER = "operator"
EXCHANGE = "replay"
REPLAYS = "x-replay-count"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A message in a dead-letter queue. ``why`` is what the broker says: ``rejected``, or ``delivery_limit``."""

    letter: Letter
    why: str
    replays: int


def dead(queue: str) -> str:
    """The dead-letter queue of a queue; the name of the dead-letter queue itself will do too."""
    return f"{queue.removesuffix('.dead')}.dead"


def lying(management: Management, queue: str, *, bodies: bool = False) -> list[Refused]:
    """What lies in the dead-letter queue of a queue; without the bodies, unless asked for."""
    return [
        Refused(letter=letter, why=_why(letter.headers), replays=_replays(letter.headers))
        for letter in management.look(dead(queue), bodies=bodies)
    ]


def retry(broker: Broker, management: Management, queue: str, ids: Collection[str] | None = None) -> int:
    """Publish these messages (none named: all) to their queue again, confirmed, and then let them go; returns how many."""
    work = dead(queue).removesuffix(".dead")

    def again(delivery: Delivery) -> bool:
        headers = {key: value for key, value in delivery.headers.items() if not key.startswith("x-")}
        properties: dict[str, Any] = {
            "message_id": delivery.message_id,
            "type": delivery.type,
            "content_type": delivery.content_type,
            "content_encoding": delivery.content_encoding,
            "headers": headers | {REPLAYS: _replays(delivery.headers) + 1},
        }
        given = {key: value for key, value in properties.items() if value is not None}
        return management.publish(EXCHANGE, work, delivery.body, given)

    return sum(_each(broker, queue, ids, again))


def drop(broker: Broker, queue: str, ids: Collection[str] | None = None) -> int:
    """Take these messages (none named: all) out of the dead-letter queue for good; returns how many."""
    return sum(_each(broker, queue, ids, lambda _: True))


def _each(
    broker: Broker, queue: str, ids: Collection[str] | None, let_go: Callable[[Delivery], bool]
) -> Iterator[bool]:
    with closing(Held(broker.url(USER), dead(queue), "deadletter")) as held:
        # All are held first, so that a retried message which is refused again meanwhile is not met twice.
        for delivery in list(held):
            if ids is not None and (delivery.message_id or "") not in ids:
                continue
            if gone := let_go(delivery):
                held.drop(delivery.tag)
            yield gone


def _why(headers: Any) -> str:
    deaths = headers.get("x-death") or [{}]
    return str(deaths[0].get("reason", "") if isinstance(deaths[0], dict) else "")


def _replays(headers: Any) -> int:
    count = headers.get(REPLAYS, 0)
    return count if isinstance(count, int) else 0
