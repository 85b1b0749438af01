"""Does what is stored of a link come back as it was, and does one step wait for another? On real PostgreSQL."""

import threading
import uuid
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from crm_outbox.contract import Outcome, Result, Stage
from crm_outbox.messaging.envelope import Version
from economic_adapter.contract import Defaults
from reconciler import agreements, rows, sides, store
from reconciler.decisions import Supplied
from reconciler.link import (
    Base,
    Choice,
    Due,
    EconomicSeen,
    Heard,
    Link,
    LinkState,
    Pair,
    Pause,
    Pending,
    Refusal,
    Side,
    Status,
)
from reconciler.rules import Area, System
from tests.builders.sync import AGREEMENT, MORNING, TENANT
from tests.waiting import eventually

Found = TypeVar("Found")
TEXTS = some.text(
    some.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12
) | some.sampled_from(["Søndergade 1\n2. th.", "", "null", "{}", "'; drop table link; --", "%s :x"])  # fmt: skip
NAMES = some.sampled_from(["name", "cvr", "street", "postcode", "city", "phone", "email"])
MOMENTS = some.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=some.just(UTC))  # noqa: DTZ001
VALUES = some.dictionaries(NAMES, TEXTS, max_size=4)
NUMBERS = some.integers(1, 999_999_999)
SIDES = some.builds(Side, id=TEXTS, values=VALUES, version=TEXTS, superseded=TEXTS, gone=some.booleans())
BASES = some.builds(Base, crm=TEXTS, economic=TEXTS, unknown=some.booleans())
REFUSALS = some.builds(
    Refusal,
    system=some.sampled_from(System),
    action=some.sampled_from(["create", "change"]),
    code=TEXTS,
    message=TEXTS,
    detail=NAMES,
    values=some.dictionaries(NAMES, some.tuples(TEXTS, TEXTS), max_size=2),
)


CHOICES = some.builds(
    Choice,
    decision=some.uuids(),
    crm=some.none() | VALUES,
    economic=some.none() | VALUES,
    seen_crm=VALUES,
    seen_economic=VALUES,
    written=some.lists(some.sampled_from(System), max_size=2, unique=True).map(tuple),
    was=some.sampled_from(["", "ask", "kept"]),
    after=some.sampled_from(["", "ask", "kept"]),
)


def pendings(system: System) -> some.SearchStrategy[Pending]:
    return some.builds(
        Pending,
        operation=some.uuids(),
        system=some.just(system),
        action=some.sampled_from(["create", "change", "bar"]),
        decided=some.dictionaries(NAMES, some.uuids(), max_size=2),
        mark=some.sampled_from(["", "stage", "barred"]),
        values=VALUES,
        becomes=some.dictionaries(NAMES, BASES, max_size=3),
        seen=VALUES,
        version=some.none() | TEXTS,
        number=some.none() | NUMBERS,
        defaults=some.none() | some.just(Defaults(group=1, terms=2, zone=3, currency="DKK")),
        contacts_seen=some.lists(NUMBERS, max_size=2).map(tuple),
        sent=MOMENTS,
        due=MOMENTS,
        resent=some.integers(0, 9),
        acknowledged=some.none() | MOMENTS,
        cause=TEXTS,
    )


def pairs(kind: str) -> some.SearchStrategy[Pair]:
    return some.builds(
        Pair,
        id=some.uuids(),
        kind=some.just(kind),
        crm=some.none() | SIDES,
        economic=some.none() | SIDES,
        base=some.dictionaries(NAMES, BASES, max_size=4),
        pending=some.fixed_dictionaries({}, optional={system: pendings(system) for system in System}),
        refusals=some.lists(REFUSALS, max_size=2).map(tuple),
        pause=some.fixed_dictionaries(
            {}, optional={system: some.builds(Pause, version=TEXTS, until=MOMENTS) for system in System}
        ),
        bounces=some.dictionaries(NAMES, some.lists(MOMENTS, max_size=2).map(tuple), max_size=2),
        rest=some.sampled_from(["", "removed", "removed_edited", "unclear"]),
        chosen=some.dictionaries(NAMES, CHOICES, max_size=2),
        apart=some.lists(TEXTS, max_size=2).map(tuple),
    )


