"""The highest number that a new customer may get."""

from alembic import op

revision = "economic_0010"
down_revision = "economic_0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table economic.agreement add column number_to integer")
