"""Links of the weekly letter that open without a sign-in: each shows and undoes one change, once, for one reader."""

from alembic import op

revision = "sync_0031"
down_revision = "sync_0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        create table sync.letter_link (
            id uuid primary key, tenant text not null, address text not null, mail uuid not null,
            write bigint not null, detail text not null, customer text not null,
            made timestamptz not null, expires timestamptz not null,
            used timestamptz, decision uuid, revoked timestamptz
        );
        create index letter_link_mail on sync.letter_link (mail);
        create index letter_link_tenant on sync.letter_link (tenant, address) where revoked is null;
        create index letter_link_expires on sync.letter_link (expires);
        create table sync.letter_token (
            sha256 bytea primary key,
            link uuid not null references sync.letter_link on delete cascade
        );
        create index letter_token_link on sync.letter_token (link);
    """)
