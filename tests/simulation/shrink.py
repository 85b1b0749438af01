"""Which of a failing schedule's events does the failure need? Pieces are left out as long as something still breaks."""

from collections.abc import Callable
from dataclasses import replace
from time import monotonic

from tests.simulation.schedule import Schedule
from tests.simulation.world import World


def lived(schedule: Schedule) -> World:
    """The world of that schedule after it was lived; an error of the product's is something wrong too."""
    world = World(schedule)
    try:
        world.live()
    except Exception as error:  # noqa: BLE001 - whatever the product raises is a finding
        world.wrong.append(f"{type(error).__name__}: {error}")
    return world


def shrunk(schedule: Schedule, seconds: float = 10.0, live: Callable[[Schedule], World] = lived) -> Schedule:
    """A schedule with fewer events that still breaks; stops searching after so many seconds."""
    until = monotonic() + seconds
    kind = _kind(live(schedule))

    def breaks(tried: Schedule) -> bool:
        return _kind(live(tried)) == kind

    setups = (
        {"crash": 0.0}, {"trouble": 0.0}, {"lost": 0.0}, {"doubled": 0.0}, {"crowded": 0.0}, {"customers": 1}, {"customers": 2},
    )  # fmt: skip
    for change in setups:
        tried = replace(schedule, setup=replace(schedule.setup, **change))
        if tried.setup != schedule.setup and monotonic() < until and breaks(tried):
            schedule = tried
    size = max(1, len(schedule.events) // 2)
    while size and monotonic() < until:
        at, left_out = 0, False
        while at < len(schedule.events) and monotonic() < until:
            tried = replace(schedule, events=schedule.events[:at] + schedule.events[at + size :])
            if breaks(tried):
                schedule, left_out = tried, True
            else:
                at += size
        size = size // 2 if size > 1 or not left_out else 1
    return schedule


def _kind(world: World) -> str:
    """What is wrong, without whom it happened to: a shrunk schedule must break in the same way."""
    return "" if not world.broken else "".join(one for one in world.broken[0].split(":")[-1] if one.isalpha())[:12]
