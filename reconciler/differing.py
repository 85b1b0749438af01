"""Which linked customers may another rule concern? Those in which a detail it is about is not the same; reading only."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa

from reconciler import questions, rows, statements
from reconciler.asked import Open
from reconciler.link import Link
from reconciler.ruleset import Reach


class Differing(NamedTuple):
    """A customer as it is stored, not locked, with its open questions."""

    link: Link
    asked: tuple[Open, ...]


def linked(connection: sa.Connection, tenant: str, agreement: int, reach: Reach) -> Iterator[Differing]:
    """The linked customers of an agreement that a change with that reach may concern, as they come."""
    for row in connection.execute(statements.LINKED, _values(tenant, agreement, reach)):
        yield Differing(rows.link_of(row._asdict(), row.pairs), questions.of_json(row.asked))


def some(
    connection: sa.Connection, tenant: str, agreement: int, reach: Reach, last: UUID | None, limit: int
) -> Iterator[Differing]:
    """As ``linked``, so many of them after that one, by the ids of their links."""
    values = {**_values(tenant, agreement, reach), "last": last, "limit": limit}
    for row in connection.execute(statements.SOME_LINKED, values):
        yield Differing(rows.link_of(row._asdict(), row.pairs), questions.of_json(row.asked))


def count(connection: sa.Connection, tenant: str, agreement: int, reach: Reach, most: int | None) -> int:
    """How many those are, counted up to ``most``."""
    return int(connection.scalar(_COUNT, {**_values(tenant, agreement, reach), "most": most}) or 0)


def _values(tenant: str, agreement: int, reach: Reach) -> Mapping[str, Any]:
    def named(one: Collection[str]) -> list[str]:
        return sorted(one)

    return {
        "tenant": tenant,
        "agreement": agreement,
        "customer": named(reach.customer),
        "contact": named(reach.contact),
        "lone": reach.lone,
        "equals": reach.equals,
    }


_COUNT = sa.text(f"select count(*) from (select from sync.link l where {statements.MAY_DIFFER} limit :most) x")
