"""Whom was what written to? Tables of schema ``sync`` for mail: what was planned when, and each mail until it was sent."""

import sqlalchemy as sa

from reconciler.bulk_tables import metadata

__all__ = ["metadata"]

_MOMENT = sa.TIMESTAMP(timezone=True)

mail_round = sa.Table(
    "mail_round",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    # digest | letter | lost | stopped
    sa.Column("kind", sa.Text, primary_key=True),
    # the day, the week, or the agreement it concerns
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("at", _MOMENT, nullable=False),
)
"""What was planned once: that day's digest, that week's letter, the trouble that lasts."""

mail = sa.Table(
    "mail",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    # forgotten as soon as it was sent
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("planned", _MOMENT, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False, server_default="0"),
    # none: nothing is to be done about it any more
    sa.Column("due", _MOMENT),
    sa.Column("sent", _MOMENT),
    sa.Column("failure", sa.Text, nullable=False, server_default=""),
)
"""Each mail: recorded before it leaves, tried until the server took it or refused it for good."""
sa.Index("mail_due", mail.c.due, postgresql_where=mail.c.due.isnot(None))
sa.Index("mail_list", mail.c.tenant, mail.c.planned)
