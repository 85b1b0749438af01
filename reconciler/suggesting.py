"""When are suggested links looked for? The clock compares the whole of both systems, whenever somebody asked; nobody waits for it.

It may take a minute, so nothing is held open meanwhile; what was suggested before stays until then.
"""

import sqlalchemy as sa
import structlog

from crm_outbox.messaging.database import is_away
from reconciler import agreements, inventory, suggestions
from reconciler.agreement import Agreement
from reconciler.classes import classes, exists
from reconciler.evidence import Found
from reconciler.stepping import Clocked

log = structlog.get_logger(__name__)


def carry_on(engine: sa.Engine, clocked: Clocked) -> int:
    """Look for pairs wherever somebody waits for them; returns how often."""
    with engine.connect() as connection:
        asked = suggestions.asked(connection)
    for tenant, agreement, since in asked:
        try:
            with engine.connect() as connection:
                used = agreements.of_tenant(connection, tenant)
                known = next((one for one in used if one.agreement == agreement), None)
                found = () if known is None else look(connection, known)
        except Exception as error:
            if is_away(error):
                raise
            log.exception("suggestions.failed", agreement=agreement)
            with engine.begin() as connection:
                suggestions.give_up(connection, tenant, agreement)
            continue
        with engine.begin() as connection:
            suggestions.replace(connection, tenant, agreement, found, clocked.now(), since=since)
        log.info("suggestions.found", agreement=agreement, pairs=len(found))
    return len(asked)


def look(connection: sa.Connection, known: Agreement) -> tuple[Found, ...]:
    """The pairs of an agreement: those that would link by themselves, and those that are suggested, one-to-one."""
    here, there = inventory.both(connection, known)
    crm = {one.id: one for one in here if exists(one)}
    economic = {one.number: one for one in there if one.seen.customer is not None}
    found = classes(crm, economic).found
    return (*found.certain, *found.suggested)
