"""Which statements lock, read and save a link? The texts of ``store``, each one round trip."""

import sqlalchemy as sa

from reconciler import questions, sides, tables

_OF_LINK = [one.name for one in tables.link.c]
_OF_AGREEMENT = """state since transfer rules::text defaults::text paused::text busy pilot receive inactive gone_there gone_here flows_first number_from number_to read_at""".split()
_NAMES = (*_OF_LINK, "read", *(f"a_{one.partition(':')[0]}" for one in _OF_AGREEMENT), "pairs", "asked")
READ = f"""
    select {", ".join(f"l.{one}" for one in _OF_LINK)},
           (select once.revision from sync.link once where once.id = l.id) as read,
           {", ".join(f"a.{one} as a_{one.partition(':')[0]}" for one in _OF_AGREEMENT)},
           (
               select json_agg(
                   json_build_object(
                       'id', p.id, 'kind', p.kind, 'crm', p.crm, 'economic', p.economic, 'rest', p.rest,
                       'refusals', p.refusals, 'pause', p.pause, 'bounces', p.bounces, 'chosen', p.chosen,
                       'apart', p.apart, 'edited', p.edited,
                       'base', coalesce((
                           select json_object_agg(b.field, json_build_object(
                               'crm', b.crm, 'economic', b.economic, 'unknown', b.unknown))
                           from sync.field_base b where b.link = p.link and b.pair = p.id
                       ), '{{}}'),
                       'pending', coalesce((
                           select json_object_agg(o.system, o.body)
                           from sync.operation o where o.link = p.link and o.pair = p.id and o.settled is null
                       ), '{{}}')
                   ) order by p.position
               )::text
               from sync.pair p where p.link = l.id
           ) as pairs,
           ({questions.OPEN_OF_LINK}) as asked
    from sync.link l join sync.agreement a on a.tenant = l.tenant and a.agreement = l.agreement
"""


def _read(which: str) -> sa.TextualSelect:
    """The statement that reads those links. Its columns are named here, so that they are looked up once and not each time."""
    return sa.text(f"{READ} {which}").columns(*map(sa.column, _NAMES))


