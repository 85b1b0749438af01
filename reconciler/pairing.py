"""What is decided about a suggested pair that was marked? It is linked, or told apart, if it is still as it was suggested.

One decision about its customer, made as one about a customer alone is; a customer that was only recorded so far gets its link.
"""

from typing import Literal
from uuid import UUID

from sqlalchemy import Connection

from reconciler import agreements, deciding, joining, suggestions
from reconciler.bulks import Bulk, Item
from reconciler.decided import Saved
from reconciler.decisions import Decision
from reconciler.link import LinkState
from reconciler.stepping import Clocked

Answer = Literal["link", "apart"]


def decide(clocked: Clocked, connection: Connection, bulk: Bulk, item: Item, decision: UUID) -> Saved | None:
    """Decide about one pair; none where it is not as it was suggested any more."""
    agreement, crm_id, number = bulk.agreement, item.crm_id, item.number
    if agreement is None or crm_id is None or number is None:
        return None
    agreements.hold(connection, bulk.tenant, agreement)
    found = joining.locked(connection, bulk.tenant, agreement, crm_id, None)
    link = next((one.link for one in found if one.link.crm_id == crm_id), None)
    if link is None or link.state is not LinkState.UNLINKED or number in link.apart:
        return None
    evidence = item.parts[0].detail
    if bulk.kind == "link" and not suggestions.holds(connection, bulk.tenant, agreement, crm_id, number, evidence):
        return None
    made = Decision(
        id=decision,
        tenant=bulk.tenant,
        agreement=agreement,
        link=link.id,
        means="link" if bulk.kind == "link" else "not_the_same",
        who=bulk.who,
        who_id=bulk.who_id,
        at=clocked.now(),
        number=number,
        seen=deciding.versions(link),
    )
    return deciding.save(clocked, connection, made)
