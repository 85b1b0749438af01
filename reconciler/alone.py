"""What of a contact person in one system only differs, and what becomes of it? It flows, is asked about, stays so, or differs.

Pure. Who was removed and is kept by setting, and who is asked about or was left so, is no difference.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final, Literal
from uuid import UUID

from reconciler import chosen, contacts, fields, lags
from reconciler.decisions import Ended, Wish
from reconciler.fields import Group
from reconciler.link import Link, LinkState, Pair, flows
from reconciler.pair import Choice, Side
from reconciler.plan import Detail, Do
from reconciler.rules import Direction, Rules, System
from reconciler.settle import STOPPED

PERSON: Final = "contact"
"""The name of a choice that is about a contact person as a whole: created where it is not yet."""
Stuck = Literal[
    "not_received", "does_not_flow", "only_there", "only_here", "nameless", "unclear", "edited", "removes",
]  # fmt: skip
"""Why nobody can have that person carried over: to Clickmate nothing is transferred, or not while the customer does not flow;
persons may be created on that side alone; it has no name; it may be one the other has; it was removed on one side and edited on
the other; it will be removed once the customer flows."""


def stands_in(pair: Pair) -> System | None:
    """The one system that has that contact person; none where both or neither have it."""
    crm, economic = contacts.alive(pair.crm), contacts.alive(pair.economic)
    if pair.kind != "contact" or crm is economic:
        return None
    return System.CRM if crm else System.ECONOMIC


def details(link: Link, pair: Pair, rules: Rules) -> tuple[Detail, ...]:
    """What differs of a person in one system only, as a plan; nothing of one that does not count as different.

    What flows by itself, or was chosen, is a write to the other system; the rest stays as it is.
    """
    system = stands_in(pair)
    if system is None or pair.pending or not _is_known(link) or _naming(rules) is Direction.NONE:
        return ()
    choice = pair.chosen.get(PERSON)
    if choice is None and _is_elsewhere(link, pair, rules):
        return ()
    goes = choice is not None or _goes(link, pair, system, rules)
    do = (Do.WRITE_ECONOMIC if system is System.CRM else Do.WRITE_CRM) if goes else Do.NOTHING
    decision = None if choice is None else choice.decision
    found = ((group, _differing(pair, group, rules)) for group in fields.GROUPS["contact"])
    return tuple(Detail(group=group, do=do, differing=names, decision=decision) for group, names in found if names)


def stuck(pair: Pair, rules: Rules) -> Stuck | None:
    """Why that person, who is different, cannot be carried over by *Update in e-conomic*; none, and it can."""
    system = stands_in(pair)
    if pair.rest == "to_remove":
        return "removes"
    if pair.rest == "removed_edited":
        return "edited"
    if pair.rest or any(one.perhaps_made for one in pair.refusals):
        return "unclear"
    if system is System.ECONOMIC and not rules.receive:
        return "not_received"
    if system is not None and not lags.names_flow(system.other, rules):
        return "only_there" if system is System.CRM else "only_here"
    if not _has_name(pair, system):
        return "nameless"
    return "does_not_flow" if system is System.ECONOMIC else None


def values(pair: Pair, system: System) -> dict[str, str]:
    """All that system holds of that person."""
    side = pair.side(system)
    return {name: _text(side, name) for name in fields.FIELDS["contact"]}


def wanted(pair: Pair, system: System) -> UUID | None:
    """The decision by which that person is to be created in that system, if a person decided so."""
    choice = pair.chosen.get(PERSON)
    return choice.decision if choice is not None and into(choice) is system else None


def into(choice: Choice) -> System:
    """The system in which a person is to be created by that choice."""
    return System.ECONOMIC if choice.economic is not None else System.CRM


def taken_up(pair: Pair, decision: UUID, wish: Wish) -> tuple[Pair, str]:
    """The contact person with the choice to create them where they are not, or why it is refused; a refused creation is
    tried anew.
    """
    system, standing = System.CRM if wish.economic is not None else System.ECONOMIC, pair.chosen.get(PERSON)
    if standing is not None and standing.decision != wish.over:
        return pair, "chosen"
    if not contacts.lone(pair, system):
        return pair, "gone"
    if not _holds(pair, system, wish.seen_crm if system is System.CRM else wish.seen_economic):
        return pair, "moved"
    choice = chosen.of(wish, decision)
    kept = tuple(one for one in pair.refusals if one.action != "create")
    return replace(pair, chosen={**pair.chosen, PERSON: choice}, refusals=kept), ""


def ended(link: Link, pair: Pair, choice: Choice) -> tuple[Pair, tuple[Ended, ...]]:
    """That choice ends when both systems have the person, or when it is refused. It holds no values to put back: who was
    created stays.
    """
    if any(one.action == "create" for one in pair.pending.values()):
        return pair, ()
    source = into(choice).other
    without = replace(pair, chosen={name: one for name, one in pair.chosen.items() if name != PERSON})
    end = Ended(decision=choice.decision, record=pair.id, detail=PERSON, result="written")
    if contacts.alive(pair.crm) and contacts.alive(pair.economic):
        return without, (end,)
    refusal = next((one.code for one in pair.refusals if one.action == "create"), "")
    if not refusal and (link.state is not LinkState.LINKED or not contacts.lone(pair, source)):
        refusal = "gone"
    if not refusal and not _holds(pair, source, choice.seen_crm if source is System.CRM else choice.seen_economic):
        refusal = "moved"
    return (without, (replace(end, result="refused", reason=refusal),)) if refusal else (pair, ())


def _holds(pair: Pair, system: System, seen: Mapping[str, str]) -> bool:
    """Whether that system still holds of the person what was seen there."""
    now = values(pair, system)
    return all(fields.same("contact", name, fields.text(seen, name), now[name]) for name in now)


def _goes(link: Link, pair: Pair, system: System, rules: Rules) -> bool:
    """Whether the other system gets that person by itself."""
    return (
        flows(link, rules)
        and not pair.rest
        and not any(one.action == "create" for one in pair.refusals)
        and pair.side(system.other) is None
        and (rules.receive or system is System.CRM)
        and lags.names_flow(system.other, rules)
        and _has_name(pair, system)
    )


def _is_elsewhere(link: Link, pair: Pair, rules: Rules) -> bool:
    """Whether it is kept so, or said as something else: asked about, or left so when it was."""
    if pair.rest == "removed":
        return True
    if not flows(link, rules):
        return False
    return bool(pair.rest) or any(one.action == "create" and one.code != STOPPED for one in pair.refusals)


def _is_known(link: Link) -> bool:
    """Whether it is known which persons each side has."""
    there = link.customer.economic
    both = link.crm_version is not None and link.economic_version is not None
    return (
        link.state is LinkState.LINKED and both and not link.unsendable and (there is None or not there.without_persons)
    )


def _differing(pair: Pair, group: Group, rules: Rules) -> tuple[str, ...]:
    if fields.rule_of(pair, group, rules).direction is Direction.NONE:
        return ()
    crm, economic = (side if contacts.alive(side) else None for side in (pair.crm, pair.economic))
    return tuple(
        name for name in group.fields if not fields.agree("contact", name, _text(crm, name), _text(economic, name))
    )


def _naming(rules: Rules) -> Direction:
    return fields.rule("contact", fields.GROUPS["contact"][0], rules).direction


def _has_name(pair: Pair, system: System | None) -> bool:
    return system is not None and not fields.blank(_text(pair.side(system), "name"))


def _text(side: Side | None, name: str) -> str:
    return "" if side is None else fields.text(side.values, name)
