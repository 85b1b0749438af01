"""The e-mail of a contact person who gets copies of invoices has a rule of its own: the one chosen of their e-mail so far."""

from alembic import op

revision = "sync_0030"
down_revision = "sync_0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        update sync.agreement
        set rules = jsonb_set(rules, '{contact,invoice_email}', rules -> 'contact' -> 'email' || '{"may_be_empty": false}')
        where rules -> 'contact' -> 'email' is not null and rules -> 'contact' -> 'invoice_email' is null
    """)
