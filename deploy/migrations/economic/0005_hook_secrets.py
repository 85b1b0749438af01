"""Two secrets open the address of an agreement's webhooks while one is replaced."""

from alembic import op

revision = "economic_0005"
down_revision = "economic_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        alter table economic.agreement
            add column hook_before_sha256 bytea,
            add column hook_before_until timestamptz;
    """)
