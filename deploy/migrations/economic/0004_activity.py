"""When something last changed of an agreement, so that its regular checks may be seldom while nothing does."""

from alembic import op

revision = "economic_0004"
down_revision = "economic_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        create table economic.activity (
            agreement integer primary key,
            changed_at timestamptz not null
        );
    """)
