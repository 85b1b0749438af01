"""What is remembered of decisions about many customers, and of the links that are suggested? More tables of schema ``sync``."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from reconciler.people_tables import metadata

__all__ = ["metadata"]

_MOMENT = sa.TIMESTAMP(timezone=True)
_EMPTY_LIST = sa.text("'[]'")
_EMPTY_OBJECT = sa.text("'{}'")

bulk = sa.Table(
    "bulk",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("tenant", sa.Text, nullable=False),
    # settle | flow | link | apart | undo
    sa.Column("kind", sa.Text, nullable=False),
    # of settle: crm | economic | different; of undo: the kind of what is undone
    sa.Column("what", sa.Text, nullable=False, server_default=""),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("who_id", sa.Text, nullable=False, server_default=""),
    # marks what one person did while they were signed in once; empty for a service
    sa.Column("session", sa.Text, nullable=False, server_default=""),
    sa.Column("at", _MOMENT, nullable=False),
    # previewed | running | stopped | done
    sa.Column("state", sa.Text, nullable=False, server_default="previewed"),
    sa.Column("ended", _MOMENT),
    sa.Column("undone_by", sa.Uuid),
    # the filter of the list it was made from, and how many of it could not be part of it
    sa.Column("filter", sa.Text, nullable=False, server_default=""),
    sa.Column("left_out", sa.Integer, nullable=False, server_default="0"),
    # of these, how many waited for no choice any more when it was read what would be written
    sa.Column("resolved", sa.Integer, nullable=False, server_default="0"),
    # of links: the agreement whose numbers they are
    sa.Column("agreement", sa.Integer),
)
"""A decision about many customers at once: each of its items is a decision of its own about one of them."""
sa.Index("bulk_session", bulk.c.tenant, bulk.c.session, bulk.c.at, postgresql_where=bulk.c.session != "")
sa.Index(
    "bulk_running", bulk.c.at, postgresql_where=sa.text("ended is null and state <> 'previewed'")
)  # fmt: skip

bulk_item = sa.Table(
    "bulk_item",
    metadata,
    sa.Column("bulk", sa.Uuid, sa.ForeignKey("sync.bulk.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("link", sa.Uuid),
    sa.Column("crm_id", sa.Text),
    sa.Column("number", sa.Integer),
    # what was shown of it, part by part, and how many parts that are
    sa.Column("body", JSONB, nullable=False, server_default=_EMPTY_LIST),
    sa.Column("parts", sa.Integer, nullable=False),
    # listed (what it would write is not read yet) | planned | sent | ended | left_out
    sa.Column("state", sa.Text, nullable=False, server_default="planned"),
    sa.Column("decision", sa.Uuid),
    sa.Column("undoes", sa.Uuid),
    # values that had moved before the decision was saved
    sa.Column("stale", ARRAY(sa.Text), nullable=False, server_default=_EMPTY_OBJECT),
    sa.Column("done", sa.Integer, nullable=False, server_default="0"),
    sa.Column("moved", sa.Integer, nullable=False, server_default="0"),
    sa.Column("failed", sa.Integer, nullable=False, server_default="0"),
)
"""One customer of such a decision, and what became of it."""
sa.Index(
    "bulk_item_left", bulk_item.c.bulk, bulk_item.c.state, bulk_item.c.position,
    postgresql_where=bulk_item.c.state.in_(["planned", "sent"]),
)  # fmt: skip

sa.Index("bulk_item_listed", bulk_item.c.bulk, bulk_item.c.position, postgresql_where=bulk_item.c.state == "listed")

suggestion = sa.Table(
    "suggestion",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("agreement", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("crm_id", sa.Text, primary_key=True),
    sa.Column("number", sa.Integer, nullable=False),
    # by what they were found, how strong that is, and everything that agrees
    sa.Column("evidence", sa.Text, nullable=False),
    sa.Column("place", sa.SmallInteger, nullable=False),
    sa.Column("reasons", ARRAY(sa.Text), nullable=False, server_default=_EMPTY_OBJECT),
)
"""Pairs that may be one customer, one-to-one over the whole of both systems, as they were found last."""
sa.Index(
    "suggestion_list", suggestion.c.tenant, suggestion.c.agreement, suggestion.c.place, suggestion.c.crm_id
)  # fmt: skip

suggesting = sa.Table(
    "suggesting",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("agreement", sa.Integer, primary_key=True, autoincrement=False),
    # since when somebody waits for them to be found anew, and when they were found last
    sa.Column("asked", _MOMENT),
    sa.Column("made", _MOMENT),
)
"""When pairs were looked for."""
sa.Index("suggesting_asked", suggesting.c.asked, postgresql_where=suggesting.c.asked.isnot(None))

approved_group = sa.Table(
    "approved_group",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("agreement", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("evidence", sa.Text, primary_key=True),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("who_id", sa.Text, nullable=False, server_default=""),
    sa.Column("at", _MOMENT, nullable=False),
)
"""Groups of weaker evidence that an admin lets be linked."""
