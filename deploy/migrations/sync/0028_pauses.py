"""Which directions are paused, by whom and until when; and who waits for one that goes on."""

from alembic import op

revision = "sync_0028"
down_revision = "sync_0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        alter table sync.agreement add column halts jsonb not null default '[]';
        alter table sync.agreement add column halts_end timestamptz;
        create index agreement_halts_end on sync.agreement (halts_end) where halts_end is not null;
        create index link_paused on sync.link (tenant, agreement, status_reason, status_since) where status = 'paused';
    """)
