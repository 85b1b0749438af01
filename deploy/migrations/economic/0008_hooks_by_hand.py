"""When a webhook that was made by hand came last, and which one was refused last and why, so that people can be told."""

from alembic import op

revision = "economic_0008"
down_revision = "economic_0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        alter table economic.activity add column hand_at timestamptz, add column refused_at timestamptz,
            add column refused text not null default '', add column refused_as text not null default ''
    """)
