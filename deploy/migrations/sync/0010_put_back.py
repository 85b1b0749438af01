"""What was written in consequence of a decision is found by it."""

from alembic import op

revision = "sync_0010"
down_revision = "sync_0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("create index audit_decision on sync.audit (decision) where decision is not null")
