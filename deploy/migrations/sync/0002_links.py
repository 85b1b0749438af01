"""The reconciler: agreements, what each side held last, links with their pairs, bases and operations, the audit."""

from alembic import op

revision = "sync_0002"
down_revision = "sync_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        create table sync.agreement (
            tenant text not null,
            agreement integer not null,
            name text not null default '',
            state text not null default 'connected' check (state in
                ('connected', 'switching_on', 'on', 'refused', 'off', 'access_lost', 'disconnected')),
            reason text not null default '',
            asked timestamptz,
            since timestamptz,
            changed timestamptz not null default now(),
            customers integer,
            transfer text not null default 'created' check (transfer in ('created', 'active', 'hand')),
            number_from integer,
            rules jsonb not null default '{}',
            defaults jsonb not null default '{}',
            paused jsonb not null default '[]',
            look_again boolean not null default false,
            reference jsonb,
            webhooks text not null default 'none',
            polling boolean not null default true,
            calls_today integer not null default 0,
            seen timestamptz,
            operation uuid,
            configure jsonb,
            due timestamptz,
            resent integer not null default 0,
            primary key (tenant, agreement)
        );
        create unique index agreement_one_active on sync.agreement (tenant)
            where state in ('switching_on', 'on', 'off', 'access_lost');
        create index agreement_due on sync.agreement (due) where due is not null;

        create table sync.crm_side (
            tenant text not null,
            crm_id text not null,
            epoch integer not null,
            number bigint not null,
            state jsonb,
            seen timestamptz not null,
            primary key (tenant, crm_id)
        );

        create table sync.economic_side (
            agreement integer not null,
            number integer not null,
            tenant text not null,
            epoch integer not null,
            counter bigint not null,
            state jsonb,
            seen timestamptz not null,
            primary key (agreement, number)
        );

        create table sync.link (
            id uuid primary key,
            revision bigint not null default 0,
            tenant text not null,
            agreement integer not null,
            crm_id text not null,
            state text not null check (state in ('unlinked', 'creating', 'linked', 'resting')),
            rest text not null default '',
            number integer,
            old_numbers integer[] not null default '{}',
            flows boolean not null default false,
            counter integer not null default 0,
            crm_epoch integer,
            crm_number bigint,
            economic_epoch integer,
            economic_counter bigint,
            stage text,
            created timestamptz,
            active_since timestamptz,
            wanted integer,
            merged_into text,
            unsendable text not null default '',
            barred boolean,
            candidates integer[] not null default '{}',
            due timestamptz,
            look_again boolean not null default false,
            failures integer not null default 0,
            status text,
            status_details text[] not null default '{}',
            status_reason text not null default '',
            status_message text not null default '',
            status_since timestamptz,
            unique (tenant, agreement, crm_id),
            foreign key (tenant, agreement) references sync.agreement (tenant, agreement)
        );
        create unique index link_number on sync.link (agreement, number) where number is not null;
        create index link_old_numbers on sync.link using gin (old_numbers) where old_numbers <> '{}';
        create index link_due on sync.link (due) where due is not null;
        create index link_look_again on sync.link (agreement) where look_again;
        create index link_status on sync.link (tenant, agreement, status);

        create table sync.pair (
            link uuid not null references sync.link (id) on delete cascade,
            id uuid not null,
            kind text not null check (kind in ('customer', 'contact')),
            position integer not null,
            crm jsonb,
            economic jsonb,
            rest text not null default '',
            refusals jsonb not null default '[]',
            pause jsonb not null default '{}',
            bounces jsonb not null default '{}',
            primary key (link, id)
        );

        create table sync.field_base (
            link uuid not null,
            pair uuid not null,
            field text not null,
            crm text not null,
            economic text not null,
            unknown boolean not null default false,
            agreed timestamptz not null,
            primary key (link, pair, field),
            foreign key (link, pair) references sync.pair (link, id) on delete cascade
        );

        create table sync.operation (
            id uuid primary key,
            link uuid not null references sync.link (id) on delete cascade,
            pair uuid not null,
            system text not null check (system in ('crm', 'economic')),
            action text not null check (action in ('create', 'change')),
            body jsonb not null,
            sent timestamptz not null,
            due timestamptz not null,
            acknowledged timestamptz,
            result text,
            reason text not null default '',
            message text not null default '',
            detail text not null default '',
            settled timestamptz
        );
        create unique index operation_open on sync.operation (link, pair, system) where settled is null;
        create index operation_settled on sync.operation (settled) where settled is not null;

        create table sync.audit (
            id bigint generated always as identity primary key,
            at timestamptz not null,
            tenant text not null,
            agreement integer not null,
            crm_id text not null,
            number integer,
            record text not null,
            record_id text,
            system text not null,
            action text not null,
            operation uuid not null,
            before jsonb not null,
            after jsonb not null,
            by text not null
        );
        create index audit_customer on sync.audit (tenant, crm_id, at);
    """)
