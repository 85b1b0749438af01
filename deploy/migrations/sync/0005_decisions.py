"""What people are asked and what they decided: tasks, decisions, and what a link remembers of both."""

from alembic import op

revision = "sync_0005"
down_revision = "sync_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        create table sync.task (
            id uuid primary key,
            tenant text not null,
            agreement integer not null,
            link uuid references sync.link (id) on delete cascade,
            run uuid,
            kind text not null,
            subject text not null default '',
            reason text not null default '',
            details text[] not null default '{}',
            fingerprint text not null,
            opened timestamptz not null,
            closed timestamptz,
            how text check (how in ('settled', 'gone')),
            check ((closed is null) = (how is null)),
            check ((link is null) <> (run is null))
        );
        create unique index task_open on sync.task (link, kind, subject) where closed is null and link is not null;
        create unique index task_open_run on sync.task (run, kind) where closed is null and run is not null;
        create index task_list on sync.task (tenant, agreement, opened) where closed is null;

        create table sync.decision (
            id uuid primary key,
            tenant text not null,
            agreement integer not null,
            link uuid not null references sync.link (id) on delete cascade,
            means text not null,
            who text not null,
            at timestamptz not null,
            undoes uuid,
            body jsonb not null,
            state text not null default 'open' check (state in ('open', 'done', 'refused', 'partly')),
            parts integer not null,
            outcome jsonb not null default '[]',
            ended timestamptz,
            check ((state = 'open') = (ended is null))
        );
        create index decision_link on sync.decision (link, at);
        create index decision_list on sync.decision (tenant, agreement, at);

        alter table sync.link add column waived text[] not null default '{}';
        alter table sync.pair add column apart text[] not null default '{}';
        alter table sync.audit add column decision uuid;
        alter table sync.operation drop constraint operation_action_check;
        alter table sync.operation add constraint operation_action_check
            check (action in ('create', 'change', 'bar'));
    """)
