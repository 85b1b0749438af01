"""How everything fares: what the adapter tells of itself, which duties live, each night's comparison, when a write's cause was."""

from alembic import op

revision = "sync_0021"
down_revision = "sync_0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        alter table sync.agreement add column paused_since timestamptz, add column figures jsonb;
        alter table sync.operation add column caused timestamptz;
        create table sync.duty (
            name text not null, process text not null, at timestamptz not null, primary key (name, process)
        );
        create table sync.comparison (
            tenant text not null, agreement integer not null, at timestamptz not null, run uuid not null,
            standing jsonb not null, silent jsonb not null default '[]', primary key (tenant, agreement, at)
        );
    """)
