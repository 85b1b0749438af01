"""What a preview showed, number by number, and who did without a trial."""

from alembic import op

revision = "sync_0017"
down_revision = "sync_0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        alter table sync.run add column summary jsonb, drop constraint run_state_check,
            add constraint run_state_check check (state in (
                'asked', 'previewed', 'confirmed', 'running', 'paused', 'braked', 'done', 'stopped', 'failed', 'replaced'));
        alter table sync.agreement add column pilot_skipped timestamptz;
        create table sync.run_placed (
            run     uuid    not null references sync.run (id) on delete cascade,
            system  text    not null,
            id      text    not null,
            label   text    not null,
            partner text    not null default '',
            barred  boolean not null default false,
            primary key (run, system, id)
        );
        create index run_placed_label on sync.run_placed (run, system, label, id);
        create table sync.run_counted (
            run     uuid    not null references sync.run (id) on delete cascade,
            nth     integer not null,
            kind    text    not null,
            crm_id  text,
            number  integer,
            system  text    not null default '',
            about   text    not null,
            before  text    not null default '',
            after   text    not null default '',
            primary key (run, nth)
        );
        create index run_counted_kind on sync.run_counted (run, kind, about, nth);
    """)
