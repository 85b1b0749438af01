"""Webhooks on a real database: marked before they are answered, and silent towards whoever does not know the secret."""

import hashlib
from collections.abc import Iterator
from functools import partial

import pytest
import sqlalchemy as sa
import structlog
from starlette.types import ASGIApp

from economic_adapter import addresses, duties, handmade
from economic_adapter.hooks import Webhooks, app
from economic_adapter.sandbox.app import Running
from economic_adapter.store import Gather
from economic_adapter.tables import activity, mark, work
from tests.builders.http import Reply, ask
from tests.integration.economic_adapter.parts import AGREEMENT, TENANT, Parts, configure, environ, now

KEY = b"k" * 32
ENDPOINT, SECRET = "0123456789abcdef", "canary-hook-secret-canary-hook-secret"
FORM = {"content-type": "application/x-www-form-urlencoded"}
JSON = {"content-type": "application/json"}


@pytest.fixture
def parts(database: str, engine: sa.Engine, sandbox: Running) -> Iterator[Parts]:
    made = Parts(environ(database, None, sandbox), engine)
    made.switch_on(webhooks=False)
    with engine.begin() as connection:
        addresses.add_secret(connection, AGREEMENT, ENDPOINT, hashlib.sha256(SECRET.encode()).digest())
    yield made
    made.close()


@pytest.fixture
def site(parts: Parts) -> ASGIApp:
    return app(Webhooks(engine=parts.engine, now=now, gather=Gather()), None, https=True)


def hook(site: ASGIApp, body: bytes = b"old=&new=1042", secret: str = SECRET, **more: object) -> Reply:
    asked: dict[str, object] = {"method": "POST", "headers": FORM, "body": body, **more}
    return ask(site, f"/hooks/economic/{ENDPOINT}/{secret}", **asked)  # type: ignore[arg-type]


def marks(parts: Parts) -> dict[int, tuple[int, list[int]]]:
    with parts.engine.begin() as connection:
        rows = connection.execute(sa.select(mark.c.number, mark.c.counter, mark.c.old_numbers)).all()
    return {row.number: (row.counter, row.old_numbers) for row in rows}


@pytest.mark.parametrize(
    ("method", "query", "body", "headers"),
    [
        ("POST", "", b"old=1041&new=1042", FORM),
        ("POST", "", b'{"old":"1041","new":"1042"}', JSON),
        ("POST", "old=1041&new=1042", b"", {}),
        ("GET", "old=1041&new=1042", b"", {}),
    ],
)
def test_both_numbers_are_marked_before_the_answer(
    parts: Parts, site: ASGIApp, method: str, query: str, body: bytes, headers: dict[str, str]
) -> None:
    reply = hook(site, body, method=method, query=query, headers=headers)
    assert (reply.status, reply.body) == (204, b"")
    assert marks(parts) == {1042: (1, [1041]), 1041: (1, [])}


def test_a_flood_for_one_customer_is_one_mark_and_one_row_of_work(parts: Parts, site: ASGIApp) -> None:
    for _ in range(100):
        assert hook(site).status == 204
    assert marks(parts) == {1042: (100, [])}
    with parts.engine.begin() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(work)) == 1


def test_whoever_does_not_know_the_secret_hears_what_an_unknown_address_hears(parts: Parts, site: ASGIApp) -> None:
    unknown = ask(site, "/no/such/address")
    for path in (
        f"/hooks/economic/{ENDPOINT}/wrong",
        f"/hooks/economic/{ENDPOINT}/{SECRET}x",
        f"/hooks/economic/unknown/{SECRET}",
        f"/hooks/economic/{ENDPOINT}",
        f"/hooks/economic/{ENDPOINT}/{SECRET}/more",
        "/hooks/economic/%00/x",
    ):
        for method in ("GET", "POST"):
            reply = ask(site, path, method=method, body=b"new=1042", headers=FORM)
            assert (reply.status, reply.body, reply.headers) == (404, unknown.body, unknown.headers)
    assert marks(parts) == {}


@pytest.mark.parametrize(
    "body", [b'{"new":1042', b'{"new":{"a":1}}', b'{"new":' + b"9" * 60000 + b"}", b'{"new":1,"new":2}', b"new=abc"]
)
def test_what_is_no_hint_is_refused_and_stores_nothing(parts: Parts, site: ASGIApp, body: bytes) -> None:
    reply = hook(site, body, headers=JSON if body.startswith(b"{") else FORM)
    assert reply.status == 400
    assert marks(parts) == {}


@pytest.mark.parametrize("body", [b"", b"old=&new=", b"a=b"])
def test_a_hook_that_names_nobody_is_taken_and_does_nothing(parts: Parts, site: ASGIApp, body: bytes) -> None:
    assert hook(site, body).status == 204
    assert marks(parts) == {}


def test_an_unknown_customer_is_marked_like_any_other(parts: Parts, site: ASGIApp) -> None:
    assert hook(site, b"new=999999999").status == 204
    assert marks(parts) == {999999999: (1, [])}


def test_a_body_above_the_limit_and_another_method_are_refused(parts: Parts, site: ASGIApp) -> None:
    assert hook(site, b"x" * 70000).status == 413
    assert hook(site, method="PUT").status == 405
    assert marks(parts) == {}


def test_an_agreement_that_is_off_takes_hooks_and_marks_nothing(parts: Parts, site: ASGIApp) -> None:
    parts.receive(configure(on=False))
    assert hook(site).status == 204
    assert marks(parts) == {}


def test_after_disconnecting_the_address_is_unknown(parts: Parts, site: ASGIApp) -> None:
    parts.receive(configure(on=False, disconnect=True))
    parts.work()
    assert hook(site).status == 404


