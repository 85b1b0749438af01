"""When an admin first said how changes come to Clickmate: a step of setting up that is done by choosing, before anything is made."""

from alembic import op

revision = "sync_0043"
down_revision = "sync_0042"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        alter table sync.agreement add column receive_chosen timestamptz;
        -- both stand in one form: who saved the one saw and saved the other
        update sync.agreement set receive_chosen = transfer_chosen where transfer_chosen is not null;
    """)
