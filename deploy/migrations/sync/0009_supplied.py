"""What a person chose for the creation of one customer in e-conomic."""

from alembic import op

revision = "sync_0009"
down_revision = "sync_0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table sync.link add column supplied jsonb")
