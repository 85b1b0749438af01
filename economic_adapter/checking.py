"""How is a row of kind ``check`` done? A configuration is carried out, lost access looked for, or a secret replaced.

The row's key is the operation id of the configuration, empty for a probe, or says that the webhook gets a new secret. Calls are made first; what was learned is
kept, and the answer told, in the transaction that ends the row, unless a newer configuration has come meanwhile.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

import structlog
from sqlalchemy import Connection

from crm_outbox.contract import Outcome, Result
from economic_adapter import access, account, agreements, claims, configurations, registering
from economic_adapter.account import Account
from economic_adapter.budget import Wait
from economic_adapter.claims import Claim
from economic_adapter.configurations import Configuration
from economic_adapter.contract import Choice, ConfigureAgreement, Reference
from economic_adapter.desk import Calls, Desk, Finish, Held
from economic_adapter.protocol import (
    AccessLost,
    Forbidden,
    NotFound,
    Transient,
    collection,
)
from economic_adapter.registering import Registering

log = structlog.get_logger(__name__)

SETTLE_WITHIN = timedelta(minutes=10)
"""How long a disconnect waits for what was sent, and then as long for its webhook to be removed."""
_MOST_PAGES = 20
_OURS = frozenset({access.PROBE, registering.ROTATE})
"""The keys of the checks nobody commanded over the bus."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What was read of an agreement."""

    account: Account
    customers: int
    reference: Reference


@dataclass(frozen=True, slots=True, kw_only=True)
class Checking:
    """The flow, with the address e-conomic is told, and how long to wait between two probes, in seconds."""

    public_url: str
    key: Callable[[], UUID]
    probe: float = 60.0

    def do(self, desk: Desk, claim: Claim, calls: Calls) -> Finish:
        """The claimed check."""
        configuration = self._configuration(desk, claim)
        if claim.key not in _OURS and configuration is None:
            return lambda connection: claims.finish(connection, claim)
        try:
            if claim.key == registering.ROTATE:
                return self._registering.rotate(desk, claim, calls)
            if configuration is None:
                return self._probed(desk, claim, calls)
            if configuration.command.disconnect:
                return self._disconnected(desk, claim, calls, configuration)
            if configuration.command.on:
                return self._configured(desk, claim, calls, configuration.command)
            return self._looked_over(desk, claim, calls, configuration.command)
        except (AccessLost, Forbidden) as failed:
            with desk.engine.begin() as connection:
                calls.fold_failure(connection, failed)
                access.lose(connection, desk.outbox, claim.agreement, failed, desk.now(), self.probe)
            if configuration is not None and _only_looks(configuration.command):  # the probe goes on looking
                return self._looked_at(desk, claim, configuration.command, None)
            raise Held(Wait(until=desk.now() + timedelta(seconds=self.probe), cause="access_lost")) from None

    def _configuration(self, desk: Desk, claim: Claim) -> Configuration | None:
        if claim.key in _OURS:
            return None
        with desk.engine.begin() as connection:
            found = configurations.named(connection, UUID(claim.key))
        return None if found is None or found.outcome is not None else found

    def _probed(self, desk: Desk, claim: Claim, calls: Calls) -> Finish:
        customers, found = _asked(calls)
        _same(claim, found)

        def finish(connection: Connection) -> None:
            now = desk.now()
            access.keep(connection, found, customers, None, now)
            if access.regain(connection, claim.agreement, now):
                access.observe(connection, desk.outbox, claim.agreement, now)
                log.info("access.regained", agreement=claim.agreement)
            claims.finish(connection, claim)

        return finish

    @property
    def _registering(self) -> Registering:
        return Registering(public_url=self.public_url, key=self.key)

    def _looked_over(self, desk: Desk, claim: Claim, calls: Calls, command: ConfigureAgreement) -> Finish:
        findings = look_over(calls)
        _same(claim, findings.account)
        return self._looked_at(desk, claim, command, findings)

    def _looked_at(self, desk: Desk, claim: Claim, command: ConfigureAgreement, findings: Findings | None) -> Finish:
        """It was looked over and stays as it was, on or off; none: e-conomic refused us."""

        def finish(connection: Connection) -> None:
            now = desk.now()
            outcome = Outcome(operation=command.operation, result=Result.UNCHANGED)
            if configurations.answer(connection, command.operation, outcome, now):
                if findings is not None:
                    access.regain(connection, claim.agreement, now)
                    access.keep(connection, findings.account, findings.customers, findings.reference, now)
                access.observe(connection, desk.outbox, claim.agreement, now, outcome=outcome, cause=claim.cause)
            claims.finish(connection, claim)

        return finish

    def _configured(self, desk: Desk, claim: Claim, calls: Calls, command: ConfigureAgreement) -> Finish:
        findings = look_over(calls)
        _same(claim, findings.account)
        registered = (
            self._registering.register(desk, calls, claim.agreement)
            if command.webhooks
            else self._registering.give_up(desk, calls, claim.agreement)
        )

        def finish(connection: Connection) -> None:
            now = desk.now()
            outcome = Outcome(operation=command.operation, result=Result.WRITTEN)
            if configurations.answer(connection, command.operation, outcome, now):
                access.regain(connection, claim.agreement, now)
                access.keep(connection, findings.account, findings.customers, findings.reference, now)
                agreements.set_webhooks(connection, claim.agreement, registered.webhooks, registered.note)
                agreements.configure(
                    connection,
                    claim.agreement,
                    state="on",
                    webhooks=command.webhooks,
                    polling=command.polling,
                    number_from=command.number_from,
                    number_to=command.number_to,
                )
                access.observe(connection, desk.outbox, claim.agreement, now, outcome=outcome, cause=claim.cause)
                log.info(
                    "access.on",
                    agreement=claim.agreement,
                    customers=findings.customers,
                    webhooks=registered.webhooks,
                )
            registering.settle(connection, claim.agreement, registered, now + registering.KEEP_OLD)
            claims.finish(connection, claim)

        return finish

    def _disconnected(self, desk: Desk, claim: Claim, calls: Calls, configuration: Configuration) -> Finish:
        waited = desk.now() - configuration.since
        with desk.engine.begin() as connection:
            unsettled = configurations.unsettled(connection, claim.agreement)
        if unsettled and waited < SETTLE_WITHIN:
            raise Held(Wait(until=desk.now() + timedelta(seconds=1), cause="settling"))
        try:
            note = self._registering.give_up(desk, calls, claim.agreement).note
        except AccessLost as failed:
            note = f"{registering.LEFT}:{failed.code}"
        except Transient as failed:
            if waited < 2 * SETTLE_WITHIN:
                raise
            note = f"{registering.LEFT}:{failed.code}"

        def finish(connection: Connection) -> None:
            now = desk.now()
            outcome = Outcome(operation=configuration.command.operation, result=Result.WRITTEN)
            if configurations.answer(connection, configuration.command.operation, outcome, now):
                agreements.disconnect(connection, claim.agreement, "unsettled" if unsettled else note)
                access.observe(connection, desk.outbox, claim.agreement, now, outcome=outcome, cause=claim.cause)
                log.info("access.disconnected", agreement=claim.agreement, unsettled=unsettled, note=note)
            claims.finish(connection, claim)

        return finish


