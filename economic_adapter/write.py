"""How are the parts of one command written to one customer? Record, send, read back, answer: each operation exactly once.

Whatever ends this half-way leaves the operation as ``sent``; found again, it is settled by looking and, where nothing
was done, sent with the same bytes under the same key.
"""

from dataclasses import dataclass, field

from sqlalchemy import Connection

from economic_adapter import calls as requests
from economic_adapter import claims, creation, decide, look, mapping, records, store
from economic_adapter import operation as moves
from economic_adapter.claims import Claim
from economic_adapter.decide import Next
from economic_adapter.desk import Calls, Desk, Finish
from economic_adapter.observation import Seen, Stopping, tell
from economic_adapter.operation import Operation, State
from economic_adapter.page import Page
from economic_adapter.protocol import Answer, NotFound, Transient, VersionConflict
from economic_adapter.sending import refusal, transmit


@dataclass(slots=True, kw_only=True)
class _Job:
    desk: Desk
    claim: Claim
    calls: Calls
    page: Page
    ours: set[int]
    """Contact persons that operations of ours created."""
    answered: list[Operation] = field(default_factory=list)
    posted: list[tuple[Operation, int | None, bool]] = field(default_factory=list)
    """Contact persons just created, answered once the list shows them; and whether the sending was a repeat."""
    stopping: Stopping = field(default_factory=Stopping)


def do(desk: Desk, claim: Claim, calls: Calls) -> Finish:
    """Carry out what is open of a command."""
    with desk.engine.begin() as connection:
        operations = records.open_operations(connection, claim.id)
        number = claim.number
        held = None if number is None else records.held(connection, claim.agreement, number)
        ours = set() if number is None else set(records.created_contacts(connection, claim.agreement, number))
    job = _Job(desk=desk, claim=claim, calls=calls, page=Page.of(number, held), ours=ours)
    for operation in operations:
        _carry_out(job, operation)
    if operations:
        job.page.complete(calls)
        _settle_posted(job)

    def finish(connection: Connection) -> None:
        _answer(connection, job)
        claims.finish(connection, claim)

    return finish


def _carry_out(job: _Job, operation: Operation) -> None:
    part = operation.part
    if part.record == "customer" and part.action == "create":
        answered, job.stopping = creation.create(job.desk, job.claim, job.calls, operation, job.page)
        job.answered.append(answered)
        if answered.state is not State.WRITTEN:
            job.page.forget()  # whoever has that number is not this customer
    elif job.page.number is None:
        job.answered.append(moves.refused(operation, "not_found"))
    elif part.action == "create":
        _add_contact(job, operation, job.page.number)
    else:
        job.answered.append(_change(job, operation))


def _change(job: _Job, operation: Operation) -> Operation:
    """A change or bar of the customer, a change or removal of a contact person."""
    page, part, repeated = job.page, operation.part, operation.state is State.SENT
    if repeated:
        page.read(job.calls, part)
        move = decide.settle_change(operation, page.record(part), job.desk.now())
    elif part.action == "remove":  # under no version: an edit nobody has looked at is seen before, not lost
        page.read(job.calls, part)
        move = decide.decide_change(operation, page.record(part), known=True)
    else:
        move = decide.decide_change(operation, page.record(part), known=page.knows(part))
        if move.next is Next.LOOK:
            page.read(job.calls, part)
            move = decide.decide_change(operation, page.record(part), known=True)
    if move.next is Next.ANSWER:
        return move.operation
    body = operation.body if move.body is None else requests.wire(move.body)
    sent, reply = transmit(job.desk, job.calls, move.operation, body, page.number)
    if isinstance(reply, Answer):
        page.touched(part)
        return moves.written(sent)
    if isinstance(reply, NotFound | VersionConflict):
        page.touched(part)
        if repeated or (part.action == "remove" and isinstance(reply, NotFound)):
            # the first sending may have been done and this be its echo
            page.read(job.calls, part)
            again = decide.settle_change(sent, page.record(part), job.desk.now())
            return again.operation if again.next is Next.ANSWER else refusal(sent, reply)
    return refusal(sent, reply)


