"""What does e-conomic hold of one customer now? Two calls, one observation, and the mark cleared if it is still the one seen.

A customer is told to be absent only when e-conomic itself said so twice, some time apart.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from economic_adapter import calls as requests
from economic_adapter import claims, mapping, records, store
from economic_adapter.claims import Claim
from economic_adapter.desk import Calls, Desk, Finish
from economic_adapter.mapping import Body
from economic_adapter.observation import Seen, tell, tell_look
from economic_adapter.protocol import Ambiguous, Answer, Failed, NotFound, Request, items

_MOST_PAGES = 25


def do(desk: Desk, claim: Claim, calls: Calls) -> Finish:
    """Look at the claimed number."""
    number = claim.number
    if number is None:
        raise ValueError("a look without a number")
    body, contacts = _at_once(calls, number) if claim.look is not None else _one_after_the_other(calls, number)
    now = desk.now()
    why = claim.mark.why if claim.mark is not None else "look"
    old_numbers = claim.mark.old_numbers if claim.mark is not None else ()

    def finish(connection: Connection) -> None:
        if body is None and not _believed(connection, desk, claim.agreement, number, now):
            records.miss(connection, claim.agreement, number, now)
            tell_look(connection, desk.outbox, claim, "missing")
            if (
                claim.look is not None and claim.mark is None
            ):  # whoever looks again, at the latest the nightly pass, confirms
                claims.finish(connection, claim)
                return
            due = now + timedelta(seconds=desk.confirm_missing)
            claims.postpone(connection, claim, due_at=due, waiting="")
            return
        before = records.held(connection, claim.agreement, number)
        version = records.keep(
            connection, claim.agreement, number, body=body, contacts=contacts, now=now, old_numbers=old_numbers
        )
        seen = Seen(number=number, version=version, body=body, contacts=contacts, old_numbers=old_numbers)
        noticed = store.noticed(connection, claim.agreement, number)
        tell(connection, desk.outbox, claim, why, number, seen, caused=noticed)
        if body is not None and before is not None and mapping.lost(before.contacts, contacts):
            again(connection, desk, claim.agreement, number)  # the mark before the row, as whoever marks does
        claims.finish(connection, claim)

    return finish


def again(connection: Connection, desk: Desk, agreement: int, number: int) -> None:
    """Look once more some time from now: what was seen missing once is believed then."""
    gather = store.Gather(quiet=desk.confirm_missing, most=desk.confirm_missing)
    store.mark(connection, agreement, number, why="look", now=desk.now(), gather=gather)


def _one_after_the_other(calls: Calls, number: int) -> tuple[Body | None, Sequence[Body]]:
    body = customer(calls, number)
    return body, [] if body is None else contacts_of(calls, number)


def _at_once(calls: Calls, number: int) -> tuple[Body | None, Sequence[Body]]:
    """Somebody waits: both calls at the same time."""
    mine, persons = calls.both(requests.customer(number), requests.contacts_of(number))
    if isinstance(mine, NotFound):
        return None, []
    if isinstance(mine, Failed):
        raise mine
    if isinstance(persons, Failed):
        raise persons
    return _body(mine, number), contacts_of(calls, number, persons)


def customer(calls: Calls, number: int) -> Body | None:
    """The customer's body; none only when e-conomic said that there is no such customer."""
    try:
        return _body(calls.send(requests.customer(number)), number)
    except NotFound:
        return None


def _body(answer: Answer, number: int) -> Body:
    body = answer.body if isinstance(answer.body, dict) else {}
    if mapping.customer_number(body) != number:
        raise Ambiguous("another_customer", answer.head)
    mapping.customer(body)  # a body that cannot be one never reaches the mirror
    return mapping.plain(body)


def contacts_of(calls: Calls, number: int, answer: Answer | None = None) -> list[Body]:
    """All contact persons of a customer, deleted ones among them, each once. ``answer``: their first page, where it is there."""
    found: dict[int, Body] = {}
    for body in every_page(calls, lambda cursor: requests.contacts_of(number, cursor), answer):
        mapping.contact(body)
        if body.get("customerNumber") == number:
            found[mapping.contact_number(body)] = mapping.plain(body)
    return [found[one] for one in sorted(found)]


def every_page(calls: Calls, request: Callable[[str | None], Request], answer: Answer | None = None) -> Sequence[Body]:
    """All records of a cursor listing; a cursor that comes again or never ends is an error."""
    found: list[Body] = []
    cursor: str | None = None
    passed: set[str] = set()
    for _ in range(_MOST_PAGES):
        page, cursor = items(answer or calls.send(request(cursor)))
        answer = None
        found += page
        if cursor is None:
            return found
        if cursor in passed:
            break
        passed.add(cursor)
    raise Ambiguous("endless_pages")


def _believed(connection: Connection, desk: Desk, agreement: int, number: int, now: datetime) -> bool:
    held = records.held(connection, agreement, number)
    if held is None or held.absent or held.body is None:
        return True  # nobody was told that it is there
    return held.missing_since is not None and now - held.missing_since >= timedelta(seconds=desk.confirm_missing / 2)
