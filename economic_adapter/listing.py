"""What does a page of a listing leave behind? Every customer told, or those that differ; and who must be looked at singly.

A listing is many answers long, so a customer may have been seen by others meanwhile. What was kept of it after the run
began, or is in another worker's hands, stays: then the mirror is told instead.
"""

from collections.abc import Callable, Mapping

from sqlalchemy import Connection

from economic_adapter import look, mapping, records, staging, store
from economic_adapter.claims import Claim
from economic_adapter.desk import Desk
from economic_adapter.imports import Import
from economic_adapter.mapping import Body
from economic_adapter.observation import Seen, tell_all
from economic_adapter.protocol import Ambiguous
from economic_adapter.records import Listed


def tell_every(connection: Connection, desk: Desk, claim: Claim, row: Import, listed: Mapping[int, Listed]) -> None:
    """Every customer of a page; who was seen by others meanwhile is told as the mirror has it."""
    busy = staging.held_by_others(connection, claim.agreement, claim.id, list(listed))
    mine = {number: one for number, one in listed.items() if number not in busy}
    versions = records.keep_all(connection, claim.agreement, mine, since=row.kept, now=desk.now())
    others = records.held_of(connection, claim.agreement, [one for one in listed if one not in versions])
    seen = [
        Seen(number=number, version=version, body=listed[number].body, contacts=listed[number].contacts)
        for number, version in versions.items()
    ] + [
        Seen(number=number, version=held.version, body=held.body, contacts=held.contacts)
        for number, held in others.items()
        if held.body is not None
    ]
    tell_all(connection, desk.outbox, claim, "import", row.run, seen)
    numbers = [one.number for one in seen]
    staging.mark_told(connection, row.run, numbers)
    staging.want_looks(connection, row.run, set(listed) - set(numbers))


def tell_changed(connection: Connection, desk: Desk, claim: Claim, row: Import, listed: Mapping[int, Listed]) -> int:
    """Of a page those that differ from the mirror; how many of them nobody had told of. The rest only counts as read.

    Who is marked or in a worker's hands will be looked at, or was just written: nobody missed it.
    """
    held = records.held_of(connection, claim.agreement, list(listed))
    busy = store.told_of(connection, claim.agreement, list(listed))
    differing = {
        number: one for number, one in listed.items() if number not in busy and _differs(one, held.get(number))
    }
    versions = records.keep_all(connection, claim.agreement, differing, since=row.kept, now=desk.now())
    seen = [
        Seen(number=number, version=version, body=listed[number].body, contacts=listed[number].contacts)
        for number, version in versions.items()
    ]
    tell_all(connection, desk.outbox, claim, "sweep", row.run, seen)
    staging.mark_told(connection, row.run, list(listed))
    for number in sorted(versions):
        before = held.get(number)
        if before is not None and mapping.lost(before.contacts, listed[number].contacts):
            look.again(connection, desk, claim.agreement, number)
    return sum(_differs(listed[number], held.get(number), in_content=True) for number in versions)


def _differs(listed: Listed, held: records.Held | None, *, in_content: bool = False) -> bool:
    if held is None or held.body is None:
        return True
    if listed.body == held.body and tuple(listed.contacts) == held.contacts:
        return held.retell and not in_content  # nearly all of a sweep: nothing has to be made of them
    now, before = mapping.customer(listed.body, listed.contacts), mapping.customer(held.body, held.contacts)
    return mapping.content(now) != mapping.content(before) if in_content else now != before


def want_looks(
    connection: Connection,
    claim: Claim,
    row: Import,
    numbers: Mapping[int, object],
    differs: Callable[[int, records.Held | None], bool],
) -> None:
    """Have those looked at that were not told under the run, or differ from the mirror without anybody having noted it."""
    held = records.held_of(connection, claim.agreement, list(numbers))
    busy = store.told_of(connection, claim.agreement, list(numbers))
    untold = set(staging.untold(connection, row.run, numbers))
    changed = {number for number in numbers if number not in busy and differs(number, held.get(number))}
    staging.want_looks(connection, row.run, untold | changed)


def customer(body: Body) -> Body | None:
    """A body that can be a customer. Another is not told, so that the count says how many are missing."""
    try:
        mapping.customer(body)
    except Ambiguous:
        return None
    return mapping.plain(body)


def contact(body: Body) -> Body | None:
    """A body that can be a contact person."""
    try:
        mapping.contact(body)
        mapping.customer_number(body)
    except Ambiguous:
        return None
    return mapping.plain(body)


def number(body: Body) -> int | None:
    """The number of a customer's body, if it has one."""
    try:
        return mapping.customer_number(body)
    except Ambiguous:
        return None
