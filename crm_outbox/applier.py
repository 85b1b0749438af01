"""What happens to a command to the CRM? Lock, search, check the version, write, answer: in one transaction.

A backfill is only begun here; the clock carries it out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.postgresql import insert

from crm_outbox import backfill, customers, tables
from crm_outbox.changes import OUTBOX
from crm_outbox.contract import (
    MOST_NAMED,
    CustomerWritten,
    Outcome,
    Part,
    Result,
    RunBackfill,
    WriteCustomer,
    aggregate,
    many,
    unseen,
)
from crm_outbox.messaging import outbox
from crm_outbox.messaging.envelope import Envelope, Refused

CONSUMER = "crm-applier"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Twins:
    """Customers that may be the one to be created, and those of them that nobody told apart from it."""

    left: tuple[str, ...] = ()
    found: tuple[str, ...] = ()


_NO_TWINS = _Twins()


def handle(connection: sa.Connection, envelope: Envelope) -> None:
    """Carry out one command and answer it, a write each part by its operation; a repeated one from what was stored."""
    match envelope.data:
        case WriteCustomer() as command:
            _write(connection, envelope, command)
        case RunBackfill() as command:
            backfill.command(connection, envelope.tenant, command.run, start=command.start, cause=envelope)
        case _:
            raise Refused("unknown_type")


def _write(connection: sa.Connection, envelope: Envelope, command: WriteCustomer) -> None:
    if not command.parts:
        raise Refused("bad_data:parts")
    stored = _stored(connection, [part.operation for part in command.parts])
    fresh = [part for part in command.parts if part.operation not in stored]
    held, outcomes, found = _carry_out(connection, envelope, command, fresh)
    for outcome in outcomes:
        _store(connection, envelope.tenant, None if held is None else held.customer.id, outcome)
    answered = {**stored, **{outcome.operation: outcome for outcome in outcomes}}
    if held is None and not fresh:
        held = _held_by(connection, envelope.tenant, command, answered)
    _answer(connection, envelope, command, held, [answered[part.operation] for part in command.parts], found)


def _carry_out(
    connection: sa.Connection, envelope: Envelope, command: WriteCustomer, parts: Sequence[Part]
) -> tuple[customers.Held | None, list[Outcome], _Twins]:
    if not parts:
        return None, [], _NO_TWINS
    if command.customer is None:
        return _create(connection, envelope, command, parts)
    held = customers.lock(connection, envelope.tenant, command.customer)
    if held is None or held.customer.deleted:
        return held, _refuse(parts, "not_found"), _NO_TWINS
    if str(held.version) != command.version:
        return held, _refuse(parts, "version"), _NO_TWINS
    edit = _edit(parts)
    if not _changes(held, edit):
        return held, [Outcome(operation=part.operation, result=Result.UNCHANGED) for part in parts], _NO_TWINS
    try:
        with connection.begin_nested():
            made = customers.change(connection, envelope.tenant, command.customer, edit, cause=envelope)
    except LookupError:
        return held, _refuse(parts, "not_found"), _NO_TWINS
    except (sa.exc.IntegrityError, sa.exc.DataError) as error:
        return held, _refuse(parts, "write_refused", _rule(error)), _NO_TWINS
    return made.held, _written(parts, made), _NO_TWINS


def _create(
    connection: sa.Connection, envelope: Envelope, command: WriteCustomer, parts: Sequence[Part]
) -> tuple[customers.Held | None, list[Outcome], _Twins]:
    whole = next((part for part in parts if part.record == "customer" and part.action == "create"), None)
    if whole is None:
        return None, _refuse(parts, "not_found"), _NO_TWINS
    customers.hold_creations(connection, envelope.tenant)
    found = customers.twins(connection, envelope.tenant, whole.fields)
    if left := unseen(found, command.ruled_out, command.ruled_out_many):
        return None, _refuse(parts, "candidates"), _Twins(left=left, found=found)
    try:
        with connection.begin_nested():
            made = customers.create(connection, envelope.tenant, _edit(parts), origin=whole.operation, cause=envelope)
    except LookupError:
        return None, _refuse(parts, "not_found"), _NO_TWINS
    except (sa.exc.IntegrityError, sa.exc.DataError) as error:
        return None, _refuse(parts, "write_refused", _rule(error)), _NO_TWINS
    return made.held, _written(parts, made), _NO_TWINS


def _edit(parts: Sequence[Part]) -> customers.Edit:
    mine = [part for part in parts if part.record == "customer"]
    return customers.Edit(
        fields={name: value for part in mine for name, value in part.fields.items()},
        stage=next((part.stage for part in mine if part.stage is not None), None),
        persons=[
            customers.PersonEdit(
                id=part.id,
                fields=part.fields,
                remove=part.action == "remove",
                origin=part.operation if part.action == "create" else None,
            )
            for part in parts
            if part.record == "contact"
        ],
    )


def _changes(held: customers.Held, edit: customers.Edit) -> bool:
    persons = {person.id: person for person in held.customer.contacts}
    return (
        any(getattr(held.customer, name, None) != value for name, value in edit.fields.items())
        or (edit.stage is not None and edit.stage is not held.customer.stage)
        or any(
            person.id is None
            or person.remove
            or person.id not in persons
            or any(getattr(persons[person.id], name, None) != value for name, value in person.fields.items())
            for person in edit.persons
        )
    )


def _written(parts: Sequence[Part], made: customers.Made) -> list[Outcome]:
    added = iter(made.persons)
    outcomes = []
    for part in parts:
        created = None
        if part.action == "create":
            created = made.held.customer.id if part.record == "customer" else next(added)
        outcomes.append(Outcome(operation=part.operation, result=Result.WRITTEN, created=created))
    return outcomes


def _refuse(parts: Sequence[Part], reason: str, message: str = "") -> list[Outcome]:
    return [Outcome(operation=part.operation, result=Result.REFUSED, reason=reason, message=message) for part in parts]


def _rule(error: sa.exc.DBAPIError) -> str:
    """The name of the CRM's rule that said no: a constraint's name, never a value."""
    diagnostics = getattr(error.orig, "diag", None)
    return str(getattr(diagnostics, "constraint_name", None) or getattr(diagnostics, "column_name", None) or "")


def _stored(connection: sa.Connection, operations: Sequence[UUID]) -> dict[UUID, Outcome]:
    of = tables.operation.c
    rows = connection.execute(sa.select(of.operation, of.outcome).where(of.operation.in_(operations)))
    return {row.operation: Outcome.model_validate(row.outcome) for row in rows}


def _store(connection: sa.Connection, tenant: str, customer: str | None, outcome: Outcome) -> None:
    values = {
        "operation": outcome.operation,
        "tenant": tenant,
        "customer": customer,
        "outcome": outcome.model_dump(mode="json"),
    }
    connection.execute(insert(tables.operation).values(**values))


def _held_by(
    connection: sa.Connection, tenant: str, command: WriteCustomer, answered: dict[UUID, Outcome]
) -> customers.Held | None:
    created = next((answered[part.operation].created for part in command.parts if part.record == "customer"), None)
    customer = command.customer or created
    return None if customer is None else customers.find(connection, tenant, customer)


def _answer(
    connection: sa.Connection,
    envelope: Envelope,
    command: WriteCustomer,
    held: customers.Held | None,
    outcomes: Sequence[Outcome],
    twins: _Twins,
) -> None:
    customer = command.customer or (held.customer.id if held else "")
    answer = CustomerWritten(
        id=customer,
        agreement=command.agreement,
        customer=None if held is None else held.customer,
        outcomes=tuple(outcomes),
        candidates=twins.left[:MOST_NAMED],
        candidates_many=many(twins.found) if len(twins.left) > MOST_NAMED else None,
    )
    outbox.append(
        connection,
        OUTBOX,
        outbox.Draft(
            data=answer,
            tenant=envelope.tenant,
            subject=aggregate(customer or f"operation-{outcomes[0].operation}"),
            version=None if held is None else held.version,
            cause=envelope,
            customer=customer or None,
            agreement=command.agreement,
            number=envelope.number,
        ),
    )
    log.info(
        "applier.answered",
        customer=customer,
        agreement=command.agreement,
        correlation=envelope.correlation,
        results=[outcome.result.value for outcome in outcomes],
        reasons=[outcome.reason for outcome in outcomes if outcome.reason],
    )
