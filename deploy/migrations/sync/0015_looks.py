"""Looks at e-conomic that people wait for, and how e-conomic can be reached for an agreement."""

from alembic import op

revision = "sync_0015"
down_revision = "sync_0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        create table sync.look (
            link uuid primary key, tenant text not null, agreement integer not null, opened timestamptz not null,
            id uuid, asked timestamptz, seen timestamptz
        );
        create index look_opened on sync.look (tenant, agreement, opened);
        create table sync.look_told (
            look uuid not null, how text not null, cause text not null default '', at timestamptz not null
        );
        create index look_told_look on sync.look_told (look);
        alter table sync.agreement
            add column reach_at timestamptz,
            add column down_since timestamptz,
            add column next_call timestamptz;
    """)
