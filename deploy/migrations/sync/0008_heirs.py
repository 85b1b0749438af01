"""Heirs: whose link waits for a customer that another was merged into."""

from alembic import op

revision = "sync_0008"
down_revision = "sync_0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        create index link_merged_into on sync.link (tenant, agreement, merged_into) where merged_into is not null;
    """)
