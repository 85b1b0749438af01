"""The small CRM: customers, contact persons, versions, answered operations."""

from alembic import op

revision = "crm_0002"
down_revision = "crm_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        create table crm.epoch (
            single boolean primary key default true check (single),
            epoch integer not null
        );
        insert into crm.epoch (epoch) values (1);

        create table crm.version (
            tenant text not null,
            customer text not null,
            epoch integer not null,
            number bigint not null,
            primary key (tenant, customer)
        );

        create table crm.customer (
            tenant text not null,
            id text not null,
            stage text not null check (stage in ('lead', 'active', 'inactive')),
            deleted boolean not null default false,
            merged_into text,
            origin uuid,
            created timestamptz not null,
            active_since timestamptz,
            number integer,
            name text not null default '',
            cvr text not null default '',
            ean text not null default '',
            pnumber text not null default '',
            street text not null default '',
            postcode text not null default '',
            city text not null default '',
            country text not null default '',
            phone text not null default '',
            mobile text not null default '',
            email text not null default '',
            website text not null default '',
            primary key (tenant, id)
        );
        create index customer_cvr on crm.customer (tenant, cvr) where cvr <> '';
        create index customer_ean on crm.customer (tenant, ean) where ean <> '';
        create index customer_email on crm.customer (tenant, email) where email <> '';

        create table crm.contact (
            tenant text not null,
            id text not null,
            customer text not null,
            position bigint generated always as identity,
            removed boolean not null default false,
            origin uuid,
            name text not null default '',
            email text not null default '',
            phone text not null default '',
            notes text not null default '',
            primary key (tenant, id),
            foreign key (tenant, customer) references crm.customer (tenant, id)
        );
        create index contact_customer on crm.contact (tenant, customer);

        create table crm.operation (
            operation uuid primary key,
            tenant text not null,
            customer text,
            outcome jsonb not null,
            answered_at timestamptz not null default now()
        );

        create table crm.creation_lock (tenant text primary key);
    """)
