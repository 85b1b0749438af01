"""Runs: reading both sides, previews and what they carried out, undo, sweeps; and the customer tried out first."""

from alembic import op

revision = "sync_0004"
down_revision = "sync_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        create table sync.run (
            id uuid primary key,
            tenant text not null,
            agreement integer not null,
            kind text not null check (kind in ('read', 'switch_on', 'transfer', 'undo', 'sweep', 'pass')),
            state text not null check (state in
                ('running', 'paused', 'previewed', 'braked', 'done', 'stopped', 'failed', 'replaced')),
            reason text not null default '',
            asked_by text not null default '',
            started timestamptz not null,
            ended timestamptz,
            of_run uuid references sync.run (id),
            crm_run uuid,
            crm_read integer not null default 0,
            crm_count integer,
            crm_closed boolean not null default false,
            economic_read integer not null default 0,
            economic_count integer,
            economic_closed boolean not null default false,
            contacts integer not null default 0,
            calls integer not null default 0,
            found integer not null default 0,
            closed timestamptz,
            options jsonb not null default '{}',
            confirmed jsonb,
            fingerprint text not null default '',
            done integer not null default 0,
            total integer not null default 0,
            left_out integer not null default 0,
            due timestamptz,
            resent integer not null default 0,
            told timestamptz,
            told_done integer not null default -1,
            foreign key (tenant, agreement) references sync.agreement (tenant, agreement)
        );
        create index run_agreement on sync.run (tenant, agreement, kind, started);
        create index run_open on sync.run (started) where ended is null;

        create table sync.run_seen (
            run uuid not null references sync.run (id) on delete cascade,
            system text not null check (system in ('crm', 'economic')),
            id text not null,
            primary key (run, system, id)
        );

        create table sync.run_item (
            run uuid not null references sync.run (id) on delete cascade,
            position integer not null,
            action text not null,
            crm_id text,
            number integer,
            evidence text not null default '',
            writes jsonb not null default '[]',
            state text not null default 'planned' check (state in ('planned', 'done', 'left_out', 'undone')),
            reason text not null default '',
            link uuid,
            at timestamptz,
            primary key (run, position)
        );
        create index run_item_planned on sync.run_item (run, position) where state = 'planned';

        alter table sync.agreement
            add column busy uuid,
            add column pilot text;
    """)
