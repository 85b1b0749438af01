"""Who decided, by the person's id: two people may have one name. Empty for what was decided before, or on a command line."""

from alembic import op

revision = "sync_0012"
down_revision = "sync_0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table sync.decision add column who_id text not null default ''")
