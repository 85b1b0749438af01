"""Whom of e-conomic an unlinked customer may be: told with how it stands, and shown to whoever opens it."""

from alembic import op

revision = "sync_0042"
down_revision = "sync_0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        alter table sync.link add column suggested integer[] not null default '{}';
        create index link_suggested on sync.link using gin (suggested) where suggested <> '{}';
        update sync.link l set look_again = true
        where l.state = 'unlinked' and exists (
            select from sync.suggestion s
            where s.tenant = l.tenant and s.agreement = l.agreement and s.crm_id = l.crm_id);
    """)
