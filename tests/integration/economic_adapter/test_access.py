"""Getting and keeping access to an agreement, against the sandbox: connecting, its refusals, the sealed grant."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from economic_adapter import access, agreements, commands
from economic_adapter.sandbox.app import Running
from economic_adapter.sealing import KeyRing, Unreadable
from economic_adapter.tables import agreement as table
from tests.integration.economic_adapter.parts import (
    AGREEMENT,
    GRANT,
    NEW_KEY,
    OLD_KEY,
    TENANT,
    Parts,
    configure,
    environ,
)


@pytest.fixture
def parts(database: str, engine: sa.Engine, sandbox: Running) -> Iterator[Parts]:
    made = Parts(environ(database, None, sandbox), engine)
    yield made
    made.close()


def stored_grant(parts: Parts) -> str:
    with parts.engine.begin() as connection:
        return str(connection.scalar(sa.select(table.c.grant_sealed)))


def test_connecting_checks_seals_and_tells(parts: Parts) -> None:
    ending = parts.connect()
    assert (ending.sentence, ending.names["number"]) == ("connected", str(AGREEMENT))
    (told,) = parts.agreements_told()
    assert (told.state, told.customers, told.name) == ("connected", 0, "Nordhavn Tømrer ApS")
    assert GRANT not in stored_grant(parts)
    with parts.engine.begin() as connection:
        assert agreements.grant_of(connection, parts.settings.keys, AGREEMENT) == GRANT


def test_only_an_agreement_nobody_has_used_is_asked_about(parts: Parts) -> None:
    assert [parts.connect().ask, parts.connect().ask] == [True, True]
    parts.receive(configure(on=True))
    parts.work()
    assert not parts.connect().ask
    assert not access.connect(parts.access, TENANT, GRANT, dry=True).ask


def test_the_wrong_agreement_is_given_up_and_another_can_be_connected(parts: Parts, sandbox: Running) -> None:
    sandbox.data.add_agreement(200002, "Vestre Malerforretning", "other-grant")
    parts.connect()
    assert not access.part(parts.access, "t2", AGREEMENT)
    assert parts.agreement().has_grant
    assert access.part(parts.access, TENANT, AGREEMENT)
    assert (parts.agreement().state, parts.agreement().has_grant) == ("disconnected", False)
    assert parts.agreements_told()[-1].state == "disconnected"
    assert not access.part(parts.access, TENANT, AGREEMENT)
    assert parts.connect("other-grant").sentence == "connected"


def test_an_agreement_in_use_is_not_given_up_by_an_old_page(parts: Parts) -> None:
    parts.switch_on()
    assert not access.part(parts.access, TENANT, AGREEMENT)
    assert (parts.agreement().state, parts.agreement().has_grant) == ("on", True)


def test_a_grant_that_e_conomic_does_not_know_changes_nothing(parts: Parts) -> None:
    assert parts.connect("a-grant-of-nobody").sentence == "refused"
    assert parts.told() == []


def test_a_plan_without_api_and_a_small_role_are_told_apart(parts: Parts, sandbox: Running) -> None:
    sandbox.data.grants[GRANT].missing_modules = ["API"]
    assert parts.connect().sentence == "api_missing"
    sandbox.data.grants[GRANT].missing_modules = []
    sandbox.data.grants[GRANT].role = "Bookkeeping"
    assert parts.connect().sentence == "role_small"
    assert parts.told() == []


def test_a_dry_connection_keeps_nothing(parts: Parts) -> None:
    assert access.connect(parts.access, TENANT, GRANT, dry=True).sentence == "connected"
    assert parts.told() == []


def test_another_agreement_than_the_connected_one_is_refused_in_words(parts: Parts, sandbox: Running) -> None:
    sandbox.data.add_agreement(200002, "Vestre Malerforretning", "other-grant")
    parts.connect()
    ending = parts.connect("other-grant")
    assert ending.sentence == "wrong_agreement"
    assert ending.names == {
        "new": "200002",
        "new_company": "Vestre Malerforretning",
        "number": str(AGREEMENT),
        "company": "Nordhavn Tømrer ApS",
    }
    assert len(parts.agreements_told()) == 1


def test_an_expected_agreement_is_pinned_before_the_first_connection(parts: Parts) -> None:
    ending = access.connect(parts.access, TENANT, GRANT, expected=999)
    assert (ending.sentence, ending.names["number"]) == ("wrong_agreement", "999")


def test_an_agreement_of_another_tenant_is_refused_until_it_is_disconnected_there(parts: Parts) -> None:
    parts.connect()
    assert parts.connect(tenant="t2").sentence == "elsewhere"
    parts.receive(configure(on=False, disconnect=True))
    parts.work()
    assert parts.connect(tenant="t2").sentence == "connected"
    assert parts.agreement().tenant == "t2"


def test_e_conomic_away_is_told_and_nothing_is_kept(parts: Parts, sandbox: Running) -> None:
    sandbox.data.faults.take_away(30, status=503)
    assert parts.connect().sentence == "away"
    assert parts.told() == []


def test_a_grant_moved_to_another_row_does_not_open(parts: Parts, sandbox: Running) -> None:
    sandbox.data.add_agreement(200002, "Vestre Malerforretning", "other-grant")
    parts.connect()
    parts.connect("other-grant", tenant="t2")
    with parts.engine.begin() as connection:
        sealed = connection.scalar(sa.select(table.c.grant_sealed).where(table.c.number == AGREEMENT))
        connection.execute(sa.update(table).where(table.c.number == 200002).values(grant_sealed=sealed))
        with pytest.raises(Unreadable):
            agreements.grant_of(connection, parts.settings.keys, 200002)


def test_keys_are_rotated_and_old_ones_can_go(parts: Parts, capsys: pytest.CaptureFixture[str]) -> None:
    parts.connect()
    both = KeyRing.parse(f"k2:{NEW_KEY},k1:{OLD_KEY}")
    assert commands.rotate_keys(parts.engine, both, do=False) == 0
    assert stored_grant(parts).startswith("v1.k1.")
    assert commands.rotate_keys(parts.engine, both, do=True) == 0
    assert "sealed again: 1" in capsys.readouterr().out
    with parts.engine.begin() as connection:
        assert agreements.keys_in_use(connection) == {"k2": 1}
        assert agreements.grant_of(connection, KeyRing.parse(f"k2:{NEW_KEY}"), AGREEMENT) == GRANT
