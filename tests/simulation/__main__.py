"""``./run simulate``: how many schedules hold, and what does one that breaks look like?"""

import argparse
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures import TimeoutError as Late
from time import monotonic

from tests.simulation import mutants, quick, story
from tests.simulation.run import Found, tried
from tests.simulation.schedule import schedule
from tests.simulation.shrink import lived, shrunk
from tests.simulation.trace import COUNTED

CHUNK = 50
"""Schedules a process does before it reports."""
MUTANT_SCHEDULES = 5000
"""Schedules within which every mutant breaks something."""
EVERY = 1.5
"""Seconds between two lines of progress."""


def main(given: Sequence[str]) -> int:
    """0 when every schedule held, 1 when one broke, 2 for what cannot be done."""
    parser = argparse.ArgumentParser(prog="./run simulate", description=__doc__)
    parser.add_argument("--schedules", type=int, metavar="N", help="how many schedules, each the next integer")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="the first one (1)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="J", help="processes (one per core)")
    parser.add_argument("--tell", action="store_true", help="tell the schedule of that seed as a story")
    parser.add_argument("--without", metavar="NAME", help="take one safety away: some schedule must then break")
    parser.add_argument("--list-mutants", action="store_true", help="the safeties that --without can take away")
    arguments = parser.parse_args(given)
    if arguments.list_mutants:
        print("\n".join(mutants.NAMES))
        return 0
    if arguments.without is not None and arguments.without not in mutants.NAMES:
        print(f"there is no safety {arguments.without!r}; these can be taken away:", file=sys.stderr)
        print("\n".join(mutants.NAMES), file=sys.stderr)
        return 2
    if arguments.schedules is not None and arguments.schedules < 1:
        print("--schedules must be at least 1", file=sys.stderr)
        return 2
    if arguments.tell:
        return _tell(arguments.seed, arguments.without)
    most = arguments.schedules or (MUTANT_SCHEDULES if arguments.without else 1000)
    return _run(arguments.seed, most, max(1, arguments.jobs), arguments.without)


def _tell(seed: int, without: str | None) -> int:
    with quick.core(), mutants.without(without):
        world = lived(schedule(seed))
        if world.broken:
            world = lived(shrunk(world.schedule))
            print(f"It breaks. With only the {len(world.schedule.events)} events it needs:")
        print("\n".join(story.told(world)))
    print(f"trace {world.trace.name}")
    return 1 if world.broken else 0


def _run(first: int, most: int, jobs: int, without: str | None) -> int:
    if without:
        print(f"without {without}: {mutants.NAMES[without]}")
    begun = last = monotonic()
    done, counts, broken = 0, Counter[str](), list[tuple[int, str]]()
    for found in _found(first, most, jobs, without):
        if found is not None:
            done += found.schedules
            counts += found.counts
            broken += found.broken
        if monotonic() - last > EVERY:
            last = monotonic()
            print(_progress(done, most, last - begun, counts, len(broken)), flush=True)
        if without and broken:
            break
        if len(broken) >= 20:
            print("twenty broke; that is enough")
            break
    print(_progress(done, most, monotonic() - begun, counts, len(broken)))
    for seed, wrong in broken[:20]:
        print(f"seed {seed}: {wrong}")
    if not broken:
        print("nothing broke" if without is None else f"nothing broke without {without}: the simulation is blind to it")
        return 0 if without is None else 3
    seed = min(one for one, _ in broken)
    taken = f" --without {without}" if without else ""
    print(f"to see it: ./run simulate --seed {seed}{taken} --tell")
    _tell(seed, without)
    return 1


def _found(first: int, most: int, jobs: int, without: str | None) -> Iterator[Found | None]:
    """What was found, chunk by chunk; none while a chunk takes its time."""
    starts = range(first, first + most, CHUNK)
    chunks = [(start, min(start + CHUNK, first + most), without) for start in starts]
    if jobs == 1 or len(chunks) == 1:
        for chunk in chunks:
            yield tried(*chunk)
        return
    with ProcessPoolExecutor(min(jobs, len(chunks)), initializer=quick.for_good) as pool:
        waiting = [pool.submit(tried, *chunk) for chunk in chunks]
        try:
            for one in waiting:
                while True:
                    try:
                        yield one.result(timeout=EVERY)
                        break
                    except Late:
                        yield None
        finally:
            for one in waiting:
                one.cancel()


def _progress(done: int, most: int, seconds: float, counts: Counter[str], broken: int) -> str:
    rate = done / seconds if seconds else 0.0
    told = ", ".join(f"{counts[name]} {name}" for name in COUNTED)
    return f"{done} of {most} schedules, {rate:.0f} a second, {broken} broken: {told}"


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
