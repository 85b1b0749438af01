"""The highest number that a new customer may get."""

from alembic import op

revision = "sync_0037"
down_revision = "sync_0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table sync.agreement add column number_to integer")
