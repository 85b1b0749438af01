"""Which customers of e-conomic may an unlinked customer of the CRM be? By what is recorded; no call is made, nothing follows.

It is what a status tells and a page shows: pairs suggested over the whole of both systems that still hold, and what a search by
this customer's keys finds. It costs a handful of statements, so it is searched when a person opens the customer; a step only
looks at what was found before.
"""

from collections.abc import Iterable
from typing import Final

import sqlalchemy as sa

from reconciler import contacts, sides, similar, suggestions
from reconciler.link import Link, LinkState
from reconciler.matching import still_found

MOST: Final = 20
"""So many are named, the likeliest first."""


def found(connection: sa.Connection, link: Link) -> tuple[int, ...]:
    """Those that are free and were not told apart, the likeliest first; none for one that is linked, gone or being created."""
    if not _may_be_any(link) or link.agreement is None:
        return ()
    return _found(connection, link, suggestions.of_customer(connection, link.tenant, link.agreement, link.crm_id))


def known(connection: sa.Connection, link: Link) -> tuple[int, ...]:
    """As ``found``, for one of which some were found before or are suggested by now; nobody else is searched for."""
    if not _may_be_any(link) or link.agreement is None:
        return ()
    pairs = suggestions.of_customer(connection, link.tenant, link.agreement, link.crm_id)
    return _found(connection, link, pairs) if pairs or link.suggested else ()


def _may_be_any(link: Link) -> bool:
    alive = contacts.alive(link.customer.crm) and link.merged_into is None
    return alive and bool(link.crm_id) and link.state is LinkState.UNLINKED


def _found(connection: sa.Connection, link: Link, pairs: Iterable[tuple[int, str]]) -> tuple[int, ...]:
    alike = [int(one) for one in similar.in_economic(connection, link).free]
    suggested = [number for number, evidence in pairs if number in alike or _holds(connection, link, number, evidence)]
    numbers = dict.fromkeys((*suggested, *alike))
    return tuple(one for one in numbers if one not in link.apart)[:MOST]


def _holds(connection: sa.Connection, link: Link, number: int, evidence: str) -> bool:
    mine = similar.of_crm(link)
    seen = None if link.agreement is None else sides.economic(connection, link.tenant, link.agreement, number)
    if mine is None or seen is None or seen.customer is None:
        return False
    return still_found(mine, similar.of_economic(seen.customer), evidence)
