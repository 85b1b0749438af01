"""Customers of whom there is more to be read than was told are told once more: invoice e-mail, credit limit, attention, e-invoice ID."""

from alembic import op

revision = "economic_0011"
down_revision = "economic_0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        update economic.mirror set retell = true
        where body is not null and (
            nullif(body ->> 'defaultInvoiceRecipient', '') is not null
            or body ->> 'creditMaximum' is not null
            or body ->> 'defaultAttention' is not null
            or exists (select from jsonb_array_elements(contacts) one where nullif(one ->> 'eInvoiceId', '') is not null))
    """)
