"""The connection pages: only for a real attempt, clean addresses, and one sentence for each way it can end."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import sqlalchemy as sa
from starlette.types import ASGIApp

from economic_adapter import attempt as attempts
from economic_adapter.attempt import Attempt, Ending
from economic_adapter.connecting import PATH, Connecting, link
from economic_adapter.hooks import Webhooks, app
from economic_adapter.sealing import KeyRing
from economic_adapter.sentences import SENTENCES, say
from economic_adapter.store import Gather
from tests.builders.http import Reply, ask

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
KEYS = KeyRing(keys={"k1": bytes(range(32))})
GRANT = "canary-grant-of-nobody"
ATTEMPT = Attempt(tenant="t1", locale="da", nonce="n1", expires=NOW + attempts.LIFETIME)
PUBLIC = "https://sync.example.com"
INVITES = b"k" * 32
BACK = "https://sync.example.com/set-up"


def invitation(key: bytes = INVITES, **given: object) -> str:
    """What the set-up page signs; only what the test names matters."""
    claims = {
        "aud": "connect",
        "jti": "n1",
        "exp": int(NOW.timestamp()) + 1800,
        "tenant": "t7",
        "lang": "en",
        "back": BACK,
    }
    return str(jwt.encode({**claims, **given}, key, algorithm="HS256"))


class Site:
    """The app with a browser that keeps its cookies."""

    def __init__(self, *, ready: bool = True) -> None:
        self.ending = Ending(sentence="connected", names={"company": "Nordhavn Tømrer ApS", "number": "123456"})
        self.connected: list[tuple[str, str]] = []
        self.given_by: list[str] = []
        self.parted: list[tuple[str, int]] = []
        self.in_use = False
        self.cookies: dict[str, str] = {}
        connecting = Connecting(
            keys=KEYS,
            connect=self._connect,
            part=self._part,
            now=lambda: NOW,
            public_url=PUBLIC,
            login_url="https://secure.e-conomic.com",
            app_public="our-public-token",
            invites=INVITES,
            ready=ready,
        )
        nowhere = sa.create_engine("postgresql+psycopg://nobody@127.0.0.1:1/nothing")
        webhooks = Webhooks(engine=nowhere, now=lambda: NOW, gather=Gather())
        self.app: ASGIApp = app(webhooks, connecting, https=True)

    def get(self, query: str = "") -> Reply:
        return self._keep(ask(self.app, PATH, query=query, headers=self._headers()))

    def post(self, body: str) -> Reply:
        kind = {"content-type": "application/x-www-form-urlencoded"}
        return self._keep(ask(self.app, PATH, method="POST", body=body.encode(), headers={**self._headers(), **kind}))

    def start(self, attempt: Attempt = ATTEMPT) -> Reply:
        return self.get(urlsplit(link(KEYS, PUBLIC, attempt)).query)

    def _connect(self, tenant: str, grant: str, by: str) -> Ending:
        self.connected.append((tenant, grant))
        self.given_by.append(by)
        return self.ending

    def _part(self, tenant: str, number: int) -> bool:
        self.parted.append((tenant, number))
        return not self.in_use

    def answer(self, right: str) -> Reply:
        """Press a button of the question."""
        token = re.search(r'name="form_token" value="([^"]+)"', text(self.get()))
        assert token is not None
        return self.post(f"right={right}&form_token={token[1]}")

    def _headers(self) -> dict[str, str]:
        return {"cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}

    def _keep(self, reply: Reply) -> Reply:
        for cookie in reply.cookies:
            name, _, rest = cookie.partition("=")
            self.cookies[name] = rest.partition(";")[0].strip('"')
        return reply


@pytest.fixture
def site() -> Site:
    return Site()


def text(reply: Reply) -> str:
    return reply.body.decode()


def test_without_an_attempt_nothing_is_shown_and_nothing_taken(site: Site) -> None:
    for reply in (site.get(), site.get(f"token={GRANT}"), site.get("attempt=forged.x"), site.post(f"grant={GRANT}")):
        assert reply.status == 403
        assert say("da", "no_attempt") in text(reply)
        assert "<form" not in text(reply)
    assert site.connected == []


def test_an_attempt_goes_into_a_cookie_and_out_of_the_address(site: Site) -> None:
    reply = site.start()
    assert (reply.status, reply.headers["location"]) == (303, PUBLIC + PATH)
    cookie = next(cookie for cookie in reply.cookies if cookie.startswith("economic_attempt="))
    assert {"HttpOnly", "Secure", "SameSite=lax", f"Path={PATH}"} <= {part.strip() for part in cookie.split(";")}
    page = site.get()
    assert page.status == 200
    install = re.search(r'href="([^"]+)"', text(page))
    assert install is not None
    address = urlsplit(install[1].replace("&amp;", "&"))
    assert address.hostname == "secure.e-conomic.com"
    assert parse_qs(address.query) == {
        "appPublicToken": ["our-public-token"],
        "redirectUrl": [PUBLIC + PATH],
        "locale": ["da-DK"],
    }


def test_a_grant_that_comes_back_is_taken_and_leaves_the_address(site: Site) -> None:
    site.start()
    reply = site.get(f"token={GRANT}")
    assert (reply.status, reply.headers["location"]) == (303, PUBLIC + PATH)
    assert site.connected == [("t1", GRANT)]
    assert GRANT not in str(reply.headers) + str(reply.cookies) + text(reply)
    page = site.get()
    assert "I er forbundet med Nordhavn Tømrer ApS, aftale 123456." in text(page)
    assert "<form" not in text(page)
    site.get()
    assert len(site.connected) == 1


def test_a_pasted_grant_needs_the_forms_own_token(site: Site) -> None:
    site.start()
    token = re.search(r'name="form_token" value="([^"]+)"', text(site.get()))
    assert token is not None
    refused = site.post(f"grant={GRANT}&form_token=wrong")
    assert refused.status == 403
    assert say("da", "stale_form") in text(refused)
    assert site.connected == []
    assert site.post(f"grant=+{GRANT}+&form_token={token[1]}").status == 303
    assert site.connected == [("t1", GRANT)]


@pytest.fixture
def asked(site: Site) -> Site:
    """A site that connected an agreement nobody has used, and asks whether it is the right one."""
    site.ending = replace(site.ending, ask=True)
    site.start()
    site.get(f"token={GRANT}")
    return site


def test_a_new_connection_is_asked_about_by_company_and_number(asked: Site) -> None:
    page = text(asked.get())
    assert "I er forbundet med Nordhavn Tømrer ApS, aftale 123456. Er det den rigtige?" in page
    assert re.findall(r'name="right" value="(\w+)">([^<]+)<', page) == [("yes", "Ja"), ("no", "Nej, vælg en anden")]
    assert "requestaccess" not in page
    assert asked.parted == []


def test_yes_ends_the_attempt_and_is_not_asked_again(asked: Site) -> None:
    assert asked.answer("yes").status == 303
    page = text(asked.get())
    assert "I er forbundet med Nordhavn Tømrer ApS, aftale 123456." in page
    assert say("da", "close") in page
    assert "<form" not in page
    assert asked.parted == []


def test_no_erases_the_access_and_lets_another_be_chosen(asked: Site) -> None:
    assert asked.answer("no").status == 303
    assert asked.parted == [("t1", 123456)]
    page = text(asked.get())
    assert "Adgangen til Nordhavn Tømrer ApS, aftale 123456, er slettet igen. Vælg en anden." in page
    assert "requestaccess" in page
    assert asked.answer("no").status == 403
    assert len(asked.parted) == 1


def test_no_to_one_that_is_in_use_by_now_changes_nothing_and_says_so(asked: Site) -> None:
    asked.in_use = True
    asked.answer("no")
    assert "Aftale 123456 er taget i brug i mellemtiden." in text(asked.get())


def test_an_answer_needs_the_forms_own_token_and_a_question(site: Site, asked: Site) -> None:
    assert asked.post("right=no&form_token=wrong").status == 403
    assert asked.answer("perhaps").status == 403
    assert asked.parted == []
    asked.answer("yes")
    asked.start()
    assert asked.answer("no").status == 403
    assert asked.parted == []


@pytest.mark.parametrize(
    "query", ["token=", "error=access_denied", "token=" + "x" * 600, "token=a%20b", "token=%C3%A6"]
)
def test_no_grant_is_told_as_refused(site: Site, query: str) -> None:
    site.start()
    assert site.get(query).status == 303
    assert say("da", "refused") in text(site.get())
    assert site.connected == []


@pytest.mark.parametrize(
    "sentence", ["refused", "wrong_agreement", "api_missing", "role_small", "closed", "away", "elsewhere", "no_app"]
)
@pytest.mark.parametrize("locale", ["da", "en"])
def test_each_failure_has_its_own_sentence(site: Site, sentence: str, locale: attempts.Locale) -> None:
    names = {"new": "7", "new_company": "Ny & Søn", "number": "123456", "company": "<b>Nordhavn</b>"}
    site.ending = Ending(sentence=sentence, names=names)
    site.start(Attempt(tenant="t1", locale=locale, nonce="n1", expires=ATTEMPT.expires))
    site.get(f"token={GRANT}")
    page = text(site.get())
    said = say(locale, sentence, names).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert said.replace("'", "&#39;") in page
    assert "<b>" not in page


def test_without_our_own_keys_the_page_says_who_must_act() -> None:
    site = Site(ready=False)
    site.start()
    assert say("da", "no_app") in text(site.get())
    site.get(f"token={GRANT}")
    assert site.connected == []


def test_every_answer_carries_the_security_headers(site: Site) -> None:
    site.start()
    for reply in (site.get(), ask(site.app, "/nothing"), ask(site.app, PATH, method="DELETE")):
        assert reply.headers["referrer-policy"] == "no-referrer"
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert reply.headers["cache-control"] == "no-store"
        assert "strict-transport-security" in reply.headers
    policy = site.get().headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy


def test_every_sentence_exists_in_both_languages() -> None:
    for danish, english in SENTENCES.values():
        assert danish
        assert english
        assert set(re.findall(r"{(\w+)}", danish)) == set(re.findall(r"{(\w+)}", english))


def test_the_set_up_page_invites_a_tenant_and_is_led_back_to(site: Site) -> None:
    reply = site.get(f"attempt={invitation(sub='u7')}")
    assert (reply.status, reply.headers["location"]) == (303, PUBLIC + PATH)
    shown = text(site.get())
    assert say("en", "connect") in shown
    assert f'<a href="{BACK}">{say("en", "back")}</a>' in shown
    site.get(f"token={GRANT}")
    assert site.connected == [("t7", GRANT)]
    assert site.given_by == ["u7"]
    shown = text(site.get())
    assert f'<a href="{BACK}">' in shown
    assert say("en", "close") not in shown


def test_whether_it_is_the_right_one_is_asked_where_the_answer_is_kept(site: Site) -> None:
    site.ending = replace(site.ending, ask=True)
    site.get(f"attempt={invitation(lang='da')}")
    site.get(f"token={GRANT}")
    shown = text(site.get())
    assert say("da", "yes") not in shown
    assert say("da", "connected", site.ending.names) in shown
    assert f'<a href="{BACK}">{say("da", "back")}</a>' in shown


@pytest.mark.parametrize(
    "held",
    [
        invitation(b"x" * 32), invitation(aud="launch"), invitation(exp=int(NOW.timestamp())),
        invitation(exp=int(NOW.timestamp()) + 7200), invitation(exp=10**20), invitation(lang="kl"),
        invitation(tenant=None), invitation()[:-3], "a.b.c", "x" * 5000,
        jwt.encode({"aud": "connect", "jti": "n", "exp": int(NOW.timestamp()) + 60, "tenant": "t7"}, "", algorithm="none"),
    ],
)  # fmt: skip
def test_what_is_no_invitation_of_ours_opens_nothing(site: Site, held: str) -> None:
    reply = site.get(f"attempt={held}")
    assert reply.status == 403
    assert say("da", "no_attempt") in text(reply)


def test_without_a_key_nobody_is_invited() -> None:
    assert attempts.invited(b"", invitation(), NOW) is None
