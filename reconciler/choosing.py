"""What did a person choose beside two values, as a decision? Marks of what was seen tell which details have moved since.

The page of a customer and the JSON interface come here alike.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from sqlalchemy import Connection

from reconciler import beside, decided, deciding, questions, views, wishing
from reconciler.beside import Row
from reconciler.decided import Saved
from reconciler.decisions import Decision, Ended, NotDecided, Wish
from reconciler.link import Link
from reconciler.person import Person
from reconciler.stepping import Clocked

TAKES: Final = ("crm", "economic", "text", "different")


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What was chosen for one detail, and the mark of the values that were seen. ``texts``: by field, for a value of one's own."""

    take: str
    mark: str
    texts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What came of it: the decision, none where nothing was left to decide, and the rows that had moved, by their keys."""

    saved: Saved | None
    stale: tuple[str, ...]


def choose(
    clocked: Clocked, connection: Connection, person: Person, crm_id: str, decision: UUID, takes: Mapping[str, Taken]
) -> Chosen | None:
    """Save what was chosen, by the keys of rows: what moved is left out. None for a customer that is not there.

    Sent again it changes nothing and tells how the first stands. ``NotDecided`` for what cannot be understood.
    """
    stored = views.customer(connection, person.tenant, crm_id).stored
    if stored is None:
        return None
    link = stored.link
    known = decided.get(connection, decision)
    if known is not None and known.decision.link == link.id and known.decision.tenant == person.tenant:
        return Chosen(saved=known, stale=())
    rules = stored.agreement.rules_for(link, clocked.resend)
    wishes, stale = _wishes(link, beside.rows(link, rules, questions.overlooked(stored.asked)), takes)
    if not wishes:
        return Chosen(saved=None, stale=tuple(stale))
    made = Decision(
        id=decision,
        tenant=link.tenant,
        agreement=link.agreement or 0,
        link=link.id,
        means="settle",
        who=person.name,
        who_id=person.id,
        at=clocked.now(),
        wishes=tuple(wishes),
        seen=deciding.versions(link),
    )
    return Chosen(saved=deciding.save(clocked, connection, made), stale=tuple(stale))


def settled_by(connection: Connection, link: Link, key: str) -> Saved | None:
    """The decision that settled the detail of that row: it is being carried out, or what both sides hold now is what it chose."""
    record, _, detail = key.partition(".")
    under_way = next((one.chosen[detail] for one in link.pairs if str(one.id) == record and detail in one.chosen), None)
    if under_way is not None and (known := decided.get(connection, under_way.decision)) is not None:
        return known
    try:
        moved = Ended(decision=UUID(int=0), result="refused", record=UUID(record), detail=detail, reason="moved")
    except ValueError:
        return None
    return deciding.chosen_first(connection, link, moved)


def _wishes(link: Link, rows: tuple[Row, ...], takes: Mapping[str, Taken]) -> tuple[list[Wish], list[str]]:
    wishes: list[Wish] = []
    stale: list[str] = []
    known = {row.key: row for row in rows}
    pairs = {pair.id: pair for pair in link.pairs}
    for key, taken in takes.items():
        row = known.get(key)
        if row is None or taken.take not in TAKES:
            raise NotDecided("there is no choice {take} for {key}", take=taken.take, key=key)
        if any(not _can_be_stored(text) for text in taken.texts.values()):
            raise NotDecided("the text for {key} holds what cannot be stored", key=key)
        if taken.mark != row.mark or not row.may_be_chosen:
            stale.append(key)
            continue
        texts = {name: taken.texts.get(name, row.texts[name]) for name in row.fields} if taken.take == "text" else None
        wishes.append(wishing.wish(link, pairs[row.record], row.detail, taken.take, texts))
    return wishes, stale


def _can_be_stored(text: str) -> bool:
    return "\x00" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)
