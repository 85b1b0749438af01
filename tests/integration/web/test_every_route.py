"""Does every address keep out whom it must? A walk over all of them: nobody, strangers, each role, forged and senseless requests.

Nothing of it may change anything. A new address is found by itself and must be named in ``routes``.
"""

import re
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote
from uuid import uuid4

import httpx
import pytest
import sqlalchemy as sa

from reconciler import people
from reconciler.passes import sign
from reconciler.person import Role, may
from tests.builders.sync import TENANT
from tests.integration.web import routes
from tests.integration.web.browsing import CRM, KEY, Browser, Pages
from tests.integration.web.everything import everything
from tests.integration.web.routes import Route

pytestmark = pytest.mark.slow
ROLES: Final[tuple[Role, ...]] = ("reader", "user", "admin")
ODD: Final = ("' or 1=1 --", "x", "-1", "0", "99999999999999999999", "../..", "%00", "<script>", "æ" * 300)
_NOT_OURS: Final = frozenset({"session", "person", "used_pass", "api_key", "alembic_version", "kept_form", "presence"})
"""What getting in writes, and what is kept of a form whose session had ended, for its own person alone."""


@dataclass
class World:
    """A tenant in which there is one of everything; nobody else may see or change any of it."""

    pages: Pages
    ids: dict[str, str]
    before: str

    def path(self, route: str, **others: str) -> str:
        """That address with the tenant's own ids, or with ``every`` in place of each."""
        return re.sub(
            r"\{(\w+)\}", lambda found: quote(others.get("every", self.ids.get(found[1], str(uuid4()))), safe=""), route
        )

    def ask(self, browser: Browser, route: Route, path: str, **fields: Any) -> httpx.Response:
        if route[0] == "GET":
            return browser.get(path)
        return browser.post(path, fields)

    def unchanged(self) -> None:
        assert held(self.pages.engine) == self.before, "a request that was refused changed something"


def held(engine: sa.Engine) -> str:
    """Everything the schema holds, as one sum; but for who is in."""
    with engine.connect() as connection:
        names = connection.scalars(
            sa.text("select tablename from pg_tables where schemaname = 'sync' order by 1")
        ).all()
        sums = [
            connection.scalar(sa.text(f"select md5(string_agg(t::text, '|' order by t::text)) from sync.{name} t"))
            for name in names
            if name not in _NOT_OURS and not name.startswith("outbox_2")
        ]
    return str(sums)


@pytest.fixture
def world(pages: Pages) -> World:
    ids = {name: str(found[0]) for name, found in everything(pages).ids.items()}
    assert pages.arrive(tenant=TENANT).get(f"/customers/{ids['crm_id']}").status_code == 200  # a look is no change
    return World(pages=pages, ids=ids, before=held(pages.engine))


def key(pages: Pages, role: Role, tenant: str = TENANT) -> dict[str, str]:
    with pages.engine.begin() as connection:
        made = people.make_key(connection, tenant, "a service", role, pages.time)[1]
    return {"authorization": f"Bearer {made}"}


def held_pass(pages: Pages, role: str, **given: Any) -> str:
    at = int(pages.time.timestamp())
    claims = {
        "aud": "widget", "jti": uuid4().hex, "iat": at, "exp": at + 600, "tenant": TENANT, "sub": "u1",
        "name": "Anne Holm", "role": role, "customer": "48211", **given,
    }  # fmt: skip
    return sign("one", KEY, claims)


def test_nobody_and_whose_session_ended_sees_and_does_nothing(world: World) -> None:
    idle, nobody = world.pages.arrive(tenant=TENANT, role="admin"), world.pages.browser()
    token = idle.token()
    ended = world.pages.arrive(tenant=TENANT, role="admin")
    ended.post("/sign-out", {"form_token": ended.token()})
    world.pages.later(minutes=31)
    for route in routes.PAGES:
        for browser in (nobody, idle, ended):
            answer = world.ask(browser, route, world.path(route[1]), form_token=token)
            assert answer.status_code == 401, route
            assert "Birk" not in answer.text
    world.unchanged()


