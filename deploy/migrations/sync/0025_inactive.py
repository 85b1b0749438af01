"""What becomes of a customer that is inactive in the CRM: it flows on, or rests."""

from alembic import op

revision = "sync_0025"
down_revision = "sync_0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        alter table sync.agreement add column inactive text not null default 'flows'
            check (inactive in ('flows', 'rests'));
    """)
