"""Customers whose contact persons get copies of invoices are told once more: which documents each gets is told from now on."""

from alembic import op

revision = "economic_0009"
down_revision = "economic_0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        alter table economic.mirror add column retell boolean not null default false;
        update economic.mirror set retell = true
        where exists (select from jsonb_array_elements(contacts) one
                      where one ->> 'receiveInvoices' = 'true' or one ->> 'receiveEInvoices' = 'true')
    """)
