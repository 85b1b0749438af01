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
