"""How do we get access to an agreement, lose it and tell of it? Connecting, and what every flow says of an agreement."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog
from sqlalchemy import Connection

from crm_outbox.contract import Outcome
from crm_outbox.messaging import outbox as messages
from crm_outbox.messaging.envelope import Envelope, Version
from crm_outbox.messaging.outbox import Draft, Outbox
from economic_adapter import account, agreements, records, store
from economic_adapter import budget as budgets
from economic_adapter.account import Account
from economic_adapter.attempt import Ending
from economic_adapter.budget import Lane
from economic_adapter.contract import AgreementObserved, Figures, Reach, Reference
from economic_adapter.protocol import AccessLost, Answer, Failed, Forbidden, Request
from economic_adapter.sealing import KeyRing

log = structlog.get_logger(__name__)

Call = Callable[[Request], Answer]
PROBE = ""
"""The key of the check that looks whether lost access is there again."""
PAUSED_AT = "paused_at"
"""Among what is kept of an agreement's rights: when an operator stopped its calls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What connecting needs. ``calls`` gives the way to call under a grant; ``committed`` is told after a commit."""

    engine: sa.Engine
    keys: KeyRing
    outbox: Outbox
    calls: Callable[[str], Call]
    now: Callable[[], datetime]
    committed: Callable[[], None]


def connect(
    access: Access, tenant: str, grant: str, by: str = "", *, expected: int | None = None, dry: bool = False
) -> Ending:
    """Check a grant, seal it and keep it; says how it ended, one sentence for each way. ``dry`` keeps nothing.

    ``by``: who gave it, as the pages know them.
    """
    call = access.calls(grant)
    try:
        # counted first: of the two, only the newer API says why it refuses
        customers = account.read_count(call(account.COUNT))
        found = account.read_account(call(account.SELF))
    except Failed as failed:
        log.warning("access.not_connected", tenant=tenant, failure=type(failed).__name__, code=failed.code)
        return _not_connected(failed)
    ask = False
    with access.engine.begin() as connection:
        ending = _refuse_other(connection, tenant, found, expected)
        if ending is not None:
            return ending
        if not dry:
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
            regain(connection, found.number, now)
            keep(connection, found, customers, None, now)
            observe(connection, access.outbox, found.number, now, given_by=by)
            kept = agreements.named(connection, found.number)
            ask = kept is not None and kept.state == "connected"  # one that was in use before is known to be right
    if not dry:
        access.committed()
        log.info("access.connected", tenant=tenant, agreement=found.number)
    return Ending(sentence="connected", names={"company": found.company, "number": str(found.number)}, ask=ask)


def part(access: Access, tenant: str, number: int) -> bool:
    """It was not the right agreement: erase its grant and tell so. False when it is in use meanwhile, or not theirs."""
    with access.engine.begin() as connection:
        row = agreements.named(connection, number, lock=True)
        if row is None or row.tenant != tenant or row.state != "connected":
            return False
        agreements.disconnect(connection, number, "not_the_right_one")
        observe(connection, access.outbox, number, access.now())
    access.committed()
    log.info("access.parted", tenant=tenant, agreement=number)
    return True


def lose(connection: Connection, outbox: Outbox, number: int, failed: Failed, now: datetime, probe: float) -> None:
    """Note that e-conomic refuses us, tell it once, and look again in ``probe`` seconds. Nothing of a customer is touched."""
    code = failed.code or "access_lost"
    if not agreements.lose_access(connection, number, code):
        if not code.startswith("status_") and agreements.explain_loss(connection, number, code):
            observe(connection, outbox, number, now)
        return
    store.plan(connection, number, "check", due_at=now + timedelta(seconds=probe), lane=Lane.PERSON, key=PROBE)
    observe(connection, outbox, number, now)
    log.error("access.lost", agreement=number, code=failed.code)


def regain(connection: Connection, number: int, now: datetime) -> bool:
    """Note that e-conomic takes us; whatever waited for it is due now. True when access had been lost."""
    agreements.hurry(connection, number, now)
    return agreements.regain_access(connection, number)


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
    figures: Figures | None = None,
    given_by: str = "",
) -> None:
    """Tell what is known of an agreement now. Does nothing for one that was never connected.

    Told only for its ``figures``, it comes without what it offers for new customers: that does not change by the minute.
    """
    found = agreements.named(connection, number)
    if found is None:
        return
    seen = AgreementObserved(
        agreement=number,
        name=found.name,
        state=found.state,
        cause=found.cause or _webhook_note(found),
        customers=found.customers,
        webhooks=found.webhooks,
        polling=found.polling,
        reference=found.reference if figures is None else None,
        calls_today=found.calls_today,
        seen=found.seen_at or now,
        outcome=outcome,
        reach=_reach(connection, found, now),
        figures=figures,
        given_by=given_by,
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


def _reach(connection: Connection, agreement: agreements.Agreement, now: datetime) -> Reach | None:
    budget = records.budget(connection, agreement.number)
    if budget is None:
        return None
    found = budgets.reach(budget, now)
    since = datetime.fromisoformat(agreement.rights.get(PAUSED_AT) or now.isoformat()) if found.paused else None
    return Reach(at=now, down_since=found.down_since, next_call=found.next_call, paused_since=since)


def _webhook_note(found: agreements.Agreement) -> str:
    note = found.rights.get("webhooks_note", "")
    return f"webhook:{note}" if found.webhooks == "refused" and note else ""


def _not_connected(failed: Failed) -> Ending:
    if account.lacks_module(failed):
        return Ending(sentence="api_missing")
    if account.is_closed(failed):
        return Ending(sentence="closed", names={"number": ""})
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
            "company": other.name if other is not None and other.tenant == tenant else "?",
        }
        return Ending(sentence="wrong_agreement", names=names)
    row = agreements.named(connection, found.number, lock=True)
    if row is not None and row.tenant != tenant and row.state != "disconnected":
        return Ending(sentence="elsewhere", names={"number": str(found.number)})
    return None
