"""What happens in the schedule of one integer? Its world's settings, and a list of events with a number each."""

from dataclasses import dataclass, replace
from typing import NamedTuple

from reconciler import fields
from reconciler.rules import Decides, Direction, Rule, Rules, System
from tests.simulation.dice import Dice
from tests.simulation.pools import RULES


class Event(NamedTuple):
    """One thing that is to happen; its luck decides all that is left open."""

    kind: str
    luck: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """How a world begins. Percentages of each chance."""

    theme: str
    customers: int
    persons: bool
    details: int
    """How many details people edit: few meet more often."""
    rules: Rules
    crash: float
    trouble: float
    """Of a call to e-conomic, and of a batch that is published."""
    lost: float
    doubled: float
    crowded: float
    """How often others come in between."""
    meet: float
    """How often somebody who creates a customer creates one that the other side has already."""
    settled: bool
    """Whether everything is at rest before the first event."""
    stuck: bool = False
    """Whether every call about one customer of e-conomic fails, for ever."""
    removes: frozenset[System] = frozenset()
    """From which systems an admin has contact persons removed who are removed in the other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A seed spelled out. A shrunk one has fewer events than its seed says."""

    seed: int
    setup: Setup
    events: tuple[Event, ...]


SWITCHING = "switching on"
"""Both sides hold customers already, and the agreement is yet to be switched on."""
STUCK = frozenset({"values", "persons", "faults", "mixed"})
"""Themes in which one customer may be stuck."""
BUSY = {"relay": 18, "deliver": 26, "work": 16, "hook": 9, "pass": 8}
"""What the machinery does, in every theme."""
THEMES: dict[str, dict[str, int]] = {
    "values": {"edit": 26, "create": 1},
    "persons": {"person": 22, "edit": 6, "create": 1},
    "creation": {"create": 7, "edit": 12, "stage": 4, "found": 2},
    "meeting": {"both": 7, "create": 6, "found": 8, "edit": 6, "person": 2, "delete": 1},
    "numbers": {"edit": 12, "renumber": 4, "remove": 2, "reuse": 3, "person": 3, "create": 1, "delete": 1, "merge": 1},
    "hooks": {"edit": 40, "work": 30, "hook": 14, "deliver": 12, "relay": 10},
    "decisions": {"edit": 26, "decide": 16, "page": 5, "undo": 6, "person": 3},
    SWITCHING: {
        "preview": 9, "confirm": 12, "clock": 22, "steer": 3, "take back": 3, "release": 2, "new rules": 1,
        "switch off": 1, "stop writing": 4, "edit": 8, "retype": 4, "person": 3, "create": 2, "found": 2, "stage": 1, "renumber": 1,
        "delete": 1, "remove": 1,
    },
    "faults": {"edit": 18, "person": 5, "create": 2, "broker": 1, "sweep": 2, "rules": 2},
    "mixed": {
        "edit": 14, "person": 6, "create": 2, "renumber": 1, "remove": 1, "reuse": 1, "stage": 1, "rules": 1, "sweep": 1,
        "broker": 1, "delete": 1, "merge": 1, "found": 1, "decide": 2, "both": 1,
    },
}  # fmt: skip


def schedule(seed: int) -> Schedule:
    """The schedule of that integer."""
    dice = Dice(seed)
    theme = dice.pick(tuple(THEMES))
    calm = dice.percent(25)
    setup = Setup(
        theme=theme,
        customers=2 + dice.below(4)
        if theme == SWITCHING
        else 1 + (dice.below(4) if theme in {"creation", "numbers", "mixed"} else dice.below(2)),
        persons=theme == "persons" or dice.percent(30),
        details=dice.pick((1, 2, 4, 12)),
        rules=rules_of(dice),
        crash=0 if calm else dice.pick((4, 10, 25)),
        trouble=0 if calm else dice.pick((3, 10, 25)),
        lost=dice.pick((0, 10, 25)) if theme == "meeting" else 0 if calm else dice.pick((0, 3, 10)),
        doubled=dice.pick((0, 5, 20)),
        crowded=50 if theme in {"hooks", "meeting"} else dice.pick((0, 10, 40)),
        meet=50 if theme in {"meeting", SWITCHING} else 0,
        settled=dice.percent(60),
    )
    if theme in STUCK and setup.customers > 1 and Dice(seed + 3).percent(25):
        setup = replace(setup, stuck=True)
    if (chance := Dice(seed + 5)).percent(40):
        both = frozenset(System)
        setup = replace(setup, removes=chance.pick((both, both, frozenset({System.CRM}), frozenset({System.ECONOMIC}))))
    weights = BUSY | THEMES[theme]
    kinds = [kind for kind, weight in weights.items() for _ in range(weight)]
    events = tuple(Event(dice.pick(kinds), dice.next()) for _ in range(20 + dice.below(45)))
    return Schedule(seed=seed, setup=setup, events=events)


def rules_of(dice: Dice) -> Rules:
    """Every third world asks as the table says; the others have rules of every kind."""
    kind = dice.below(3)
    if kind == 0:
        return RULES
    directions = (Direction.BOTH,) if kind == 1 else (Direction.BOTH, Direction.BOTH, *Direction)
    chosen = {
        record: {
            group.name: Rule(
                decides=dice.pick(tuple(Decides)),
                direction=dice.pick(directions),
                may_be_empty=dice.percent(75),
            )
            for group in groups
        }
        for record, groups in fields.GROUPS.items()
    }
    return replace(RULES, customer=chosen["customer"], contact=chosen["contact"])
