"""What would other rules change? Counted customer by customer before they hold; then all are looked at again, as a pass.

A changed rule writes nothing itself. The clock looks at every customer, and the brake stops what is more than was confirmed.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID, uuid4

from sqlalchemy import Connection

from reconciler import acts, agreements, braking, differing, fields, overview, rule_changes, ruleset, store
from reconciler.agreements import Agreement, AgreementState
from reconciler.differing import Differing
from reconciler.link import Due, Link
from reconciler.person import Person
from reconciler.rehearsal import Write
from reconciler.rule_changes import Change, Preset
from reconciler.ruleset import Chosen
from reconciler.step import step
from reconciler.stepping import Clocked

MOST_NAMED = 100
"""Customers that are named in a preview; all are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """A customer that would be written to at once, and what."""

    crm_id: str
    number: int | None
    name: str
    writes: tuple[Write, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreseen:
    """What follows from other rules at once: the customers written to, each detail's count, the questions that go and come."""

    customers: int
    details: Mapping[str, int]
    answered: int
    asked: int
    touched: tuple[Touched, ...] = ()

    def __add__(self, other: "Foreseen") -> "Foreseen":
        """What follows for these customers and for those."""
        return Foreseen(
            customers=self.customers + other.customers,
            details=dict(Counter(self.details) + Counter(other.details)),
            answered=self.answered + other.answered,
            asked=self.asked + other.asked,
            touched=(*self.touched, *other.touched)[:MOST_NAMED],
        )


class Some(NamedTuple):
    """What follows for some customers: how many were looked at, and the last of them; none where there was none left."""

    foreseen: Foreseen
    seen: int
    last: UUID | None


class Moved(Exception):
    """The rules are others by now than those that were shown."""


def foreseen(connection: Connection, known: Agreement, state: AgreementState, clocked: Clocked) -> Foreseen:
    """What would follow from the rules of ``state``; read only, customer by customer, as the brake counts."""
    before = agreements.current(connection, known.tenant, known.agreement)
    held = overview.held(connection, known.tenant, known.agreement)
    reach = ruleset.reach(before.chosen, state.chosen)
    found = differing.linked(connection, known.tenant, known.agreement, reach)
    return _foreseen((one for one in found if one.link.id not in held), state, clocked)


def some(
    connection: Connection, tenant: str, agreement: int, after: Chosen, clocked: Clocked, last: UUID | None, limit: int
) -> Some:
    """As ``foreseen`` of the rules ``after``, for so many customers after the last one that was looked at."""
    before = agreements.current(connection, tenant, agreement)
    held = overview.held(connection, tenant, agreement)
    reach = ruleset.reach(before.chosen, after)
    found = list(differing.some(connection, tenant, agreement, reach, last, limit))
    foreseen_ = _foreseen((one for one in found if one.link.id not in held), before.choosing(after), clocked)
    return Some(foreseen_, len(found), found[-1].link.id if found else None)


def _foreseen(those: Iterable[Differing], state: AgreementState, clocked: Clocked) -> Foreseen:
    now = clocked.now()
    customers, answered, asked = 0, 0, 0
    details: Counter[str] = Counter()
    touched: list[Touched] = []
    for link, open_ in those:
        done = step(link, Due(), state.rules_for(link, clocked.resend), now)
        stands, would = {(one.kind, one.subject) for one in open_}, {(one.kind, one.subject) for one in done.asked}
        answered += len(stands - would)
        asked += len(would - stands)
        if found := braking.counted(link, done, now):
            customers += 1
            details.update({one.detail for one in found})
            if len(touched) < MOST_NAMED:
                touched.append(_touched(link, found))
    return Foreseen(customers=customers, details=details, answered=answered, asked=asked, touched=tuple(touched))


def concerned(connection: Connection, known: Agreement, before: Chosen, after: Chosen, most: int | None) -> int:
    """How many customers a change has to be rehearsed for, counted up to ``most``: that many take so long to foresee."""
    return differing.count(connection, known.tenant, known.agreement, ruleset.reach(before, after), most)


def give(
    connection: Connection,
    known: Agreement,
    change: Callable[[Chosen], Chosen],
    now: datetime,
    *,
    by: Person,
    seen: str | None = None,
    preset: Preset = "",
    undoes: UUID | None = None,
) -> UUID | None:
    """Change the rules as they stand, from now on, and have every customer looked at again; none where nothing changes.

    ``seen`` is the mark of the rules that were shown: ``Moved`` where others hold by now, and nothing is changed.
    """
    agreements.hold(connection, known.tenant, known.agreement)
    state = agreements.current(connection, known.tenant, known.agreement)
    if seen is not None and seen != ruleset.mark(state.chosen):
        raise Moved
    after = change(state.chosen)
    if not ruleset.moved(state.chosen, after):
        return None
    store.look_again(connection, known.tenant, known.agreement)
    agreements.give_rules(connection, known.tenant, known.agreement, state.choosing(after))
    one = Change(
        id=uuid4(),
        tenant=known.tenant,
        agreement=known.agreement,
        at=now,
        who=by.name,
        who_id=by.id,
        preset=preset,
        before=state.chosen,
        after=after,
        undoes=undoes,
    )
    rule_changes.add(connection, one)
    about = {
        name: (ruleset.written(ruleset.rule(one.before, name)), ruleset.written(ruleset.rule(after, name)))
        for name in ruleset.moved(one.before, after)
    }
    acts.add(connection, by, "rules" if undoes is None else "undo_rules", now, known.agreement, about)
    return one.id


def _touched(link: Link, writes: Sequence[Write]) -> Touched:
    sides = (link.customer.crm, link.customer.economic)
    names = (fields.text(side.values, "name") for side in sides if side is not None)
    name = next((one for one in names if one), "")
    return Touched(crm_id=link.crm_id, number=link.number, name=name, writes=tuple(writes))
