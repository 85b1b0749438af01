"""Which steps of setting up are done: when an admin saw the rules, and when one said which new customers are transferred."""

from alembic import op

revision = "sync_0034"
down_revision = "sync_0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        alter table sync.agreement add column rules_seen timestamptz, add column transfer_chosen timestamptz;
    """)
