"""Does this process have what a person's access needs? What it tells of itself, of no agreement: there may be none yet.

The caller holds the transaction.
"""

from collections.abc import Sequence
from datetime import datetime

import structlog
from sqlalchemy import Connection

from crm_outbox.messaging import outbox as messages
from crm_outbox.messaging.envelope import Version
from crm_outbox.messaging.outbox import Draft, Outbox
from economic_adapter import agreements
from economic_adapter.contract import EVERY_TENANT, InstallationObserved

log = structlog.get_logger(__name__)

SUBJECT = "economic/installation"


def tell(connection: Connection, outbox: Outbox, lacks: Sequence[str], now: datetime) -> None:
    """Tell which settings that access needs were not entered, by name; that it is told says that somebody is there."""
    draft = Draft(
        data=InstallationObserved(at=now, lacks=tuple(lacks)),
        tenant=EVERY_TENANT,
        subject=SUBJECT,
        version=Version(agreements.current_epoch(connection), int(now.timestamp() * 1_000_000)),
    )
    messages.append(connection, outbox, draft)
    if lacks:
        log.warning("installation.lacks", settings=list(lacks))
