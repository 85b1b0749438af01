"""What becomes of a message? The CRM's changes become observations at once; commands become work, and no call is made.

Everything happens in the consumer's transaction, with its inbox rows. A repeated command is answered from what is
stored, or acknowledged as waiting.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Literal

from sqlalchemy import Connection

from crm_outbox.contract import CustomerChanged, Outcome, Result
from crm_outbox.contract import aggregate as crm_aggregate
from crm_outbox.messaging import inbox
from crm_outbox.messaging import outbox as messages
from crm_outbox.messaging.envelope import Envelope, Refused
from crm_outbox.messaging.envelope import Lane as MessageLane
from crm_outbox.messaging.inbox import Advance
from crm_outbox.messaging.outbox import Draft, Outbox
from economic_adapter import activity, agreements, configurations, imports, store
from economic_adapter.access import observe
from economic_adapter.agreements import Agreement
from economic_adapter.budget import Lane
from economic_adapter.contract import (
    AgreementObserved,
    ConfigureAgreement,
    CrmState,
    CustomerObserved,
    LookAtCustomer,
    RunImport,
    WriteEconomicCustomer,
    aggregate,
)

CONSUMER = "economic-adapter"


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """The consumer's handler and what it needs."""

    outbox: Outbox
    now: Callable[[], datetime]

    def handle(self, connection: Connection, envelope: Envelope) -> None:
        """One message, once; raises ``Refused`` for one that cannot be meant for us."""
        match envelope.data:
            case CustomerChanged() as change:
                self._changed(connection, envelope, change)
            case WriteEconomicCustomer() as command:
                self._write(connection, envelope, command)
            case LookAtCustomer() as command:
                if _own(connection, envelope, command.agreement) is not None:
                    store.receive_look(connection, command, envelope, self.now())
            case ConfigureAgreement() as command:
                self._configure(connection, envelope, command)
            case RunImport() as command:
                self._import(connection, envelope, command)
            case _:
                raise Refused("not_for_us")

    def _changed(self, connection: Connection, envelope: Envelope, change: CustomerChanged) -> None:
        if envelope.version is None:
            raise Refused("no_version")
        aggregate_of_tenant = f"{envelope.tenant}/{envelope.subject}"
        moved = inbox.advance(connection, self.outbox.tables, CONSUMER, aggregate_of_tenant, envelope.version)
        if moved is Advance.OLD and change.run is None:  # a run counts the customer, whatever is known of it
            return
        number = agreements.active_number(connection, envelope.tenant)
        if number is not None and change.run is None:
            activity.note(connection, number, self.now())
        crm = CrmState(version=str(envelope.version), customer=change.customer, unsendable=change.unsendable)
        caused = envelope.time if change.run is None else None
        draft = Draft(
            data=CustomerObserved(
                agreement=number, why="crm_changed", customer=change.id, crm=crm, run=change.run, caused=caused
            ),
            tenant=envelope.tenant,
            subject=envelope.subject,
            version=envelope.version,
            customer=change.id,
            agreement=number,
            cause=envelope,
            lane=MessageLane.LIVE if change.run is None else MessageLane.BULK,
        )
        messages.append(connection, self.outbox, draft)

    def _write(self, connection: Connection, envelope: Envelope, command: WriteEconomicCustomer) -> None:
        _own(connection, envelope, command.agreement)
        outcomes = store.receive_write(connection, command, envelope, self.now())
        if outcomes:
            self._tell(connection, envelope, command.agreement, command.customer, command.number, outcomes)

    def _import(self, connection: Connection, envelope: Envelope, command: RunImport) -> None:
        found = _own(connection, envelope, command.agreement)
        waiting = agreements.waiting_cause(connection, command.agreement, self.now())
        if found is not None and found.state == "disconnected":
            waiting = "disconnected"
        imports.receive(
            connection,
            self.outbox,
            command,
            envelope,
            self.now(),
            known=found is not None,
            waiting="" if waiting == "throttled" else waiting,
        )

    def _configure(self, connection: Connection, envelope: Envelope, command: ConfigureAgreement) -> None:
        found = _own(connection, envelope, command.agreement, lock=True)
        if found is None:
            self._never_connected(connection, envelope, command)
            return
        known = configurations.named(connection, command.operation)
        if known is not None:
            cause = agreements.waiting_cause(connection, command.agreement, self.now())
            waiting = Outcome(operation=command.operation, result=Result.WAITING, reason=cause)
            self._observe(connection, envelope, command, known.outcome or waiting)
            return
        late = configurations.overtaken(connection, command, self.now())
        if late is not None:
            self._observe(connection, envelope, command, late)
            return
        for outcome in configurations.begin(connection, command, self.now()):
            self._observe(connection, envelope, command, outcome)
        if found.state == "disconnected":
            self._end(connection, envelope, command, Result.UNCHANGED if command.disconnect else Result.REFUSED)
        elif command.disconnect:
            self._refuse_planned(connection, envelope, command, "disconnected")
            agreements.set_state(connection, command.agreement, "off", "disconnecting")
            self._plan(connection, envelope, command)
        elif command.on or command.check:
            self._plan(connection, envelope, command)
        else:
            self._refuse_planned(connection, envelope, command, "off")
            agreements.configure(
                connection,
                command.agreement,
                state="off",
                webhooks=command.webhooks,
                polling=command.polling,
                number_from=command.number_from,
                number_to=command.number_to,
            )
            self._end(connection, envelope, command, Result.WRITTEN)

    def _plan(self, connection: Connection, envelope: Envelope, command: ConfigureAgreement) -> None:
        store.plan(
            connection,
            command.agreement,
            "check",
            due_at=self.now(),
            lane=Lane.PERSON,
            key=str(command.operation),
            cause=envelope,
        )

    def _refuse_planned(
        self,
        connection: Connection,
        envelope: Envelope,
        command: ConfigureAgreement,
        reason: Literal["off", "disconnected"],
    ) -> None:
        answers = store.refuse_planned(connection, command.agreement, reason, self.now())
        for (customer, number), group in groupby(answers, key=lambda one: one[:2]):
            outcomes = [outcome for _, _, outcome in group]
            self._tell(connection, envelope, command.agreement, customer, number, outcomes)

    def _end(self, connection: Connection, envelope: Envelope, command: ConfigureAgreement, result: Result) -> None:
        reason = "disconnected" if result is Result.REFUSED else ""
        outcome = Outcome(operation=command.operation, result=result, reason=reason)
        configurations.answer(connection, command.operation, outcome, self.now())
        self._observe(connection, envelope, command, outcome)

    def _observe(
        self, connection: Connection, envelope: Envelope, command: ConfigureAgreement, outcome: Outcome
    ) -> None:
        observe(connection, self.outbox, command.agreement, self.now(), outcome=outcome, cause=envelope)

    def _never_connected(self, connection: Connection, envelope: Envelope, command: ConfigureAgreement) -> None:
        refused = Outcome(operation=command.operation, result=Result.REFUSED, reason="disconnected")
        seen = AgreementObserved(
            agreement=command.agreement, state="disconnected", seen=self.now(), outcome=refused, polling=False
        )
        draft = Draft(
            data=seen,
            tenant=envelope.tenant,
            subject=f"economic/{command.agreement}",
            agreement=command.agreement,
            cause=envelope,
        )
        messages.append(connection, self.outbox, draft)

    def _tell(
        self,
        connection: Connection,
        envelope: Envelope,
        agreement: int,
        customer: str,
        number: int | None,
        outcomes: Iterable[Outcome],
    ) -> None:
        draft = Draft(
            data=CustomerObserved(
                agreement=agreement, why="write", customer=customer, number=number, outcomes=tuple(outcomes)
            ),
            tenant=envelope.tenant,
            subject=crm_aggregate(customer) if number is None else aggregate(agreement, number),
            customer=customer,
            agreement=agreement,
            number=number,
            cause=envelope,
        )
        messages.append(connection, self.outbox, draft)


def _own(connection: Connection, envelope: Envelope, number: int, *, lock: bool = False) -> Agreement | None:
    """The agreement, if the tenant has or had it. Another tenant's is refused and says nothing of it."""
    found = agreements.named(connection, number, lock=lock)
    if found is None:
        return None
    if found.tenant != envelope.tenant:
        raise Refused("foreign_agreement")
    return found
