"""N6: whatever the order of edits, relays, looks and answers, "the same" is never said of a version or a time it does not hold for."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from hypothesis import given, settings
from hypothesis import strategies as some

from crm_outbox.messaging.envelope import Version
from reconciler.freshness import KNOWN, Known, Look, Reach, is_asked, is_on_its_way, layer
from reconciler.link import CrmSeen, EconomicSeen, Heard
from reconciler.person import Kept, Person
from reconciler.standing import standing
from tests.builders.reconciler import Case

ANNE = Person(tenant="t", id="u1", name="Anne Holm", role="user")
PHONES = ("12345678", "87654321", "11223344")
SPACE = UUID("00000000-0000-4000-8000-000000000002")


@dataclass
class World:
    """One customer: what each side holds and held, what is on its way, and what a page would say of it."""

    flows: bool
    case: Case = field(default_factory=Case)
    relayed: list[CrmSeen] = field(default_factory=list)
    told: list[tuple[EconomicSeen, datetime, UUID | None]] = field(default_factory=list)
    reading: list[tuple[EconomicSeen, datetime, UUID | None]] = field(default_factory=list)
    held: dict[Version, tuple[str, datetime]] = field(default_factory=dict)
    """Of each version of e-conomic's side its phone, and when that was read."""
    entered: dict[int, str] = field(default_factory=dict)
    """Of each version of the CRM's customer its phone."""
    seen: datetime | None = None
    look: Look = field(default_factory=Look)
    reach: Reach = field(default_factory=Reach)
    asked: int = 0

    def __post_init__(self) -> None:
        self.case.crm()
        (creation,) = self.case.commands
        self.case.written(creation, created="1042")
        self.case.link = replace(self.case.link, flows=self.flows)
        self.seen = self.case.now
        self.entered[1] = self.case.crm_values["phone"]
        version = self.case.link.economic_version
        assert version is not None
        self.held[version] = (self.case.crm_values["phone"], self.case.now)
        self.case.economic_values = dict(self.case.crm_values)
        self.case.now += timedelta(minutes=10)

    def crm_edits(self, n: int) -> None:
        self.case.crm_version += 1
        self.case.crm_values["phone"] = self.entered[self.case.crm_version] = PHONES[n % 3]
        self.relayed.append(self.case.crm_seen())

    def economic_edits(self, n: int) -> None:
        self.case.object_version += 1
        self.case.economic_values["phone"] = PHONES[n % 3]

    def relays(self, n: int) -> None:
        if self.relayed:
            self.case.hear(Heard(crm=self.relayed.pop(n % len(self.relayed))))

    def opens(self, _: int) -> None:
        if is_asked(self.look, self._known().seen, self.reach, self.case.now):
            assert not is_on_its_way(self.look, self.case.now)
            self.asked += 1
            self.look = Look(id=uuid5(SPACE, str(self.asked)), asked=self.case.now, answered=self.look.answered)

    def reads(self, _: int) -> None:
        """A worker takes the look and reads; what it tells is on its way."""
        self.case.economic_version += 1
        read = self.case.economic_seen()
        self.held[read.version] = (self.case.economic_values["phone"], self.case.now)
        self.reading.append((read, self.case.now, self.look.id))
        if self.look.asked is not None:
            self.look = replace(self.look, taken=self.case.now)

    def tells(self, n: int) -> None:
        if not self.reading:
            return
        read, _, look = self.reading.pop(n % len(self.reading))
        newer = self.case.link.economic_version is None or read.version > self.case.link.economic_version
        self.case.hear(Heard(economic=read))
        if newer:
            self.seen = self.case.now
        if look == self.look.id and look is not None:
            self.look = replace(self.look, answered=self.case.now)

    def refuses(self, _: int) -> None:
        if self.look.asked is not None:
            self.look = replace(self.look, refused=self.case.now)

    def goes_down(self, n: int) -> None:
        self.reach = Reach(down_since=self.case.now if n > 8 else None)

    def waits(self, n: int) -> None:
        self.case.now += timedelta(seconds=(0.2, 1, 4, 14, 29, 200)[n % 6])

    def _known(self) -> Known:
        moments = [one for one in (self.seen, self.look.answered) if one is not None]
        return Known(seen=max(moments, default=None), compared=self.case.link.crm_version)

    def look_at(self, shown: int) -> None:
        """What a page that shows that version says now is true."""
        now, link, version = self.case.now, self.case.link, Version(1, shown)
        first = standing(link, self.case.rules, ANNE, Kept(), now, version)
        second = layer(self._known(), self.look, self.reach, version, now)
        if first.status.state != "same" or not second.present:
            return
        assert link.crm_version is not None
        assert link.economic_version is not None
        assert link.crm_version >= version
        phone, read = self.held[link.economic_version]
        assert self.entered[link.crm_version.number] == phone
        assert second.seen is not None
        assert now - second.seen < KNOWN
        assert read <= second.seen


ACTS = (
    "crm_edits", "economic_edits", "relays", "opens", "reads", "reads", "tells", "tells", "refuses", "goes_down", "waits",
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(some.booleans(), some.lists(some.tuples(some.sampled_from(ACTS), some.integers(0, 11)), min_size=5, max_size=30))
def test_n6_the_same_is_said_only_of_the_version_and_the_time_it_holds_for(
    flows: bool, acts: list[tuple[str, int]]
) -> None:
    world = World(flows)
    for name, n in acts:
        getattr(world, name)(n)
        for shown in range(1, world.case.crm_version + 1):
            world.look_at(shown)