def _add_contact(job: _Job, operation: Operation, number: int) -> None:
    """A contact person's creation, preceded by a list of those that are there."""
    page = job.page
    if operation.state is State.SENT:
        page.contacts_fresh = page.contacts_fresh and not job.posted
        page.read_contacts(job.calls)
        move = decide.settle_contact(operation, page.contacts)
    else:
        if not page.contacts_fresh:
            page.read_contacts(job.calls)
        move = decide.decide_contact(operation, number, page.contacts, job.ours)
    if move.next is Next.ANSWER:
        job.answered.append(move.operation)
        return
    leaving = move.operation
    if leaving.state is State.PLANNED:
        made = [number for _, number, _ in job.posted if number is not None]
        leaving = moves.listed_before(leaving, [*leaving.before, *made])
    body = operation.body if move.body is None else requests.wire(move.body)
    sent, reply = transmit(job.desk, job.calls, leaving, body, number)
    if not isinstance(reply, Answer):
        # perhaps because there is no such customer: what is kept of it must not be told as seen now
        page.customer_stale = True
        job.answered.append(refusal(sent, reply))
        return
    page.touched(operation.part)
    told = reply.body.get("number") if isinstance(reply.body, dict) else None
    number_told = told if isinstance(told, int) and told not in sent.before else None
    job.posted.append((sent, number_told, operation.state is State.SENT))


def _settle_posted(job: _Job) -> None:
    there = {mapping.contact_number(one) for one in job.page.contacts}
    for sent, told, repeated in job.posted:
        if told in there:
            job.answered.append(moves.written(sent, told))
            continue
        move = decide.settle_contact(sent, job.page.contacts)
        if move.next is not Next.ANSWER and repeated:
            # this answer repeats that of the first sending: the person was made, and is gone again
            job.answered.append(moves.ambiguous(sent))
            continue
        if move.next is not Next.ANSWER:
            raise Transient("created_and_not_there")
        job.answered.append(move.operation)


def _answer(connection: Connection, job: _Job) -> None:
    """Store what ended and tell it, with what e-conomic holds now."""
    desk, claim, page = job.desk, job.claim, job.page
    now = desk.now()
    outcomes = [
        operation.outcome
        for operation in job.answered
        if records.save(connection, operation, now, page.number) and operation.outcome is not None
    ]
    if not outcomes and not page.seen:
        return
    # an edit that somebody made meanwhile is seen here first, and a webhook may have told of it before
    noticed = store.noticed(connection, claim.agreement, page.number)
    seen = _seen(connection, job)
    tell(connection, desk.outbox, claim, "write", page.number, seen, outcomes, job.stopping, caused=noticed)


def _seen(connection: Connection, job: _Job) -> Seen | None:
    page, claim, now = job.page, job.claim, job.desk.now()
    if page.number is None:
        return None
    if page.seen and page.body is not None:
        version = records.keep(
            connection, claim.agreement, page.number, body=page.body, contacts=page.contacts, now=now
        )
        ours = {one.part.number for one in job.answered if one.part.action == "remove"}
        if page.held is not None and mapping.lost(page.held.contacts, page.contacts) - ours:
            look.again(connection, job.desk, claim.agreement, page.number)
        return Seen(number=page.number, version=version, body=page.body, contacts=page.contacts)
    if page.missing:
        # believed only after another look, some time from now
        records.miss(connection, claim.agreement, page.number, now)
        look.again(connection, job.desk, claim.agreement, page.number)
        return None
    if page.held is None or (page.held.body is None and not page.held.absent):
        return None
    # nothing was looked at: what was told before, under the version it was told with
    return Seen(number=page.number, version=page.held.version, body=page.held.body, contacts=page.held.contacts)