NOTHING = Due()
VERSIONS = some.none() | some.builds(Version, some.integers(1, 9), some.integers(0, 2**60))
LINKS = some.builds(
    Link,
    id=some.uuids(),
    tenant=some.just(TENANT),
    agreement=some.just(AGREEMENT),
    crm_id=some.uuids().map(str),
    state=some.sampled_from(LinkState),
    rest=some.sampled_from(["", "deleted_there", "merged", "other_identity", "renumbered"]),
    number=some.none() | NUMBERS,
    old_numbers=some.lists(NUMBERS, max_size=2).map(tuple),
    flows=some.booleans(),
    counter=some.integers(0, 2**31 - 1),
    crm_version=VERSIONS,
    economic_version=VERSIONS,
    stage=some.none() | some.sampled_from(Stage),
    created=some.none() | MOMENTS,
    active_since=some.none() | MOMENTS,
    wanted=some.none() | NUMBERS,
    merged_into=some.none() | TEXTS,
    unsendable=TEXTS,
    barred=some.none() | some.booleans(),
    candidates=some.lists(NUMBERS, max_size=3).map(tuple),
    supplied=some.none()
    | some.builds(Supplied, area=some.none() | some.sampled_from(Area), group=some.none() | NUMBERS),
    waived=some.lists(TEXTS, max_size=2).map(tuple),
    customer=pairs("customer"),
    contacts=some.lists(pairs("contact"), max_size=3).map(tuple),
)
STATUSES = some.builds(
    Status,
    state=some.sampled_from(["same", "error", "choice"]),
    details=some.lists(NAMES, max_size=2).map(tuple),
    reason=TEXTS,
    message=TEXTS,
)


@pytest.fixture
def agreed(engine: sa.Engine) -> sa.Engine:
    with engine.begin() as connection:
        agreements.insert(connection, TENANT, AGREEMENT)
        agreements.move(connection, TENANT, AGREEMENT, "on", MORNING, since=MORNING)
    return engine


def make(connection: sa.Connection, link: Link) -> store.Stored:
    assert link.agreement is not None
    store.insert(connection, link.id, link.tenant, link.agreement, link.crm_id)
    return store.load(connection, link.id)


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=LINKS, second=LINKS, status=STATUSES)
def test_a_link_is_loaded_as_it_was_saved_and_again_after_any_change(
    agreed: sa.Engine, first: Link, second: Link, status: Status
) -> None:
    second = replace(second, id=first.id, crm_id=first.crm_id)
    kept = tuple(replace(pair, base={}, pending={}) for pair in first.contacts)
    second = replace(
        second, contacts=(*second.contacts, *kept), customer=replace(second.customer, id=first.customer.id)
    )
    with agreed.connect() as connection:
        stored = make(connection, first)
        assert stored.told is None
        store.save(connection, stored, first, status, NOTHING, MORNING)
        again = store.load(connection, first.id)
        assert again.link == first
        assert again.told == status
        store.save(connection, again, second, status, NOTHING, MORNING)
        assert store.load(connection, first.id).link == second
        connection.rollback()


def test_every_field_of_a_link_has_its_column() -> None:
    link = _a_link()
    columns = set(rows.scalars(link))
    split = {"crm_version": "crm_number", "economic_version": "economic_counter", "id": "tenant"}
    assert {split.get(name, name) for name in rows.SCALARS} <= columns
    assert {one.name for one in fields(Link)} == {*rows.SCALARS, "customer", "contacts"}


def test_how_a_write_ended_is_kept_and_what_landed_is_in_the_audit(agreed: sa.Engine) -> None:
    pending = _a_pending(values={"phone": "2"}, seen={"phone": "1"})
    link = _a_link(customer=replace(_a_link().customer, pending={System.ECONOMIC: pending}))
    with agreed.begin() as connection:
        stored = make(connection, link)
        store.save(connection, stored, link, Status(state="sending"), NOTHING, MORNING)
    answered = replace(link, customer=replace(link.customer, pending={}))
    outcome = Outcome(operation=pending.operation, result=Result.WRITTEN)
    with agreed.begin() as connection:
        stored = store.load(connection, link.id)
        store.save(connection, stored, answered, Status(state="same"), Heard(outcomes=(outcome,)), MORNING)
        ended = connection.execute(sa.text("select result, settled from sync.operation")).one()
        written = connection.execute(sa.text("select before, after, operation from sync.audit")).one()
    assert ended == ("written", MORNING)
    assert written == ({"phone": "1"}, {"phone": "2"}, pending.operation)


