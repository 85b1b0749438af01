"""How long after somebody opens a customer does the page know what e-conomic holds, beside e-conomic's own time?

The whole product runs against a sandbox that answers at once. The customer is opened over HTTP, and asked for again until
the answer is told: page, outbox, relay, adapter, two calls, observation, row, page.
"""

import json
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Final

from bench import road
from bench.asked import Client
from bench.product import TENANT
from bench.report import Figure, percentile
from deploy.local import ports, servers
from reconciler import people

AIMS: Final = {0.5: 150.0, 0.95: 500.0}
"""Milliseconds within which half, and 95 of 100, know."""
_LONGEST: Final = 20.0
_SETTLED: Final = 16.0
"""Seconds after which one that was seen is asked about again."""


def measure(stack: ExitStack, running: servers.Running, count: int) -> list[Figure]:
    """Open so many customers, one after another."""
    (port,) = ports.free(1)
    product = road.started(stack, running, latency_ms=0.0, web_port=port)
    road.until("the pages", lambda: ports.open_on(port), 60)
    with product.engine.begin() as connection:
        _, key = people.make_key(connection, TENANT, "bench", "user", datetime.now(UTC))
    bare = road.one_call(product) * 1000
    print(f"  {count} customers are created, to be opened ...", flush=True)
    road.created(product, count)
    road.quiet(product)
    time.sleep(_SETTLED)
    client = Client(port, {"authorization": f"Bearer {key}"})
    took = [_opened(client, customer) for customer in product.ids]
    return [
        Figure(
            name=f"from opening a customer to its row, p{share * 100:.0f}", value=percentile(took, share), unit="ms", bound=bare,
            bound_is="one call to the sandbox, made bare", aim=aim,
        )
        for share, aim in AIMS.items()
    ]  # fmt: skip


def _opened(client: Client, customer: str) -> float:
    """Milliseconds from opening that customer to the answer that says what e-conomic holds at this moment."""
    begun = time.perf_counter()
    first = _asked(client, f"/api/v1/customers/{customer}/status")
    if first["look_id"] is None:
        raise RuntimeError(f"e-conomic was not asked about {customer}: {first['freshness']}")
    while time.perf_counter() - begun < _LONGEST:
        if _asked(client, f"/api/v1/customers/{customer}/status?look=false")["freshness"] == "fresh":
            return (time.perf_counter() - begun) * 1000
        time.sleep(0.005)
    raise RuntimeError(f"nothing was told of {customer} within {_LONGEST:g} s")


def _asked(client: Client, path: str) -> dict[str, object]:
    status, body, _ = client.get(path)
    if status != 200:
        raise RuntimeError(f"the status answered {status}")
    told: dict[str, object] = json.loads(body)
    return told
