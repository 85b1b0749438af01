"""What matching gets of what is recorded: keys kept with each record, both sides as streams, a search by key."""

import json
from typing import Any

import pytest
import sqlalchemy as sa

from crm_outbox.contract import ContactPerson, Customer
from crm_outbox.messaging.envelope import Version
from economic_adapter.contract import EconomicContact, EconomicCustomer
from reconciler import clock, keys, records, sides
from reconciler.link import CrmSeen, EconomicSeen
from reconciler.rules import System
from tests.builders.sync import AGREEMENT, MORNING, TENANT

pytestmark = pytest.mark.slow

CVR = "13748136"


@pytest.fixture
def connection(engine: sa.Engine) -> Any:
    with engine.begin() as connection:
        yield connection


def here(connection: sa.Connection, crm_id: str, version: int = 1, **given: Any) -> None:
    customer = Customer(**{"id": crm_id, "created": MORNING, **given})
    sides.record_crm(connection, TENANT, crm_id, CrmSeen(version=Version(1, version), customer=customer), MORNING)


def there(connection: sa.Connection, number: int, version: int = 1, **given: Any) -> None:
    customer = EconomicCustomer(**{"number": number, "object_version": "a", **given})
    seen = EconomicSeen(version=Version(1, version), number=number, customer=customer)
    sides.record_economic(connection, TENANT, AGREEMENT, seen, MORNING)


def linked(connection: sa.Connection, crm_id: str, number: int | None, apart: tuple[int, ...] = ()) -> None:
    connection.execute(
        sa.text("""
            insert into sync.agreement (tenant, agreement) values (:tenant, :agreement) on conflict do nothing
        """),
        {"tenant": TENANT, "agreement": AGREEMENT},
    )
    connection.execute(
        sa.text("""
            insert into sync.link (id, tenant, agreement, crm_id, state, number, apart)
            values (gen_random_uuid(), :tenant, :agreement, :crm_id, :state, :number, :apart)
        """),
        {
            "tenant": TENANT, "agreement": AGREEMENT, "crm_id": crm_id, "number": number, "apart": list(apart),
            "state": "unlinked" if number is None else "linked",
        },
    )  # fmt: skip


def kept(connection: sa.Connection, table: str) -> list[list[str]]:
    return list(connection.execute(sa.text(f"select keys from sync.{table} order by seen")).scalars())


def forget(connection: sa.Connection) -> None:
    """As if the rows had been recorded before keys were kept."""
    connection.execute(sa.text("update sync.crm_side set keys = '{}'"))
    connection.execute(sa.text("update sync.economic_side set keys = '{}'"))


def test_every_recorded_side_keeps_the_keys_of_its_newest_state(connection: sa.Connection) -> None:
    person = ContactPerson(id="p", email="Mette@Nord.dk")
    here(connection, "a", name="Nord ApS", cvr="DK 13748136", contacts=(person,))
    assert kept(connection, "crm_side") == [[f"cvr:{CVR}", "email:mette@nord.dk", keys.MARK, "name:nord"]]
    here(connection, "a", version=3, name="Syd")
    here(connection, "a", version=2, name="Vest")
    assert kept(connection, "crm_side") == [[keys.MARK, "name:syd"]]
    there(connection, 7, phone="+45 86 12 34 56")
    assert kept(connection, "economic_side") == [[keys.MARK, "phone:86123456"]]


def test_both_sides_are_streamed_without_what_is_no_longer_there(connection: sa.Connection) -> None:
    for crm_id in ("a", "b"):
        here(connection, crm_id, name=f"{crm_id} ApS", contacts=(ContactPerson(id="p", name="Bo"),))
    here(connection, "c", deleted=True)
    here(connection, "d", merged_into="a")
    sides.record_crm(connection, TENANT, "e", CrmSeen(version=Version(1, 1)), MORNING)
    there(
        connection, 1, name="Et", barred=True, contacts=(EconomicContact(number=1, object_version="x", deleted=True),)
    )
    there(connection, 2, name="To")
    sides.record_economic(connection, TENANT, AGREEMENT, EconomicSeen(version=Version(1, 1), number=3), MORNING)
    linked(connection, "a", 1)
    linked(connection, "b", None, apart=(2,))
    assert [(one.id, one.values, one.persons) for one in records.crm(connection, TENANT)] == [
        ("a", {"name": "a ApS"}, ({"name": "Bo"},)),
        ("b", {"name": "b ApS"}, ({"name": "Bo"},)),
    ]
    assert [(one.id, one.barred, one.persons) for one in records.economic(connection, TENANT, AGREEMENT)] == [
        ("1", True, ()),
        ("2", False, ()),
    ]
    assert [one.id for one in records.crm(connection, TENANT, AGREEMENT)] == ["b"]
    assert [one.id for one in records.economic(connection, TENANT, AGREEMENT, unlinked=True)] == ["2"]
    assert records.linked(connection, TENANT, AGREEMENT) == {("a", "1")}
    assert records.apart(connection, TENANT, AGREEMENT) == {("b", "2")}


