"""How is the integration switched on and off? Asked by a person, carried out by the adapter, decided on its answer.

Nothing is created before both sides have been read in full: unless there is nothing to read in e-conomic, it is refused
until they were. A run that waits for the switch begins with it.
"""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

import structlog
from sqlalchemy import Connection

from crm_outbox.contract import Result
from crm_outbox.messaging.envelope import Envelope
from crm_outbox.messaging.outbox import append
from economic_adapter.contract import AgreementObserved, ConfigureAgreement
from reconciler import acts, agreements, bus, opening, people, reading, runs, store
from reconciler.agreements import Agreement
from reconciler.prefill import prefill
from reconciler.rules import Transfer

log = structlog.get_logger(__name__)

UNREAD = "both sides are read in full before the integration is switched on"
UNCOUNTED = "e-conomic's customers could not be counted"
OPENED_FROM = frozenset({"off", "connected", "refused"})
"""The states in which e-conomic's side is opened for one thing alone."""
IN_USE = frozenset({"switching_on", "on", "access_lost"})


def observed(
    connection: Connection, envelope: Envelope, seen: AgreementObserved, now: datetime, resend: timedelta
) -> None:
    """What the adapter knows of an agreement: noted, and where it answers a configuration, the switch moves."""
    tenant = envelope.tenant
    agreements.insert(connection, tenant, seen.agreement)
    known = agreements.lock(connection, tenant, seen.agreement)
    if known is None:
        return
    agreements.note(connection, tenant, seen, now)
    if seen.given_by and (by := people.named(connection, tenant, seen.given_by)) is not None:
        acts.add(connection, by, "connect", now, seen.agreement)
    _reached(connection, known, seen, now)
    if not known.defaults and seen.reference is not None:
        agreements.give_defaults(connection, tenant, seen.agreement, prefill(seen.reference))
    outcome = seen.outcome
    if outcome is not None and outcome.operation == known.operation and outcome.result is not Result.WAITING:
        agreements.answered(connection, tenant, seen.agreement)
        if known.state == "switching_on":
            _decide(connection, envelope, known, seen, now, resend)
            return
        if known.busy is not None and known.state in OPENED_FROM and outcome.result is Result.REFUSED:
            _failed(connection, known, outcome.message or outcome.reason, now)
        if known.pilot is not None and outcome.result is Result.REFUSED:
            agreements.try_out(connection, tenant, seen.agreement, None)
            agreements.move(
                connection, tenant, seen.agreement, known.state, now, reason=outcome.message or outcome.reason
            )
    if known.seen is not None and seen.seen < known.seen:
        return
    if seen.state == "disconnected" and known.state != "disconnected":
        _move(connection, known, "disconnected", now)
    elif seen.state == "access_lost" and known.state == "on":
        _move(connection, known, "access_lost", now, reason=seen.cause)
    elif seen.state in {"connected", "on"} and known.state == "access_lost":
        _move(connection, known, "on", now)
    elif seen.state in {"connected", "on", "off"} and known.state == "disconnected":
        _move(connection, known, "connected" if known.since is None else "off", now)


def _reached(connection: Connection, known: Agreement, seen: AgreementObserved, now: datetime) -> None:
    """How e-conomic can be reached; where it is called again, what people opened meanwhile is looked at."""
    told = seen.reach
    if told is None or not agreements.reach(connection, known.tenant, known.agreement, told):
        return
    was, stopped = known.reach, told.down_since is not None or told.paused_since is not None
    if not stopped and (was.down_since is not None or was.paused_since is not None):
        opening.again(connection, known.tenant, known.agreement, now)


def switch_on(
    connection: Connection,
    agreement: Agreement,
    now: datetime,
    resend: timedelta,
    *,
    transfer: Transfer,
    number_from: int | None,
) -> UUID:
    """Ask the adapter to read and switch on a locked agreement; ``observed`` decides on the answer."""
    words = _on(agreement, now, number_from)
    agreements.move(
        connection,
        agreement.tenant,
        agreement.agreement,
        "switching_on",
        now,
        asked=now,
        transfer=str(transfer),
        number_from=number_from,
    )
    _send(connection, agreement.tenant, words, now, resend)
    return words.operation


def open_for_pilot(connection: Connection, agreement: Agreement, crm_id: str, now: datetime, resend: timedelta) -> None:
    """Have the adapter work for one customer while everything else of a locked agreement stays off."""
    agreements.try_out(connection, agreement.tenant, agreement.agreement, crm_id)
    open_up(connection, agreement, now, resend)


def open_up(connection: Connection, agreement: Agreement, now: datetime, resend: timedelta) -> None:
    """Have the adapter work for a locked agreement that stays off here: only what is meant to go out does."""
    _send(connection, agreement.tenant, _on(agreement, now, agreement.number_from), now, resend)


