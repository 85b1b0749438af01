"""The messaging tables."""

from alembic import op

from deploy.migrations.histories import messaging

revision = "economic_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.get_bind().exec_driver_sql(messaging("0001", "economic"))
