"""What was written and edited? Tables of schema ``sync`` for what is kept for good."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from reconciler.rule_tables import metadata

__all__ = ["metadata"]

_MOMENT = sa.TIMESTAMP(timezone=True)

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("at", _MOMENT, nullable=False),
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("agreement", sa.Integer, nullable=False),
    sa.Column("crm_id", sa.Text, nullable=False),
    sa.Column("number", sa.Integer),
    # customer | contact, and its id in the system written to (none: it was created)
    sa.Column("record", sa.Text, nullable=False),
    sa.Column("record_id", sa.Text),
    sa.Column("system", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("operation", sa.Uuid, nullable=False),
    sa.Column("before", JSONB, nullable=False),
    sa.Column("after", JSONB, nullable=False),
    # flow: only the other side had changed it; rule: both had, or it may not be changed there; person: decided so
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("decision", sa.Uuid),
)
"""Every write the engine made, for ever; enough to put it back."""
sa.Index("audit_decision", audit.c.decision, postgresql_where=audit.c.decision.isnot(None))
sa.Index("audit_customer", audit.c.tenant, audit.c.crm_id, audit.c.at)
sa.Index("audit_tenant", audit.c.tenant, audit.c.at, audit.c.id)
sa.Index("audit_rule", audit.c.tenant, audit.c.at, audit.c.id, postgresql_where=audit.c.by == "rule")

edit = sa.Table(
    "edit",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    # when it was heard of
    sa.Column("at", _MOMENT, nullable=False),
    sa.Column("link", sa.Uuid, nullable=False),
    sa.Column("pair", sa.Uuid, nullable=False),
    sa.Column("system", sa.Text, nullable=False),
    sa.Column("field", sa.Text, nullable=False),
    sa.Column("before", sa.Text, nullable=False),
    sa.Column("after", sa.Text, nullable=False),
)
"""Every value of a linked customer that somebody edited in its system, as it was heard; what the engine wrote is in ``audit``."""
sa.Index("edit_link", edit.c.link, edit.c.at)
