"""What a change of rules would do at once, counted by the clock where that takes longer than a page may."""

from alembic import op

revision = "sync_0033"
down_revision = "sync_0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        create table sync.foresight (
            tenant text not null, agreement integer not null, mark text not null, after jsonb not null,
            asked timestamptz, total integer not null, seen integer not null default 0, last uuid,
            body jsonb, made timestamptz, told jsonb,
            primary key (tenant, agreement, mark)
        );
        create index foresight_asked on sync.foresight (asked) where asked is not null;
    """)
