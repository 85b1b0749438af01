"""What is taken back of a list? What a rule settled, and what was kept different: put back where nobody edited since, and asked.

Both are decisions of the person who takes back, and can be undone themselves.
"""

from dataclasses import replace
from uuid import UUID, uuid5

from sqlalchemy import Connection

from reconciler import carrying, chosen, decided, deciding, fields, restoring, store, worklists
from reconciler.decided import Saved
from reconciler.decisions import KEEP, Decision, NotDecided, Wish
from reconciler.link import Link
from reconciler.person import Person
from reconciler.rehearsal import Write
from reconciler.stepping import Clocked
from reconciler.worklists import Settled


def of_write(link: UUID, write: int, detail: str = "") -> UUID:
    """The id of the decision that takes back that write of a link, or a detail of it: pressed twice, it is one decision."""
    return uuid5(link, f"put back {write} {detail}".rstrip())


def rule(clocked: Clocked, connection: Connection, person: Person, write: int) -> Saved | None:
    """Put back what a rule wrote over, and ask about the detail; none where it was edited since.

    ``NotDecided`` where there is no such write, or it is over 30 days old.
    """
    found = worklists.settled_one(connection, person.tenant, write)
    if found is None or clocked.now() - found.at > KEEP:
        raise NotDecided("no rule wrote that within the last 30 days")
    return _put_back(clocked, connection, person, found)


def change(clocked: Clocked, connection: Connection, person: Person, write: int, detail: str) -> Saved | None:
    """Put back one detail of what was written to e-conomic, and ask about it; none where it was edited since.

    ``NotDecided`` where there is no such write, or it is over 30 days old.
    """
    found = worklists.changed_there(connection, person.tenant, write)
    if found is None or clocked.now() - found.at > KEEP:
        raise NotDecided("nothing was written to e-conomic there within the last 30 days")
    return _put_back(clocked, connection, person, found, detail)


def of_detail(found: Settled, detail: str) -> Settled:
    """That write, but only what it changed of one detail."""
    names = next((group.fields for group in fields.GROUPS[found.record] if group.name == detail), ())
    return replace(found, changes=tuple(one for one in found.changes if one.field in names))


def _put_back(
    clocked: Clocked, connection: Connection, person: Person, found: Settled, detail: str = ""
) -> Saved | None:
    links = store.of_customer(connection, found.customer, person.tenant, found.agreement)
    if not links:
        raise NotDecided("its customer is not known any more")
    link = links[0].link
    decision = of_write(link.id, found.id, detail)
    if (known := decided.get(connection, decision)) is not None:
        return known
    standing = carrying.standing_in(link)
    wishes, _ = restoring.wishes_of(link, _written(of_detail(found, detail) if detail else found))
    if not wishes:
        return None
    asked = tuple(replace(one, over=standing.get((one.record, one.detail)), after="ask") for one in wishes)
    return deciding.save(clocked, connection, _undo(clocked, link, person, decision, asked, None))


def kept(clocked: Clocked, connection: Connection, link_id: UUID, record: UUID, detail: str, person: Person) -> Saved:
    """Ask again about a detail that was kept different; nothing is written. ``NotDecided`` where it is not kept."""
    stored = store.find(connection, link_id)
    pair = None if stored is None else next((one for one in stored.link.pairs if one.id == record), None)
    choice = None if pair is None else pair.chosen.get(detail)
    if stored is None or pair is None or choice is None or detail in carrying.MARKS or not chosen.kept(choice):
        raise NotDecided("that detail is not kept different")
    link, first = stored.link, decided.get(connection, choice.decision)
    group = next(one for one in fields.GROUPS[pair.kind] if one.name == detail)
    wish = Wish(
        record=record,
        detail=detail,
        take="undo",
        seen_crm={name: fields.text(pair.crm.values if pair.crm else {}, name) for name in group.fields},
        seen_economic={name: fields.text(pair.economic.values if pair.economic else {}, name) for name in group.fields},
        over=choice.decision,
        after="ask",
    )
    whole = first is not None and len(first.decision.wishes) == 1
    undone = choice.decision if whole else None
    decision = uuid5(choice.decision, f"ask again {record} {detail}")
    return deciding.save(clocked, connection, _undo(clocked, link, person, decision, (wish,), undone))


def _undo(
    clocked: Clocked, link: Link, person: Person, decision: UUID, wishes: tuple[Wish, ...], undoes: UUID | None
) -> Decision:
    return Decision(
        id=decision,
        tenant=link.tenant,
        agreement=link.agreement or 0,
        link=link.id,
        means="undo",
        who=person.name,
        who_id=person.id,
        at=clocked.now(),
        wishes=wishes,
        undoes=undoes,
        seen=deciding.versions(link),
    )


def _written(one: Settled) -> list[Write]:
    return [
        Write(
            system=one.system,
            record=one.record,
            id=one.record_id,
            field=change.field,
            before=change.before,
            after=change.after,
        )
        for change in one.changes
    ]
