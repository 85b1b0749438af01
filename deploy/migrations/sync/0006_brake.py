"""The brake: which links wait for a person because a pass would have written to too many."""

from alembic import op

revision = "sync_0006"
down_revision = "sync_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        alter table sync.link add column held uuid;
        create index link_held on sync.link (held) where held is not null;
    """)
