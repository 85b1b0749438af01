"""A customer that was changed on both sides, on real tables, and a person who decides about it."""

from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from crm_outbox.contract import Customer, WriteCustomer
from economic_adapter.contract import WriteEconomicCustomer
from reconciler import agreements, decided, deciding, prefill, store, wishing
from reconciler.decided import Saved
from reconciler.decisions import Decision
from reconciler.link import Link
from tests.builders.crm import a_customer
from tests.builders.sync import (
    AGREEMENT,
    MORNING,
    REFERENCE,
    TENANT,
    Wire,
    crm_answered,
    crm_changed,
    done,
    economic_answered,
    economic_seen,
    there,
)


class Desk(Wire):
    """The wires, and one customer whose name was changed on both sides, and a person who decides about it."""

    customer: Customer

    def link(self) -> Link:
        with self.engine.begin() as connection:
            stored = store.lock(connection, TENANT, AGREEMENT, self.customer.id)
            assert stored is not None
            return stored.link

    def decision(self, *, who: str = "Marie", **take: str) -> Decision:
        link = self.link()
        wishes = []
        for detail, wanted in take.items():
            known = wanted in {"crm", "economic", "different"}
            text = None if known else {detail: wanted}
            wishes.append(wishing.wish(link, link.customer, detail, wanted if known else "text", text))
        return Decision(
            id=uuid4(), tenant=TENANT, agreement=AGREEMENT, link=link.id, means="settle", who=who, at=self.time,
            wishes=tuple(wishes), seen=deciding.versions(link),
        )  # fmt: skip

    def save(self, decision: Decision) -> Saved:
        with self.engine.begin() as connection:
            return deciding.save(self.clocked, connection, decision)

    def saved(self, decision: UUID) -> Saved:
        with self.engine.connect() as connection:
            found = decided.get(connection, decision)
            assert found is not None
            return found

    def carried_out(self, command: WriteEconomicCustomer | WriteCustomer, version: int) -> None:
        fields = command.parts[0].fields
        outcome = done(command.parts[0].operation)
        if isinstance(command, WriteEconomicCustomer):
            state = there(self.customer, 7, f"w{version}", **fields)
            self.hear(economic_answered(command, outcome, customer=state, version=version))
        else:
            self.customer = self.customer.model_copy(update=fields)
            self.hear(crm_answered(command, outcome, customer=self.customer, version=version))


@pytest.fixture
def a_desk(engine: sa.Engine) -> Desk:
    with engine.begin() as connection:
        agreements.insert(connection, TENANT, AGREEMENT)
        agreements.move(connection, TENANT, AGREEMENT, "on", MORNING, since=MORNING)
        agreements.give_defaults(connection, TENANT, AGREEMENT, prefill.prefill(REFERENCE))
    desk = Desk(engine=engine)
    desk.customer = a_customer(created=MORNING, name="Nordhavn ApS", phone="12345678")
    desk.hear(crm_changed(desk.customer, 1))
    (create,) = desk.said_only(WriteEconomicCustomer)
    outcome = done(create.parts[0].operation, created="7")
    desk.hear(economic_answered(create, outcome, customer=there(desk.customer, 7, "v1"), version=1))
    _paused(engine, '["crm", "economic"]')
    desk.customer = desk.customer.model_copy(update={"name": "Nordhavn A"})
    desk.hear(crm_changed(desk.customer, 2))
    desk.hear(economic_seen(there(desk.customer, 7, "v2", name="Nordhavn B"), 2))
    _paused(engine, "[]")
    return desk


def _paused(engine: sa.Engine, paused: str) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text("update sync.agreement set paused = cast(:paused as jsonb)"), {"paused": paused})
