"""People at the pages: who they are, their sessions, API keys, and what a tenant's admins chose."""

from alembic import op

revision = "sync_0011"
down_revision = "sync_0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        create table sync.person (
            tenant text not null, id text not null, name text not null, role text not null,
            mail text not null default '', language text, seen timestamptz not null,
            primary key (tenant, id)
        );
        create index person_role on sync.person (tenant, role, seen);
        create table sync.session (
            id bytea primary key, tenant text not null, person text not null, name text not null, role text not null,
            form_key bytea not null, return_to text not null default '',
            started timestamptz not null, seen timestamptz not null
        );
        create index session_seen on sync.session (seen);
        create table sync.used_pass (id bytea primary key, until timestamptz not null);
        create index used_pass_until on sync.used_pass (until);
        create table sync.api_key (
            id uuid primary key, tenant text not null, name text not null, role text not null,
            sha256 bytea not null unique, made timestamptz not null, used timestamptz, ended timestamptz
        );
        create index api_key_tenant on sync.api_key (tenant);
        create table sync.setting (
            tenant text not null, name text not null, value jsonb not null, primary key (tenant, name)
        );
    """)