def test_a_stream_ends_right_beyond_one_page(connection: sa.Connection) -> None:
    rows = [
        sides.economic_row(
            TENANT,
            AGREEMENT,
            EconomicSeen(
                version=Version(1, 1), number=n, customer=EconomicCustomer(number=n, object_version="a", name=f"N{n}")
            ),
        )
        for n in range(1, 1201)
    ]
    connection.execute(sa.text(sides.RECORD_ECONOMIC), {"economic_sides": json.dumps(rows), "now": MORNING})
    assert [int(one.id) for one in records.economic(connection, TENANT, AGREEMENT)] == list(range(1, 1201))


def found(connection: sa.Connection, side: System, limit: int = 50, **values: str) -> list[str]:
    return [one.id for one in records.search(connection, side, TENANT, AGREEMENT, values, limit=limit)]


@pytest.mark.parametrize("keyed", [True, False])
def test_a_search_finds_who_shares_a_strong_key_also_in_rows_without_keys(
    connection: sa.Connection, keyed: bool
) -> None:
    here(connection, "a", name="Nord ApS", postcode="8000")
    here(connection, "b", cvr=CVR)
    here(connection, "c", email="x@y.dk")
    here(connection, "d", name="Syd", postcode="8000")
    there(connection, 1, mobile="86123456")
    there(connection, 2, ean="5790000123456")
    if not keyed:
        forget(connection)
    assert sorted(found(connection, System.CRM, name="NORD A/S", cvr="DK13748136", email="X@Y.dk")) == ["a", "b", "c"]
    assert found(connection, System.CRM, postcode="8000") == []
    assert found(connection, System.ECONOMIC, phone="+4586123456") == ["1"]
    assert found(connection, System.ECONOMIC, ean="5790000123456", phone="86123456") in (["2", "1"], ["1", "2"])


@pytest.mark.parametrize("keyed", [True, False])
def test_a_limit_leaves_out_the_common_name_never_the_number(connection: sa.Connection, keyed: bool) -> None:
    for nth in range(9):
        here(connection, f"a{nth}", name="Jens Hansen")
    here(connection, "z", cvr=CVR, name="Hansens VVS")
    if not keyed:
        forget(connection)
    assert found(connection, System.CRM, limit=3, name="Jens Hansen", cvr=CVR)[0] == "z"
    assert len(found(connection, System.CRM, limit=3, name="Jens Hansen", cvr=CVR)) == 3


def test_the_clock_makes_the_keys_of_rows_that_have_none_and_then_rests(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        here(connection, "a", name="Nord ApS", cvr=CVR)
        here(connection, "b")
        there(
            connection, 1, phone="86123456", contacts=(EconomicContact(number=1, object_version="x", email="m@n.dk"),)
        )
        sides.record_economic(connection, TENANT, AGREEMENT, EconomicSeen(version=Version(1, 1), number=3), MORNING)
        made = (kept(connection, "crm_side"), kept(connection, "economic_side"))
        forget(connection)
    assert clock.fill_keys(engine) == 3
    assert clock.fill_keys(engine) == 0
    with engine.begin() as connection:
        again = (kept(connection, "crm_side"), kept(connection, "economic_side"))
    assert sorted(again[0]) == sorted(made[0])
    assert ["email:m@n.dk", keys.MARK, "phone:86123456"] in again[1]


def test_keys_of_an_earlier_release_are_made_anew_and_found_before_that(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T15: canonical values that are stored are made anew when a release makes them otherwise."""
    with engine.begin() as connection:
        here(connection, "c1", 1, name="Nord ApS", cvr=CVR)
    monkeypatch.setattr(keys, "MARK", "keys:2")
    monkeypatch.setattr(keys, "OLD_MARKS", ("keys:1",))
    monkeypatch.setattr(keys, "identity", lambda values: "DK" + values.get("cvr", ""))
    with engine.begin() as connection:
        assert [one.id for one in records.search(connection, System.CRM, TENANT, AGREEMENT, {"cvr": CVR})] == ["c1"]
        assert kept(connection, "crm_side") == [[f"cvr:{CVR}", "keys:1", "name:nord"]]
    assert clock.fill_keys(engine) == 1
    assert clock.fill_keys(engine) == 0
    with engine.begin() as connection:
        assert kept(connection, "crm_side") == [[f"cvr:DK{CVR}", "keys:2", "name:nord"]]
        assert [one.id for one in records.search(connection, System.CRM, TENANT, AGREEMENT, {"cvr": CVR})] == ["c1"]
