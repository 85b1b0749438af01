"""What admins did: who, when, and what became of which setting."""

from alembic import op

revision = "sync_0041"
down_revision = "sync_0040"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        create table sync.act (
            id uuid primary key, at timestamptz not null, tenant text not null, agreement integer,
            who text not null, who_id text not null default '', what text not null, about jsonb not null default '{}'
        );
        create index act_tenant on sync.act (tenant, at, id);
    """)
