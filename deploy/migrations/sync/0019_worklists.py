"""Lists of work: what the other side said of a refused write, and indexes for lists of one tenant in their order."""

from alembic import op

revision = "sync_0019"
down_revision = "sync_0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        alter table sync.task add column message text not null default '';
        create index task_worklist on sync.task (tenant, opened, id) where closed is null;
        create index task_of_link on sync.task (link, kind, subject) where link is not null;
        create index audit_tenant on sync.audit (tenant, at, id);
        create index audit_rule on sync.audit (tenant, at, id) where by = 'rule';
        create index decision_tenant on sync.decision (tenant, at, id);
        create index pair_chosen on sync.pair (link) where chosen <> '{}';
    """)
