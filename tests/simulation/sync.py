"""How does the reconciler run here? Its own flows, unchanged, on tables that are dicts.

``installed`` puts these tables in the place of the store's functions, for as long as a simulation runs.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import count
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

from crm_outbox.messaging.envelope import Version
from reconciler import (
    acts,
    agreements,
    braking,
    clock,
    confirming,
    decided,
    items,
    joining,
    listed,
    meeting,
    nearby,
    questions,
    reading,
    reconcile,
    releasing,
    running,
    runs,
    sides,
    similar,
    stepping,
    store,
    suggestions,
    switching,
    undoing,
)
from reconciler.items import Stored as Item
from reconciler.link import CrmSeen, EconomicSeen, Link, Message, Status
from reconciler.rules import Rules
from reconciler.runs import Run
from reconciler.step import step
from tests.simulation import ties
from tests.simulation.agreement import AGREEMENT, TENANT, Agreements, Settings
from tests.simulation.alike import Alike
from tests.simulation.links import NAMESPACE, Links
from tests.simulation.run_tables import Items, Runs
from tests.simulation.store import Blocked, Contended, Database, Session, transaction

if TYPE_CHECKING:
    from tests.simulation.world import World

AT_ONCE = 2
"""Customers of a run that are carried out before others come in between."""


class Sync:
    """The reconciler's tables, and the ways in."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self.links: dict[UUID, Link] = {}
        self.told: dict[UUID, Status] = {}
        self.fresh: dict[UUID, bool] = {}
        self.again: dict[UUID, bool] = {}
        """Links that are to be looked at again."""
        self.holds: dict[UUID, UUID | None] = {}
        """Links that a pass holds, and which."""
        self.crm_side: dict[str, CrmSeen] = {}
        self.economic_side: dict[int, EconomicSeen] = {}
        self.seen: dict[str, datetime] = {}
        """When a customer of either side was recorded last, by id or number."""
        self.settings: dict[int, Settings] = {}
        self.runs: dict[UUID, Run] = {}
        self.items: dict[tuple[UUID, int], Item] = {}
        self.item_at: dict[tuple[UUID, int], datetime] = {}
        self.questions: dict[tuple[UUID, str], bool] = {}
        """The open questions about runs."""
        self.held: dict[object, Session] = {}
        self.numbers = count(1)
        self.execute: Callable[[Session, Any, Any], Any] = lambda *_: None
        self.clocked = stepping.Clocked(resend=timedelta(minutes=1), now=lambda: world.now)
        self.engine: Any = Database(world.peril, self.session)

    def session(self) -> Session:
        """A transaction of the reconciler's."""
        session = Session(self.held, self.execute)
        session.checks.append(self._unique)
        return session

    def _unique(self, session: Session) -> None:
        """What the indexes of the link table guarantee."""
        if not session.changes(self.links):
            return
        links = session.rows(self.links).values()
        for name in ("number", "crm_id"):
            values = [getattr(one, name) for one in links if getattr(one, name)]
            if len(set(values)) != len(values):
                raise Blocked(f"two links with one {name}")

    def run(self, link_id: UUID, message: Message) -> None:
        """The clock's or a person's step on one link, in a transaction of its own."""
        with transaction(self.world.peril, self.session()) as session:
            stored = store.lock_id(session, link_id)
            if stored is not None:
                meeting.take(self.clocked, session, stored, message)

    def due(self, now: datetime) -> list[UUID]:
        """The links that wait for time."""
        return [one.id for one in self.links.values() if one.due is not None and one.due <= now]

    def holder(self, number: int) -> Link | None:
        """The link of a customer of the CRM that has that number."""
        return next((one for one in self.links.values() if one.number == number and one.crm_id), None)

    def hear(self, session: Session, data: Any, version: Version | None) -> None:
        """A message, in the transaction of its inbox row."""
        words = SimpleNamespace(tenant=TENANT, data=data, version=version, time=self.clocked.now())
        reconcile.handle(self.clocked, session, words)  # type: ignore[arg-type]

    def of(self, crm_id: str) -> Link | None:
        """The link of a customer of the CRM."""
        return next((one for one in self.links.values() if one.crm_id == crm_id), None)

    def fresh_id(self) -> UUID:
        """An id of a run or of a configuration: the next one, not a random one."""
        return uuid5(NAMESPACE, f"id {next(self.numbers)}")

    @property
    def agreement(self) -> Settings:
        """The agreement as it stands."""
        return self.settings[AGREEMENT]


