"""Where webhooks go: a new secret beside the old one, which ends when e-conomic has been told, and never before."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa

from economic_adapter import commands, tables, work
from economic_adapter.client import Grant
from economic_adapter.hooks import Webhooks, app
from economic_adapter.protocol import Answer, Fault, Head, Rejected, Request, VersionConflict
from economic_adapter.sandbox.app import Running
from economic_adapter.sandbox.data import AGREEMENT
from economic_adapter.store import Gather
from tests.builders.economic import Crash, Wire
from tests.builders.http import Reply, ask
from tests.integration.economic_adapter.parts import Parts, configure, environ, now
from tests.waiting import eventually

pytestmark = pytest.mark.slow

DAY = timedelta(hours=24)


@pytest.fixture
def parts(database: str, engine: sa.Engine, sandbox: Running) -> Iterator[Parts]:
    made = Parts(environ(database, None, sandbox), engine)
    made.switch_on()
    yield made
    made.close()


@pytest.fixture
def registered(sandbox: Running) -> Callable[[], str]:
    """The path at which e-conomic calls us now."""
    return lambda: urlsplit(sandbox.data.agreement().webhooks["CUSTOMER_UPDATED"].values["url"]).path


def hook(parts: Parts, path: str, later: timedelta = timedelta()) -> Reply:
    """A webhook to that path, some time from now."""
    moment = now() + later
    site = app(Webhooks(engine=parts.engine, now=lambda: moment, gather=Gather()), None, https=True)
    form = {"content-type": "application/x-www-form-urlencoded"}
    return ask(site, path, method="POST", body=b"new=1042", headers=form)


def rotate(parts: Parts, hours: float = 24) -> None:
    """As an operator asks for it."""
    assert commands.rotate_hook_secret(parts.engine, AGREEMENT, hours, do=True) == 0


def row(parts: Parts) -> sa.RowMapping:
    with parts.engine.begin() as connection:
        return connection.execute(sa.select(tables.agreement)).mappings().one()


def done(parts: Parts) -> bool:
    """Work what is due; whether nothing is left of the rotation."""
    parts.work()
    with parts.engine.begin() as connection:
        return connection.scalars(sa.select(tables.work.c.id).where(tables.work.c.kind == "check")).first() is None


def test_while_a_secret_is_replaced_both_addresses_are_open_and_then_only_the_new_one(
    parts: Parts, registered: Callable[[], str]
) -> None:
    old = registered()
    rotate(parts)
    assert hook(parts, old).status == 204
    parts.work()
    new = registered()
    assert new != old
    assert new.rpartition("/")[0] == old.rpartition("/")[0]
    for path in (old, new):
        assert hook(parts, path).status == 204
        assert hook(parts, path, DAY - timedelta(minutes=1)).status == 204
    over = hook(parts, old, DAY)
    unknown = hook(parts, "/no/such/address")
    assert (over.status, over.body, over.headers) == (404, unknown.body, unknown.headers)
    assert hook(parts, new, DAY).status == 204


def test_what_a_hook_on_the_old_address_says_is_marked_until_it_ends(
    parts: Parts, registered: Callable[[], str]
) -> None:
    old = registered()
    rotate(parts)
    parts.work()
    hook(parts, old)
    with parts.engine.begin() as connection:
        assert connection.scalars(sa.select(tables.mark.c.counter)).all() == [1]
    hook(parts, old, DAY)
    with parts.engine.begin() as connection:
        assert connection.scalars(sa.select(tables.mark.c.counter)).all() == [1]


def test_the_old_secret_can_be_ended_at_once(parts: Parts, registered: Callable[[], str]) -> None:
    old = registered()
    rotate(parts, hours=0)
    parts.work()
    assert (hook(parts, old).status, hook(parts, registered()).status) == (404, 204)


def test_the_one_before_the_old_one_ends_when_it_is_replaced_again(parts: Parts, registered: Callable[[], str]) -> None:
    first = registered()
    rotate(parts)
    parts.work()
    second = registered()
    rotate(parts)
    parts.work()
    assert [hook(parts, path).status for path in (first, second, registered())] == [404, 204, 204]


def test_the_old_secret_has_no_end_while_e_conomic_has_not_heard_of_the_new_one(
    parts: Parts, sandbox: Running, registered: Callable[[], str]
) -> None:
    old = registered()
    sandbox.data.faults.add("drop", method="PUT", path="*/webhooks", when="before", count=1)
    rotate(parts)
    parts.work(most=1)
    assert registered() == old
    assert hook(parts, old, 30 * DAY).status == 204
    eventually(lambda: done(parts), every=0.1)
    assert registered() != old
    assert (hook(parts, old, DAY / 2).status, hook(parts, old, 2 * DAY).status) == (204, 404)


def test_a_lost_answer_closes_no_address_in_use(parts: Parts, sandbox: Running, registered: Callable[[], str]) -> None:
    old = registered()
    sandbox.data.faults.add("drop", method="PUT", path="*/webhooks", when="after", count=1)
    rotate(parts)
    parts.work(most=1)
    new = registered()
    assert new != old
    assert [hook(parts, path, 30 * DAY).status for path in (old, new)] == [204, 204]
    eventually(lambda: done(parts), every=0.1)
    assert registered() == new
    assert [hook(parts, path, DAY / 2).status for path in (old, new)] == [204, 204]
    assert [hook(parts, path, 2 * DAY).status for path in (old, new)] == [404, 204]


@pytest.mark.parametrize("call", range(3))
@pytest.mark.parametrize("when", ["die_before", "die_after"])
def test_a_worker_that_dies_at_any_call_closes_no_address_in_use(
    parts: Parts, registered: Callable[[], str], when: str, call: int
) -> None:
    old = registered()
    rotate(parts)
    wire = Wire(parts.client)
    setattr(wire, when, call)
    dying = replace(parts.desk, client=wire)
    with pytest.raises(Crash):
        work.step(dying, AGREEMENT, parts.worker)
    for path in (old, registered()):
        assert hook(parts, path, 30 * DAY).status == 204
    with parts.engine.begin() as connection:
        connection.execute(sa.update(tables.work).values(worker=None, claimed_at=None))
    assert done(parts)
    assert registered() != old
    assert [hook(parts, path).status for path in (old, registered())] == [204, 204]
    assert [hook(parts, path, DAY).status for path in (old, registered())] == [404, 204]


class Refusing:
    """An e-conomic that refuses to change the webhook, so many times."""

    def __init__(self, parts: Parts, failed: Exception, times: int) -> None:
        self.client, self.failed, self.times = parts.client, failed, times
        self.urls: list[str] = []

    def send(self, request: Request, grant: Grant, within: float | None = None) -> Answer:
        if request.method == "PUT" and self.times:
            self.times -= 1
            self.urls.append((request.body or b"").decode().partition('"url": "')[2].partition('"')[0])
            raise self.failed
        return self.client.send(request, grant)


def test_what_e_conomic_refuses_leaves_the_old_secret_as_it_was(
    parts: Parts, registered: Callable[[], str], capsys: pytest.CaptureFixture[str]
) -> None:
    old = registered()
    rotate(parts)
    refusing = Refusing(parts, Rejected(Head(status=400), (Fault(code="WebhookReadOnly"),)), 1)
    assert work.step(replace(parts.desk, client=refusing), AGREEMENT, parts.worker)
    assert done(parts)
    assert registered() == old
    assert hook(parts, old, 30 * DAY).status == 204
    assert hook(parts, urlsplit(refusing.urls[0]).path).status == 404
    assert (row(parts)["webhooks"], row(parts)["hook_before_sha256"]) == ("registered", None)
    commands.show_agreements(parts.engine)
    assert "hook secret not rotated: WebhookReadOnly" in capsys.readouterr().out
    rotate(parts)
    parts.work()
    assert registered() != old
    commands.show_agreements(parts.engine)
    assert "not rotated" not in capsys.readouterr().out


def test_a_webhook_changed_meanwhile_is_read_again(parts: Parts, registered: Callable[[], str]) -> None:
    old = registered()
    rotate(parts)
    refusing = Refusing(parts, VersionConflict("UpdateConflict"), 2)
    assert work.step(replace(parts.desk, client=refusing), AGREEMENT, parts.worker)
    assert registered() != old
    assert [hook(parts, path).status for path in (old, registered())] == [204, 204]
    assert [hook(parts, urlsplit(url).path).status for url in refusing.urls] == [404, 404]


def test_switching_on_again_keeps_the_address_of_before_for_a_day(parts: Parts, registered: Callable[[], str]) -> None:
    old = registered()
    parts.receive(configure(on=True))
    parts.work()
    assert registered() != old
    assert [hook(parts, old, later).status for later in (DAY / 2, 2 * DAY)] == [204, 404]


def test_after_disconnecting_neither_secret_opens_anything(parts: Parts, registered: Callable[[], str]) -> None:
    old = registered()
    rotate(parts)
    parts.work()
    new = registered()
    parts.receive(configure(on=False, disconnect=True))
    parts.work()
    assert [hook(parts, path).status for path in (old, new)] == [404, 404]


def test_the_command_is_dry_unless_told_and_says_until_when(
    parts: Parts, registered: Callable[[], str], capsys: pytest.CaptureFixture[str]
) -> None:
    old = registered()
    assert commands.rotate_hook_secret(parts.engine, AGREEMENT, 24, do=False) == 0
    assert "repeat with --yes" in capsys.readouterr().out
    assert parts.work() == 0
    assert registered() == old
    rotate(parts)
    parts.work()
    capsys.readouterr()
    commands.show_agreements(parts.engine)
    until: datetime = row(parts)["hook_before_until"]
    assert f"old hook secret taken until {until:%Y-%m-%d %H:%M} UTC" in capsys.readouterr().out
    for path in (old, registered()):
        assert path.rpartition("/")[2] not in str(row(parts))


def test_only_a_webhook_of_ours_can_get_a_new_secret(parts: Parts) -> None:
    assert commands.rotate_hook_secret(parts.engine, 999, 24, do=True) == 1
    rotate(parts)
    with parts.engine.begin() as connection:
        connection.execute(sa.update(tables.agreement).values(webhooks="refused"))
    before = row(parts)["hook_secret_sha256"]
    assert done(parts)
    assert row(parts)["hook_secret_sha256"] == before
    assert commands.rotate_hook_secret(parts.engine, AGREEMENT, 24, do=True) == 1
