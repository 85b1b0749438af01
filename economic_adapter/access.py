"""How do we get, use and give up access to an agreement? Connect, configure, look it over, disconnect.

Each function makes its calls first and then keeps what it learned in one transaction, so that it may be repeated.
A call that fails raises its ``Failed`` class; whoever works the row decides when to try again.
"""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy import Connection

from crm_outbox.contract import Outcome, Result
from crm_outbox.messaging import outbox as messages
from crm_outbox.messaging.envelope import Envelope, Version
from crm_outbox.messaging.outbox import Draft, Outbox
from economic_adapter import account, agreements
from economic_adapter.account import Account
from economic_adapter.attempt import Ending
from economic_adapter.contract import AgreementObserved, Choice, ConfigureAgreement, Reference
from economic_adapter.protocol import (
    AccessLost,
    Answer,
    Failed,
    Forbidden,
    NotFound,
    Rejected,
    Request,
    VersionConflict,
    collection,
)
from economic_adapter.sealing import KeyRing

log = structlog.get_logger(__name__)

Call = Callable[[Request], Answer]
_MOST_PAGES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What the flows need. ``calls`` gives the way to call under a grant; ``committed`` is told after a commit."""

    engine: sa.Engine
    keys: KeyRing
    outbox: Outbox
    calls: Callable[[str], Call]
    public_url: str
    now: Callable[[], datetime]
    key: Callable[[], UUID]
    committed: Callable[[], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What was read of an agreement."""

    account: Account
    customers: int
    reference: Reference


def connect(access: Access, tenant: str, grant: str, expected: int | None = None) -> Ending:
    """Check a grant, seal it and keep it; says how it ended, one sentence for each way."""
    call = access.calls(grant)
    try:
        found = account.read_account(call(account.SELF))
        customers = account.read_count(call(account.COUNT))
    except Failed as failed:
        log.warning("access.not_connected", tenant=tenant, failure=type(failed).__name__, code=failed.code)
        return _not_connected(failed)
    with access.engine.begin() as connection:
        ending = _refuse_other(connection, tenant, found, expected)
        if ending is None:
            now = access.now()
            agreements.connect(
                connection,
                access.keys,
                number=found.number,
                tenant=tenant,
                name=found.company,
                grant=grant,
                now=now,
            )
            agreements.regain_access(connection, found.number)
            keep(connection, found, customers, None, now)
            agreements.clear_pause(connection, found.number, now)
            observe(connection, access.outbox, found.number, now)
    if ending is not None:
        return ending
    access.committed()
    log.info("access.connected", tenant=tenant, agreement=found.number)
    return Ending(sentence="connected", names={"company": found.company, "number": str(found.number)})


def configure(access: Access, call: Call, command: ConfigureAgreement, cause: Envelope | None) -> None:
    """Carry out a switch-on: look the agreement over, see to the webhook, keep it all, answer."""
    findings = look_over(call)
    if findings.account.number != command.agreement:
        raise AccessLost("other_agreement")
    webhooks = register_webhook(access, call, command.agreement) if command.webhooks else ("none", "")
    with access.engine.begin() as connection:
        now = access.now()
        state = agreements.state_of(connection, command.agreement, lock=True)
        if state in {None, "disconnected"}:
            answer_operation(connection, access, command, _refused(command, "disconnected"), cause)
            return
        keep(connection, findings.account, findings.customers, findings.reference, now)
        agreements.set_webhooks(connection, command.agreement, *webhooks)
        agreements.configure(
            connection,
            command.agreement,
            state="on",
            webhooks=command.webhooks,
            polling=command.polling,
            number_from=command.number_from,
        )
        answer_operation(connection, access, command, _done(command), cause)
    access.committed()
    log.info("access.on", agreement=command.agreement, customers=findings.customers, webhooks=webhooks[0])


def look_over(call: Call) -> Findings:
    """Everything that is read of an agreement as a whole; catalogues that are forbidden to us stay empty."""
    found = account.read_account(call(account.SELF))
    customers = account.read_count(call(account.COUNT))
    try:
        default_group = account.read_default_group(call(account.SETUP))
    except (Forbidden, NotFound):
        default_group = None
    reference = account.reference(
        found,
        groups=_choices(call, "customer-groups"),
        terms=_choices(call, "payment-terms"),
        zones=_choices(call, "vat-zones"),
        currencies=account.read_currencies(_records(call, "currencies")),
        default_group=default_group,
    )
    return Findings(account=found, customers=customers, reference=reference)


