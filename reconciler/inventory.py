"""What is recorded of every customer of both systems, with its link? Read for whoever compares the whole of both; reading only."""

import sqlalchemy as sa

from reconciler import sides, store
from reconciler.agreement import Agreement
from reconciler.classes import Here, There


def both(connection: sa.Connection, known: Agreement) -> tuple[list[Here], list[There]]:
    """Every customer of the CRM and of e-conomic that was told when both were read last, or seen since."""
    links = list(store.of_agreement(connection, known.tenant, known.agreement))
    by_id = {one.crm_id: one for one in links if one.crm_id}
    strangers = {one.number: one for one in links if not one.crm_id}
    read = known.run if known.read_at is not None else None
    here = [
        Here(id=crm_id, seen=seen, link=by_id.get(crm_id))
        for crm_id, seen in sides.all_crm(connection, known.tenant, read)
    ]
    there = [
        There(number=seen.number, seen=seen, link=strangers.get(seen.number))
        for seen in sides.all_economic(connection, known.tenant, known.agreement, read)
    ]
    return here, there
