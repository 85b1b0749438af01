"""Customers of a decision about very many, whose values are still to be read before it can be confirmed."""

from alembic import op

revision = "sync_0038"
down_revision = "sync_0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("create index bulk_item_listed on sync.bulk_item (bulk, position) where state = 'listed'")