def test_a_form_that_is_not_of_this_session_is_forged(world: World) -> None:
    mine = world.pages.arrive(tenant=TENANT, role="admin")
    theirs = world.pages.arrive(tenant=TENANT, role="admin", sub="u2")
    token, other = mine.token(), theirs.token()
    for method, path in routes.PAGES:
        if method == "GET":
            continue
        at = world.path(path)
        for fields, headers in (
            ({}, {}),
            ({"form_token": other}, {}),
            ({"form_token": ""}, {}),
            ({"form_token": token}, {"sec-fetch-site": "cross-site"}),
            ({"form_token": token}, {"sec-fetch-site": "same-site"}),
        ):
            assert mine.post(at, fields, **headers).status_code == 403, (path, fields, headers)
        for headers in ({}, {"origin": CRM}, {"origin": "null"}):
            answer = mine.client.post(mine.url + at, data={"form_token": token}, headers=headers)
            assert answer.status_code == 403, (path, headers)
        assert mine.client.get(mine.url + at).status_code in {200, 303, 404, 405}, "no form is sent by an address alone"
    world.unchanged()


def test_each_role_may_what_its_right_says_and_no_more(world: World) -> None:
    for role in ROLES:
        browser = world.pages.arrive(tenant=TENANT, role=role, sub=role)
        token = browser.token()
        for route, right in routes.PAGES.items():
            if may(role, right) and route[0] == "POST":
                continue
            answer = world.ask(browser, route, world.path(route[1]), form_token=token)
            assert answer.status_code < 500, (role, route)
            assert (answer.status_code == 403) is not may(role, right), (role, route, answer.status_code)
    world.unchanged()


def test_another_tenant_finds_nothing_of_this_one(world: World) -> None:
    stranger = world.pages.arrive(tenant="other", role="admin")
    token = stranger.token()
    for route in routes.PAGES:
        path = world.path(route[1])
        answer = world.ask(stranger, route, path, form_token=token, **routes.FORMS.get(route, {}))
        if "{" in route[1]:
            assert answer.status_code == 404, (route, answer.status_code)
        assert answer.status_code < 500, route
        assert "Birk" not in answer.text, route
        assert "48211" not in answer.text, route
    world.unchanged()


def test_ids_that_are_none_and_languages_that_are_none_end_in_no_mistake_of_ours(world: World) -> None:
    browser = world.pages.arrive(tenant=TENANT, role="admin")
    token = browser.token()
    for route in routes.PAGES:
        for odd in ODD if "{" in route[1] else ():
            path = world.path(route[1], every=odd)
            answer = world.ask(browser, route, path, form_token=token, **routes.FORMS.get(route, {}))
            assert answer.status_code == 404, (route, path, answer.status_code)
            answer = world.ask(browser, route, f"{world.path(route[1])}?page={odd}&from={odd}&list={odd}&search={odd}")
            assert answer.status_code < 500, (path, answer.status_code)
        if route[0] == "GET":
            answer = browser.get(world.path(route[1]) + "?lang=kl&page=-1&decision=x&stale=" + "y" * 500)
            assert answer.status_code < 500, route
            if answer.headers.get("content-type", "").startswith("text/html"):
                assert answer.headers["content-language"] in {"da", "en"}
    world.unchanged()


def test_what_is_too_large_or_no_form_at_all_is_refused(world: World) -> None:
    browser = world.pages.arrive(tenant=TENANT, role="admin")
    token = browser.token()
    for method, path in routes.PAGES:
        if method == "GET":
            continue
        at = browser.url + world.path(path)
        headers = {"sec-fetch-site": "same-origin"}
        large = browser.client.post(at, data={"form_token": token, "x": "y" * 70_000}, headers=headers)
        assert large.status_code == 413, path
        assert "Det, der blev sendt, fylder for meget. Intet er ændret." in large.text, path
        for body in (b"\xff\xfe\x00", b"{}", b"form_token=" + b"&a=b" * 300, b"%ff=%fe"):
            assert browser.client.post(at, content=body, headers=headers).status_code == 403, (path, body)
        for odd in (
            {"decision": "' or 1=1 --", "choice.x.name": "crm", "number": "7; drop", "task": "\0"},
            {**routes.FORMS.get((method, path), {}), "surely": "no field of ours"},
        ):
            answer = browser.client.post(at, data={"form_token": token, **odd}, headers=headers)
            assert answer.status_code == 400, (path, odd, answer.status_code)
    world.unchanged()


def test_a_page_of_a_letter_opens_for_nobody_who_does_not_hold_it(world: World) -> None:
    """Nor for a session, a pass or a key; what holds is in ``test_letter``."""
    admin = world.pages.arrive(tenant=TENANT, role="admin")
    guessed = (*ODD, "x" * 43, str(uuid4()), admin.client.cookies.get("sync") or "", held_pass(world.pages, "admin"))
    for route in routes.BEARERS:
        for one in guessed:
            for browser in (admin, world.pages.browser()):
                answer = world.ask(browser, route, world.path(route[1], every=one))
                followed = browser.get(answer.headers["location"]) if answer.status_code == 303 else answer
                assert followed.status_code == 404, (route, one, followed.status_code)
                assert "Birk" not in followed.text
    path = world.path("/letter/{token}", every="x" * 43)
    for headers in ({}, {"origin": CRM}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}):
        assert admin.client.post(admin.url + path, headers=headers).status_code == 403, headers
    assert admin.post(path, {"surely": "no field of ours"}).status_code == 400
    world.unchanged()


