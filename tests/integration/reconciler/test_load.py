"""What does a step cost, and does it hold when many happen at once? Counted in statements, never in seconds."""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from crm_outbox.messaging.envelope import Envelope
from economic_adapter.contract import WriteEconomicCustomer
from reconciler import agreements, prefill, store
from tests.builders.crm import a_customer
from tests.builders.sync import (
    AGREEMENT,
    MORNING,
    REFERENCE,
    TENANT,
    Wire,
    crm_changed,
    done,
    economic_answered,
    economic_seen,
    there,
)


@pytest.fixture
def on(engine: sa.Engine) -> Wire:
    with engine.begin() as connection:
        agreements.insert(connection, TENANT, AGREEMENT)
        agreements.move(connection, TENANT, AGREEMENT, "on", MORNING, since=MORNING)
        agreements.give_defaults(connection, TENANT, AGREEMENT, prefill.prefill(REFERENCE))
    return Wire(engine=engine)


@contextmanager
def counted(engine: sa.Engine) -> Iterator[list[str]]:
    statements: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        statements.append(" ".join(statement.split())[:80])

    sa.event.listen(engine, "before_cursor_execute", note)
    yield statements
    sa.event.remove(engine, "before_cursor_execute", note)


def test_an_edit_and_its_answer_cost_three_statements_each_and_an_echo_two(on: Wire) -> None:
    customer = a_customer(created=MORNING, phone="12345678")
    on.hear(crm_changed(customer, 1))
    (create,) = on.said_only(WriteEconomicCustomer)
    outcome = done(create.parts[0].operation, created="7")
    on.hear(economic_answered(create, outcome, customer=there(customer, 7, "v1"), version=1))
    on.said()
    edited = customer.model_copy(update={"phone": "87654321"})
    with counted(on.engine) as edit:
        on.hear(crm_changed(edited, 2))
    (command,) = on.said_only(WriteEconomicCustomer)
    after = there(edited, 7, "v2")
    with counted(on.engine) as answer:
        on.hear(economic_answered(command, done(command.parts[0].operation), customer=after, version=2))
    with counted(on.engine) as echo:
        on.hear(economic_seen(after, 3))
    assert [len(edit), len(answer), len(echo)] == [3, 3, 2]


def test_many_steps_at_once_on_few_customers_lose_nothing_and_write_once(on: Wire) -> None:
    rng = random.Random(1)
    people = [a_customer(created=MORNING, phone="10000000") for _ in range(4)]
    envelopes: list[Envelope] = []
    for nth, customer in enumerate(people):
        envelopes += [crm_changed(customer.model_copy(update={"phone": f"{edit:08d}"}), edit) for edit in range(1, 16)]
        envelopes += [economic_seen(there(customer, 100 + nth, f"v{edit}"), edit) for edit in range(1, 6)]
    rng.shuffle(envelopes)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(on.hear, envelopes))
    creations = [one.customer for one in on.said() if isinstance(one.data, WriteEconomicCustomer)]
    assert sorted(map(str, creations)) == sorted(customer.id for customer in people)
    with on.engine.begin() as connection:
        for customer in people:
            stored = store.lock(connection, TENANT, AGREEMENT, customer.id)
            assert stored is not None
            assert str(stored.link.crm_version) == "1.15"
            assert stored.link.customer.crm is not None
            assert stored.link.customer.crm.values["phone"] == "00000015"
            assert len(stored.link.pending) == 1
