"""The adapter's memory: agreements, what was seen, marks, work, operations."""

from alembic import op

revision = "economic_0002"
down_revision = "economic_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        create table economic.epoch (
            single boolean primary key default true check (single),
            epoch integer not null
        );
        insert into economic.epoch (epoch) values (1);

        create table economic.agreement (
            number integer primary key,
            tenant text not null,
            name text not null default '',
            state text not null check (state in ('connected', 'on', 'off', 'access_lost', 'disconnected')),
            cause text not null default '',
            grant_sealed text,
            connected_at timestamptz not null default now(),
            seen_at timestamptz,
            customers integer,
            rights jsonb not null default '{}',
            reference jsonb,
            hook_endpoint text unique,
            hook_secret_sha256 bytea,
            webhooks_wanted boolean not null default true,
            webhooks text not null default 'none' check (webhooks in ('none', 'registered', 'refused')),
            polling boolean not null default true,
            polled_at timestamptz,
            customers_since timestamptz,
            contacts_since timestamptz,
            missed bigint not null default 0,
            number_from integer,
            next_number integer,
            bucket_limit integer not null default 2000,
            bucket_window integer not null default 60,
            bucket_used integer not null default 0,
            bucket_seen_at timestamptz,
            paused_until timestamptz,
            failures integer not null default 0,
            probe_at timestamptz,
            day date,
            calls_today integer not null default 0,
            looks_today integer not null default 0
        );
        create unique index agreement_active_tenant on economic.agreement (tenant) where state <> 'disconnected';

        create table economic.mirror (
            agreement integer not null,
            number integer not null,
            epoch integer not null,
            counter bigint not null,
            body jsonb,
            object_version text not null default '',
            contacts jsonb not null default '[]',
            absent boolean not null default false,
            missing_since timestamptz,
            seen_at timestamptz not null,
            primary key (agreement, number)
        );

        create table economic.mark (
            agreement integer not null,
            number integer not null,
            counter bigint not null,
            why text not null check (why in ('hook', 'poll', 'look')),
            first_at timestamptz not null,
            last_at timestamptz not null,
            old_numbers integer[] not null default '{}',
            primary key (agreement, number)
        );

        create table economic.work (
            id bigint generated always as identity primary key,
            agreement integer not null,
            kind text not null check (kind in ('look', 'write', 'poll', 'check')),
            key text not null,
            lane smallint not null,
            number integer,
            customer text,
            due_at timestamptz not null,
            expires_at timestamptz,
            worker bigint,
            claimed_at timestamptz,
            attempts integer not null default 0,
            last_error text not null default '',
            waiting text not null default '',
            command jsonb not null default '{}',
            cause jsonb,
            created_at timestamptz not null default now(),
            constraint work_key unique (agreement, kind, key)
        );
        create index work_due on economic.work (agreement, lane, due_at) where worker is null;
        create unique index work_one_per_number on economic.work (agreement, number)
            where worker is not null and number is not null;
        create unique index work_one_per_customer on economic.work (agreement, customer)
            where worker is not null and customer is not null;

        create table economic.operation (
            operation uuid primary key,
            agreement integer not null,
            customer text,
            number integer,
            work bigint,
            position integer not null default 0,
            part jsonb not null,
            state text not null default 'planned'
                check (state in ('planned', 'sent', 'written', 'unchanged', 'refused', 'ambiguous')),
            key uuid,
            attempt integer not null default 0,
            chosen_number integer,
            free_seen boolean not null default false,
            seen_before integer[] not null default '{}',
            body text,
            outcome jsonb,
            planned_at timestamptz not null default now(),
            sent_at timestamptz,
            answered_at timestamptz
        );
        create index operation_open on economic.operation (agreement, work) where state in ('planned', 'sent');
        create index operation_number on economic.operation (agreement, number);

        create table economic.wake (
            id bigint generated always as identity primary key,
            agreement integer not null,
            sent_at timestamptz not null
        );
    """)
