"""What comes next of an import or a sweep? One page, one look or one count at a time, each in a transaction of its own.

Contact persons are listed first, then customers, and each customer is told with its persons. What changed since the run
began is polled and looked at. The run closes when the customers told are those e-conomic counts; else they are listed
again, a few times, and then it fails and says so. Killed anywhere, it goes on with the page that was not committed.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

import structlog
from sqlalchemy import Connection

from economic_adapter import (
    account,
    claims,
    imports,
    listing,
    look,
    mapping,
    poll,
    records,
    staging,
    store,
    turning,
)
from economic_adapter import budget as budgets
from economic_adapter import calls as requests
from economic_adapter.budget import Wait
from economic_adapter.claims import Claim
from economic_adapter.desk import Calls, Desk, Finish, Held
from economic_adapter.imports import Import, Phase
from economic_adapter.mapping import Body
from economic_adapter.observation import Seen, tell
from economic_adapter.protocol import (
    PAGE,
    Answer,
    NotFound,
    Rejected,
    Request,
    collection,
    items,
)
from economic_adapter.records import Listed
from economic_adapter.turning import Ending

log = structlog.get_logger(__name__)

MOST_TRIES = 3
"""Times the same page is asked for when e-conomic answers that there is none."""
MOST_MISMATCHES = 2
_AT_ONCE = store.Gather(quiet=0, most=0)

OTHER_AGREEMENT = "e-conomic's access opens agreement {found}, not {wanted}"
REFUSED = "e-conomic refused a page of its list of {what}: {code}"
REPEATS = "e-conomic's list of {what} repeats itself"
ENDLESS = "e-conomic's list of {what} never ends"
COUNT = "e-conomic counts {count} customers and shows {shown}"


def do(desk: Desk, claim: Claim, calls: Calls) -> Finish:
    """The next part of the claimed run."""
    with desk.engine.begin() as connection:
        run = imports.find(connection, UUID(claim.key))
    if run is None or run.state != "running":
        return partial(claims.finish, claim=claim)
    ending = _PHASES[run.phase](desk, claim, calls, run)

    def finish(connection: Connection) -> None:
        held = imports.lock(connection, run.run)
        if held is None or held.state != "running":  # paused or stopped meanwhile: this page is read again, or never
            claims.finish(connection, claim)
            return
        ending(connection, imports.save(connection, run.run, calls=held.calls + calls.made, waiting=""))

    return finish


def ahead(connection: Connection, claim: Claim, calls: Calls) -> None:
    """What is locked before the row of work: the agreement where it is written to, then the run."""
    run = imports.find(connection, UUID(claim.key))
    if run is not None and run.phase == "count" and run.kind == "sweep":
        calls.fold(connection)
        records.account(connection, claim.agreement)
    imports.lock(connection, UUID(claim.key))


def waits(connection: Connection, desk: Desk, claim: Claim, calls: Calls, cause: str) -> None:
    """The run has to wait: tell it once for each cause. A bucket that fills again within minutes is no news."""
    run = imports.lock(connection, UUID(claim.key))
    if run is None or run.state != "running":
        return
    run = imports.save(connection, run.run, calls=run.calls + calls.made)
    if cause in {"", "throttled", run.waiting}:
        return
    imports.tell(connection, desk.outbox, imports.save(connection, run.run, waiting=cause))


# --- the phases ------------------------------------------------------------------------------------------------------


def _check(desk: Desk, claim: Claim, calls: Calls, run: Import) -> Ending:
    """Whose e-conomic is it, and how much is there to read?"""
    found = account.read_account(calls.send(account.SELF))
    if found.number != claim.agreement:
        cause = OTHER_AGREEMENT.format(found=found.number, wanted=claim.agreement)
        return lambda connection, row: turning.fail(connection, desk, claim, row, cause)
    answer = calls.send(account.COUNT)
    count = account.read_count(answer)
    contacts = account.read_count(calls.send(requests.COUNT_CONTACTS))
    began = run.began or answer.head.date or desk.now()

    def ending(connection: Connection, row: Import) -> None:
        kept = records.kept_now(connection)
        turning.go_on(
            connection, desk, claim, row, "contacts", count=count, contacts_count=contacts, began=began, kept=kept
        )

    return ending


def _contacts(desk: Desk, claim: Claim, calls: Calls, run: Import) -> Ending:
    """A page of the contact persons of everybody."""
    answer = _page(desk, calls, claim, requests.every_contact(run.cursor))
    if not isinstance(answer, Answer):
        return turning.begin_again(desk, claim, REFUSED.format(what="contact persons", code=answer.code))
    found, cursor = items(answer)
    bodies = {}
    for one in found:
        if (read := listing.contact(one)) is not None:
            bodies[mapping.contact_number(read)] = (mapping.customer_number(read), read)

    def ending(connection: Connection, row: Import) -> None:
        new = staging.stage_contacts(connection, run.run, bodies)
        held = staging.contacts_held(connection, run.run)
        if cursor is not None and not new:
            turning.again(connection, desk, claim, row, REPEATS.format(what="contact persons"))
        elif cursor is not None and held > 2 * row.contacts_count + PAGE:
            turning.again(connection, desk, claim, row, ENDLESS.format(what="contact persons"))
        elif cursor is not None:
            turning.turn_page(connection, desk, claim, row, cursor, contacts=held)
        else:
            turning.go_on(connection, desk, claim, row, "customers", contacts=held)

    return ending


def _customers(desk: Desk, claim: Claim, calls: Calls, run: Import) -> Ending:
    """A page of the customers; whoever was not told under this run yet is told."""
    answer = _page(desk, calls, claim, requests.every_customer(run.cursor))
    if not isinstance(answer, Answer):
        return turning.begin_again(desk, claim, REFUSED.format(what="customers", code=answer.code))
    found, cursor = items(answer)
    bodies = {mapping.customer_number(read): read for one in found if (read := listing.customer(one)) is not None}

    def ending(connection: Connection, row: Import) -> None:
        new = staging.list_customers(connection, run.run, bodies, row.turn)
        fresh = staging.untold(connection, run.run, bodies)
        persons = staging.contacts_of(connection, run.run, fresh)
        listed = {one: Listed(body=bodies[one], contacts=persons.get(one, [])) for one in fresh}
        changed = listing.tell_changed(connection, desk, claim, row, listed) if row.kind == "sweep" else 0
        if row.kind == "import":
            listing.tell_every(connection, desk, claim, row, listed)
        read = staging.told(connection, run.run)
        row = imports.save(connection, run.run, read=read, found=row.found + changed)
        shown = staging.listed(connection, run.run, row.turn) if cursor is not None else 0
        if cursor is not None and not new:
            turning.again(connection, desk, claim, row, REPEATS.format(what="customers"))
        elif cursor is not None and shown > 2 * (row.count or 0) + PAGE:
            turning.again(connection, desk, claim, row, ENDLESS.format(what="customers"))
        elif cursor is not None:
            turning.turn_page(connection, desk, claim, row, cursor)
        else:
            turning.go_on(connection, desk, claim, row, "changed_customers")

    return ending


def _changed_customers(desk: Desk, claim: Claim, calls: Calls, run: Import) -> Ending:
    """A page of the customers updated since the run began; who differs from what was told is looked at."""
    answer = _page(desk, calls, claim, requests.customers_since(_since(desk, run), run.pages))
    if not isinstance(answer, Answer):
        return turning.begin_again(desk, claim, REFUSED.format(what="changed customers", code=answer.code))
    found, more = collection(answer)
    by_number = {number: one for one in found if (number := listing.number(one)) is not None}

    def ending(connection: Connection, row: Import) -> None:
        listing.want_looks(connection, claim, row, by_number, partial(poll.customer_differs, by_number))
        if not more or len(found) < PAGE:
            turning.go_on(connection, desk, claim, row, "changed_contacts")
        elif row.pages > 10 + (row.count or 0) // 100:
            turning.again(connection, desk, claim, row, ENDLESS.format(what="changed customers"))
        else:
            turning.turn_page(connection, desk, claim, row, "")

    return ending


def _changed_contacts(desk: Desk, claim: Claim, calls: Calls, run: Import) -> Ending:
    """A page of the contact persons updated since the run began."""
    answer = _page(desk, calls, claim, requests.contacts_since(_since(desk, run), run.cursor or None))
    if not isinstance(answer, Answer):
        return turning.begin_again(desk, claim, REFUSED.format(what="changed contact persons", code=answer.code))
    found, cursor = items(answer)
    by_customer: dict[int, list[Body]] = {}
    for one in found:
        if (read := listing.contact(one)) is not None:
            by_customer.setdefault(mapping.customer_number(read), []).append(read)

    def ending(connection: Connection, row: Import) -> None:
        listing.want_looks(connection, claim, row, by_customer, partial(poll.contacts_differ, by_customer))
        if cursor is None:
            turning.go_on(connection, desk, claim, row, "looks")
        elif cursor == run.cursor or row.pages > 10 + row.contacts_count:
            turning.again(connection, desk, claim, row, ENDLESS.format(what="changed contact persons"))
        else:
            turning.turn_page(connection, desk, claim, row, cursor)

    return ending


def _looks(desk: Desk, claim: Claim, calls: Calls, run: Import) -> Ending:
    """One customer looked at singly, in this claim's hands meanwhile."""
    with desk.engine.begin() as connection:
        records.account(connection, claim.agreement)
        number = staging.next_look(connection, run.run)
        mine = number is None or claims.hold_number(connection, claim, number)
    if number is None:
        return lambda connection, row: turning.go_on(connection, desk, claim, row, "count")
    if not mine:
        raise Held(Wait(until=desk.now() + timedelta(seconds=1), cause=""))
    body = look.customer(calls, number)
    contacts = [] if body is None else look.contacts_of(calls, number)

    def ending(connection: Connection, row: Import) -> None:
        now = desk.now()
        staging.looked(connection, row.run, number, row.turn, told=body is not None)
        if body is None:
            held = records.held(connection, claim.agreement, number)
            if held is not None and held.body is not None and not held.absent:
                store.mark(connection, claim.agreement, number, why="sweep", now=now, gather=_AT_ONCE)
        else:
            version = records.keep(connection, claim.agreement, number, body=body, contacts=contacts, now=now)
            seen = Seen(number=number, version=version, body=body, contacts=contacts)
            tell(connection, desk.outbox, claim, row.kind, number, seen, run=row.run)
            row = imports.save(
                connection,
                row.run,
                read=staging.told(connection, row.run),
                found=row.found + (row.kind == "sweep"),
            )
        if staging.next_look(connection, row.run) is None:
            turning.go_on(connection, desk, claim, row, "count")
        else:
            claims.again(connection, claim, now)

    return ending


