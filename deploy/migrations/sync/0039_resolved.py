"""How many lines of a decision about many waited for no choice any more when it was read what would be written."""

from alembic import op

revision = "sync_0039"
down_revision = "sync_0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table sync.bulk add column resolved integer not null default 0")
