"""Is this the broker that was last spoken to? One that is new, or lost its data, must be refilled first.

A broker is told from others by its queue ``broker.<uuid>``. A message that must route to the known one asks.
"""

from uuid import UUID

from crm_outbox.messaging.frames import Outgoing
from crm_outbox.messaging.management import Management, ManagementError, verify
from crm_outbox.messaging.settings import Broker
from crm_outbox.messaging.settlement import Verdict

EXCHANGE = "broker"


class NotMet(Exception):
    """A broker that is new and not ready: without identity, unlike our topology, or its HTTP API is away."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def message(known: UUID | None) -> Outgoing:
    """What is published to ask; comes back, or closes the channel, where the known broker is not."""
    return Outgoing(0, "greeting", EXCHANGE, str(known), True, "greeting", 0, None, b"")


def is_stranger(verdict: Verdict) -> bool:
    """Whether the answer means another broker: not routed, or no such exchange."""
    returned = any(reason.startswith("returned") for _, reason in verdict.refused)
    return returned or (verdict.closed is not None and verdict.closed.code == 404)


def meet(broker: Broker, user: str) -> UUID:
    """Compare a new broker's topology with ours and read its identity; raises ``NotMet``."""
    try:
        with Management.of(broker, user) as management:
            problems = verify(management)
            identities = management.broker_ids()
    except ManagementError as error:
        raise NotMet([str(error)]) from error
    if problems or len(identities) != 1:
        raise NotMet(problems or ["queue broker.<uuid> is missing: run `crm_outbox topology init`"])
    return identities[0]