def _count(desk: Desk, claim: Claim, calls: Calls, _run: Import) -> Ending:
    """Were all told? Then the run closes; else everybody is listed once more."""
    count = account.read_count(calls.send(account.COUNT))

    def ending(connection: Connection, row: Import) -> None:
        shown = staging.present(connection, row.run, row.turn)
        row = imports.save(connection, row.run, count=count, read=staging.told(connection, row.run))
        if shown == count:
            turning.close(connection, desk, claim, row)
        elif row.mismatches < MOST_MISMATCHES:
            more = {"turn": row.turn + 1, "mismatches": row.mismatches + 1}
            log.warning("import.count_differs", run=str(row.run), count=count, shown=shown)
            turning.go_on(connection, desk, claim, row, "customers", **more)
        else:
            turning.fail(connection, desk, claim, row, COUNT.format(count=count, shown=shown))

    return ending


_PHASES: Mapping[Phase, Callable[[Desk, Claim, Calls, Import], Ending]] = {
    "check": _check,
    "contacts": _contacts,
    "customers": _customers,
    "changed_customers": _changed_customers,
    "changed_contacts": _changed_contacts,
    "looks": _looks,
    "count": _count,
}


def _page(desk: Desk, calls: Calls, claim: Claim, request: Request) -> Answer | NotFound | Rejected:
    """A page, or what e-conomic said instead once it has said so several times."""
    try:
        return calls.send(request)
    except (NotFound, Rejected) as failed:
        if claim.attempts + 1 < MOST_TRIES:
            due = desk.now() + budgets.back_off(claim.attempts + 2, desk.backoff_max, desk.chance())
            raise Held(Wait(until=due, cause=""), attempt=True) from failed
        return failed


def _since(desk: Desk, run: Import) -> datetime:
    return (run.began or desk.now()) - timedelta(seconds=desk.poll_overlap)
