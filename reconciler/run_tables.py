"""What does the reconciler remember of runs, and of what people are asked and decide? More tables of schema ``sync``."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from reconciler import tables

metadata = tables.metadata
"""All tables of the schema, these among them."""

_MOMENT = sa.TIMESTAMP(timezone=True)
_EMPTY_LIST = sa.text("'[]'")
_EMPTY_OBJECT = sa.text("'{}'")

run = sa.Table(
    "run",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("agreement", sa.Integer, nullable=False),
    # read | switch_on | transfer | undo | sweep | pass
    sa.Column("kind", sa.Text, nullable=False),
    # asked | previewed | confirmed | running | paused | braked | done | stopped | failed | replaced
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False, server_default=""),
    sa.Column("asked_by", sa.Text, nullable=False, server_default=""),
    sa.Column("started", _MOMENT, nullable=False),
    sa.Column("ended", _MOMENT),
    # the run it undoes
    sa.Column("of_run", sa.Uuid, sa.ForeignKey("sync.run.id")),
    # under which id the CRM's side was asked last, when not under its own
    sa.Column("crm_run", sa.Uuid),
    # what each side said of its reading
    sa.Column("crm_read", sa.Integer, nullable=False, server_default="0"),
    sa.Column("crm_count", sa.Integer),
    sa.Column("crm_closed", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("economic_read", sa.Integer, nullable=False, server_default="0"),
    sa.Column("economic_count", sa.Integer),
    sa.Column("economic_closed", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("contacts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("calls", sa.Integer, nullable=False, server_default="0"),
    sa.Column("found", sa.Integer, nullable=False, server_default="0"),
    sa.Column("found_crm", sa.Integer, nullable=False, server_default="0"),
    # when both sides had closed
    sa.Column("closed", _MOMENT),
    # what was chosen for it, the counts a person confirmed, and the digest of what they saw
    sa.Column("options", JSONB, nullable=False, server_default=_EMPTY_OBJECT),
    sa.Column("confirmed", JSONB),
    sa.Column("fingerprint", sa.Text, nullable=False, server_default=""),
    sa.Column("done", sa.Integer, nullable=False, server_default="0"),
    sa.Column("total", sa.Integer, nullable=False, server_default="0"),
    sa.Column("left_out", sa.Integer, nullable=False, server_default="0"),
    # the clock's: when it is asked again, how often it was, and how far the world was told it came
    sa.Column("due", _MOMENT),
    sa.Column("resent", sa.Integer, nullable=False, server_default="0"),
    sa.Column("told", _MOMENT),
    sa.Column("told_done", sa.Integer, nullable=False, server_default="-1"),
    # the numbers of its preview
    sa.Column("summary", JSONB),
    sa.ForeignKeyConstraint(["tenant", "agreement"], ["sync.agreement.tenant", "sync.agreement.agreement"]),
)
"""One carrying out: of reading, of switching on, of a transfer, of an undo, of a sweep; a preview before it is confirmed."""
sa.Index("run_agreement", run.c.tenant, run.c.agreement, run.c.kind, run.c.started)
sa.Index("run_open", run.c.started, postgresql_where=run.c.ended.is_(None))

run_seen = sa.Table(
    "run_seen",
    metadata,
    sa.Column("run", sa.Uuid, sa.ForeignKey("sync.run.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("system", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    # a sweep told it in a newer state than was recorded
    sa.Column("news", sa.Boolean, nullable=False, server_default=sa.false()),
)
"""Which customers of which system were told under a run, each once."""

run_item = sa.Table(
    "run_item",
    metadata,
    sa.Column("run", sa.Uuid, sa.ForeignKey("sync.run.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
    # link | create_here | create_there | change
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("crm_id", sa.Text),
    sa.Column("number", sa.Integer),
    sa.Column("evidence", sa.Text, nullable=False, server_default=""),
    # what the preview showed: system, record, field, before, after
    sa.Column("writes", JSONB, nullable=False, server_default=_EMPTY_LIST),
    sa.Column("state", sa.Text, nullable=False, server_default="planned"),
    sa.Column("reason", sa.Text, nullable=False, server_default=""),
    sa.Column("link", sa.Uuid),
    sa.Column("at", _MOMENT),
)
"""One customer of a run: what the preview showed of it, and what became of it."""
sa.Index("run_item_planned", run_item.c.run, run_item.c.position, postgresql_where=run_item.c.state == "planned")

run_placed = sa.Table(
    "run_placed",
    metadata,
    sa.Column("run", sa.Uuid, sa.ForeignKey("sync.run.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("system", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("label", sa.Text, nullable=False),
    # who it is, or may be, on the other side
    sa.Column("partner", sa.Text, nullable=False, server_default=""),
    sa.Column("barred", sa.Boolean, nullable=False, server_default=sa.false()),
)
"""In which class of a preview each customer stood."""
sa.Index("run_placed_label", run_placed.c.run, run_placed.c.system, run_placed.c.label, run_placed.c.id)

run_counted = sa.Table(
    "run_counted",
    metadata,
    sa.Column("run", sa.Uuid, sa.ForeignKey("sync.run.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("nth", sa.Integer, primary_key=True, autoincrement=False),
    # filled | overwritten | person | differs | skipped
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("crm_id", sa.Text),
    sa.Column("number", sa.Integer),
    sa.Column("system", sa.Text, nullable=False, server_default=""),
    # the detail, or why it is skipped
    sa.Column("about", sa.Text, nullable=False),
    sa.Column("before", sa.Text, nullable=False, server_default=""),
    sa.Column("after", sa.Text, nullable=False, server_default=""),
)
"""Each single thing that the numbers of a preview count."""
sa.Index("run_counted_kind", run_counted.c.run, run_counted.c.kind, run_counted.c.about, run_counted.c.nth)

task = sa.Table(
    "task",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("agreement", sa.Integer, nullable=False),
    # what it follows from: the link, or the run that stopped
    sa.Column("link", sa.Uuid, sa.ForeignKey("sync.link.id", ondelete="CASCADE")),
    sa.Column("run", sa.Uuid),
    sa.Column("kind", sa.Text, nullable=False),
    # which of several of that kind: a record, or a detail
    sa.Column("subject", sa.Text, nullable=False, server_default=""),
    sa.Column("reason", sa.Text, nullable=False, server_default=""),
    sa.Column("details", ARRAY(sa.Text), nullable=False, server_default=_EMPTY_OBJECT),
    # what the other side said of a write it refused
    sa.Column("message", sa.Text, nullable=False, server_default=""),
    # what e-conomic calls the answer that said so
    sa.Column("request_id", sa.Text, nullable=False, server_default=""),
    # of the values it is about: another one when one of them moves
    sa.Column("fingerprint", sa.Text, nullable=False),
    sa.Column("opened", _MOMENT, nullable=False),
    sa.Column("closed", _MOMENT),
    # settled by a person, ruled by a rule that was changed, or gone by itself
    sa.Column("how", sa.Text),
)
"""Questions to people as the world was told of them. Derived: what they are about stands in the link or the run."""
sa.Index(
    "task_open",
    task.c.link,
    task.c.kind,
    task.c.subject,
    unique=True,
    postgresql_where=sa.and_(task.c.closed.is_(None), task.c.link.isnot(None)),
)
sa.Index(
    "task_open_run",
    task.c.run,
    task.c.kind,
    unique=True,
    postgresql_where=sa.and_(task.c.closed.is_(None), task.c.run.isnot(None)),
)
sa.Index("task_list", task.c.tenant, task.c.agreement, task.c.opened, postgresql_where=task.c.closed.is_(None))
sa.Index("task_worklist", task.c.tenant, task.c.opened, task.c.id, postgresql_where=task.c.closed.is_(None))
sa.Index("task_of_link", task.c.link, task.c.kind, task.c.subject, postgresql_where=task.c.link.isnot(None))
sa.Index("task_ruled", task.c.tenant, task.c.closed, task.c.id, postgresql_where=task.c.how == "ruled")

decision = sa.Table(
    "decision",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("agreement", sa.Integer, nullable=False),
    sa.Column("link", sa.Uuid, sa.ForeignKey("sync.link.id", ondelete="CASCADE"), nullable=False),
    sa.Column("means", sa.Text, nullable=False),
    sa.Column("who", sa.Text, nullable=False),
    # the person's id in the CRM, or an API key's; empty for a command line
    sa.Column("who_id", sa.Text, nullable=False, server_default=""),
    sa.Column("at", _MOMENT, nullable=False),
    sa.Column("undoes", sa.Uuid),
    # the values and versions that were seen, and what is to become of them
    sa.Column("body", JSONB, nullable=False),
    # open | done | refused | partly
    sa.Column("state", sa.Text, nullable=False, server_default="open"),
    # how many parts it has, and how each ended
    sa.Column("parts", sa.Integer, nullable=False),
    sa.Column("outcome", JSONB, nullable=False, server_default=_EMPTY_LIST),
    sa.Column("ended", _MOMENT),
)
"""What people decided, kept for good, and how each part of it ended."""
sa.Index("decision_link", decision.c.link, decision.c.at)
sa.Index("decision_list", decision.c.tenant, decision.c.agreement, decision.c.at)
sa.Index("decision_tenant", decision.c.tenant, decision.c.at, decision.c.id)

retry = sa.Table(
    "retry",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("who_id", sa.Text, nullable=False, server_default=""),
    sa.Column("at", _MOMENT, nullable=False),
    # running | stopped | done
    sa.Column("state", sa.Text, nullable=False, server_default="running"),
    sa.Column("ended", _MOMENT),
)
"""Many errors that are tried again because an admin said so."""
sa.Index("retry_tenant", retry.c.tenant, retry.c.at)
sa.Index("retry_open", retry.c.at, postgresql_where=retry.c.ended.is_(None))

retry_item = sa.Table(
    "retry_item",
    metadata,
    sa.Column("retry", sa.Uuid, sa.ForeignKey("sync.retry.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("task", sa.Uuid, nullable=False),
    sa.Column("link", sa.Uuid, nullable=False),
    # planned | sent | done | failed | left_out
    sa.Column("state", sa.Text, nullable=False, server_default="planned"),
)
"""One error of them, and what became of it."""
sa.Index(
    "retry_item_left", retry_item.c.retry, retry_item.c.state, retry_item.c.position,
    postgresql_where=retry_item.c.state.in_(["planned", "sent"]),
)  # fmt: skip

comparison = sa.Table(
    "comparison",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("agreement", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", _MOMENT, primary_key=True),
    # the nightly reading it followed
    sa.Column("run", sa.Uuid, nullable=False),
    # how many customers stand how, and the first of those that differ without anybody knowing
    sa.Column("standing", JSONB, nullable=False),
    sa.Column("silent", JSONB, nullable=False, server_default=_EMPTY_LIST),
)
"""What each night's comparison of everything found."""

duty = sa.Table(
    "duty",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    # host and process id
    sa.Column("process", sa.Text, primary_key=True),
    sa.Column("at", _MOMENT, nullable=False),
)
"""When each duty of the reconciler last turned, in which process."""

installation = sa.Table(
    "installation",
    metadata,
    # of the message; what is told is only added, so that whoever hears it waits for nobody
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("at", _MOMENT, nullable=False, index=True),
    # settings that were not entered, by name
    sa.Column("lacks", JSONB, nullable=False, server_default=_EMPTY_LIST),
)
"""What the adapter told of itself on this server, of no agreement."""
