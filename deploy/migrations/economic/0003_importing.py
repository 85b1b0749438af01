"""Reading everything: imports with what they hold on the way, and the order in which the mirror was kept."""

from alembic import op

revision = "economic_0003"
down_revision = "economic_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        alter table economic.work drop constraint work_kind_check;
        alter table economic.work add constraint work_kind_check
            check (kind in ('look', 'write', 'poll', 'check', 'page'));
        alter table economic.mark drop constraint mark_why_check;
        alter table economic.mark add constraint mark_why_check
            check (why in ('hook', 'poll', 'look', 'sweep'));

        create sequence economic.mirror_kept;
        alter table economic.mirror add column kept bigint not null default 0;

        create table economic.import (
            run uuid primary key,
            agreement integer not null,
            tenant text not null,
            kind text not null check (kind in ('import', 'sweep')),
            state text not null check (state in ('running', 'paused', 'stopped', 'failed', 'closed')),
            phase text not null,
            cause text not null default '',
            waiting text not null default '',
            cursor text not null default '',
            pages integer not null default 0,
            turn integer not null default 1,
            restarts integer not null default 0,
            mismatches integer not null default 0,
            began timestamptz,
            kept bigint not null default 0,
            read integer not null default 0,
            count integer,
            contacts integer not null default 0,
            contacts_count integer not null default 0,
            calls integer not null default 0,
            found integer not null default 0,
            command jsonb,
            asked_at timestamptz not null,
            ended_at timestamptz
        );
        create index import_open on economic.import (agreement) where ended_at is null;

        create table economic.import_customer (
            run uuid not null,
            number integer not null,
            turn integer not null,
            told boolean not null default false,
            look boolean not null default false,
            primary key (run, number)
        );
        create index import_customer_look on economic.import_customer (run, number) where look;

        create table economic.import_contact (
            run uuid not null,
            number integer not null,
            customer integer not null,
            body jsonb not null,
            primary key (run, number)
        );
        create index import_contact_customer on economic.import_contact (run, customer);
    """)
