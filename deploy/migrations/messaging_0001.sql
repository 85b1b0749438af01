-- The messaging tables of one schema. Frozen: a change is a new file, executed by a new revision of each history.

-- Ids come from the insert itself, one at a time, so that per aggregate (whose row is locked first) id order is version order.
create sequence {schema}.outbox_id as bigint cache 1;

create table {schema}.outbox (
    id bigint not null default nextval('{schema}.outbox_id'),
    day date not null default ((now() at time zone 'UTC')::date),
    lane text not null check (lane in ('live', 'bulk')),
    message_id uuid not null,
    type text not null,
    exchange text not null,
    must_route boolean not null,
    tenant text not null,
    subject text not null,
    version text,
    traceparent text,
    time timestamptz not null,
    body bytea not null,
    primary key (id, day)
) partition by range (day);
create index outbox_message_id on {schema}.outbox (message_id);

-- Expected to stay empty; takes what comes when no day was made ahead, so that an insert never fails for that.
create table {schema}.outbox_default partition of {schema}.outbox default;

-- One small row per message still to be settled. Rows come and go at the rate of messages, hence the eager vacuum.
create table {schema}.outbox_pending (
    lane text not null check (lane in ('live', 'bulk')),
    id bigint not null,
    day date not null,
    since timestamptz not null default now(),
    primary key (lane, id)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0);

create table {schema}.parked (
    lane text not null check (lane in ('live', 'bulk')),
    id bigint not null,
    day date not null,
    reason text not null,
    parked_at timestamptz not null default now(),
    primary key (lane, id)
);

-- The broker each lane last spoke to; another one starts empty and is refilled.
create table {schema}.broker (
    lane text primary key check (lane in ('live', 'bulk')),
    broker uuid not null,
    known_since timestamptz not null default now()
);

create table {schema}.settled (
    lane text not null check (lane in ('live', 'bulk')),
    hour timestamptz not null,
    lowest bigint not null,
    primary key (lane, hour)
) with (fillfactor = 50);

create table {schema}.inbox (
    consumer text not null,
    message_id uuid not null,
    body_hash bytea not null,
    taken_at timestamptz not null default now(),
    primary key (consumer, message_id)
);
create index inbox_taken_at on {schema}.inbox using brin (taken_at);

create table {schema}.watermark (
    consumer text not null,
    aggregate text not null,
    epoch integer not null,
    number bigint not null,
    primary key (consumer, aggregate)
) with (fillfactor = 80);

create table {schema}.refusal (
    id bigint generated always as identity primary key,
    consumer text not null,
    message_id text,
    type text,
    reason text not null,
    refused_at timestamptz not null default now()
);
create index refusal_message_id on {schema}.refusal (message_id);
