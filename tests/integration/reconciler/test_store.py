"""Does what is stored of a link come back as it was? On real PostgreSQL."""

from dataclasses import fields, replace
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from crm_outbox.contract import Outcome, Result, Stage
from crm_outbox.messaging.envelope import Version
from economic_adapter.contract import Defaults
from reconciler import rows, store
from reconciler.decisions import Supplied
from reconciler.link import (
    Base,
    Choice,
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
from tests.integration.reconciler.stored import NOTHING, a_link, a_pending, agreed, make

__all__ = ["agreed"]

TEXTS = some.text(
    some.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12
) | some.sampled_from(["Søndergade 1\n2. th.", "", "null", "{}", "'; drop table link; --", "%s :x"])  # fmt: skip


NAMES = some.sampled_from(["name", "cvr", "street", "postcode", "city", "phone", "email"])


MOMENTS = some.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=some.just(UTC))  # noqa: DTZ001


VALUES = some.dictionaries(NAMES, TEXTS, max_size=4)


NUMBERS = some.integers(1, 999_999_999)


SIDES = some.builds(
    Side,
    id=TEXTS,
    values=VALUES,
    version=TEXTS,
    superseded=TEXTS,
    gone=some.booleans(),
    without_persons=TEXTS,
    met=VALUES,
)


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


UNHURRIED = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
"""The connection is rolled back after each example; how long they take says how busy the machine is."""


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=UNHURRIED)
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
    link = a_link()
    columns = set(rows.scalars(link))
    split = {"crm_version": "crm_number", "economic_version": "economic_counter", "id": "tenant"}
    records = {"customer", "contacts"}  # have tables of their own
    assert {split.get(one.name, one.name) for one in fields(Link)} - records <= columns


def test_how_a_write_ended_is_kept_and_what_landed_is_in_the_audit(agreed: sa.Engine) -> None:
    pending = a_pending(values={"phone": "2"}, seen={"phone": "1"})
    link = a_link(customer=replace(a_link().customer, pending={System.ECONOMIC: pending}))
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
