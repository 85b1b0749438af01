"""What a sweep found that nobody had told, on the CRM's side too."""

from alembic import op

revision = "sync_0007"
down_revision = "sync_0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        alter table sync.run add column found_crm integer not null default 0;
        alter table sync.run_seen add column news boolean not null default false;
    """)