def register_webhook(access: Access, call: Call, number: int) -> tuple[agreements.Webhooks, str]:
    """Have e-conomic tell us of changed customers; refused is no error, polling then carries the full load.

    A new secret each time: its digest is committed first, because e-conomic may use the address at once.
    """
    try:
        template = account.read_template(call(account.EVENT_TYPES))
        if template is None:
            return "refused", "no_event_type"
        try:
            standing = account.webhook_version(call(account.WEBHOOK))
        except NotFound:
            standing = None
        endpoint, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
        with access.engine.begin() as connection:
            agreements.set_endpoint(connection, number, endpoint, hashlib.sha256(secret.encode()).digest())
        url = f"{access.public_url}/hooks/economic/{endpoint}/{secret}"
        if standing is None:
            call(account.register(template, url, access.key()))
        else:
            call(account.renew(template, url, standing, access.key()))
    except (Forbidden, Rejected, VersionConflict, NotFound) as failed:
        log.warning("access.no_webhook", agreement=number, code=failed.code)
        return "refused", failed.code
    return "registered", ""


def disconnect(access: Access, call: Call | None, command: ConfigureAgreement, cause: Envelope | None) -> None:
    """Remove the webhook if e-conomic lets us, erase the grant and answer. ``call`` none: without asking e-conomic."""
    note = ""
    if call is not None:
        try:
            call(account.remove(access.key()))
        except NotFound:
            pass
        except (Forbidden, Rejected, AccessLost, VersionConflict) as failed:
            note = "webhook_left"
            log.warning("access.webhook_left", agreement=command.agreement, code=failed.code)
    else:
        note = "webhook_left"
    with access.engine.begin() as connection:
        agreements.disconnect(connection, command.agreement, note)
        answer_operation(connection, access, command, _done(command), cause)
    access.committed()
    log.info("access.disconnected", agreement=command.agreement, note=note)


def answer_operation(
    connection: Connection, access: Access, command: ConfigureAgreement, outcome: Outcome, cause: Envelope | None
) -> None:
    """Keep the outcome of a configuration for repeats, and tell it."""
    agreements.answer(connection, command.operation, outcome, access.now())
    observe(connection, access.outbox, command.agreement, access.now(), outcome=outcome, cause=cause)


def keep(
    connection: Connection, found: Account, customers: int | None, reference: Reference | None, now: datetime
) -> None:
    """Keep what was read of an agreement."""
    agreements.record(
        connection,
        found.number,
        name=found.company,
        customers=customers,
        reference=reference,
        rights={"modules": list(found.modules), "roles": list(found.roles)},
        now=now,
    )


def observe(
    connection: Connection,
    outbox: Outbox,
    number: int,
    now: datetime,
    *,
    outcome: Outcome | None = None,
    cause: Envelope | None = None,
) -> None:
    """Tell what is known of an agreement now. Does nothing for one that was never connected."""
    found = agreements.named(connection, number)
    if found is None:
        return
    seen = AgreementObserved(
        agreement=number,
        name=found.name,
        state=found.state,
        cause=found.cause,
        customers=found.customers,
        webhooks=found.webhooks,
        polling=found.polling,
        reference=found.reference,
        calls_today=found.calls_today,
        seen=found.seen_at or now,
        outcome=outcome,
    )
    draft = Draft(
        data=seen,
        tenant=found.tenant,
        subject=f"economic/{number}",
        version=Version(agreements.current_epoch(connection), int(now.timestamp() * 1_000_000)),
        agreement=number,
        cause=cause,
    )
    messages.append(connection, outbox, draft)


def _not_connected(failed: Failed) -> Ending:
    if account.lacks_module(failed):
        return Ending(sentence="api_missing")
    if isinstance(failed, AccessLost):
        return Ending(sentence="refused")
    if isinstance(failed, Forbidden):
        return Ending(sentence="role_small")
    return Ending(sentence="away")


def _refuse_other(connection: Connection, tenant: str, found: Account, expected: int | None) -> Ending | None:
    active = agreements.active_number(connection, tenant)
    bound = active if active is not None else expected
    if bound is not None and bound != found.number:
        other = agreements.named(connection, bound)
        names = {
            "new": str(found.number),
            "new_company": found.company,
            "number": str(bound),
            "company": other.name if other else "?",
        }
        return Ending(sentence="wrong_agreement", names=names)
    row = agreements.named(connection, found.number, lock=True)
    if row is not None and row.tenant != tenant and row.state != "disconnected":
        return Ending(sentence="elsewhere", names={"number": str(found.number)})
    return None


def _choices(call: Call, catalogue: account.Catalogue) -> tuple[Choice, ...]:
    return account.read_choices(catalogue, _records(call, catalogue))


def _records(call: Call, catalogue: account.Catalogue) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    try:
        for page in range(_MOST_PAGES):
            records, more = collection(call(account.choices_page(catalogue, page)))
            found += records
            if not more:
                break
    except (Forbidden, NotFound) as failed:
        log.warning("access.no_catalogue", catalogue=catalogue, code=failed.code)
    return found


def _done(command: ConfigureAgreement) -> Outcome:
    return Outcome(operation=command.operation, result=Result.WRITTEN)


def _refused(command: ConfigureAgreement, reason: str) -> Outcome:
    return Outcome(operation=command.operation, result=Result.REFUSED, reason=reason)
