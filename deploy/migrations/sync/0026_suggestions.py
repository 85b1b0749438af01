"""Suggested links: the pairs that were found, when they were looked for, and which groups of evidence an admin approved."""

from alembic import op

revision = "sync_0026"
down_revision = "sync_0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        alter table sync.bulk add column agreement integer;
        create table sync.suggestion (
            tenant text not null, agreement integer not null, crm_id text not null, number integer not null,
            evidence text not null, place smallint not null, reasons text[] not null default '{}',
            primary key (tenant, agreement, crm_id)
        );
        create index suggestion_list on sync.suggestion (tenant, agreement, place, crm_id);
        create table sync.suggesting (
            tenant text not null, agreement integer not null, asked timestamptz, made timestamptz,
            primary key (tenant, agreement)
        );
        create index suggesting_asked on sync.suggesting (asked) where asked is not null;
        create table sync.approved_group (
            tenant text not null, agreement integer not null, evidence text not null, who text not null,
            who_id text not null default '', at timestamptz not null,
            primary key (tenant, agreement, evidence)
        );
    """)
