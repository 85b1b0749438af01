"""Decisions about many customers at once: who made them, what of each customer they are about, and how far each came."""

from alembic import op

revision = "sync_0022"
down_revision = "sync_0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        create table sync.bulk (
            id uuid primary key, tenant text not null, kind text not null, what text not null default '', who text not null,
            who_id text not null default '', session text not null default '', at timestamptz not null,
            state text not null default 'previewed', ended timestamptz, undone_by uuid, filter text not null default '',
            left_out integer not null default 0
        );
        create index bulk_session on sync.bulk (tenant, session, at) where session <> '';
        create index bulk_running on sync.bulk (at) where ended is null and state <> 'previewed';
        create table sync.bulk_item (
            bulk uuid not null references sync.bulk (id) on delete cascade, position integer not null, link uuid, crm_id text,
            number integer, body jsonb not null default '[]', parts integer not null, state text not null default 'planned',
            decision uuid, undoes uuid, stale text[] not null default '{}', done integer not null default 0,
            moved integer not null default 0, failed integer not null default 0,
            primary key (bulk, position)
        );
        create index bulk_item_left on sync.bulk_item (bulk, state, position) where state in ('planned', 'sent');
    """)
