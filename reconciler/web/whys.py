"""Why does it say that? The words for where a value comes from: who, where, when, by a person or a rule, and what stood before."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from reconciler import beside, edits, fields
from reconciler.fields import Group
from reconciler.link import Link, Pair
from reconciler.origin import Event, Origin, origin, settled_by_rule
from reconciler.rules import Direction, Rules, System
from reconciler.web import reasons
from reconciler.web.asks import shown
from reconciler.web.words import Words

SYSTEMS: Final[Mapping[System, str]] = {System.CRM: "Clickmate", System.ECONOMIC: "e-conomic"}
RULES: Final[Mapping[str, str]] = {
    "crm": "Keep Clickmate's", "economic": "Keep e-conomic's", "only_crm": "Only in Clickmate",
    "only_economic": "Only in e-conomic",
}  # fmt: skip


def origins(link: Link, events: list[Event]) -> dict[str, dict[System, Origin | None]]:
    """Where each value of a customer comes from, by the key of its row and the system."""
    found: dict[str, dict[System, Origin | None]] = {}
    for pair in link.pairs:
        mine = edits.of_pair(events, pair)
        for group in fields.GROUPS[pair.kind]:
            found[f"{pair.id}.{group.name}"] = {
                system: origin(pair.kind, group, system, side.values, mine)
                for system in System
                if (side := pair.side(system)) is not None and not side.gone
            }
    return found


def why(words: Words, key: str, link: Link, rules: Rules, known: Mapping[System, Origin | None]) -> list[str]:
    """Why both values of a detail say what they say, a sentence for each system."""
    pair = next(one for one in link.pairs if key.startswith(f"{one.id}."))
    group = next(one for one in fields.GROUPS[pair.kind] if key == f"{pair.id}.{one.name}")
    return [f"{SYSTEMS[system]}: {_sentence(words, pair, group, rules, one)}" for system, one in known.items()]


def settled(words: Words, link: Link, rules: Rules, events: list[Event], since: datetime) -> list[str]:
    """What rules chose since then, a sentence for each detail."""
    told = []
    for pair in link.pairs:
        for event in settled_by_rule(edits.of_pair(events, pair), since):
            for group in fields.GROUPS[pair.kind]:
                if any(name in group.fields for name in event.after):
                    chose = Origin(by="rule", system=event.system.other, at=event.at, before=event.before)
                    name = reasons.named_in(words, link, pair.id, group.name)
                    told.append(f"{name}: {_sentence(words, pair, group, rules, chose)}")
    return told


def _sentence(words: Words, pair: Pair, group: Group, rules: Rules, one: Origin | None) -> str:
    if one is None:
        return words("It said so when the customer was first compared.")
    time, system = words.brief(one.at), SYSTEMS[one.system]
    if one.created:
        return words("It came along when it was created there {time}.", time=time)
    before = shown(group.name, beside.text(group, one.before)).replace("\n", ", ") or words("(empty)")
    match one.by:
        case "person" if one.who:
            return words(
                '{Name} changed it in {system} {time}. It said "{v}" before.', name=one.who, system=system, time=time,
                v=before,
            )  # fmt: skip
        case "rule":
            return words(
                'The rule "{rule}" chose {system} {time}. It said "{v}" before.', rule=words(RULES[_rule(pair, group, rules, one)]),
                system=system, time=time, v=before,
            )  # fmt: skip
        case "flow":
            return words(
                'It was changed in {system} {time} and carried over. It said "{v}" before.', system=system, time=time,
                v=before,
            )  # fmt: skip
        case _:
            return words('It was changed in {system} {time}. It said "{v}" before.', system=system, time=time, v=before)


def _rule(pair: Pair, group: Group, rules: Rules, one: Origin) -> str:
    direction = fields.rule_of(pair, group, rules).direction
    only = {Direction.ONLY_CRM: System.CRM, Direction.ONLY_ECONOMIC: System.ECONOMIC}
    return f"only_{one.system}" if only.get(direction) is one.system else str(one.system)
