"""Who chose which rules when, and which questions a rule settled."""

from alembic import op

revision = "sync_0024"
down_revision = "sync_0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        create table sync.rule_change (
            id uuid primary key, tenant text not null, agreement integer not null, at timestamptz not null,
            who text not null, who_id text not null default '', preset text not null default '',
            before jsonb not null, after jsonb not null, undoes uuid unique
        );
        create index rule_change_newest on sync.rule_change (tenant, agreement, at);
        alter table sync.task drop constraint task_how_check;
        alter table sync.task add constraint task_how_check check (how in ('settled', 'gone', 'ruled')) not valid;
        alter table sync.task validate constraint task_how_check;
        create index task_ruled on sync.task (tenant, closed, id) where how = 'ruled';
    """)
