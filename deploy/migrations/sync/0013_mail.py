"""Mail: what was planned when, and each mail until it was sent."""

from alembic import op

revision = "sync_0013"
down_revision = "sync_0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        create table sync.mail_round (
            tenant text not null, kind text not null, key text not null, at timestamptz not null,
            primary key (tenant, kind, key)
        );
        create table sync.mail (
            id uuid primary key, tenant text not null, kind text not null, address text not null,
            subject text not null, body text not null, planned timestamptz not null,
            tries integer not null default 0, due timestamptz, sent timestamptz, failure text not null default ''
        );
        create index mail_due on sync.mail (due) where due is not null;
        create index mail_list on sync.mail (tenant, planned);
    """)
