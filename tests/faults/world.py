"""What do people do while something dies, and what must stand at the end? One product, many scenarios, one list of promises."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from crm_outbox.messaging.settings import Broker
from deploy.local.demo.compare import Entered
from deploy.local.invented import Company, companies
from economic_adapter.sandbox import ui
from economic_adapter.sandbox.app import Running
from tests.duties import AGREEMENT, Product, product
from tests.waiting import eventually

GROUPS: Mapping[str, tuple[str, ...]] = {
    "relay-crm": ("crm_outbox", "run", "relay"),
    "relay-economic": ("economic_adapter", "run", "relay"),
    "relay-sync": ("reconciler", "run", "relay"),
    "applier": ("crm_outbox", "run", "applier"),
    "intake": ("economic_adapter", "run", "intake"),
    "hooks": ("economic_adapter", "run", "hooks"),
    "worker": ("economic_adapter", "run", "worker"),
    "reconcile": ("reconciler", "run", "reconcile"),
    "clock-crm": ("crm_outbox", "run", "clock"),
    "clock-economic": ("economic_adapter", "run", "clock"),
    "clock-sync": ("reconciler", "run", "clock"),
}
"""Every duty in a process of its own, so that each can die alone."""

CLOCKS: Mapping[str, str] = {
    "GATHER_SECONDS": "0.05",
    "GATHER_LIMIT_SECONDS": "0.2",
    "POLL_SECONDS": "3600",  # a poll would hide what a hook or a mark lost
    "POLL_IDLE_SECONDS": "1",  # never slower than said above, at whatever hour this runs
    "BACKOFF_MAX_SECONDS": "0.5",
    "RESEND_SECONDS": "2",
}

_OPEN = """
select 'pending: crm' as what, count(*) as number from crm.outbox_pending
union all select 'pending: economic', count(*) from economic.outbox_pending
union all select 'pending: sync', count(*) from sync.outbox_pending
union all select 'work', count(*) from economic.work where kind in ('look', 'write')
union all select 'marks', count(*) from economic.mark
union all select 'operations: economic', count(*) from economic.operation where state in ('planned', 'sent')
union all select 'operations: sync', count(*) from sync.operation where settled is null
union all select 'links: ' || concat_ws(' ', status, status_reason, status_details::text, status_message), count(*)
    from sync.link where status is distinct from 'same' group by 1
"""
_STUCK = """
select 'refused by ' || consumer || ': ' || reason as what from crm.refusal
union all select 'refused by ' || consumer || ': ' || reason from economic.refusal
union all select 'refused by ' || consumer || ': ' || reason from sync.refusal
union all select 'parked: crm' from crm.parked
union all select 'parked: economic' from economic.parked
union all select 'parked: sync' from sync.parked
union all select 'ambiguous: economic' from economic.operation where state = 'ambiguous'
"""


@dataclass(slots=True)
class World:
    """A connected product, its people, and what they entered."""

    product: Product
    invented: Iterator[Company]
    engine: sa.Engine
    """Connections of its own, kept: asking again and again must cost little."""
    entered: Entered = field(default_factory=Entered)
    ids: dict[str, str] = field(default_factory=dict)
    """CRM id by CVR number."""
    edits: int = 0
    posts: set[tuple[str, str]] = field(default_factory=set)
    """What e-conomic was asked to create, and under which key."""

    def create(self) -> str:
        """A new customer with its persons in the CRM; its CVR number."""
        company = next(self.invented)
        cvr = company.fields["cvr"]
        self.ids[cvr] = self.product.create(*company.persons[:1], **company.fields)
        self.entered.customers[cvr] = dict(company.fields)
        self.entered.persons[cvr] = {
            person["name"]: {"email": person["email"], "phone": person["phone"]} for person in company.persons[:1]
        }
        return cvr

    def edit_crm(self, cvr: str) -> None:
        """Another phone number, in the CRM."""
        self.edits += 1
        phone = f"86 {self.edits // 10000 % 100:02d} {self.edits // 100 % 100:02d} {self.edits % 100:02d}"
        self.product.change(self.ids[cvr], phone=phone)
        self.entered.customers[cvr]["phone"] = phone

    def edit_economic(self, cvr: str, number: int) -> None:
        """Another street, in e-conomic."""
        self.edits += 1
        street = f"Nygade {self.edits}"
        values: dict[str, Any] = {"address1": street, "address2": None}
        ui.edit_customer(self.product.sandbox.data, number, values, agreement=AGREEMENT)
        self.entered.customers[cvr]["street"] = street

    def number(self, cvr: str) -> int:
        """The number of a customer in e-conomic."""
        found = self.product.there(cvr)
        assert found is not None
        return int(found["customerNumber"])

    def unfinished(self) -> dict[str, int]:
        """What is still on its way, anywhere."""
        with self.engine.connect() as connection:
            return {row.what: row.number for row in connection.execute(sa.text(_OPEN)) if row.number}

    def wakes(self) -> int:
        """How many wake-ups are on their way or at work."""
        with self.engine.connect() as connection:
            return int(connection.scalar(sa.text("select count(*) from economic.wake")) or 0)

    def at_rest(self) -> bool:
        """Nothing is on its way, and both sides hold the same and what was entered; AssertionError says what is not.

        A twin is a ``RuntimeError``, which nobody waits out.
        """
        left = self.unfinished()
        assert not left, left
        verdict = self.product.verdict(self.entered)
        if verdict.doubled:
            raise RuntimeError(f"doubled: {verdict.doubled}")
        assert verdict.same, f"{verdict}: {(verdict.lost + verdict.differing)[:4]}"
        return True

    def rests(self, within: float = 180.0) -> None:
        """Wait until everything is at rest, then check every promise."""
        eventually(self.at_rest, within=within, every=0.05)
        self.check()

    def check(self) -> None:
        """Nothing is refused, parked or unclear, and every customer and person was asked for under one key only."""
        with self.engine.connect() as connection:
            assert connection.scalars(sa.text(_STUCK)).all() == []
        data = self.product.sandbox.data
        with data.lock:
            self.posts.update(
                (str(one["path"]).lower().split("/")[-1], one["key"])
                for one in data.recent
                if one["method"] == "POST" and one["agreement"] == AGREEMENT
            )
            data.recent.clear()
        books = self.product.books()
        asked = Counter(what for what, _ in self.posts)
        assert (asked["customers"], asked["contacts"]) == (len(books["customers"]), len(books["contacts"])), (
            "a key each"
        )


@contextmanager
def world(database: str, broker: Broker, sandbox: Running, logs: Path, *, seed: int, **more: Any) -> Iterator[World]:
    """A connected product, every duty in a process of its own unless ``groups`` say otherwise."""
    clocks = {**CLOCKS, **more.pop("clocks", {})}
    with product(database, broker, sandbox, logs, **{"groups": GROUPS, **more}, clocks=clocks) as running:
        running.connect()
        engine = sa.create_engine(database, pool_size=1, isolation_level="AUTOCOMMIT", pool_pre_ping=True)
        try:
            yield World(product=running, invented=companies(seed), engine=engine)
        finally:
            engine.dispose()
