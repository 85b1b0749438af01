"""Which list each customer stands in, and the names that lists are ordered by. The clock fills what is recorded already."""

from alembic import op

revision = "sync_0014"
down_revision = "sync_0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        alter table sync.crm_side add column name_key text not null default '';
        create index crm_side_name on sync.crm_side (tenant, name_key collate "C", crm_id collate "C");
        create index crm_side_unnamed on sync.crm_side (tenant) where name_key = '' and state is not null;
        alter table sync.economic_side
            add column name_key text not null default '', add column linked boolean not null default false;
        create index economic_side_free on sync.economic_side (agreement, name_key collate "C", number)
            where state is not null and not linked;
        create index economic_side_unnamed on sync.economic_side (agreement) where name_key = '' and state is not null;
        alter table sync.link
            add column category text not null default 'waiting', add column left_out text not null default '?',
            add column name_key text not null default '';
        create index link_name on sync.link (tenant, agreement, name_key collate "C", id) where category <> '';
        create index link_category on sync.link (tenant, agreement, category, name_key collate "C", id);
        create index link_unlisted on sync.link (agreement) where left_out = '?' and not look_again;
    """)
