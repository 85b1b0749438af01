"""What changed in e-conomic since the last poll? Customers by the legacy API, contact persons by the new one.

It only sets marks, for content that differs from the mirror; and counts what no hook had told.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial

import sqlalchemy as sa

from economic_adapter import activity, claims, mapping, records, store, tables
from economic_adapter import calls as requests
from economic_adapter.claims import Claim
from economic_adapter.desk import Calls, Desk, Finish
from economic_adapter.look import every_page
from economic_adapter.mapping import Body
from economic_adapter.protocol import PAGE, Ambiguous, collection

_MOST_PAGES = 100
_AT_ONCE = store.Gather(quiet=0, most=0)


def do(desk: Desk, claim: Claim, calls: Calls) -> Finish:
    """One poll of an agreement."""
    agreement = tables.agreement
    with desk.engine.begin() as connection:
        row = connection.execute(sa.select(agreement).where(agreement.c.number == claim.agreement)).mappings().one()
    overlap = timedelta(seconds=desk.poll_overlap)
    customers_since = row["customers_since"] or row["connected_at"]
    contacts_since = row["contacts_since"] or row["connected_at"]
    customers, customers_until = _customers(desk, claim, calls, customers_since - overlap)
    contacts, contacts_until = _contacts(desk, claim, calls, contacts_since - overlap, customers_until)
    found = customers + contacts

    def finish(connection: sa.Connection) -> None:
        missed = found if row["webhooks"] == "registered" else 0
        connection.execute(
            sa.update(agreement)
            .where(agreement.c.number == claim.agreement)
            .values(
                polled_at=desk.now(),
                customers_since=max(customers_since, customers_until or customers_since),
                contacts_since=max(contacts_since, contacts_until or contacts_since),
                missed=agreement.c.missed + missed,
            )
        )
        claims.finish(connection, claim)

    return finish


def _customers(desk: Desk, claim: Claim, calls: Calls, since: datetime) -> tuple[int, datetime | None]:
    """How many were marked, and until when nothing is missed: e-conomic's own time at the first page, else its last stamp."""
    started: datetime | None = None
    last: datetime | None = None
    marked = 0
    for page in range(_MOST_PAGES):
        answer = calls.send(requests.customers_since(since, page))
        started = started or answer.head.date
        found, more = collection(answer)
        last = _last(found, last)
        by_number = {mapping.customer_number(one): one for one in found}
        marked += _mark(desk, claim, by_number, partial(customer_differs, by_number))
        if not more or len(found) < PAGE:
            return marked, started or last
    raise Ambiguous("endless_pages")


def _contacts(
    desk: Desk, claim: Claim, calls: Calls, since: datetime, started: datetime | None
) -> tuple[int, datetime | None]:
    by_customer: dict[int, list[Body]] = {}
    found = every_page(calls, lambda cursor: requests.contacts_since(since, cursor))
    for one in found:
        by_customer.setdefault(mapping.customer_number(one), []).append(one)
    marked = _mark(desk, claim, by_customer, partial(contacts_differ, by_customer))
    return marked, started or _last(found, None)


def _last(found: Iterable[Body], last: datetime | None) -> datetime | None:
    """The latest ``lastUpdated`` of these records; strange ones do not count."""
    for one in found:
        try:
            moment = datetime.fromisoformat(str(one.get("lastUpdated")))
        except ValueError:
            continue
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        last = moment if last is None else max(last, moment)
    return last


def _mark(desk: Desk, claim: Claim, numbers: Iterable[int], differs: Callable[[int, records.Held | None], bool]) -> int:
    wanted = sorted(numbers)
    if not wanted:
        return 0
    with desk.engine.begin() as connection:
        held = records.held_of(connection, claim.agreement, wanted)
        busy = store.told_of(connection, claim.agreement, wanted)
        changed = [number for number in wanted if number not in busy and differs(number, held.get(number))]
        if changed:
            activity.note(connection, claim.agreement, desk.now())
        for number in changed:
            store.mark(connection, claim.agreement, number, why="poll", now=desk.now(), gather=_AT_ONCE)
    return len(changed)


def customer_differs(bodies: Mapping[int, Body], number: int, held: records.Held | None) -> bool:
    """Whether a customer of the legacy API shows anything the mirror does not hold."""
    return held is None or held.body is None or mapping.legacy_differs(bodies[number], held.body)


def contacts_differ(bodies: Mapping[int, list[Body]], number: int, held: records.Held | None) -> bool:
    """Whether these contact persons of a customer show anything the mirror does not hold."""
    if held is None or held.body is None:
        return True
    known = {mapping.contact_number(one): one for one in held.contacts}
    return any(_contact_differs(one, known.get(mapping.contact_number(one))) for one in bodies[number])


def _contact_differs(body: Body, known: Body | None) -> bool:
    if known is None:
        return True
    if mapping.version(body) == mapping.version(known):
        return False
    return mapping.contact_values(body) != mapping.contact_values(known) or (
        mapping.is_deleted(body) != mapping.is_deleted(known)
    )
