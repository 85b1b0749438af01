"""What did an admin do? Each act once, with who, when and what became of which setting, kept for good; adding only.

An act is written in the transaction that carries it out, so that there is none of what was refused or changed nothing.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Final, Literal, get_args
from uuid import uuid4

import sqlalchemy as sa

from reconciler.person import Person

Act = Literal[
    "connect",
    "right_agreement",
    "wrong_agreement",
    "disconnect",
    "check",
    "switch_off",
    "set_up",
    "rights",
    "new_customers",
    "rules",
    "undo_rules",
    "mail",
    "pause",
    "resume",
    "ask_switch_on",
    "ask_trial",
    "ask_transfer",
    "confirm_switch_on",
    "confirm_trial",
    "confirm_transfer",
    "pause_run",
    "resume_run",
    "stop_run",
    "undo_switch_on",
    "undo_transfer",
    "keep_trial",
    "undo_trial",
    "skip_trial",
    "release_brake",
    "stop_brake",
    "retry_all",
    "stop_retry",
    "approve_group",
    "withdraw_group",
]
EVERY: Final[tuple[Act, ...]] = get_args(Act)
OPERATOR: Final = "operator"
"""Who did what a command of the server does."""
CUSTOMER: Final = "customer"
"""Among what an act is about: the customer of the CRM that it is about."""
About = Mapping[str, tuple[str, str]]
"""What was chosen before and after, by setting; nothing of it is a secret."""
NOTHING: Final[About] = {}


def operator(tenant: str) -> Person:
    """Whoever runs the server, at a command."""
    return Person(tenant=tenant, id="", name=OPERATOR, role="admin")


def moved(given: About) -> About:
    """Of what was chosen only that which is another now."""
    return {name: (before, after) for name, (before, after) in given.items() if before != after}


def add(
    connection: sa.Connection, by: Person, act: Act, now: datetime, agreement: int | None = None, about: About = NOTHING
) -> None:
    """Remember that this person did that, in that agreement (none: in the tenant)."""
    told = {name: {"before": before, "after": after} for name, (before, after) in about.items()}
    values = {
        "id": uuid4(), "at": now, "tenant": by.tenant, "agreement": agreement, "who": by.name, "who_id": by.id,
        "what": act, "about": json.dumps(told),
    }  # fmt: skip
    connection.execute(_ADD, values)


_ADD = sa.text("""
    insert into sync.act (id, at, tenant, agreement, who, who_id, what, about)
    values (:id, :at, :tenant, :agreement, :who, :who_id, :what, cast(:about as jsonb))
""")
