"""What would another rule change? Counted customer by customer before it holds; then all are looked at again, as a pass.

A changed rule writes nothing itself. The clock looks at every customer, and the brake stops what is more than was confirmed.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from reconciler import agreements, braking, fields, overview, store
from reconciler.agreements import Agreement, AgreementState
from reconciler.fields import Group
from reconciler.link import Due, Kind
from reconciler.rules import Decides, Direction, Rule
from reconciler.step import step
from reconciler.stepping import Clocked

Chosen = Mapping[str, Mapping[str, Rule]]
DETAILS: Mapping[str, tuple[Kind, Group]] = {
    group.name if kind == "customer" else f"contact.{group.name}": (kind, group)
    for kind, groups in fields.GROUPS.items()
    for group in groups
}
"""Every detail that a rule can be chosen for, by the name people say."""
INVOICES = tuple(name for name, (_, group) in DETAILS.items() if group.invoices)
"""What is printed on invoices, or steers where they go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreseen:
    """What follows from other rules at once: the customers written to, each detail's count, the questions that go and come."""

    customers: int
    details: Mapping[str, int]
    answered: int
    asked: int


def rule(chosen: Chosen, name: str) -> Rule:
    """The rule that holds for a detail: the one that was chosen, else the one it comes with."""
    kind, group = DETAILS[name]
    return chosen.get(kind, {}).get(group.name, group.rule)


def changed(chosen: Chosen, name: str, direction: Direction | None = None, decides: Decides | None = None) -> Chosen:
    """Those rules with another one for that detail; with neither, the one it comes with."""
    kind, group = DETAILS[name]
    others = {one: rule for one, rule in chosen.get(kind, {}).items() if one != group.name}
    if direction is None and decides is None:
        return {**chosen, kind: others}
    now = rule(chosen, name)
    now = replace(now, direction=direction or now.direction, decides=decides or now.decides)
    return {**chosen, kind: others if now == group.rule else {**others, group.name: now}}


def foreseen(connection: Connection, known: Agreement, state: AgreementState, clocked: Clocked) -> Foreseen:
    """What would follow from the rules of ``state``; read only, customer by customer, as the brake counts."""
    before = agreements.current(connection, known.tenant, known.agreement)
    held = overview.held(connection, known.tenant, known.agreement)
    now = clocked.now()
    customers, answered, asked = 0, 0, 0
    details: Counter[str] = Counter()
    for link in store.of_agreement(connection, known.tenant, known.agreement):
        if link.id in held:
            continue
        done = step(link, Due(), state.rules_for(link, clocked.resend), now)
        stands = {
            (one.kind, one.subject) for one in step(link, Due(), before.rules_for(link, clocked.resend), now).asked
        }
        would = {(one.kind, one.subject) for one in done.asked}
        answered += len(stands - would)
        asked += len(would - stands)
        if found := braking.counted(link, done, now):
            customers += 1
            details.update({one.detail for one in found})
    return Foreseen(customers=customers, details=details, answered=answered, asked=asked)


def give(connection: Connection, known: Agreement, change: Callable[[Chosen], Chosen]) -> None:
    """Change the rules as they stand, from now on, and have every customer looked at again."""
    agreements.hold(connection, known.tenant, known.agreement)
    store.look_again(connection, known.tenant, known.agreement)
    state = agreements.current(connection, known.tenant, known.agreement)
    agreements.give_rules(connection, known.tenant, known.agreement, state.choosing(change(state.chosen)))
