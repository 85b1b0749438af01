"""``append``: the change and its message live or die together, and no content fails the CRM's transaction."""

import json
import threading
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm_outbox import changes, tables
from crm_outbox.messaging.envelope import Version
from tests.builders.crm import a_customer


def sent(engine: sa.Engine) -> list[dict[str, Any]]:
    with engine.connect() as connection:
        bodies = connection.execute(sa.select(tables.messages.outbox.c.body).order_by(tables.messages.outbox.c.id))
        return [json.loads(bytes(body)) for body in bodies.scalars()]


def test_a_change_and_its_message_are_committed_together(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        version = changes.append(connection, changes.Change(tenant="t", kind="created", customer=a_customer(id="7")))
    assert version == Version(1, 1)
    (message,) = sent(engine)
    assert message["subject"] == "customer/7"
    assert message["version"] == "1.1"
    assert message["data"]["customer"]["name"] == "Nordhavn Tømrer ApS"


def test_a_change_that_is_rolled_back_is_never_sent(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        changes.append(connection, changes.Change(tenant="t", kind="created", customer=a_customer()))
        connection.rollback()
    assert sent(engine) == []
    with engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(tables.messages.pending)) == 0


def test_append_joins_a_session_and_never_commits_it(engine: sa.Engine) -> None:
    with Session(engine) as session:
        changes.append(session, changes.Change(tenant="t", kind="created", customer=a_customer()))
        assert sent(engine) == []
        session.commit()
    assert len(sent(engine)) == 1


@pytest.mark.parametrize(
    ("name", "reason", "detail"),
    [
        ("Skovbo\x00 VVS", "nul", "name"),
        ("Skovbo \ud83c VVS", "surrogate", "name"),
        ("x" * 1_100_000, "too_large", "name"),
    ],
)
def test_content_no_message_can_carry_goes_out_as_unsendable_and_the_transaction_goes_through(
    engine: sa.Engine, name: str, reason: str, detail: str
) -> None:
    state = {**a_customer(id="9").model_dump(), "name": name}
    with engine.begin() as connection:
        changes.append(connection, changes.Change(tenant="t", kind="changed", customer=state))
        connection.execute(sa.insert(tables.creation_lock).values(tenant="the business went on"))
    (message,) = sent(engine)
    assert message["data"] == {"id": "9", "change": "changed", "unsendable": {"reason": reason, "detail": detail}}
    with engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(tables.creation_lock)) == 1


def test_the_change_after_an_unsendable_one_is_newer_and_whole(engine: sa.Engine) -> None:
    broken = {**a_customer(id="9").model_dump(), "city": "\x00"}
    with engine.begin() as connection:
        changes.append(connection, changes.Change(tenant="t", kind="changed", customer=broken))
    with engine.begin() as connection:
        version = changes.append(connection, changes.Change(tenant="t", kind="changed", customer=a_customer(id="9")))
    assert version == Version(1, 2)
    assert "unsendable" not in sent(engine)[1]["data"]


def test_versions_of_one_customer_are_given_in_commit_order(engine: sa.Engine) -> None:
    first_holds, second_done = threading.Event(), threading.Event()
    given: list[Version] = []

    def second() -> None:
        first_holds.wait(60)
        with engine.begin() as connection:
            given.append(
                changes.append(connection, changes.Change(tenant="t", kind="changed", customer=a_customer(id="1")))
            )
        second_done.set()

    thread = threading.Thread(target=second)
    thread.start()
    with engine.begin() as connection:
        first = changes.append(connection, changes.Change(tenant="t", kind="changed", customer=a_customer(id="1")))
        first_holds.set()
        assert not second_done.wait(0.2), "the second change waits for the first one's commit"
    thread.join(60)
    assert [first, *given] == [Version(1, 1), Version(1, 2)]
    assert [message["version"] for message in sent(engine)] == ["1.1", "1.2"]


def test_a_new_epoch_makes_every_later_version_newer(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        before = changes.append(connection, changes.Change(tenant="t", kind="created", customer=a_customer(id="1")))
        assert changes.next_epoch(connection) == 2
    with engine.begin() as connection:
        after = changes.append(connection, changes.Change(tenant="t", kind="changed", customer=a_customer(id="1")))
        connection.execute(sa.update(tables.epoch).values(epoch=1))
    assert after > before
    assert after.epoch == 2
