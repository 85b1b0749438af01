"""Are people, sessions, passes and keys known exactly as long as they hold, and never by what could be stolen from a table?"""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from reconciler import people
from reconciler.person import Kept, Person

NOW = datetime(2026, 11, 24, 13, 5, tzinfo=UTC)
ANNE = Person(tenant="t", id="u1", name="Anne Holm", role="user", mail="anne@clickmate.example")
METTE = Person(tenant="t", id="u2", name="Mette Krogh", role="admin")


def test_a_session_holds_while_it_is_used_and_at_most_eight_hours(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        cookie = people.begin(connection, ANNE, "https://crm.example/48211", NOW)
        at = NOW
        while at < NOW + people.LONGEST - timedelta(minutes=20):
            at += timedelta(minutes=20)
            found = people.find(connection, cookie, at)
            assert found is not None
            assert (found.person.id, found.person.role, found.return_to) == ("u1", "user", "https://crm.example/48211")
        assert people.find(connection, cookie, NOW + people.LONGEST) is None
        assert people.forget(connection, NOW + people.LONGEST) == 0, "whose it was is known for a day"
        assert people.forget(connection, NOW + people.LONGEST + people.REMEMBERED) == 1


def test_a_session_nobody_uses_ends_and_signing_out_ends_it_at_once(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        idle, out = (people.begin(connection, ANNE, "", NOW) for _ in range(2))
        assert people.find(connection, idle, NOW + people.IDLE) is None
        people.end(connection, out)
        assert people.find(connection, out, NOW) is None
        assert people.find(connection, "another", NOW) is None


def test_who_only_reads_writes_no_more_than_once_a_minute(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        cookie = people.begin(connection, ANNE, "", NOW)
        _, key = people.make_key(connection, "t", "Billing", "reader", NOW)
    noted = []
    for seconds in (0, 59, 60, 61):
        now = NOW + timedelta(seconds=seconds)
        with engine.begin() as connection:
            assert people.find(connection, cookie, now) is not None
            assert people.of_key(connection, key, now) is not None
        with engine.connect() as connection:
            noted.append(
                (
                    connection.scalar(sa.text("select seen from sync.session")),
                    connection.scalar(sa.text("select used from sync.api_key")),
                )
            )
    later = NOW + timedelta(minutes=1)
    assert noted == [(NOW, NOW), (NOW, NOW), (later, later), (later, later)]


def test_a_session_knows_what_its_person_and_its_tenant_speak(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        people.meet(connection, ANNE, NOW)
        cookie = people.begin(connection, ANNE, "", NOW)
        people.choose(connection, "t", "language", "en")
        found = people.find(connection, cookie, NOW)
        assert found is not None
        assert found.languages == (None, "en")
        people.speak(connection, ANNE, "da")
        found = people.find(connection, cookie, NOW)
        assert found is not None
        assert found.languages == ("da", "en")


def test_no_table_holds_a_secret_that_opens_anything(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        cookie = people.begin(connection, ANNE, "", NOW)
        _, key = people.make_key(connection, "t", "Billing", "reader", NOW)
        for table in ("session", "api_key"):
            rows = str(connection.execute(sa.text(f"select * from sync.{table}")).all())
            assert cookie not in rows
            assert key not in rows


def test_a_launch_is_used_once_and_another_tenants_of_the_same_name_is_another(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        until = NOW + timedelta(minutes=2)
        assert people.use_pass(connection, "t", "one", until)
        assert not people.use_pass(connection, "t", "one", until)
        assert people.use_pass(connection, "other", "one", until)
        assert people.forget(connection, until) == 0
        assert people.forget(connection, until + timedelta(seconds=1)) == 2


def test_admins_are_named_the_last_seen_first_and_a_known_address_stays(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        people.meet(connection, METTE, NOW)
        people.meet(connection, ANNE, NOW)
        people.meet(connection, Person(tenant="t", id="u3", name="Bo", role="admin"), NOW + timedelta(hours=1))
        people.meet(connection, Person(tenant="other", id="u4", name="Nobody", role="admin"), NOW)
        assert people.admins(connection, "t") == ["Bo", "Mette Krogh"]
        people.meet(connection, Person(tenant="t", id="u1", name="Anne Holm", role="reader"), NOW)
        row = connection.execute(sa.text("select role, mail from sync.person where id = 'u1'")).one()
        assert tuple(row) == ("reader", "anne@clickmate.example")


def test_a_key_acts_under_its_name_until_it_is_ended(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        key_id, key = people.make_key(connection, "t", "Billing", "reader", NOW)
        person = people.of_key(connection, key, NOW)
        assert person is not None
        assert (person.tenant, person.name, person.role) == ("t", "Billing", "reader")
        assert [(one.id, one.used) for one in people.keys(connection, "t")] == [(key_id, NOW)]
        assert people.keys(connection, "other") == []
        assert not people.end_key(connection, "other", key_id, NOW)
        assert people.end_key(connection, "t", key_id, NOW)
        assert people.of_key(connection, key, NOW) is None
        assert people.keys(connection, "t") == []


@pytest.mark.parametrize("name", ["keep_create", "keep_bulk"])
def test_what_admins_kept_for_themselves_is_a_setting(engine: sa.Engine, name: str) -> None:
    with engine.begin() as connection:
        assert people.kept(connection, "t") == Kept()
        people.choose(connection, "t", name, True)
        people.choose(connection, "other", "keep_create", False)
        assert people.kept(connection, "t") == Kept(create=name == "keep_create", bulk=name == "keep_bulk")
