"""An agreement, and links that are stored in it."""

import uuid
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from reconciler import agreements, store
from reconciler.link import Due, Link, Pair, Pending
from reconciler.rules import System
from tests.builders.sync import AGREEMENT, MORNING, TENANT

NOTHING = Due()


@pytest.fixture
def agreed(engine: sa.Engine) -> sa.Engine:
    with engine.begin() as connection:
        agreements.insert(connection, TENANT, AGREEMENT)
        agreements.move(connection, TENANT, AGREEMENT, "on", MORNING, since=MORNING)
    return engine


def make(connection: sa.Connection, link: Link) -> store.Stored:
    """That link, only just made."""
    assert link.agreement is not None
    store.insert(connection, link.id, link.tenant, link.agreement, link.crm_id)
    return store.load(connection, link.id)


def a_link(**given: Any) -> Link:
    """A link of a customer of the CRM; only what the test names matters."""
    link = Link(
        id=uuid.uuid4(),
        tenant=TENANT,
        agreement=AGREEMENT,
        crm_id=str(uuid.uuid4()),
        customer=Pair(id=uuid.uuid4(), kind="customer"),
    )
    return replace(link, **given)


def a_pending(**given: Any) -> Pending:
    """A write that is not answered; only what the test names matters."""
    return Pending(
        **{
            "operation": uuid.uuid4(),
            "system": System.ECONOMIC,
            "action": "change",
            "values": {},
            "becomes": {},
            "sent": MORNING,
            "due": MORNING,
            **given,
        }
    )