def look_over(calls: Calls) -> Findings:
    """Everything that is read of an agreement as a whole; catalogues that are forbidden to us stay empty."""
    customers, found = _asked(calls)
    try:
        default_group = account.read_default_group(calls.send(account.SETUP))
    except (Forbidden, NotFound):
        default_group = None
    reference = account.reference(
        found,
        groups=_choices(calls, "customer-groups"),
        terms=_choices(calls, "payment-terms"),
        zones=_choices(calls, "vat-zones"),
        currencies=account.read_currencies(_records(calls, "currencies")),
        default_group=default_group,
    )
    return Findings(account=found, customers=customers, reference=reference)


def _asked(calls: Calls) -> tuple[int, Account]:
    # counted first: of the two, only the newer API says why it refuses
    customers = account.read_count(calls.send(account.COUNT))
    return customers, account.read_account(calls.send(account.SELF))


def _only_looks(command: ConfigureAgreement) -> bool:
    return command.check and not command.on and not command.disconnect


def _same(claim: Claim, found: Account) -> Account:
    if found.number != claim.agreement:
        raise AccessLost("other_agreement")
    return found


def _choices(calls: Calls, catalogue: Literal["customer-groups", "payment-terms", "vat-zones"]) -> tuple[Choice, ...]:
    return account.read_choices(catalogue, _records(calls, catalogue))


def _records(calls: Calls, catalogue: account.Catalogue) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    try:
        for page in range(_MOST_PAGES):
            records, more = collection(calls.send(account.choices_page(catalogue, page)))
            found += records
            if not more:
                break
    except (Forbidden, NotFound) as failed:
        log.warning("access.no_catalogue", catalogue=catalogue, code=failed.code)
    return found
