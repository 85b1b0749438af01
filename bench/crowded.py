"""How quick are the pages while many open pages poll, beside the same without them?"""

import json
import multiprocessing
from collections.abc import Mapping
from typing import Final

from bench import pollers
from bench.asked import Ask, timed, widget_pass
from bench.report import Figure, percentile

CROWDED_AIM: Final = 1.2


def measure(
    port: int, processes: int, customers: int, requests: int, polling: int, kinds: Mapping[str, Ask]
) -> list[Figure]:
    """The same requests just before and while so many open pages poll; so many processes answer."""
    served = "one process" if processes == 1 else f"{processes} processes"
    others = ("list, first page", "status, asked again", "side by side")
    alone = {name: percentile(timed(kinds[name], requests), 0.95) for name in others}
    passes = [widget_pass(1 + nth % customers) for nth in range(polling)]
    context = multiprocessing.get_context("spawn")
    begun, stop, counts = context.Event(), context.Event(), context.Queue()
    crowd = context.Process(target=pollers.poll, args=(port, passes, begun, stop, counts), daemon=True)
    crowd.start()
    if not begun.wait(60):
        raise RuntimeError("the polling pages did not come")
    crowded = {name: percentile(timed(kinds[name], requests), 0.95) for name in others}
    stop.set()
    told: Mapping[str, float] = counts.get(timeout=60)
    crowd.join(30)
    print(f"  {polling} pages polled: {json.dumps(told)}", flush=True)
    return [
        *(
            Figure(
                name=f"{name}, p95 while {polling} pages poll, {served}", value=crowded[name], unit="ms", bound=alone[name],
                bound_is="the same in the same run, without them", aim=CROWDED_AIM * alone[name],
            )
            for name in others
        ),
        Figure(name=f"answers to polling pages, {served}", value=told["a second"], unit="/s", more=True),
    ]  # fmt: skip