def test_two_steps_on_one_link_wait_for_each_other(agreed: sa.Engine) -> None:
    link = _a_link()
    with agreed.begin() as connection:
        store.save(connection, make(connection, link), link, Status(state="same"), NOTHING, MORNING)

    base = {"phone": Base(crm="1", economic="1")}
    moved = replace(link, counter=1, customer=replace(link.customer, base=base))
    with agreed.connect() as first:
        stored = store.lock(first, TENANT, AGREEMENT, link.crm_id)
        assert stored is not None
        second = _in_thread(agreed, lambda connection: store.lock(connection, TENANT, AGREEMENT, link.crm_id))
        _wait_until_blocked(agreed)
        store.save(first, stored, moved, Status(state="same"), NOTHING, MORNING)
        first.commit()
        waited = second()
    # What waited sees the whole of what it waited for, not only the locked row.
    assert waited is not None
    assert waited.link == moved


def test_steps_on_two_links_do_not_wait(agreed: sa.Engine) -> None:
    one, other = _a_link(), _a_link()
    with agreed.begin() as connection:
        make(connection, one)
        make(connection, other)
    with agreed.connect() as first, agreed.connect() as second:
        assert store.lock(first, TENANT, AGREEMENT, one.crm_id) is not None
        second.execute(sa.text("set local lock_timeout = '200ms'"))
        assert store.lock(second, TENANT, AGREEMENT, other.crm_id) is not None


def test_who_records_an_unlinked_number_waits_for_who_links_it(agreed: sa.Engine) -> None:
    seen = EconomicSeen(version=Version(1, 5), number=7)
    with agreed.connect() as linking:
        assert sides.newest_economic(linking, TENANT, AGREEMENT, 7, MORNING) is None

        def record(connection: sa.Connection) -> int:
            sides.record_economic(connection, TENANT, AGREEMENT, seen, MORNING)
            return len(store.lock_numbers(connection, TENANT, AGREEMENT, [7]))

        found = _in_thread(agreed, record)
        _wait_until_blocked(agreed)
        link = _a_link(number=7)
        store.save(linking, make(linking, link), link, Status(state="same"), NOTHING, MORNING)
        linking.commit()
        assert found() == 1


def test_an_older_side_is_not_recorded(agreed: sa.Engine) -> None:
    with agreed.begin() as connection:
        for counter in (5, 4):
            seen = EconomicSeen(version=Version(1, counter), number=7)
            sides.record_economic(connection, TENANT, AGREEMENT, seen, MORNING)
        newest = sides.newest_economic(connection, TENANT, AGREEMENT, 7, MORNING)
    assert newest is not None
    assert newest.version == Version(1, 5)


def _a_link(**given: Any) -> Link:
    link = Link(
        id=uuid.uuid4(),
        tenant=TENANT,
        agreement=AGREEMENT,
        crm_id=str(uuid.uuid4()),
        customer=Pair(id=uuid.uuid4(), kind="customer"),
    )
    return replace(link, **given)


def _a_pending(**given: Any) -> Pending:
    return Pending(
        **{
            "operation": uuid.uuid4(),
            "system": System.ECONOMIC,
            "action": "change",
            "values": {},
            "becomes": {},
            "sent": MORNING,
            "due": MORNING,
            **given,
        }
    )


def _in_thread(engine: sa.Engine, work: Callable[[sa.Connection], Found]) -> Callable[[], Found]:
    results: list[Found] = []

    def run() -> None:
        with engine.begin() as connection:
            results.append(work(connection))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()

    def result() -> Found:
        thread.join(timeout=10)
        return results[0]

    return result


def _wait_until_blocked(engine: sa.Engine) -> None:
    blocked = sa.text(
        "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
    )

    def check() -> bool:
        with engine.connect() as connection:
            return bool(connection.scalar(blocked))

    eventually(check, within=10)
