"""People at one customer: who is at it, to whom its questions were handed, forms that outlive a session; edits as they were heard."""

from alembic import op

revision = "sync_0016"
down_revision = "sync_0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        create table sync.presence (
            link uuid not null, person text not null, tenant text not null, name text not null, at timestamptz not null,
            primary key (link, person)
        );
        create index presence_at on sync.presence (at);
        create table sync.handover (
            link uuid primary key references sync.link (id) on delete cascade,
            tenant text not null, person text not null, given_by text not null, at timestamptz not null
        );
        create index handover_person on sync.handover (tenant, person);
        create table sync.kept_form (
            tenant text not null, person text not null, page text not null, fields jsonb not null,
            at timestamptz not null, primary key (tenant, person, page)
        );
        create index kept_form_at on sync.kept_form (at);
        create table sync.edit (
            id bigint generated always as identity primary key, at timestamptz not null, link uuid not null,
            pair uuid not null, system text not null, field text not null, before text not null, after text not null
        );
        create index edit_link on sync.edit (link, at);
    """)
