"""What the adapter tells of itself on this server: whether what access to e-conomic needs was entered there."""

from alembic import op

revision = "sync_0040"
down_revision = "sync_0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        create table sync.installation (
            id uuid primary key, at timestamptz not null, lacks jsonb not null default '[]'
        );
        create index ix_sync_installation_at on sync.installation (at);
    """)
