"""What does the adapter remember? The tables of schema ``economic``."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from crm_outbox.messaging.tables import message_tables

metadata = sa.MetaData(schema="economic")
messages = message_tables(metadata, "economic")

_MOMENT = sa.TIMESTAMP(timezone=True)

epoch = sa.Table(
    "epoch",
    metadata,
    sa.Column("single", sa.Boolean, sa.CheckConstraint("single"), primary_key=True, server_default=sa.true()),
    sa.Column("epoch", sa.Integer, nullable=False),
)
"""The first half of every version the adapter gives; moved after a restore."""

agreement = sa.Table(
    "agreement",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False, server_default=""),
    # connected | on | off | access_lost | disconnected
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("cause", sa.Text, nullable=False, server_default=""),
    sa.Column("grant_sealed", sa.Text),
    sa.Column("connected_at", _MOMENT, nullable=False, server_default=sa.func.now()),
    # what was read of it
    sa.Column("seen_at", _MOMENT),
    sa.Column("customers", sa.Integer),
    sa.Column("rights", JSONB, nullable=False, server_default=sa.text("'{}'")),
    sa.Column("reference", JSONB),
    # how changes are noticed
    sa.Column("hook_endpoint", sa.Text, unique=True),
    sa.Column("hook_secret_sha256", sa.LargeBinary),
    # the secret before: it opens the address too, until its end, which it gets when e-conomic has the new one
    sa.Column("hook_before_sha256", sa.LargeBinary),
    sa.Column("hook_before_until", _MOMENT),
    sa.Column("webhooks_wanted", sa.Boolean, nullable=False, server_default=sa.true()),
    # none | registered | refused
    sa.Column("webhooks", sa.Text, nullable=False, server_default="none"),
    sa.Column("polling", sa.Boolean, nullable=False, server_default=sa.true()),
    sa.Column("polled_at", _MOMENT),
    sa.Column("customers_since", _MOMENT),
    sa.Column("contacts_since", _MOMENT),
    sa.Column("missed", sa.BigInteger, nullable=False, server_default="0"),
    # which number the next customer gets
    sa.Column("number_from", sa.Integer),
    sa.Column("number_to", sa.Integer),
    sa.Column("next_number", sa.Integer),
    # the budget of calls
    sa.Column("bucket_limit", sa.Integer, nullable=False, server_default="2000"),
    sa.Column("bucket_window", sa.Integer, nullable=False, server_default="60"),
    sa.Column("bucket_used", sa.Integer, nullable=False, server_default="0"),
    sa.Column("bucket_seen_at", _MOMENT),
    sa.Column("paused_until", _MOMENT),
    sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
    sa.Column("failing_since", _MOMENT),
    sa.Column("probe_at", _MOMENT),
    sa.Column("day", sa.Date),
    sa.Column("calls_today", sa.Integer, nullable=False, server_default="0"),
    sa.Column("looks_today", sa.Integer, nullable=False, server_default="0"),
)
"""One company's e-conomic: its state, its sealed grant, its poll cursors and its budget. Locked to claim and to spend."""
sa.Index(
    "agreement_active_tenant",
    agreement.c.tenant,
    unique=True,
    postgresql_where=agreement.c.state != "disconnected",
)

