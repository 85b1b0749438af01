"""What is worth telling of late beside how a customer stands: put back, shortened, renumbered, kept different."""

from alembic import op

revision = "sync_0018"
down_revision = "sync_0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table sync.link add column notes jsonb not null default '[]'")
