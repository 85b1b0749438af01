"""Backfills, and indexes by which a twin is found whatever its spelling."""

from alembic import op

revision = "crm_0003"
down_revision = "crm_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # the expressions stand in crm_outbox.tables too: a search uses an index only when both say the same
    op.execute(r"""
        create table crm.backfill (
            run uuid primary key,
            tenant text not null,
            state text not null check (state in ('running', 'closed', 'stopped')),
            cursor text not null default '',
            read integer not null default 0,
            count integer not null,
            cause jsonb,
            started_at timestamptz not null,
            ended_at timestamptz
        );
        create index backfill_running on crm.backfill (started_at) where state = 'running';

        create index customer_cvr_key on crm.customer (tenant,
            (regexp_replace(regexp_replace(upper(cvr), '[^0-9A-Z]', '', 'g'), '^DK(?=[0-9]{8}$)', '')))
            where cvr <> '';
        create index customer_ean_key on crm.customer (tenant, (regexp_replace(ean, '[^0-9]', '', 'g')))
            where ean <> '';
        create index customer_email_key on crm.customer (tenant,
            (translate(lower(regexp_replace(email, '[\s\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]', '', 'g')),
                'ÆØÅÄÖÜÉ', 'æøåäöüé')))
            where email <> '';
    """)
