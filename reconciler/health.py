"""How does everything fare? From what was measured to a word for each thing: it goes well, somebody must do something, or nobody knows. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal

from economic_adapter.contract import Figures
from reconciler.entered import Told, entered
from reconciler.freshness import CHECKED, HEARD, Reach
from reconciler.rules import System

SPAN: Final = timedelta(days=7)
"""So far back it is measured how long edits took."""
LIVES: Final = timedelta(minutes=1)
"""A duty that has not turned for so long does not live."""
LIES: Final = timedelta(minutes=1)
"""A message or a write that waits for so long waits for somebody who is not there."""
SWEPT: Final = timedelta(hours=36)
"""A nightly check that was longer ago has been left out."""
DUTIES: Final = ("relay", "reconcile", "clock", "web")
PROMISED: Final[Mapping[System, float]] = {System.ECONOMIC: 5.0, System.CRM: 10.0}
"""Seconds within which 95 of 100 edits are on the other side, with webhooks."""
WITHOUT_WEBHOOKS: Final = 90.0

Name = Literal[
    "agreement", "to_economic", "to_crm", "questions", "errors", "nightly", "silent", "webhooks", "checks", "calls", "reach",
    "mail", "relay", "reconcile", "clock", "web", "unsent", "adapter", "worker", "crm",
]  # fmt: skip
Stands = Literal["well", "act", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lag:
    """How long edits took to the other side: of a half and of 95 in 100 no more than so many seconds."""

    half: float
    most: float
    edits: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Nightly:
    """The nightly readings and comparisons. ``found`` are changes that only a reading found."""

    read_at: datetime | None = None
    found: int = 0
    failed: bool = False
    compared_at: datetime | None = None
    compared: int = 0
    differences: int = 0
    customers: tuple[tuple[str, int | None], ...] = ()
    """The first of those that differ without anybody knowing: ids in the CRM, and customer numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What was measured of one tenant. ``state`` of its agreement is empty where it has none."""

    now: datetime
    state: str = ""
    since: datetime | None = None
    """Since when the agreement has been in that state."""
    lags: Mapping[System, Lag] = field(default_factory=dict)
    questions: int = 0
    errors: int = 0
    oldest: datetime | None = None
    oldest_error: datetime | None = None
    nightly: Nightly = field(default_factory=Nightly)
    webhooks: str = "none"
    polling: bool = True
    figures: Figures | None = None
    told: Told | None = None
    """What the adapter told of itself, whether anything is connected or not."""
    reach: Reach = field(default_factory=Reach)
    has_mail: bool = False
    readers: int = 0
    mail_failed: datetime | None = None
    mail_given_up: bool = False
    """Whether what failed is not tried again."""
    duties: Mapping[str, datetime] = field(default_factory=dict)
    unsent: datetime | None = None
    """Since when our oldest message has waited."""
    crm_waits: datetime | None = None
    """Since when a write to the CRM has been neither answered nor acknowledged."""
    crm_answered: datetime | None = None

    @property
    def heard(self) -> datetime | None:
        """When the adapter was heard of last: the part of it that was so longest ago."""
        return min((one.at for one in (self.figures, self.told) if one is not None), default=None)

    @property
    def lacks_keys(self) -> bool:
        """Whether the adapter says that our keys to e-conomic were not entered."""
        return entered(self.told, self.now) == "missing"

    @property
    def is_on(self) -> bool:
        """Whether edits are carried over."""
        return self.state == "on"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing, and how it stands."""

    name: Name
    stands: Stands


def judged(facts: Facts) -> tuple[Finding, ...]:
    """Each thing in the order in which people read them."""
    return tuple(Finding(name=name, stands=stands) for name, stands in _judged(facts))


def is_well(findings: tuple[Finding, ...]) -> bool:
    """Whether nobody must do anything."""
    return all(one.stands != "act" for one in findings)


def slowest(facts: Facts, system: System) -> float:
    """Seconds that edits towards that system may take."""
    return WITHOUT_WEBHOOKS if system is System.CRM and facts.webhooks != "registered" else PROMISED[system]


def left(figures: Figures) -> int:
    """Calls that may still be made today."""
    return max(0, figures.most - figures.calls)


def _judged(facts: Facts) -> Iterator[tuple[Name, Stands]]:
    yield "agreement", "well" if facts.is_on else "act"
    yield "questions", "act" if facts.questions else "well"
    yield "errors", "act" if facts.errors else "well"
    yield "to_economic", _fast(facts, System.ECONOMIC)
    yield "to_crm", _fast(facts, System.CRM)
    yield "silent", _silent(facts)
    yield "nightly", _nightly(facts)
    yield "webhooks", _webhooks(facts)
    yield "checks", _checks(facts)
    yield "calls", "unknown" if facts.figures is None else "well" if left(facts.figures) else "act"
    yield "reach", "act" if _stopped(facts) else "well"
    yield "mail", "act" if not facts.has_mail or not facts.readers or facts.mail_failed is not None else "well"
    yield from ((name, _lives(facts, name)) for name in ("relay", "reconcile", "clock", "web"))
    yield "unsent", "act" if facts.unsent is not None and facts.now - facts.unsent >= LIES else "well"
    yield "adapter", _adapter(facts)
    yield "worker", _worker(facts)
    yield "crm", _crm(facts)


def _fast(facts: Facts, system: System) -> Stands:
    lag = facts.lags.get(system)
    if lag is None:
        return "unknown"
    return "well" if lag.most <= slowest(facts, system) else "act"


def _silent(facts: Facts) -> Stands:
    if facts.nightly.compared_at is None:
        return "unknown"
    return "act" if facts.nightly.differences else "well"


def _nightly(facts: Facts) -> Stands:
    if facts.nightly.failed:
        return "act"
    if facts.nightly.read_at is None:
        return "unknown"
    return "act" if facts.is_on and facts.now - facts.nightly.read_at >= SWEPT else "well"


def _webhooks(facts: Facts) -> Stands:
    if facts.webhooks == "refused":
        return "act"
    return "unknown" if facts.figures is None else "well"


def _checks(facts: Facts) -> Stands:
    figures = facts.figures
    if not facts.polling:
        return "act"
    if figures is None or figures.checked is None:
        return "unknown"
    return "act" if facts.is_on and facts.now - figures.checked >= CHECKED + HEARD else "well"


def _stopped(facts: Facts) -> bool:
    reach = facts.reach
    throttled = reach.throttled_until is not None and reach.throttled_until > facts.now
    return facts.state == "access_lost" or reach.down_since is not None or reach.paused_since is not None or throttled


def _lives(facts: Facts, duty: str) -> Stands:
    at = facts.duties.get(duty)
    if duty == "web":  # whoever shows this lives
        return "well"
    return "act" if at is None or facts.now - at >= LIVES else "well"


def _adapter(facts: Facts) -> Stands:
    if facts.heard is None:
        return "unknown"
    return "act" if facts.lacks_keys or facts.now - facts.heard >= HEARD else "well"


def _worker(facts: Facts) -> Stands:
    if facts.figures is None:
        return "unknown"
    return "act" if facts.figures.late_since is not None else "well"


def _crm(facts: Facts) -> Stands:
    if facts.crm_waits is not None and facts.now - facts.crm_waits >= LIES:
        return "act"
    return "unknown" if facts.crm_answered is None else "well"
