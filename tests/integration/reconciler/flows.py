"""An agreement that is switched on by messages, and customers created in it."""

from typing import Any

from crm_outbox.contract import Customer
from economic_adapter.contract import WriteEconomicCustomer
from reconciler import agreements, switching
from reconciler.rules import Transfer
from tests.builders.crm import a_customer
from tests.builders.sync import AGREEMENT, TENANT, Wire, agreement_seen, crm_changed, done, economic_answered, there


def switch_on(wire: Wire, transfer: Transfer = Transfer.CREATED) -> None:
    wire.hear(agreement_seen(wire.time, state="connected"))
    with wire.engine.begin() as connection:
        known = agreements.lock(connection, TENANT, AGREEMENT)
        assert known is not None
        switching.switch_on(connection, known, wire.time, wire.resend, transfer=transfer, number_from=None)


def state(wire: Wire) -> tuple[str, str]:
    with wire.engine.connect() as connection:
        (known,) = agreements.of_tenant(connection, TENANT)
    return known.state, known.reason


def new(wire: Wire, **given: Any) -> Customer:
    return a_customer(created=wire.time, active_since=wire.time, **given)


def linked(wire: Wire, number: int = 7, **given: Any) -> Customer:
    """A customer that was created in e-conomic."""
    customer = new(wire, **given)
    wire.hear(crm_changed(customer, 1))
    (command,) = wire.said_only(WriteEconomicCustomer)
    outcome = done(command.parts[0].operation, created=str(number))
    wire.hear(economic_answered(command, outcome, customer=there(customer, number, "v1", contacts=()), version=1))
    return customer
