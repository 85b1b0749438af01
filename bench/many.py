"""Many customers like one that was linked by the product itself, each with a name and numbers of its own: how is a database filled?"""

import hashlib
from datetime import UTC, datetime
from typing import Final

import sqlalchemy as sa

from bench import reconciler
from bench.reconciler import AGREEMENT, TENANT
from crm_outbox.messaging import database
from deploy.migrations import histories
from reconciler import people


def fill(url: str, customers: int) -> str:
    """Customers in an empty database, migrated first; an API key."""
    histories.up(dict.fromkeys(histories.SCHEMAS, url))
    engine = database.engine(url, "bench", statement_seconds=900.0)
    reconciler.fill(engine, 1)
    with engine.begin() as connection:
        for statement in _COPIES:
            connection.execute(sa.text(statement), {"customers": customers, "agreement": AGREEMENT, "tenant": TENANT})
        _, key = people.make_key(connection, TENANT, "bench", "admin", datetime.now(UTC))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("vacuum analyze"))  # as the server does by itself within minutes
    engine.dispose()
    return key


def another(nth: int, customers: int) -> int:
    """A customer from all over the place, another each time."""
    return 1 + nth * 7919 % customers


def name_of_another(nth: int, customers: int) -> str:
    """The name of one of them, as ``_NAME`` makes it."""
    number = another(nth, customers)
    return f"{hashlib.md5(str(number).encode(), usedforsecurity=False).hexdigest()[:6]} {number} aps"


_NAME: Final = "substr(md5(n::text), 1, 6) || ' ' || n || ' aps'"

_COPIES: Final = (
    f"""
    insert into sync.link select (jsonb_populate_record(t, jsonb_build_object(
        'id', gen_random_uuid(), 'crm_id', 'bench-' || n, 'number', n, 'name_key', {_NAME},
        'category', (array['same', 'choice', 'error', 'different'])[case when n % 50 < 47 then 1 else n % 50 - 45 end]))).*
    from sync.link t, generate_series(2, :customers) n where t.crm_id = 'bench-1'
    """,
    """
    insert into sync.pair select (jsonb_populate_record(p, jsonb_build_object('link', l.id, 'id', l.id))).*
    from sync.link t join sync.pair p on p.link = t.id, sync.link l
    where t.crm_id = 'bench-1' and p.kind = 'customer' and l.crm_id <> 'bench-1'
    """,
    """
    insert into sync.field_base select (jsonb_populate_record(b, jsonb_build_object('link', l.id, 'pair', l.id))).*
    from sync.link t join sync.pair p on p.link = t.id and p.kind = 'customer' join sync.field_base b on b.pair = p.id, sync.link l
    where t.crm_id = 'bench-1' and l.crm_id <> 'bench-1'
    """,
    f"""
    insert into sync.crm_side select (jsonb_populate_record(s, jsonb_build_object(
        'crm_id', 'bench-' || n, 'name_key', {_NAME}, 'keys', array['cvr:' || 10000000 + n],
        'state', jsonb_set(jsonb_set(s.state, '{{customer,name}}', to_jsonb({_NAME})), '{{customer,id}}', to_jsonb('bench-' || n))))).*
    from sync.crm_side s, generate_series(2, :customers) n where s.crm_id = 'bench-1'
    """,
    f"""
    insert into sync.economic_side select (jsonb_populate_record(s, jsonb_build_object(
        'number', n, 'name_key', {_NAME}, 'keys', array['cvr:' || 10000000 + n],
        'state', jsonb_set(jsonb_set(s.state, '{{name}}', to_jsonb({_NAME})), '{{number}}', to_jsonb(n))))).*
    from sync.economic_side s, generate_series(2, :customers) n where s.number = 1
    """,
)
"""Each table filled from the row of the first customer."""
