"""Which linked customers may another rule concern? Those whose details differ as far as they were compared; reading only."""

from collections.abc import Iterator

import sqlalchemy as sa

from reconciler import rows, statements
from reconciler.link import Link


def linked(connection: sa.Connection, tenant: str, agreement: int, *, equals: bool) -> Iterator[Link]:
    """Every linked customer of an agreement, not locked; unless ``equals``, only those not known to be the same."""
    values = {"tenant": tenant, "agreement": agreement, "equals": equals}
    for row in connection.execute(statements.LINKED, values):
        yield rows.link_of(row._asdict(), row.pairs)