activity = sa.Table(
    "activity",
    metadata,
    sa.Column("agreement", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("changed_at", _MOMENT, nullable=False),
    # when the last webhook came
    sa.Column("hook_at", _MOMENT),
    # the same of one that was made by hand; and the last one refused: secret | content_type, and what it said it was
    sa.Column("hand_at", _MOMENT),
    sa.Column("refused_at", _MOMENT),
    sa.Column("refused", sa.Text, nullable=False, server_default=""),
    sa.Column("refused_as", sa.Text, nullable=False, server_default=""),
)
"""When something last changed on either side, to the minute. Apart from the agreement, whose row is held to claim and spend."""

mirror = sa.Table(
    "mirror",
    metadata,
    sa.Column("agreement", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("epoch", sa.Integer, nullable=False),
    sa.Column("counter", sa.BigInteger, nullable=False),
    # the whole body and the bodies of all contact persons, as e-conomic sent them
    sa.Column("body", JSONB),
    sa.Column("object_version", sa.Text, nullable=False, server_default=""),
    sa.Column("contacts", JSONB, nullable=False, server_default=sa.text("'[]'")),
    sa.Column("absent", sa.Boolean, nullable=False, server_default=sa.false()),
    # seen missing once; believed and told when seen missing again
    sa.Column("missing_since", _MOMENT),
    sa.Column("seen_at", _MOMENT, nullable=False),
    # the place of this keeping among all: what was kept before a listing began may be replaced by it
    sa.Column("kept", sa.BigInteger, nullable=False, server_default="0"),
    # the next pass tells it once more, though it is as it was seen last: more of it is told than was
    sa.Column("retell", sa.Boolean, nullable=False, server_default=sa.false()),
)
KEPT = sa.Sequence("mirror_kept", schema="economic", metadata=metadata)
"""What e-conomic held of a customer when last seen, and how often it was seen: the counter of its version."""

mark = sa.Table(
    "mark",
    metadata,
    sa.Column("agreement", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("counter", sa.BigInteger, nullable=False),
    # hook | poll | look | sweep: what set it first
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("first_at", _MOMENT, nullable=False),
    sa.Column("last_at", _MOMENT, nullable=False),
    sa.Column("old_numbers", ARRAY(sa.Integer), nullable=False, server_default=sa.text("'{}'")),
)
""""This customer changed in e-conomic": a counter, cleared only by a look that remembered its present value."""

work = sa.Table(
    "work",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("agreement", sa.Integer, nullable=False),
    # look | write | poll | check | page
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    # 0 person, 1 edit, 2 hook, 3 sweep, 4 import: see budget.Lane
    sa.Column("lane", sa.SmallInteger, nullable=False),
    # whom it holds while claimed
    sa.Column("number", sa.Integer),
    sa.Column("customer", sa.Text),
    sa.Column("due_at", _MOMENT, nullable=False),
    sa.Column("expires_at", _MOMENT),
    # the key of the worker's session advisory lock
    sa.Column("worker", sa.BigInteger),
    sa.Column("claimed_at", _MOMENT),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("last_error", sa.Text, nullable=False, server_default=""),
    # why it is not being done: away | throttled | paused | access_lost | bug
    sa.Column("waiting", sa.Text, nullable=False, server_default=""),
    sa.Column("command", JSONB, nullable=False, server_default=sa.text("'{}'")),
    # message id, correlation and traceparent of what caused it
    sa.Column("cause", JSONB),
    sa.Column("created_at", _MOMENT, nullable=False, server_default=sa.func.now()),
    sa.UniqueConstraint("agreement", "kind", "key", name="work_key"),
)
"""Rows that wait for a call. One worker at a time holds a customer: two partial unique indexes see to it."""
sa.Index("work_due", work.c.agreement, work.c.lane, work.c.due_at, postgresql_where=work.c.worker.is_(None))
sa.Index(
    "work_one_per_number",
    work.c.agreement,
    work.c.number,
    unique=True,
    postgresql_where=work.c.worker.is_not(None) & work.c.number.is_not(None),
)
sa.Index(
    "work_one_per_customer",
    work.c.agreement,
    work.c.customer,
    unique=True,
    postgresql_where=work.c.worker.is_not(None) & work.c.customer.is_not(None),
)

operation = sa.Table(
    "operation",
    metadata,
    sa.Column("operation", sa.Uuid, primary_key=True),
    sa.Column("agreement", sa.Integer, nullable=False),
    sa.Column("customer", sa.Text),
    sa.Column("number", sa.Integer),
    sa.Column("work", sa.BigInteger),
    sa.Column("position", sa.Integer, nullable=False, server_default="0"),
    # the part as commanded (for a configuration: the whole command)
    sa.Column("part", JSONB, nullable=False),
    # planned | sent | written | unchanged | refused | ambiguous
    sa.Column("state", sa.Text, nullable=False, server_default="planned"),
    sa.Column("key", sa.Uuid),
    sa.Column("attempt", sa.Integer, nullable=False, server_default="0"),
    # creations: the number it is to get, whether a 404 was seen there, and what was there before
    sa.Column("chosen_number", sa.Integer),
    sa.Column("free_seen", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("seen_before", ARRAY(sa.Integer), nullable=False, server_default=sa.text("'{}'")),
    # exactly what was sent
    sa.Column("body", sa.Text),
    sa.Column("outcome", JSONB),
    sa.Column("planned_at", _MOMENT, nullable=False, server_default=sa.func.now()),
    sa.Column("sent_at", _MOMENT),
    sa.Column("answered_at", _MOMENT),
)
"""One write to one record: recorded before it leaves, answered once, its outcome kept for repeats."""
sa.Index(
    "operation_open",
    operation.c.agreement,
    operation.c.work,
    postgresql_where=operation.c.state.in_(["planned", "sent"]),
)
sa.Index("operation_number", operation.c.agreement, operation.c.number)

wake = sa.Table(
    "wake",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("agreement", sa.Integer, nullable=False),
    sa.Column("sent_at", _MOMENT, nullable=False),
)
"""Wake-ups on their way or at work: the clock inserts before it sends, the worker deletes when it is through."""

import_ = sa.Table(
    "import",
    metadata,
    sa.Column("run", sa.Uuid, primary_key=True),
    sa.Column("agreement", sa.Integer, nullable=False),
    sa.Column("tenant", sa.Text, nullable=False),
    # import | sweep
    sa.Column("kind", sa.Text, nullable=False),
    # running | paused | stopped | failed | closed
    sa.Column("state", sa.Text, nullable=False),
    # check | contacts | customers | changed_customers | changed_contacts | looks | count
    sa.Column("phase", sa.Text, nullable=False),
    sa.Column("cause", sa.Text, nullable=False, server_default=""),
    # what it waits for, as last told
    sa.Column("waiting", sa.Text, nullable=False, server_default=""),
    # where the listing of this phase goes on, and how many pages of it were read
    sa.Column("cursor", sa.Text, nullable=False, server_default=""),
    sa.Column("pages", sa.Integer, nullable=False, server_default="0"),
    # which listing of all customers this is, how often one was begun again, how often the count did not agree
    sa.Column("turn", sa.Integer, nullable=False, server_default="1"),
    sa.Column("restarts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("mismatches", sa.Integer, nullable=False, server_default="0"),
    # e-conomic's own time when it began, and the place of that moment among all keepings of the mirror
    sa.Column("began", _MOMENT),
    sa.Column("kept", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("read", sa.Integer, nullable=False, server_default="0"),
    sa.Column("count", sa.Integer),
    sa.Column("contacts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("contacts_count", sa.Integer, nullable=False, server_default="0"),
    sa.Column("calls", sa.Integer, nullable=False, server_default="0"),
    sa.Column("found", sa.Integer, nullable=False, server_default="0"),
    # message id, correlation and traceparent of the command
    sa.Column("command", JSONB),
    sa.Column("asked_at", _MOMENT, nullable=False),
    sa.Column("ended_at", _MOMENT),
)
"""A run that reads every customer with its contact persons; its work is one row of kind page, one page after another."""
sa.Index("import_open", import_.c.agreement, postgresql_where=import_.c.ended_at.is_(None))

import_customer = sa.Table(
    "import_customer",
    metadata,
    sa.Column("run", sa.Uuid, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    # the last listing in which e-conomic showed it
    sa.Column("turn", sa.Integer, nullable=False),
    sa.Column("told", sa.Boolean, nullable=False, server_default=sa.false()),
    # to be looked at singly before the run may close
    sa.Column("look", sa.Boolean, nullable=False, server_default=sa.false()),
)
"""The customers a run has come across; gone when it ends."""
sa.Index(
    "import_customer_look", import_customer.c.run, import_customer.c.number, postgresql_where=import_customer.c.look
)

import_contact = sa.Table(
    "import_contact",
    metadata,
    sa.Column("run", sa.Uuid, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("customer", sa.Integer, nullable=False),
    sa.Column("body", JSONB, nullable=False),
)
"""The contact persons a run has read, until their customers are; gone when it ends."""
sa.Index("import_contact_customer", import_contact.c.run, import_contact.c.customer)
