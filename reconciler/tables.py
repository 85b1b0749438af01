"""What does the reconciler remember? The tables of schema ``sync``."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from crm_outbox.messaging.tables import message_tables

metadata = sa.MetaData(schema="sync")
messages = message_tables(metadata, "sync")

_MOMENT = sa.TIMESTAMP(timezone=True)
_EMPTY_LIST = sa.text("'[]'")
_EMPTY_OBJECT = sa.text("'{}'")

agreement = sa.Table(
    "agreement",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("agreement", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("name", sa.Text, nullable=False, server_default=""),
    # connected | reading | switching_on | on | refused | off | access_lost | disconnected
    sa.Column("state", sa.Text, nullable=False, server_default="connected"),
    sa.Column("reason", sa.Text, nullable=False, server_default=""),
    # when a person asked to switch it on, and since when it has been on: customers created later are transferred
    sa.Column("asked", _MOMENT),
    sa.Column("since", _MOMENT),
    sa.Column("changed", _MOMENT, nullable=False, server_default=sa.func.now()),
    sa.Column("customers", sa.Integer),
    sa.Column("transfer", sa.Text, nullable=False, server_default="created"),
    sa.Column("number_from", sa.Integer),
    sa.Column("number_to", sa.Integer),
    sa.Column("rules", JSONB, nullable=False, server_default=_EMPTY_OBJECT),
    sa.Column("defaults", JSONB, nullable=False, server_default=_EMPTY_OBJECT),
    sa.Column("paused", JSONB, nullable=False, server_default=_EMPTY_LIST),
    # the same with who paused it and until when; and when the first of them ends by itself
    sa.Column("halts", JSONB, nullable=False, server_default=_EMPTY_LIST),
    sa.Column("halts_end", _MOMENT),
    # when both sides had been read in full, and by which run; nothing is linked or created before
    sa.Column("read_at", _MOMENT),
    sa.Column("run", sa.Uuid),
    # whether what e-conomic changes goes to the CRM
    sa.Column("receive", sa.Boolean, nullable=False, server_default=sa.true()),
    # what becomes of a customer that is inactive in the CRM: flows | rests
    sa.Column("inactive", sa.Text, nullable=False, server_default="flows"),
    # what becomes of contact persons in the CRM who are removed in e-conomic, and the other way: keep | remove
    sa.Column("gone_there", sa.Text, nullable=False, server_default="keep"),
    sa.Column("gone_here", sa.Text, nullable=False, server_default="keep"),
    # whether customers flow by themselves from when they are linked, transferred or created
    sa.Column("flows_first", sa.Boolean, nullable=False, server_default=sa.true()),
    # a pass writes to at most so many customers, or so many percent of the linked ones, beyond what was confirmed
    sa.Column("brake_customers", sa.Integer, nullable=False, server_default="20"),
    sa.Column("brake_percent", sa.Integer, nullable=False, server_default="5"),
    # the run that is carried out: what has no link waits for it; and the one customer that flows while all is off
    sa.Column("busy", sa.Uuid),
    sa.Column("pilot", sa.Text),
    # when an admin chose to do without a trial
    sa.Column("pilot_skipped", _MOMENT),
    # customers that have no link in it yet are to be looked at
    sa.Column("look_again", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("reference", JSONB),
    sa.Column("webhooks", sa.Text, nullable=False, server_default="none"),
    sa.Column("polling", sa.Boolean, nullable=False, server_default=sa.true()),
    sa.Column("calls_today", sa.Integer, nullable=False, server_default="0"),
    sa.Column("seen", _MOMENT),
    # what the adapter told of it last, since when that access is lost, when an admin said it is the right one, whether hooks are wanted
    sa.Column("told", JSONB),
    sa.Column("lost_since", _MOMENT),
    sa.Column("confirmed", _MOMENT),
    sa.Column("hooks", sa.Boolean, nullable=False, server_default=sa.true()),
    # when an admin first saw the rules, and first said which new customers are transferred
    sa.Column("rules_seen", _MOMENT),
    sa.Column("transfer_chosen", _MOMENT),
    sa.Column("receive_chosen", _MOMENT),
    # how e-conomic can be reached for it, and when that was so
    sa.Column("reach_at", _MOMENT),
    sa.Column("down_since", _MOMENT),
    sa.Column("next_call", _MOMENT),
    sa.Column("paused_since", _MOMENT),
    # how the adapter fares with it, as it last told
    sa.Column("figures", JSONB),
    # the configuration that is not answered yet
    sa.Column("operation", sa.Uuid),
    sa.Column("configure", JSONB),
    sa.Column("due", _MOMENT),
    sa.Column("resent", sa.Integer, nullable=False, server_default="0"),
)
"""One company's e-conomic as a tenant uses it: its switch, rules and defaults. Its row is the agreement's lock."""
sa.Index(
    "agreement_one_active",
    agreement.c.tenant,
    unique=True,
    postgresql_where=agreement.c.state.in_(["switching_on", "on", "off", "access_lost"]),
)
sa.Index("agreement_halts_end", agreement.c.halts_end, postgresql_where=agreement.c.halts_end.isnot(None))
sa.Index("agreement_due", agreement.c.due, postgresql_where=agreement.c.due.isnot(None))

crm_side = sa.Table(
    "crm_side",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("crm_id", sa.Text, primary_key=True),
    sa.Column("epoch", sa.Integer, nullable=False),
    sa.Column("number", sa.BigInteger, nullable=False),
    # the customer, or why it could not be sent; null: the CRM has none
    sa.Column("state", JSONB),
    sa.Column("seen", _MOMENT, nullable=False),
    # what matching compares: kind:value
    sa.Column("keys", ARRAY(sa.Text), nullable=False, server_default=_EMPTY_OBJECT),
    # the name as lists are ordered by it; empty until it is made
    sa.Column("name_key", sa.Text, nullable=False, server_default=""),
)
"""What the CRM held last of each customer, recorded also while no agreement is on."""
sa.Index("crm_side_keys", crm_side.c["keys"], postgresql_using="gin")
sa.Index("crm_side_unkeyed", crm_side.c.tenant, postgresql_where=sa.text("keys = '{}' and state is not null"))

sa.Index("crm_side_name", crm_side.c.tenant, crm_side.c.name_key, crm_side.c.crm_id)
sa.Index("crm_side_unnamed", crm_side.c.tenant, postgresql_where=sa.text("name_key = '' and state is not null"))

economic_side = sa.Table(
    "economic_side",
    metadata,
    sa.Column("agreement", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("epoch", sa.Integer, nullable=False),
    sa.Column("counter", sa.BigInteger, nullable=False),
    # null: seen missing
    sa.Column("state", JSONB),
    sa.Column("seen", _MOMENT, nullable=False),
    sa.Column("keys", ARRAY(sa.Text), nullable=False, server_default=_EMPTY_OBJECT),
    sa.Column("name_key", sa.Text, nullable=False, server_default=""),
    # a link has this number: the customer stands in the lists by that
    sa.Column("linked", sa.Boolean, nullable=False, server_default=sa.false()),
)
"""What e-conomic held last of each customer, recorded also without a link."""
sa.Index("economic_side_keys", economic_side.c["keys"], postgresql_using="gin")
sa.Index(
    "economic_side_unkeyed", economic_side.c.agreement, postgresql_where=sa.text("keys = '{}' and state is not null")
)

sa.Index(
    "economic_side_free", economic_side.c.agreement, economic_side.c.name_key, economic_side.c.number,
    postgresql_where=sa.text("state is not null and not linked"),
)  # fmt: skip
sa.Index(
    "economic_side_unnamed", economic_side.c.agreement, postgresql_where=sa.text("name_key = '' and state is not null")
)

link = sa.Table(
    "link",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    # moved by every save: shows whether what was read beside a locked row is as new as the row
    sa.Column("revision", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("agreement", sa.Integer, nullable=False),
    # none: only e-conomic has it yet
    sa.Column("crm_id", sa.Text),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("rest", sa.Text, nullable=False, server_default=""),
    sa.Column("number", sa.Integer),
    sa.Column("old_numbers", ARRAY(sa.Integer), nullable=False, server_default=_EMPTY_OBJECT),
    sa.Column("flows", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("counter", sa.Integer, nullable=False, server_default="0"),
    sa.Column("crm_epoch", sa.Integer),
    sa.Column("crm_number", sa.BigInteger),
    sa.Column("economic_epoch", sa.Integer),
    sa.Column("economic_counter", sa.BigInteger),
    sa.Column("stage", sa.Text),
    sa.Column("created", _MOMENT),
    sa.Column("active_since", _MOMENT),
    sa.Column("wanted", sa.Integer),
    sa.Column("merged_into", sa.Text),
    sa.Column("unsendable", sa.Text, nullable=False, server_default=""),
    sa.Column("barred", sa.Boolean),
    sa.Column("candidates", ARRAY(sa.Integer), nullable=False, server_default=_EMPTY_OBJECT),
    sa.Column("candidates_here", ARRAY(sa.Text), nullable=False, server_default=_EMPTY_OBJECT),
    # what is recorded of e-conomic and may be this unlinked customer: told and shown, it holds up nothing
    sa.Column("suggested", ARRAY(sa.Integer), nullable=False, server_default=_EMPTY_OBJECT),
    sa.Column("apart", ARRAY(sa.Integer), nullable=False, server_default=_EMPTY_OBJECT),
    sa.Column("parted", ARRAY(sa.Integer), nullable=False, server_default=_EMPTY_OBJECT),
    sa.Column("linked_by", sa.Text, nullable=False, server_default=""),
    sa.Column("linked_at", _MOMENT),
    sa.Column("run", sa.Uuid),
    # what a person chose for its creation in e-conomic, for this customer alone
    sa.Column("supplied", JSONB),
    # fingerprints of questions answered with leaving it as it is
    sa.Column("waived", ARRAY(sa.Text), nullable=False, server_default=_EMPTY_OBJECT),
    # what is worth telling of late beside how it stands
    sa.Column("notes", JSONB, nullable=False, server_default=_EMPTY_LIST),
    # the clock's: when time must be told to it; that its agreement changed; how often telling it failed
    sa.Column("due", _MOMENT),
    sa.Column("look_again", sa.Boolean, nullable=False, server_default=sa.false()),
    # the pass that stopped before it wrote to it
    sa.Column("held", sa.Uuid),
    sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
    # how the customer stands, as the world was told
    sa.Column("status", sa.Text),
    sa.Column("status_details", ARRAY(sa.Text), nullable=False, server_default=_EMPTY_OBJECT),
    sa.Column("status_reason", sa.Text, nullable=False, server_default=""),
    sa.Column("status_message", sa.Text, nullable=False, server_default=""),
    # what e-conomic calls the answer that said so
    sa.Column("status_request_id", sa.Text, nullable=False, server_default=""),
    sa.Column("status_since", _MOMENT),
    # which list it stands in (none: there is no such customer any more), why it is left out (?: not looked at since there
    # are lists), and the name they are ordered by
    sa.Column("category", sa.Text, nullable=False, server_default="waiting"),
    sa.Column("left_out", sa.Text, nullable=False, server_default="?"),
    sa.Column("name_key", sa.Text, nullable=False, server_default=""),
    sa.UniqueConstraint("tenant", "agreement", "crm_id"),
    sa.ForeignKeyConstraint(["tenant", "agreement"], ["sync.agreement.tenant", "sync.agreement.agreement"]),
)
"""One customer of the CRM in one agreement, linked or not. Its row is locked for every step on it."""
sa.Index("link_number", link.c.agreement, link.c.number, unique=True, postgresql_where=link.c.number.isnot(None))
sa.Index(
    "link_old_numbers", link.c.old_numbers, postgresql_using="gin", postgresql_where=sa.text("old_numbers <> '{}'")
)
sa.Index("link_candidates", link.c.candidates, postgresql_using="gin", postgresql_where=sa.text("candidates <> '{}'"))
sa.Index("link_suggested", link.c.suggested, postgresql_using="gin", postgresql_where=sa.text("suggested <> '{}'"))
sa.Index("link_due", link.c.due, postgresql_where=link.c.due.isnot(None))
sa.Index("link_look_again", link.c.agreement, postgresql_where=link.c.look_again)
sa.Index(
    "link_merged_into", link.c.tenant, link.c.agreement, link.c.merged_into,
    postgresql_where=link.c.merged_into.isnot(None),
)  # fmt: skip
sa.Index("link_held", link.c.held, postgresql_where=link.c.held.isnot(None))
sa.Index(
    "link_paused", link.c.tenant, link.c.agreement, link.c.status_reason, link.c.status_since,
    postgresql_where=link.c.status == "paused",
)  # fmt: skip
sa.Index("link_status", link.c.tenant, link.c.agreement, link.c.status)
sa.Index(
    "link_name", link.c.tenant, link.c.agreement, link.c.name_key, link.c.id, postgresql_where=link.c.category != ""
)
sa.Index("link_category", link.c.tenant, link.c.agreement, link.c.category, link.c.name_key, link.c.id)
sa.Index("link_counted", link.c.tenant, link.c.agreement, link.c.category)
sa.Index("link_unlisted", link.c.agreement, postgresql_where=sa.text("left_out = '?' and not look_again"))

pair = sa.Table(
    "pair",
    metadata,
    sa.Column("link", sa.Uuid, sa.ForeignKey("sync.link.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("crm", JSONB),
    sa.Column("economic", JSONB),
    sa.Column("rest", sa.Text, nullable=False, server_default=""),
    sa.Column("refusals", JSONB, nullable=False, server_default=_EMPTY_LIST),
    sa.Column("pause", JSONB, nullable=False, server_default=_EMPTY_OBJECT),
    sa.Column("bounces", JSONB, nullable=False, server_default=_EMPTY_OBJECT),
    sa.Column("chosen", JSONB, nullable=False, server_default=_EMPTY_OBJECT),
    # contact persons of e-conomic, by number, that a person said are another one
    sa.Column("apart", ARRAY(sa.Text), nullable=False, server_default=_EMPTY_OBJECT),
    # edits on their way to the other side that no write carries yet, and since when
    sa.Column("edited", JSONB, nullable=False, server_default=_EMPTY_OBJECT),
)
"""One record of a link, the customer or a contact person, as both sides hold it."""
sa.Index("pair_chosen", pair.c.link, postgresql_where=sa.text("chosen <> '{}'"))

field_base = sa.Table(
    "field_base",
    metadata,
    sa.Column("link", sa.Uuid, primary_key=True),
    sa.Column("pair", sa.Uuid, primary_key=True),
    sa.Column("field", sa.Text, primary_key=True),
    sa.Column("crm", sa.Text, nullable=False),
    sa.Column("economic", sa.Text, nullable=False),
    sa.Column("unknown", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("agreed", _MOMENT, nullable=False),
    sa.ForeignKeyConstraint(["link", "pair"], ["sync.pair.link", "sync.pair.id"], ondelete="CASCADE"),
)
"""What each side held of one field when they last agreed, raw."""

operation = sa.Table(
    "operation",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("link", sa.Uuid, sa.ForeignKey("sync.link.id", ondelete="CASCADE"), nullable=False),
    sa.Column("pair", sa.Uuid, nullable=False),
    sa.Column("system", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    # the values of ``link.Pending``
    sa.Column("body", JSONB, nullable=False),
    sa.Column("sent", _MOMENT, nullable=False),
    sa.Column("due", _MOMENT, nullable=False),
    sa.Column("acknowledged", _MOMENT),
    # when the first edit that it carries over was made, or noticed; none where nobody told
    sa.Column("caused", _MOMENT),
    sa.Column("result", sa.Text),
    sa.Column("reason", sa.Text, nullable=False, server_default=""),
    sa.Column("message", sa.Text, nullable=False, server_default=""),
    sa.Column("detail", sa.Text, nullable=False, server_default=""),
    sa.Column("settled", _MOMENT),
    # of each edit that it carries over, when it was made, or noticed
    sa.Column("edits", ARRAY(_MOMENT), nullable=False, server_default=_EMPTY_OBJECT),
)
"""Every write, recorded before it left, and how it ended."""
sa.Index(
    "operation_open",
    operation.c.link,
    operation.c.pair,
    operation.c.system,
    unique=True,
    postgresql_where=operation.c.settled.is_(None),
)
sa.Index("operation_settled", operation.c.settled, postgresql_where=operation.c.settled.isnot(None))
