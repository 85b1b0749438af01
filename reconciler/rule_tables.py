"""What did admins do and choose when? Tables of schema ``sync`` for their acts and the rules of an agreement, over time."""

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

foresight = sa.Table(
    "foresight",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("agreement", sa.Integer, primary_key=True),
    # of the rules as they stand and as they would be
    sa.Column("mark", sa.Text, primary_key=True),
    sa.Column("after", JSONB, nullable=False),
    # since when somebody waits for it; none: nobody does
    sa.Column("asked", _MOMENT),
    sa.Column("total", sa.Integer, nullable=False),
    # how many customers were looked at, the last of them, and what was found by then
    sa.Column("seen", sa.Integer, nullable=False, server_default="0"),
    sa.Column("last", sa.Uuid),
    sa.Column("body", JSONB),
    # when it was counted last, and what came of it
    sa.Column("made", _MOMENT),
    sa.Column("told", JSONB),
)
"""What other rules would do at once, where more customers have to be looked at than a page may wait for."""
sa.Index("foresight_asked", foresight.c.asked, postgresql_where=foresight.c.asked.isnot(None))

act = sa.Table(
    "act",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("at", _MOMENT, nullable=False),
    sa.Column("tenant", sa.Text, nullable=False),
    # none: of the tenant, whatever it uses
    sa.Column("agreement", sa.Integer),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("who_id", sa.Text, nullable=False, server_default=""),
    # see ``acts.Act``
    sa.Column("what", sa.Text, nullable=False),
    # by setting: before and after
    sa.Column("about", JSONB, nullable=False, server_default="{}"),
)
"""Everything an admin did by a button, a service or a command, for ever; what is refused or changes nothing is not here."""
sa.Index("act_tenant", act.c.tenant, act.c.at, act.c.id)