class _Told:
    """What the flows tell, and keep of questions and decisions."""

    def __init__(self, sync: Sync) -> None:
        self.sync, self.world = sync, sync.world

    def ask(self, *_: Any) -> list[Any]:
        return []

    def withdraw(self, *_: Any) -> list[Any]:
        return []

    def open_for_run(self, session: Session, _tenant: str, _agreement: int, run: UUID, kind: str, *_: Any) -> None:
        if session.get(self.sync.questions, (run, kind)) is None:
            session.put(self.sync.questions, (run, kind), True)
            session.after.append(lambda: self.world.trace.note("reconciler", "asks", kind))

    def close_for_run(self, session: Session, run: UUID, kind: str, *_: Any) -> None:
        session.drop(self.sync.questions, (run, kind))

    def step(self, link: Link, message: Message, rules: Rules, now: datetime) -> Any:
        return self.world.react(link, message, rules, now)


class _Loud:
    """A log nobody reads, but for our own mistakes."""

    def __init__(self, world: "World") -> None:
        self.world = world

    def exception(self, what: str, **_more: Any) -> None:
        error = sys.exc_info()[1]
        self.world.wrong.append(f"{what}: {type(error).__name__}: {error}")

    def __getattr__(self, _name: str) -> Any:
        return lambda *_args, **_more: None


@contextmanager
def installed(sync: Sync) -> Iterator[None]:
    """The reconciler on these tables, for one world."""
    links, alike, told = Links(sync), Alike(sync), _Told(sync)
    rows_of_agreements, rows_of_runs, rows_of_items = Agreements(sync), Runs(sync), Items(sync)
    loud, silent = _Loud(sync.world), ties.Silent()
    places: dict[Any, dict[str, Any]] = {
        acts: {"add": lambda *_: None},
        store: {name: getattr(links, name) for name in Links.STORE},
        sides: {name: getattr(links, name) for name in Links.SIDES},
        agreements: {name: getattr(rows_of_agreements, name) for name in Agreements.NAMES},
        runs: {name: getattr(rows_of_runs, name) for name in Runs.NAMES},
        items: {name: getattr(rows_of_items, name) for name in Items.NAMES},
        listed: {"insert": lambda _session, _shown: None},
        # what is suggested decides nothing
        suggestions: {"replace": lambda *_: None, "look_at_alike": lambda *_: None, "of_customer": lambda *_: []},
        similar: {f"_{name}": getattr(alike, name) for name in ("search", "links")},
        nearby: {f"_{name}": getattr(alike, name) for name in ("linked", "unseen", "gone")},
        stepping: {"append_all": links.append_all, "step": told.step},
        joining: {"append": links.append},
        reading: {"append": links.append, "log": silent},
        switching: {"append": links.append, "uuid4": sync.fresh_id, "log": silent},
        confirming: {"say": lambda _line: None},
        undoing: {"uuid4": sync.fresh_id},
        braking: {"append": links.append, "uuid4": sync.fresh_id, "log": silent},
        releasing: {"append": links.append, "step": told.step},
        running: {
            "append_all": links.append_all, "log": loud, "is_away": lambda _error: False,
            "is_contended": _contended, "CHUNK": AT_ONCE,
        },
        clock: {"log": loud, "is_away": lambda _error: False, "is_contended": _contended, "CHUNK": AT_ONCE},
        decided: {"note": links.note, "persons_made": lambda *_: False},
        questions: {
            "save": told.ask, "withdraw": told.withdraw, "open_for_run": told.open_for_run,
            "close_for_run": told.close_for_run,
        },
        meeting: {"log": silent},
        reconcile: {"log": silent},
    }  # fmt: skip
    before = [(module, name, getattr(module, name)) for module, names in places.items() for name in names]
    for module, names in places.items():
        for name, function in names.items():
            setattr(module, name, function)
    sync.execute = alike.execute
    try:
        yield
    finally:
        for module, name, function in before:
            setattr(module, name, function)


def _contended(error: Exception) -> bool:
    return isinstance(error, Contended)


def plain(link: Link, message: Message, rules: Rules, now: datetime) -> Any:
    """The product's step."""
    return step(link, message, rules, now)
