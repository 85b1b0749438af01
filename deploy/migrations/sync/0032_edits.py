"""Since when an edit waits that no write carries yet, and of each edit that a write carries, when it was made."""

from alembic import op

revision = "sync_0032"
down_revision = "sync_0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        alter table sync.pair add column edited jsonb not null default '{}';
        alter table sync.operation add column edits timestamptz[] not null default '{}';
    """)
