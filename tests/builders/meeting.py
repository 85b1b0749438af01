"""Two systems that were both read, switched on: what each told, and which links stand, in a few words."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from crm_outbox.contract import Customer, CustomerWritten, Result, WriteCustomer
from crm_outbox.messaging.envelope import Version
from economic_adapter.contract import CustomerObserved, EconomicCustomer, LookAtCustomer, WriteEconomicCustomer
from reconciler import agreements, joining, store, switching
from reconciler.link import Link
from reconciler.rules import Transfer
from tests.builders.crm import a_customer
from tests.builders.sync import (
    AGREEMENT,
    TENANT,
    Wire,
    agreement_seen,
    crm_changed,
    done,
    economic_answered,
    economic_seen,
    envelope,
    refused,
    there,
)

SYDHAVN = {"name": "Sydhavn Maler A/S", "cvr": "87654321", "city": "Odense"}


def sydhavn(number: int = 50, **given: Any) -> EconomicCustomer:
    """A customer that somebody created in e-conomic."""
    return EconomicCustomer(**{"number": number, "object_version": "v1", **SYDHAVN, **given})


@dataclass
class Both(Wire):
    """The reconciler with both sides read and the integration on."""

    def switch_on(self, transfer: Transfer = Transfer.CREATED) -> None:
        self.hear(agreement_seen(self.time, state="connected"))
        with self.engine.begin() as connection:
            known = agreements.lock(connection, TENANT, AGREEMENT)
            assert known is not None
            switching.switch_on(connection, known, self.time, self.resend, transfer=transfer, number_from=None)
        self.switch()
        self.set(read_at=self.time)
        self.later(minutes=1)
        self.said()

    def set(self, **columns: Any) -> None:
        """Change columns of the agreement."""
        changes = ", ".join(f"{name} = :{name}" for name in columns)
        with self.engine.begin() as connection:
            connection.execute(sa.text(f"update sync.agreement set {changes}"), columns)

    def look_again(self) -> None:
        """Every customer is to be looked at once more, as after a changed rule."""
        with self.engine.begin() as connection:
            connection.execute(sa.text("update sync.link set look_again = true"))

    def stop_flowing(self) -> None:
        """No customer flows any more."""
        with self.engine.begin() as connection:
            connection.execute(sa.text("update sync.link set flows = false, revision = revision + 1"))

    def new(self, **given: Any) -> Customer:
        """A customer that somebody creates in the CRM now."""
        return a_customer(created=self.time, active_since=self.time, **given)

    def in_crm(self, customer: Customer, version: int = 1) -> None:
        self.hear(crm_changed(customer, version))

    def in_economic(self, customer: EconomicCustomer, version: int = 1, **given: Any) -> None:
        self.hear(economic_seen(customer, version, **given))

    def gone(self, number: int, version: int, **given: Any) -> None:
        """e-conomic has that number no longer."""
        words = {"why": "look", "number": number, "version": f"1.{version}", "absent": True, **given}
        self.hear(envelope(CustomerObserved(agreement=AGREEMENT, **words), agreement=AGREEMENT, number=number))

    def linked(self, number: int = 7, **given: Any) -> Customer:
        """A customer that was created in e-conomic."""
        customer = self.new(**given)
        self.in_crm(customer)
        (command,) = self.said_only(WriteEconomicCustomer)
        self.created(command, customer, number)
        self.said()
        return customer

    def linked_by_hand(self, number: int, **given: Any) -> Customer:
        """A customer that both systems had, linked by a person."""
        customer = self.new(**given)
        self.in_crm(customer)
        self.in_economic(there(customer, number, "v1"), why="import")
        with self.engine.begin() as connection:
            joining.link(self.clocked, connection, TENANT, AGREEMENT, customer.id, number, by="person")
        return customer

    def created(self, command: WriteEconomicCustomer, customer: Customer, number: int, version: int = 1) -> None:
        """e-conomic created it under that number."""
        outcome = done(command.parts[0].operation, created=str(number))
        seen = there(customer, number, "v1", contacts=())
        self.hear(economic_answered(command, outcome, customer=seen, version=version))

    def refused(self, command: WriteEconomicCustomer, *candidates: int) -> None:
        """e-conomic's side found customers that may be this one."""
        outcome = refused(command.parts[0].operation, "candidates")
        answer = CustomerObserved(
            agreement=AGREEMENT, why="write", customer=command.customer, outcomes=(outcome,), candidates=candidates
        )
        self.hear(envelope(answer, customer=command.customer, agreement=AGREEMENT))

    def made(self, command: WriteCustomer, crm_id: str, **given: Any) -> Customer:
        """The CRM's customer that a command makes."""
        (part,) = command.parts
        return a_customer(id=crm_id, origin=part.operation, stage=part.stage, **{"country": "", **part.fields, **given})

    def answered(self, command: WriteCustomer, customer: Customer | None, *candidates: str, version: int = 1) -> None:
        """The CRM's answer to a creation: made, or refused with candidates."""
        operation = command.parts[0].operation
        outcome = refused(operation, "candidates") if customer is None else done(operation, created=customer.id)
        answer = CustomerWritten(
            id="" if customer is None else customer.id,
            agreement=AGREEMENT,
            customer=customer,
            outcomes=(outcome,),
            candidates=candidates,
        )
        told = None if customer is None else Version(1, version)
        self.hear(envelope(answer, agreement=AGREEMENT, version=told))
        assert outcome.result in {Result.WRITTEN, Result.REFUSED}

    def links(self) -> list[Link]:
        """Every link, by number, then by customer."""
        with self.engine.connect() as connection:
            return sorted(
                store.of_agreement(connection, TENANT, AGREEMENT), key=lambda one: (one.number or 0, one.crm_id)
            )  # fmt: skip

    def pairs(self) -> list[tuple[str, int | None, str]]:
        """Customer, number and state of every link."""
        return [(one.crm_id, one.number, f"{one.state} {one.rest}".strip()) for one in self.links()]

    def of(self, crm_id: str) -> Link:
        (found,) = [one for one in self.links() if one.crm_id == crm_id]
        return found

    def creations(self) -> list[WriteCustomer]:
        """Creations in the CRM since the last question."""
        return [one for one in self.said_only(WriteCustomer) if one.customer is None]

    def looks(self) -> list[int]:
        """Numbers that were asked to be looked at since the last question."""
        return [one.number for one in self.said_only(LookAtCustomer)]


def by_hand(both: Both) -> Both:
    """The same, where nothing is transferred by itself."""
    both.set(transfer="hand")
    return both


def departments(both: Both) -> list[str]:
    """Two customers of the CRM have the CVR number of ``sydhavn``; their ids."""
    found = [both.new(cvr=SYDHAVN["cvr"], name=f"Sydhavn afdeling {nth}") for nth in (1, 2)]
    for one in found:
        both.in_crm(one)
    return [one.id for one in found]
