"""Who chose which rules when? Tables of schema ``sync`` for what admins choose about an agreement, over time."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from reconciler.mail_tables import metadata

__all__ = ["metadata"]

_MOMENT = sa.TIMESTAMP(timezone=True)

rule_change = sa.Table(
    "rule_change",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("agreement", sa.Integer, nullable=False),
    sa.Column("at", _MOMENT, nullable=False),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("who_id", sa.Text, nullable=False, server_default=""),
    # invoices: they were protected in one click
    sa.Column("preset", sa.Text, nullable=False, server_default=""),
    sa.Column("before", JSONB, nullable=False),
    sa.Column("after", JSONB, nullable=False),
    # the change that this one takes back
    sa.Column("undoes", sa.Uuid, unique=True),
)
"""Every change of an agreement's rules, for ever."""
sa.Index("rule_change_newest", rule_change.c.tenant, rule_change.c.agreement, rule_change.c.at)
