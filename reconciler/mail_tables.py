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

letter_link = sa.Table(
    "letter_link",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("tenant", sa.Text, nullable=False),
    # whose letter it stands in
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("mail", sa.Uuid, nullable=False),
    # the write of the audit, and which detail of it
    sa.Column("write", sa.BigInteger, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("customer", sa.Text, nullable=False),
    sa.Column("made", _MOMENT, nullable=False),
    sa.Column("expires", _MOMENT, nullable=False),
    sa.Column("used", _MOMENT),
    # what the use decided; none where there was nothing to put back
    sa.Column("decision", sa.Uuid),
    sa.Column("revoked", _MOMENT),
)
"""Each change in a letter that its reader may see and undo without a sign-in, once."""
sa.Index("letter_link_mail", letter_link.c.mail)
sa.Index(
    "letter_link_tenant", letter_link.c.tenant, letter_link.c.address, postgresql_where=letter_link.c.revoked.is_(None)
)
sa.Index("letter_link_expires", letter_link.c.expires)

letter_token = sa.Table(
    "letter_token",
    metadata,
    sa.Column("sha256", sa.LargeBinary, primary_key=True),
    sa.Column("link", sa.Uuid, sa.ForeignKey("sync.letter_link.id", ondelete="CASCADE"), nullable=False),
)
"""What opens such a link, as it left in a mail; of a mail that was tried again there are several."""
sa.Index("letter_token_link", letter_token.c.link)
