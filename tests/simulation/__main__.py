"""``python -m tests.simulation FIRST LAST``: many seeded worlds, each an integer that can be run again."""

import sys
from collections.abc import Iterator
from dataclasses import replace

from reconciler import fields
from reconciler.link import Due, Heard, Link, Message, Step
from reconciler.rules import Decides, Direction, Rule, Rules
from reconciler.step import step
from tests.simulation import checks
from tests.simulation.pools import RULES
from tests.simulation.world import World

ROUNDS = 5
"""Rounds of delivering and sweeping within which a world must have come to rest."""


def rules_of(seed: int) -> Rules:
    """Every third world asks as the table says; the others have rules of every kind, the same ones for one seed."""
    if seed % 3 == 0:
        return RULES
    decides, directions = tuple(Decides), (Direction.BOTH, Direction.BOTH, *Direction)
    chosen = {
        kind: {
            group.name: Rule(
                decides=decides[(seed // 3 + place) % 3],
                direction=directions[(seed // 9 + place) % 6] if seed % 3 == 2 else Direction.BOTH,
                may_be_empty=(seed + place) % 4 != 0,
            )
            for place, group in enumerate(groups)
        }
        for kind, groups in fields.GROUPS.items()
    }
    return replace(RULES, customer=chosen["customer"], contact=chosen["contact"])


def watched(link: Link, message: Message, rules: Rules, now: object) -> Step:
    """A step that is taken a second time with the same message, which must change nothing (P4), and looked at."""
    done = step(link, message, rules, now)  # type: ignore[arg-type]
    again = step(done.link, message, rules, now)  # type: ignore[arg-type]
    assert again.commands == (), "a message heard twice sent a command"
    assert again.link == done.link, "a message heard twice changed the link"
    assert again.status == done.status
    assert not list(checks.one_at_a_time(done.link))
    assert isinstance(message, Heard | Due)
    return done


def lived(
    seed: int, *, customers: int = 1, steps: int = 80, react: object = watched, details: tuple[str, ...] = ()
) -> World:
    """A world of that seed after so many things have happened in it."""
    world = World(seed, rules=rules_of(seed), unclear=seed % 5 == 0, details=details)
    world.react = react  # type: ignore[assignment]
    for _ in range(customers):
        world.create()
    if seed % 4 < 2:
        world.settle()
    world.live(steps)
    return world


def broken(world: World) -> Iterator[str]:
    """What does not hold once the world has come to rest."""
    rounds = world.settle()
    if rounds > ROUNDS:
        yield f"not at rest after {rounds} rounds"
    yield from checks.at_rest(world)
    yield from checks.quiet(world)


def main() -> int:
    first, last = (int(one) for one in sys.argv[1:3])
    bad = 0
    for seed in range(first, last):
        try:
            wrong = list(broken(lived(seed, customers=1 + seed % 2, steps=60 + seed % 60)))
        except AssertionError as error:
            wrong = [str(error)]
        if wrong:
            bad += 1
            sys.stdout.write(f"{seed}: {wrong[:3]}\n")
    sys.stdout.write(f"{last - first} worlds, {bad} broken\n")
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main())
