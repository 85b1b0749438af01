"""What becomes of a contact person in one system who is removed in the other: kept there, or removed there too."""

from alembic import op

revision = "sync_0035"
down_revision = "sync_0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        alter table sync.agreement
            add column gone_there text not null default 'keep' check (gone_there in ('keep', 'remove')),
            add column gone_here text not null default 'keep' check (gone_here in ('keep', 'remove'));
        alter table sync.operation drop constraint operation_action_check;
        alter table sync.operation add constraint operation_action_check
            check (action in ('create', 'change', 'bar', 'remove'));
    """)
