"""Linking: keys to match by, links that only e-conomic has yet, what people chose, and reading before switching on."""

from alembic import op

revision = "sync_0003"
down_revision = "sync_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        alter table sync.agreement drop constraint agreement_state_check;
        alter table sync.agreement add constraint agreement_state_check check (state in
            ('connected', 'reading', 'switching_on', 'on', 'refused', 'off', 'access_lost', 'disconnected'));
        alter table sync.agreement
            add column read_at timestamptz,
            add column run uuid,
            add column receive boolean not null default true,
            add column brake_customers integer not null default 20,
            add column brake_percent integer not null default 5;

        alter table sync.crm_side add column keys text[] not null default '{}';
        create index crm_side_keys on sync.crm_side using gin (keys);
        create index crm_side_unkeyed on sync.crm_side (tenant) where keys = '{}' and state is not null;
        alter table sync.economic_side add column keys text[] not null default '{}';
        create index economic_side_keys on sync.economic_side using gin (keys);
        create index economic_side_unkeyed on sync.economic_side (agreement) where keys = '{}' and state is not null;

        alter table sync.link alter column crm_id drop not null;
        alter table sync.link
            add column candidates_here text[] not null default '{}',
            add column apart integer[] not null default '{}',
            add column parted integer[] not null default '{}',
            add column linked_by text not null default '',
            add column linked_at timestamptz,
            add column run uuid;
        create index link_candidates on sync.link using gin (candidates) where candidates <> '{}';
        alter table sync.pair add column chosen jsonb not null default '{}';
    """)
