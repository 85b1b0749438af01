"""When the last webhook came, so that people can be told."""

from alembic import op

revision = "economic_0007"
down_revision = "economic_0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table economic.activity add column hook_at timestamptz")
