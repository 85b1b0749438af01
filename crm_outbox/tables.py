"""What does the CRM's side remember? The tables of schema ``crm``."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from crm_outbox.contract import CONTACT_FIELDS, CUSTOMER_FIELDS
from crm_outbox.messaging.tables import message_tables

metadata = sa.MetaData(schema="crm")
messages = message_tables(metadata, "crm")

epoch = sa.Table(
    "epoch",
    metadata,
    sa.Column("single", sa.Boolean, sa.CheckConstraint("single"), primary_key=True, server_default=sa.true()),
    sa.Column("epoch", sa.Integer, nullable=False),
)

version = sa.Table(
    "version",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("customer", sa.Text, primary_key=True),
    sa.Column("epoch", sa.Integer, nullable=False),
    sa.Column("number", sa.BigInteger, nullable=False),
)
"""The version counter of each customer, ours and not the CRM's: moved with every change, under its row's lock."""

customer = sa.Table(
    "customer",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("stage", sa.Text, nullable=False),
    sa.Column("deleted", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("merged_into", sa.Text),
    sa.Column("origin", sa.Uuid),
    sa.Column("created", sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column("active_since", sa.TIMESTAMP(timezone=True)),
    sa.Column("number", sa.Integer),
    *(sa.Column(name, sa.Text, nullable=False, server_default="") for name in CUSTOMER_FIELDS),
)
sa.Index("customer_cvr", customer.c.tenant, customer.c.cvr, postgresql_where=customer.c.cvr != "")
sa.Index("customer_ean", customer.c.tenant, customer.c.ean, postgresql_where=customer.c.ean != "")
sa.Index("customer_email", customer.c.tenant, customer.c.email, postgresql_where=customer.c.email != "")

CVR_KEY = "regexp_replace(regexp_replace(upper(cvr), '[^0-9A-Z]', '', 'g'), '^DK(?=[0-9]{8}$)', '')"
EAN_KEY = "regexp_replace(ean, '[^0-9]', '', 'g')"
EMAIL_KEY = (
    r"translate(lower(regexp_replace(email, '[\s\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]', '', 'g')), "
    "'ÆØÅÄÖÜÉ', 'æøåäöüé')"
)
"""A value as twins are searched by: without blanks, marks, case and DK. Danish letters by name, as ``lower`` may not know
them. Each has an index of the same words."""
sa.Index("customer_cvr_key", customer.c.tenant, sa.text(CVR_KEY), postgresql_where=customer.c.cvr != "")
sa.Index("customer_ean_key", customer.c.tenant, sa.text(EAN_KEY), postgresql_where=customer.c.ean != "")
sa.Index("customer_email_key", customer.c.tenant, sa.text(EMAIL_KEY), postgresql_where=customer.c.email != "")

contact = sa.Table(
    "contact",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("customer", sa.Text, nullable=False),
    sa.Column("position", sa.BigInteger, sa.Identity(always=True), nullable=False),
    sa.Column("removed", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("origin", sa.Uuid),
    *(sa.Column(name, sa.Text, nullable=False, server_default="") for name in CONTACT_FIELDS),
    sa.ForeignKeyConstraint(["tenant", "customer"], ["crm.customer.tenant", "crm.customer.id"]),
)
sa.Index("contact_customer", contact.c.tenant, contact.c.customer)

operation = sa.Table(
    "operation",
    metadata,
    sa.Column("operation", sa.Uuid, primary_key=True),
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("customer", sa.Text),
    sa.Column("outcome", JSONB, nullable=False),
    sa.Column("answered_at", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
)
"""How each operation ended, so that a repeated one is answered and not done again."""

creation_lock = sa.Table("creation_lock", metadata, sa.Column("tenant", sa.Text, primary_key=True))
"""One row a tenant, locked from the search for twins to the commit of the insert."""

backfill = sa.Table(
    "backfill",
    metadata,
    sa.Column("run", sa.Uuid, primary_key=True),
    sa.Column("tenant", sa.Text, nullable=False),
    # running | closed | stopped
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("cursor", sa.Text, nullable=False, server_default=""),
    sa.Column("read", sa.Integer, nullable=False, server_default="0"),
    sa.Column("count", sa.Integer, nullable=False),
    # message id, correlation and traceparent of the command
    sa.Column("cause", JSONB),
    sa.Column("started_at", sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column("ended_at", sa.TIMESTAMP(timezone=True)),
)
"""A run that publishes every customer once more; the cursor is the id of the last one published."""
sa.Index("backfill_running", backfill.c.started_at, postgresql_where=backfill.c.state == "running")