def switch_off(connection: Connection, agreement: Agreement, now: datetime, resend: timedelta) -> UUID:
    """Switch a locked agreement off, at once for the reconciler; the adapter answers what waits with ``off``."""
    words = ConfigureAgreement(operation=uuid4(), agreement=agreement.agreement, on=False, asked=now)
    _move(connection, agreement, "off" if agreement.since is not None else "connected", now)
    _send(connection, agreement.tenant, words, now, resend)
    return words.operation


def work_as_set(connection: Connection, agreement: Agreement, now: datetime, resend: timedelta) -> None:
    """Have the adapter work a locked agreement that is in use as it is set now."""
    _send(connection, agreement.tenant, _on(agreement, now, agreement.number_from), now, resend)


def look_over(connection: Connection, agreement: Agreement, now: datetime, resend: timedelta) -> None:
    """Have the adapter look a locked agreement over now; it works on, or stays off, as it did."""
    works = agreement.state in IN_USE or agreement.busy is not None or agreement.pilot is not None
    words = _on(agreement, now, agreement.number_from).model_copy(update={"on": works, "check": True})
    _send(connection, agreement.tenant, words, now, resend)


def disconnect(connection: Connection, agreement: Agreement, now: datetime, resend: timedelta) -> UUID:
    """Give a locked agreement up: off here at once; the adapter settles what was sent, and erases the access."""
    words = ConfigureAgreement(operation=uuid4(), agreement=agreement.agreement, on=False, disconnect=True, asked=now)
    _move(connection, agreement, "off" if agreement.since is not None else "connected", now)
    _send(connection, agreement.tenant, words, now, resend)
    return words.operation


def resend_configuration(connection: Connection, agreement: Agreement, now: datetime, resend: timedelta) -> None:
    """Send the unanswered configuration of a locked agreement again, later each time."""
    if agreement.configure is None:
        return
    times = agreement.resent + 1
    due = now + min(resend * 2 ** min(times, 16), max(timedelta(hours=1), resend))
    agreements.expect(connection, agreement.tenant, agreement.configure, due, times)
    append(connection, bus.OUTBOX, bus.configure(agreement.tenant, agreement.configure))


def _decide(
    connection: Connection,
    envelope: Envelope,
    known: Agreement,
    seen: AgreementObserved,
    now: datetime,
    resend: timedelta,
) -> None:
    """Go on, or refuse and tell the adapter. An agreement that was on before has been read already."""
    outcome = seen.outcome
    if outcome is not None and outcome.result is Result.REFUSED:
        reason = outcome.message or outcome.reason
        _move(connection, known, _before(known), now, reason=reason)
        _failed(connection, known, reason, now)
        log.info("agreement.refused", agreement=known.agreement, reason=outcome.reason)
        return
    if known.since is None and known.read_at is None and seen.customers != 0:
        reason = UNCOUNTED if seen.customers is None else UNREAD
        _move(connection, known, "refused", now, reason=reason)
        _failed(connection, known, reason, now)
        words = ConfigureAgreement(operation=uuid4(), agreement=known.agreement, on=False, asked=now)
        _send(connection, known.tenant, words, now, resend, envelope)
        log.info("agreement.refused", agreement=known.agreement, reason=reason, customers=seen.customers)
        return
    _move(connection, known, "on", now, since=known.asked or now)
    log.info("agreement.on", agreement=known.agreement)


def _failed(connection: Connection, known: Agreement, reason: str, now: datetime) -> None:
    """The run that waited for the switch ends with its refusal."""
    if known.busy is None:
        return
    agreements.occupy(connection, known.tenant, known.agreement, None)
    runs.update(connection, known.busy, state="failed", reason=reason, ended=now)
    reading.tell(connection, known.busy, now)


def _before(known: Agreement) -> str:
    return "refused" if known.since is None else "off"


def _move(
    connection: Connection,
    known: Agreement,
    state: str,
    now: datetime,
    *,
    reason: str = "",
    since: datetime | None = None,
) -> None:
    """Move the switch, and have every customer of it looked at again; by the run that begins with it, when there is one."""
    more: dict[str, datetime | None] = {} if since is None else {"since": since}
    if state == "disconnected":
        more["read_at"] = None  # what changes there from now on is not told: read anew before it is switched on again
    again = known.busy is None or state != "on"
    agreements.move(connection, known.tenant, known.agreement, state, now, reason=reason, look_again=again, **more)
    if again:
        store.look_again(connection, known.tenant, known.agreement)


def _on(agreement: Agreement, now: datetime, number_from: int | None) -> ConfigureAgreement:
    return ConfigureAgreement(
        operation=uuid4(),
        agreement=agreement.agreement,
        on=True,
        webhooks=agreement.hooks,
        number_from=number_from,
        number_to=agreement.number_to,
        asked=now,
    )


def _send(
    connection: Connection,
    tenant: str,
    words: ConfigureAgreement,
    now: datetime,
    resend: timedelta,
    cause: Envelope | None = None,
) -> None:
    agreements.expect(connection, tenant, words, now + resend)
    append(connection, bus.OUTBOX, bus.configure(tenant, words, cause))