def test_a_database_that_is_away_is_said_so_that_the_sender_tries_again() -> None:
    nowhere = sa.create_engine("postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    reply = hook(app(Webhooks(engine=nowhere, now=now, gather=Gather()), None, https=True))
    assert (reply.status, reply.headers["retry-after"]) == (503, "5")


def test_neither_the_address_nor_what_it_said_is_logged(site: ASGIApp) -> None:
    with structlog.testing.capture_logs() as logs:
        hook(site)
        hook(site, b'{"new":"canary-content"}', headers=JSON)
        hook(site, secret="canary-wrong-secret")
    assert len(logs) == 4
    assert "canary" not in str(logs)
    assert ENDPOINT not in str(logs)


@pytest.fixture
def told() -> list[int]:
    return []


@pytest.fixture
def noting(parts: Parts, told: list[int]) -> ASGIApp:
    """The same, with a key for addresses made by hand, and who hears what is told."""
    webhooks = Webhooks(
        engine=parts.engine, now=now, gather=Gather(), key=KEY, told=lambda _, number: told.append(number)
    )
    return app(webhooks, None, https=True)


def by_hand(site: ASGIApp, body: bytes = b"old=&new=1042", path: str = "", headers: dict[str, str] = FORM) -> Reply:
    where = path or handmade.path(KEY, TENANT, AGREEMENT)
    return ask(site, where, method="POST", body=body, headers=headers)


def noted(parts: Parts) -> dict[str, object]:
    with parts.engine.begin() as connection:
        row = connection.execute(sa.select(activity)).mappings().one_or_none()
    return {} if row is None else dict(row)


def test_a_webhook_made_by_hand_marks_and_is_told_at_once(parts: Parts, noting: ASGIApp, told: list[int]) -> None:
    for _ in range(3):
        assert by_hand(noting).status == 204
    assert marks(parts) == {1042: (3, [])}
    assert noted(parts)["hand_at"] is not None
    assert told == [AGREEMENT], "a burst is told once"
    assert hook(noting).status == 204
    assert told == [AGREEMENT]


def test_while_it_is_off_one_made_by_hand_is_noted_and_marks_nothing(
    parts: Parts, noting: ASGIApp, told: list[int]
) -> None:
    parts.receive(configure(on=False))
    assert by_hand(noting).status == 204
    assert marks(parts) == {}
    assert (noted(parts)["hand_at"] is not None, told) == (True, [AGREEMENT])


def test_a_wrong_secret_is_noted_once_it_was_answered_like_an_unknown_address(
    parts: Parts, noting: ASGIApp, told: list[int]
) -> None:
    unknown = ask(noting, "/no/such/address")
    endpoint = handmade.path(KEY, TENANT, AGREEMENT).split("/")[3]
    for path in (f"/hooks/economic/{endpoint}/wrong", f"/hooks/economic/{ENDPOINT}/wrong"):
        reply = by_hand(noting, path=path)
        assert (reply.status, reply.body, reply.headers) == (404, unknown.body, unknown.headers)
    found = noted(parts)
    assert (found["refused"], found["hand_at"], told) == ("secret", None, [AGREEMENT])


@pytest.mark.parametrize(
    "path",
    [
        handmade.path(b"x" * 32, TENANT, AGREEMENT), handmade.path(KEY, "t2", AGREEMENT), handmade.path(KEY, TENANT, 7),
        f"/hooks/economic/{AGREEMENT}-0123456789abcdef/{handmade.secret(KEY, TENANT, AGREEMENT)}",
        f"/hooks/economic/{AGREEMENT}/{handmade.secret(KEY, TENANT, AGREEMENT)}",
        "/hooks/economic/99999999999999-0123456789abcdef/x",
    ],
)  # fmt: skip
def test_no_other_address_opens_it(parts: Parts, noting: ASGIApp, path: str) -> None:
    assert by_hand(noting, path=path).status == 404
    assert marks(parts) == {}
    assert noted(parts).get("hand_at") is None


def test_without_a_key_no_address_is_made_by_hand(parts: Parts, site: ASGIApp) -> None:
    assert by_hand(site, path=handmade.path(b"", TENANT, AGREEMENT)).status == 404


def test_after_disconnecting_the_address_made_by_hand_is_unknown_and_nothing_is_noted(
    parts: Parts, noting: ASGIApp
) -> None:
    parts.receive(configure(on=False, disconnect=True))
    parts.work()
    assert by_hand(noting).status == 404
    assert noted(parts) == {}


def test_a_wrong_content_type_is_noted_with_what_it_was(parts: Parts, noting: ASGIApp, told: list[int]) -> None:
    assert by_hand(noting, headers=JSON).status == 400
    found = noted(parts)
    assert (found["refused"], found["refused_as"], told) == ("content_type", "application/json", [AGREEMENT])
    assert by_hand(noting, b"new=abc").status == 400
    assert noted(parts)["refused_at"] == found["refused_at"], "a form that says nothing has the right content type"


def test_what_came_and_what_was_refused_is_told_with_the_figures(parts: Parts) -> None:
    webhooks = Webhooks(
        engine=parts.engine, now=now, gather=Gather(), key=KEY, told=partial(duties._tell_figures, parts.settings)
    )
    noting = app(webhooks, None, https=True)
    by_hand(noting, headers=JSON)
    figures = parts.agreements_told()[-1].figures
    assert figures is not None
    assert figures.refused is not None
    assert (figures.refused.why, figures.refused.given, figures.by_hand) == ("content_type", "application/json", None)
    by_hand(noting)
    figures = parts.agreements_told()[-1].figures
    assert figures is not None
    assert figures.by_hand is not None