LOAD = _read("where l.id = :id")
OF_IDS = _read("where l.id = any(:ids)")
OF_AGREEMENT = _read("where l.tenant = :tenant and l.agreement = :agreement").execution_options(
    stream_results=True, max_row_buffer=500
)
MAY_DIFFER = """
    l.tenant = :tenant and l.agreement = :agreement and l.state = 'linked' and (:equals or l.status is distinct from 'same')
    and exists (
        select from sync.pair p where p.link = l.id and (
            exists (
                select from unnest(case p.kind when 'customer' then cast(:customer as text[]) else cast(:contact as text[]) end) f
                where coalesce(p.crm -> 'values' ->> f, '') <> coalesce(p.economic -> 'values' ->> f, ''))
            or (:lone and p.kind = 'contact' and (p.crm is null or p.economic is null))))
"""
"""The link ``l`` may hold what a change of rules is about: as two texts that are not the same letter by letter."""
LINKED = _read(f"where {MAY_DIFFER}").execution_options(stream_results=True, max_row_buffer=500)
SOME_LINKED = _read(f"""
    where {MAY_DIFFER} and (cast(:last as uuid) is null or l.id > cast(:last as uuid)) order by l.id limit :limit
""")
LOCK = _read("""
    where l.tenant = :tenant and l.agreement = :agreement and l.crm_id = :crm_id
    for no key update of l
""")
LOCK_NUMBERS = _read("""
    where l.tenant = :tenant and l.agreement = :agreement and l.number = any(:numbers)
    order by l.id
    for no key update of l
""")
LOCK_ID = _read("where l.id = :id for no key update of l")
LOCK_BOTH = _read("""
    where l.tenant = :tenant and l.agreement = :agreement and (l.crm_id = :crm_id or l.number = :number)
    order by l.id
    for no key update of l
""")
LOCK_OPERATION = _read("""
    where l.tenant = :tenant and l.agreement = :agreement
      and l.id = (select o.link from sync.operation o where o.id = any(:operations) and o.settled is null limit 1)
    for no key update of l
""")
OF_CUSTOMER = _read("""
    where l.crm_id = :crm_id and (cast(:tenant as text) is null or l.tenant = :tenant)
      and l.agreement = coalesce(cast(:agreement as integer), l.agreement) and a.state <> 'disconnected'
    order by l.tenant, l.agreement
""")
OF_NUMBER = _read("""
    where l.number = :number and (cast(:tenant as text) is null or l.tenant = :tenant)
      and l.agreement = coalesce(cast(:agreement as integer), l.agreement) and a.state <> 'disconnected'
    order by l.tenant, l.agreement
""")
WITH_KEPT = _read("""
    where l.tenant = :tenant and exists (
        select from sync.pair k, jsonb_each(k.chosen) c
        where k.link = l.id and k.chosen <> '{}' and c.value ->> 'crm' is null and c.value ->> 'economic' is null)
    order by l.crm_id limit :limit
""")
UNLISTED = _read("where l.left_out = '?' and not l.look_again limit :limit for no key update of l skip locked")
LIST_IN = sa.text("""
    update sync.link set category = :category, left_out = :left_out, name_key = :name_key where id = :id
""")
MERGED_INTO = sa.text("""
    with recursive gone (crm_id) as (
        select cast(:crm_id as text)
        union
        select l.crm_id from gone
        join sync.link l on l.tenant = :tenant and l.agreement = :agreement and l.merged_into = gone.crm_id
        where l.crm_id is not null
    )
    select l.id from gone
    join sync.link l on l.tenant = :tenant and l.agreement = :agreement and l.crm_id = gone.crm_id
    where l.state = 'resting' and l.rest = 'merged' and l.number is not null
    order by l.id
""")
LOCK_DUE = _read("""
    where l.id = :id and (l.due <= :now or l.look_again or l.status = 'paused')
    for no key update of l skip locked
""")
INSERT = sa.text("""
    insert into sync.link (id, tenant, agreement, crm_id, state)
    values (:id, :tenant, :agreement, :crm_id, 'unlinked')
    on conflict (tenant, agreement, crm_id) do nothing
""")
INSERT_STRANGER = sa.text("""
    insert into sync.link (id, tenant, agreement, crm_id, state, number)
    values (:id, :tenant, :agreement, null, 'unlinked', :number)
    on conflict do nothing
""")
STRANGER = """
    tenant = :tenant and agreement = :agreement and number = :number and crm_id is null and state = 'unlinked'
    and {} (select from sync.decision d where d.link = link.id)
"""
REMOVE_STRANGER = sa.text(f"""
    with decided as (
        update sync.link set number = null, candidates_here = '{{}}' where {STRANGER.format("exists")}
    )
    delete from sync.link where {STRANGER.format("not exists")}
""")
INSERT_MISSING = sa.text("""
    insert into sync.link (id, tenant, agreement, crm_id, state, look_again, name_key)
    select gen_random_uuid(), side.tenant, :agreement, side.crm_id, 'unlinked', true, side.name_key
    from sync.crm_side side
    where side.tenant = :tenant
      and not exists (select from sync.link l
                      where l.tenant = side.tenant and l.agreement = :agreement and l.crm_id = side.crm_id)
    limit :limit
    on conflict do nothing
""")
LINK = """crm_id state rest number old_numbers flows counter crm_epoch crm_number economic_epoch economic_counter stage created
    active_since wanted merged_into unsendable barred candidates candidates_here suggested apart parted linked_by linked_at run supplied waived notes due category left_out name_key status status_details status_reason status_message status_request_id
""".split()
REMEMBERED = 4096
"""Of a longer statement psycopg looks for the places of its values each time it is sent."""
SAVE = sa.text(
    " ".join(
        f"""
    with pairs as (
        insert into sync.pair (link, id, kind, position, crm, economic, rest, refusals, pause, bounces, chosen, apart, edited)
        select link, id, kind, position, crm, economic, rest, refusals, pause, bounces, chosen, apart, edited
        from jsonb_populate_recordset(null::sync.pair, :pairs)
        on conflict (link, id) do update set
            position = excluded.position, crm = excluded.crm, economic = excluded.economic, rest = excluded.rest,
            refusals = excluded.refusals, pause = excluded.pause, bounces = excluded.bounces,
            chosen = excluded.chosen, apart = excluded.apart, edited = excluded.edited
    ), bases as (
        insert into sync.field_base (link, pair, field, crm, economic, unknown, agreed)
        select link, pair, field, crm, economic, unknown, :now from jsonb_populate_recordset(null::sync.field_base, :bases)
        on conflict (link, pair, field) do update set
            crm = excluded.crm, economic = excluded.economic, unknown = excluded.unknown, agreed = excluded.agreed
    ), settled as (
        update sync.operation o
        set settled = :now, result = x.result, reason = x.reason, message = x.message, detail = x.detail
        from jsonb_populate_recordset(null::sync.operation, :settled) x where o.id = x.id
        returning o.id
    ), operations as (
        insert into sync.operation (id, link, pair, system, action, body, sent, due, acknowledged, caused, edits)
        select id, link, pair, system, action, body, sent, due, acknowledged, caused, edits
        from jsonb_populate_recordset(null::sync.operation, :operations)
        where (select count(*) from settled) >= 0
        on conflict (id) do update set
            body = excluded.body, due = excluded.due, acknowledged = excluded.acknowledged
    ), audit as (
        insert into sync.audit (at, tenant, agreement, crm_id, number, record, record_id, system, action, operation,
                                before, after, by, decision)
        select :now, tenant, agreement, crm_id, number, record, record_id, system, action, operation, before, after, by,
               decision
        from jsonb_populate_recordset(null::sync.audit, :audit)
    ), edits as (
        insert into sync.edit (at, link, pair, system, field, before, after)
        select :now, :id, pair, system, field, before, after from jsonb_populate_recordset(null::sync.edit, :edits)
    ), crm_sides as ({sides.RECORD_CRM}), economic_sides as ({sides.RECORD_ECONOMIC})
    update sync.link l set
        revision = l.revision + 1, look_again = false, failures = 0, {", ".join(f"{one} = x.{one}" for one in LINK)},
        status_since = case when :same then l.status_since else :now end
    from jsonb_populate_record(null::sync.link, :link) x
    where l.id = :id
""".split()
    )
    .replace(", ", ",")
    .replace(" = ", "=")
)
"""What is settled is counted before operations are inserted, so that it has left the index of open ones by then.

Without blanks, because psycopg remembers how to send a statement only up to ``REMEMBERED`` characters.
"""
_MAY_BE_THESE = """
    select l.id from sync.link l
    where l.agreement = :agreement and l.suggested <> '{}' and l.suggested && cast(:numbers as integer[])
      and l.state = 'unlinked'
    for no key update skip locked
"""
"""Who is stepped on just now is left out: nobody waits for a link while holding another. Opened, it is searched for anew."""
HELD_NUMBERS = sa.text(f"""
    with suggested as (update sync.link set look_again = true where id in ({_MAY_BE_THESE}))
    update sync.economic_side side set linked = exists (
        select from sync.link l where l.agreement = side.agreement and l.number = side.number)
    where side.agreement = :agreement and side.number = any(:numbers)
""")
GONE_BASES = sa.text("delete from sync.field_base where link = :link and pair = :pair and field = :field")
GONE_PAIRS = sa.text("delete from sync.pair where link = :link and id = any(:pairs)")
REMOVE = sa.text("""
    delete from sync.link where id = :id and not exists (select from sync.decision d where d.link = :id)
""")
HELD = sa.text("update sync.link set held = :held where id = :id")
PUT_OFF = sa.text("""
    update sync.link set
        due = :now + least(cast(:longest as interval), interval '10 seconds' * power(2, least(failures, 16))),
        look_again = false, failures = failures + 1
    where id = :id
""")
LOCK_AT_ONCE = _read("""
    where l.id = any(:links)
    order by l.id
    for no key update of l skip locked
""")
DUE = sa.text("""
    select id, tenant, agreement, state in ('unlinked', 'creating') as joining from sync.link
    where due <= :now order by due limit :limit
""")
TO_LOOK_AGAIN = sa.text("""
    select l.id, l.tenant, l.agreement, l.state in ('unlinked', 'creating') as joining from sync.link l
    where l.look_again
      and not exists (select from sync.agreement a
                      where a.tenant = l.tenant and a.agreement = l.agreement and a.busy is not null)
    order by l.agreement limit :limit
""")
GOING_ON = sa.text("""
    select l.id, l.tenant, l.agreement, l.state in ('unlinked', 'creating') as joining
    from sync.agreement a
    cross join lateral (
        select case jsonb_array_length(a.paused) when 0 then '' when 1 then a.paused ->> 0 else 'both' end as now
    ) holds
    join sync.link l on l.tenant = a.tenant and l.agreement = a.agreement and l.status = 'paused'
     and l.status_reason = any (array_remove(array['both', 'crm', 'economic'], holds.now))
    where a.busy is null and l.failures = 0
    order by l.status_since, l.id limit :limit
""")
"""A link that waits for another pause than the one that holds now waits for none any more, or for less."""
PAUSED = sa.text("""
    select count(*) from sync.link l where l.tenant = :tenant and l.agreement = :agreement and l.status = 'paused'
""")
LOOK_AT_ALIKE = sa.text(f"update sync.link set look_again = true where id in ({_MAY_BE_THESE})")
LOOK_AT = sa.text("update sync.link set look_again = true where id = :id")
LOOK_AGAIN = sa.text("""
    update sync.link set look_again = true, revision = revision + 1 where tenant = :tenant and agreement = :agreement
""")
"""The revision shows a step that waited for this that what it read of the agreement is old."""
EXPIRE = sa.text("""
    delete from sync.operation where id = any(array(
        select id from sync.operation where settled < :before limit :limit))
""")
