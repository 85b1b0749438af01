"""What goes wrong next? Faults asked for, matched by method, path, count and chance."""

import itertools
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from fnmatch import fnmatchcase
from typing import Any, Literal, get_args

CallKind = Literal[
    "slow", "hang", "status", "throttle", "drop", "half", "html", "drip", "redirect", "foreign_next", "repeat", "endless",
    "shrink",
]  # fmt: skip
HookKind = Literal["hook_lost", "hook_late", "hook_doubled", "hook_reordered"]
Kind = CallKind | HookKind
KINDS: frozenset[str] = frozenset(get_args(CallKind) + get_args(HookKind))


class BadFault(Exception):
    """A fault that cannot be carried out as described."""


@dataclass(slots=True, kw_only=True)
class Fault:
    """One fault.

    ``path`` is a shell pattern on the path in lower case (``*/customers/*``), ``method`` none is any; ``skip`` lets so
    many matching calls pass first, then it happens ``count`` times (none = until taken back), each with
    ``probability``. ``when`` says whether the work is done before it (``after``) or not (``before``): a connection
    dropped ``after`` is a lost answer. ``seconds`` is how long slow and hang wait, between two letters of a drip, how
    late a hook is, and how long a reordered one may be held for its partner; ``ms`` may be said instead.
    Of a listing: ``foreign_next`` leads to ``location``, ``repeat`` is its first page again, ``endless`` shows records
    nobody has and always has a next page, ``shrink`` loses its first customer for good before the page is read.
    """

    kind: str
    method: str | None = None
    path: str = "*"
    when: Literal["before", "after"] = "before"
    count: int | None = 1
    skip: int = 0
    probability: float = 1.0
    seed: int = 0
    seconds: float | None = None
    status: int | None = None
    retry_after: float | None = None
    location: str = "http://foreign.invalid/"
    id: int = 0
    hits: int = 0
    chance: random.Random = field(default_factory=random.Random, repr=False)

    def matches(self, method: str, path: str) -> bool:
        """Whether this call is one it means, before count and chance."""
        return (self.method is None or self.method.upper() == method) and fnmatchcase(path, self.path.lower())

    @property
    def wait(self) -> float:
        """Seconds it waits where it waits."""
        return self.seconds if self.seconds is not None else {"hang": 3600.0, "drip": 0.02}.get(self.kind, 1.0)


_NAMES = {entry.name for entry in fields(Fault)} - {"id", "hits", "chance"}


class Faults:
    """The faults that wait; all methods may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Fault] = []
        self._ids = itertools.count(1)
        self._away_until = 0.0
        self._away_status = 0

    def add(self, kind: str, **how: Any) -> Fault:
        """Asks for one fault; ``Fault`` says how it is described. Raises ``BadFault``."""
        if kind not in KINDS:
            raise BadFault(f"kind is one of {', '.join(sorted(KINDS))}, not {kind!r}")
        if "ms" in how:
            how["seconds"] = float(how.pop("ms")) / 1000
        if unknown := sorted(set(how) - _NAMES):
            raise BadFault(f"unknown: {', '.join(unknown)}")
        fault = Fault(kind=kind, **how)
        fault.chance = random.Random(fault.seed)
        with self._lock:
            fault.id = next(self._ids)
            self._waiting.append(fault)
        return fault

    def add_described(self, described: Mapping[str, Any]) -> Fault | None:
        """The same from JSON; ``{"kind": "away", "seconds": 10, "status": 503}`` takes the service away instead."""
        how = dict(described)
        kind = str(how.pop("kind", ""))
        if kind == "away":
            self.take_away(float(how.get("seconds", 30.0)), int(how.get("status", 0)))
            return None
        return self.add(kind, **how)

    def take(self, method: str, path: str) -> list[Fault]:
        """The faults this call meets; each has used one of its times."""
        return self._take(lambda fault: not fault.kind.startswith("hook_") and fault.matches(method, path))

    def take_hook(self) -> Fault | None:
        """The fault the next webhook meets."""
        found = self._take(lambda fault: fault.kind.startswith("hook_"), only_one=True)
        return found[0] if found else None

    def _take(self, wanted: Callable[[Fault], bool], *, only_one: bool = False) -> list[Fault]:
        found: list[Fault] = []
        with self._lock:
            for fault in list(self._waiting):
                if not wanted(fault):
                    continue
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                if fault.probability < 1 and fault.chance.random() >= fault.probability:
                    continue
                fault.hits += 1
                found.append(fault)
                if fault.count is not None and fault.hits >= fault.count:
                    self._waiting.remove(fault)
                if only_one:
                    break
        return found

    def clear(self, fault_id: int | None = None) -> None:
        """Takes one fault back, or all of them and the absence."""
        with self._lock:
            self._waiting = [fault for fault in self._waiting if fault_id is not None and fault.id != fault_id]
            if fault_id is None:
                self._away_until = 0.0

    def take_away(self, seconds: float, status: int = 0) -> None:
        """The whole service refuses for ``seconds``: closed connections, or answers with ``status``."""
        with self._lock:
            self._away_until = time.monotonic() + seconds
            self._away_status = status

    def bring_back(self) -> None:
        """Ends an absence."""
        with self._lock:
            self._away_until = 0.0

    def away(self) -> tuple[float, int]:
        """Seconds the service stays away, 0 when it is there; and with which status it says so (0 = none)."""
        with self._lock:
            return max(0.0, self._away_until - time.monotonic()), self._away_status

    def shown(self) -> dict[str, Any]:
        """What waits, as JSON."""
        seconds, status = self.away()
        with self._lock:
            waiting = [
                {name: value for name, value in asdict(fault).items() if name != "chance"} for fault in self._waiting
            ]
        return {"away": {"seconds": round(seconds, 3), "status": status}, "waiting": waiting}
