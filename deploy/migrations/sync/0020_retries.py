"""Trying many errors again: who asked, which they are, and how far it came."""

from alembic import op

revision = "sync_0020"
down_revision = "sync_0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        create table sync.retry (
            id uuid primary key, tenant text not null, who text not null, who_id text not null default '',
            at timestamptz not null, state text not null default 'running', ended timestamptz
        );
        create index retry_tenant on sync.retry (tenant, at);
        create index retry_open on sync.retry (at) where ended is null;
        create table sync.retry_item (
            retry uuid not null references sync.retry (id) on delete cascade, position integer not null,
            task uuid not null, link uuid not null, state text not null default 'planned',
            primary key (retry, position)
        );
        create index retry_item_left on sync.retry_item (retry, state, position) where state in ('planned', 'sent');
    """)