def test_a_pass_opens_its_customer_for_its_role_and_nothing_else(world: World) -> None:
    for route, right in routes.FRAMED.items():
        browser = world.pages.browser()
        for bad in ("", "x", held_pass(world.pages, "owner"), held_pass(world.pages, "admin", exp=0)):
            answer = world.ask(browser, route, f"{route[1]}?pass={bad}", **{"pass": bad})
            assert answer.status_code == 401, route
            assert "Birk" not in answer.text
        for role in ROLES:
            if may(role, right) and route[0] == "POST":
                continue
            mine = held_pass(world.pages, role)
            answer = world.ask(browser, route, f"{route[1]}?pass={mine}", **{"pass": mine})
            assert (answer.status_code == 403) is not may(role, right), (role, route, answer.status_code)
            assert answer.status_code < 500
        other = held_pass(world.pages, "admin", tenant="other")
        form = routes.FORMS.get((route[0], route[1].replace("/widget", "/customers/{crm_id}")), {})
        answer = world.ask(browser, route, f"{route[1]}?pass={other}", **{"pass": other, **form})
        assert "Birk" not in answer.text
        assert answer.status_code in ({200, 404} if route[0] == "GET" else {404}), (route, answer.status_code)
        if route[0] == "POST":
            mine = held_pass(world.pages, "admin")
            answer = world.ask(browser, route, route[1], **{"pass": mine, **form, "surely": "no field of ours"})
            assert answer.status_code == 400, (route, answer.status_code)
        assert "set-cookie" not in answer.headers
    world.unchanged()


def test_a_key_opens_its_tenant_for_its_role_and_nothing_else(world: World) -> None:
    client = world.pages.browser().client
    keys = {role: key(world.pages, role) for role in ROLES}
    other = key(world.pages, "admin", "other")
    for (method, path), right in routes.SERVICES.items():
        at = world.pages.url + world.path(path)
        sent: dict[str, Any] = {"json": {"surely": "no field of ours"}} if method != "GET" else {}
        for bad in ({}, {"authorization": "Bearer cme_x"}, {"authorization": "Basic eDp5"}):
            answer = client.request(method, at, headers=bad, **sent)
            assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json"), path
        if method != "GET":
            english = {**keys["admin"], "accept-language": "en"}
            large = client.request(method, at, content=b"x" * 70_000, headers=english)
            assert (large.status_code, large.headers["content-type"]) == (413, "application/problem+json"), path
            assert large.json()["detail"] == "A request may take 64 KiB. Nothing was changed; send less at one time.", (
                path
            )
        for role, held_key in keys.items():
            broken: dict[str, Any] = {"content": b"{\xff", "headers": {**held_key, "content-type": "application/json"}}
            if not may(role, right):
                for answer in (
                    client.request(method, at, headers=held_key, **sent),
                    client.request(method, at, **broken),
                ):
                    assert answer.status_code == 403, (role, path, answer.status_code)
            elif method != "GET" and (method, path) in routes.BODIES:
                for answer in (
                    client.request(method, at, headers=held_key, **sent),
                    client.request(method, at, **broken),
                ):
                    assert answer.status_code == 422, (role, path, answer.status_code)
            for query in ("?surely=no", "?lang=da&lang=da", "?lang=kl"):
                answer = client.request(method, at + query, headers=held_key, **sent)
                assert answer.status_code == (422 if may(role, right) else 403), (role, path, answer.status_code)
        body = routes.BODIES.get((method, path))
        answer = client.request(method, at + routes.QUERIES.get(path, ""), headers=other, json=body)
        if "{" in path and path != routes.STATUS:
            assert answer.status_code == 404, (path, answer.status_code, answer.text)
        assert answer.status_code < 500, path
        assert "Birk" not in answer.text, path
        for odd in ODD if "{" in path else ():
            odd_at = world.pages.url + world.path(path, every=odd) + routes.QUERIES.get(path, "")
            answer = client.request(method, odd_at, headers=keys["admin"], json=body)
            assert answer.status_code in ({200, 404, 422} if path == routes.STATUS else {404, 422}), (
                odd_at,
                answer.status_code,
            )
    world.unchanged()
