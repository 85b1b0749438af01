"""What e-conomic calls an answer that refused something, beside what it said: for the status and for the question."""

from alembic import op

revision = "sync_0029"
down_revision = "sync_0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        alter table sync.link add column status_request_id text not null default '';
        alter table sync.task add column request_id text not null default '';
    """)
