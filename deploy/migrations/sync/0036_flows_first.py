"""Whether customers flow by themselves from when they are linked, transferred or created, or only once a user says so."""

from alembic import op

revision = "sync_0036"
down_revision = "sync_0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table sync.agreement add column flows_first boolean not null default true")
