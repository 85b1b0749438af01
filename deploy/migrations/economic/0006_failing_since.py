"""Since when e-conomic does not answer for an agreement, so that people can be told."""

from alembic import op

revision = "economic_0006"
down_revision = "economic_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table economic.agreement add column failing_since timestamptz")
