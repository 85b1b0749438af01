"""Who uses the pages? Tables of schema ``sync`` for people, their sessions, API keys and a tenant's settings."""

from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from reconciler.run_tables import metadata

__all__ = ["metadata"]

_MOMENT = sa.TIMESTAMP(timezone=True)

person = sa.Table(
    "person",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    # reader | user | admin, as the CRM said last
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("mail", sa.Text, nullable=False, server_default=""),
    # chosen on a page; none: the tenant's
    sa.Column("language", sa.Text),
    sa.Column("seen", _MOMENT, nullable=False),
)
"""Everybody whom the CRM vouched for, so that a page can name who may help."""
sa.Index("person_role", person.c.tenant, person.c.role, person.c.seen)
TOLD_APART: Final = """
    name || case when count(*) over (partition by name) > 1 then ' (' || coalesce(nullif(mail, ''), id) || ')' else '' end
"""
"""A person's name among those that are chosen from; of two of one name each has the address, or else the id, behind it."""

session = sa.Table(
    "session",
    metadata,
    # SHA-256 of what the browser's cookie holds
    sa.Column("id", sa.LargeBinary, primary_key=True),
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("person", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("form_key", sa.LargeBinary, nullable=False),
    sa.Column("return_to", sa.Text, nullable=False, server_default=""),
    sa.Column("started", _MOMENT, nullable=False),
    sa.Column("seen", _MOMENT, nullable=False),
)
"""A person at a browser, known by a cookie."""
sa.Index("session_seen", session.c.seen)

used_pass = sa.Table(
    "used_pass",
    metadata,
    sa.Column("id", sa.LargeBinary, primary_key=True),
    sa.Column("until", _MOMENT, nullable=False),
)
"""Launch passes that were used, until they would be too old anyhow: each opens one session."""
sa.Index("used_pass_until", used_pass.c.until)

api_key = sa.Table(
    "api_key",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("sha256", sa.LargeBinary, nullable=False, unique=True),
    sa.Column("made", _MOMENT, nullable=False),
    sa.Column("used", _MOMENT),
    sa.Column("ended", _MOMENT),
)
"""Keys by which another service of a tenant speaks to the JSON interface, under a name and with a role."""
sa.Index("api_key_tenant", api_key.c.tenant)

setting = sa.Table(
    "setting",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", JSONB, nullable=False),
)
"""What an admin chose for a tenant that is not an agreement's: its language, who may create, who is mailed."""

look = sa.Table(
    "look",
    metadata,
    sa.Column("link", sa.Uuid, primary_key=True),
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("agreement", sa.Integer, nullable=False),
    sa.Column("opened", _MOMENT, nullable=False),
    sa.Column("id", sa.Uuid),
    sa.Column("asked", _MOMENT),
    # when a look before this one was answered
    sa.Column("seen", _MOMENT),
)
"""The look at e-conomic that people wait for who watch a customer; one for all of them."""
sa.Index("look_opened", look.c.tenant, look.c.agreement, look.c.opened)

look_told = sa.Table(
    "look_told",
    metadata,
    sa.Column("look", sa.Uuid, nullable=False),
    # taken | answered | missing | unanswered
    sa.Column("how", sa.Text, nullable=False),
    sa.Column("cause", sa.Text, nullable=False, server_default=""),
    sa.Column("at", _MOMENT, nullable=False),
)
"""What was told of such a look; only added to, so that whoever hears it waits for nobody."""
sa.Index("look_told_look", look_told.c.look)
presence = sa.Table(
    "presence",
    metadata,
    sa.Column("link", sa.Uuid, primary_key=True),
    sa.Column("person", sa.Text, primary_key=True),
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("at", _MOMENT, nullable=False),
)
"""Who looked last at a customer that asks something: a mark that blocks nobody."""
sa.Index("presence_at", presence.c.at)

handover = sa.Table(
    "handover",
    metadata,
    sa.Column("link", sa.Uuid, sa.ForeignKey("sync.link.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("person", sa.Text, nullable=False),
    sa.Column("given_by", sa.Text, nullable=False),
    sa.Column("at", _MOMENT, nullable=False),
)
"""Whom the questions about a customer were handed to that were open then."""
sa.Index("handover_person", handover.c.tenant, handover.c.person)

kept_form = sa.Table(
    "kept_form",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("person", sa.Text, primary_key=True),
    # the customer it is about
    sa.Column("page", sa.Text, primary_key=True),
    sa.Column("fields", JSONB, nullable=False),
    sa.Column("at", _MOMENT, nullable=False),
)
"""What somebody filled in while their session ended, to be offered back for half an hour."""
sa.Index("kept_form_at", kept_form.c.at)
