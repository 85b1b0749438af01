"""What the page of an agreement's set-up shows and sets: what was told of it last, that it is the right one, webhooks or not."""

from alembic import op

revision = "sync_0023"
down_revision = "sync_0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        alter table sync.agreement
            add column told jsonb, add column lost_since timestamptz, add column confirmed timestamptz,
            add column hooks boolean not null default true
    """)
