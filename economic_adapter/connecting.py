"""How does a person give us access? The pages at ``/connect/economic``: out to e-conomic, and back with a grant.

The grant comes back in the address, so it is taken, and the browser is sent to a clean address before a page is shown;
it is never logged and never leaves this process unsealed.
"""

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from http.cookies import SimpleCookie
from urllib.parse import parse_qsl, urlencode, urlsplit

from fastapi import Request, Response
from jinja2 import Environment, PackageLoader

from economic_adapter import attempt as attempts
from economic_adapter.attempt import Attempt, Ending
from economic_adapter.contract import CONNECT_PATH
from economic_adapter.sealing import KeyRing
from economic_adapter.sentences import say, tell

PATH = CONNECT_PATH
INSTALL = "/secure/api1/requestaccess.aspx"
LONGEST_GRANT = 512
_ATTEMPT, _ENDING = "economic_attempt", "economic_ending"

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;margin:0;background:#f6f7f8;color:#1d2429}"
    "main{max-width:34rem;margin:10vh auto;padding:2rem;background:#fff;border-radius:8px}"
    "h1{font-size:1.4rem;margin-top:0}.good{color:#17603a}.bad{color:#8f1d1d}"
    ".button,button{display:inline-block;padding:.5rem 1rem;border:0;border-radius:4px;background:#1c5d99;color:#fff;"
    "font:inherit;text-decoration:none;cursor:pointer}input{font:inherit;padding:.45rem;width:16rem}"
)
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
CONTENT_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Connecting:
    """The pages, with what they need. ``connect`` takes a tenant, a grant and who gave it, and says how it ended.

    ``part`` takes a tenant and the number of an agreement that is not the right one; false when it is in use.
    """

    keys: KeyRing
    connect: Callable[[str, str, str], Ending]
    part: Callable[[str, int], bool]
    now: Callable[[], datetime]
    public_url: str
    login_url: str
    app_public: str
    invites: bytes = field(default=b"", repr=False)
    """The key under which the set-up page invites; empty, and only the operator's links are taken."""
    ready: bool
    """Whether the server has our own secret; without it nothing can be asked of e-conomic."""

    def page(self, request: Request) -> Response:
        """GET: start an attempt, take a grant that came back, or show where things stand."""
        query = dict(parse_qsl(request.url.query, keep_blank_values=True, max_num_fields=20))
        if (text := query.get("attempt")) is not None:
            return self._start(text)
        attempt = self._attempt(request)
        if attempt is None:
            return self._shown(None, Ending(sentence="no_attempt"), 403)
        if "token" in query or "error" in query:
            return self._end(attempt, query.get("token", ""))
        ending = attempts.kept(self.keys, attempt, _cookie(request, _ENDING))
        return self._shown(attempt, ending, 200)

    def form(self, request: Request) -> Response:
        """POST: a grant pasted by hand, or whether the agreement is the right one. The form must be the attempt's own."""
        attempt = self._attempt(request)
        if attempt is None:
            return self._shown(None, Ending(sentence="no_attempt"), 403)
        body: bytes = request.state.body
        fields = dict(parse_qsl(body.decode("utf-8", "replace"), max_num_fields=10))
        if not attempts.form_token_holds(self.keys, attempt, fields.get("form_token", "")):
            return self._shown(attempt, Ending(sentence="stale_form"), 403)
        if "right" in fields:
            return self._answered(
                attempt, attempts.kept(self.keys, attempt, _cookie(request, _ENDING)), fields["right"]
            )
        return self._end(attempt, fields.get("grant", ""))

    def _answered(self, attempt: Attempt, ending: Ending | None, right: str) -> Response:
        if ending is None or not ending.ask or right not in {"yes", "no"}:
            return self._shown(attempt, Ending(sentence="stale_form"), 403)
        sentence = "connected"
        if right == "no":
            sentence = "parted" if self.part(attempt.tenant, int(ending.names["number"])) else "in_use"
        return self._ended(attempt, Ending(sentence=sentence, names=ending.names))

    def _start(self, text: str) -> Response:
        attempt = attempts.read(self.keys, text, self.now()) or attempts.invited(self.invites, text, self.now())
        if attempt is None:
            return self._shown(None, Ending(sentence="no_attempt"), 403)
        response = _to(self.public_url + PATH)
        self._set(response, _ATTEMPT, attempts.issue(self.keys, attempt))
        response.delete_cookie(_ENDING, path=self._place)
        return response

    def _end(self, attempt: Attempt, grant: str) -> Response:
        grant = grant.strip()
        if not grant or len(grant) > LONGEST_GRANT or not grant.isascii() or not grant.isprintable() or " " in grant:
            ending = Ending(sentence="refused")
        elif not self.ready:
            ending = Ending(sentence="no_app")
        else:
            ending = self.connect(attempt.tenant, grant, attempt.by)
        return self._ended(attempt, ending)

    def _ended(self, attempt: Attempt, ending: Ending) -> Response:
        response = _to(self.public_url + PATH)
        self._set(response, _ENDING, attempts.keep(self.keys, attempt, ending))
        return response

    @property
    def _place(self) -> str:
        """The page's path as browsers know it, behind a proxy that may have put something before it."""
        return urlsplit(self.public_url).path + PATH

    def _attempt(self, request: Request) -> Attempt | None:
        return attempts.read(self.keys, _cookie(request, _ATTEMPT), self.now())

    def _set(self, response: Response, name: str, text: str) -> None:
        response.set_cookie(
            name,
            text,
            max_age=int(attempts.LIFETIME.total_seconds()),
            path=self._place,
            secure=self.public_url.startswith("https:"),
            httponly=True,
            samesite="lax",
        )

    def _shown(self, attempt: Attempt | None, ending: Ending | None, status: int) -> Response:
        locale = attempt.locale if attempt else "da"
        if attempt is not None and attempt.back and ending is not None:
            ending = replace(ending, ask=False)  # the page that leads here asks, and keeps the answer
        if ending is None and not self.ready:
            ending = Ending(sentence="no_app")
        html = _PAGES.get_template("connect.html").render(
            locale=locale,
            say=lambda sentence: say(locale, sentence),
            style=_STYLE,
            told=tell(locale, ending) if ending else "",
            good=ending is not None and ending.sentence == "connected",
            ask=ending is not None and ending.ask,
            open=attempt is not None and self.ready,
            back=attempt.back if attempt else "",
            install=self._install(attempt) if attempt and self.app_public else "",
            action=self._place,
            form_token=attempts.form_token(self.keys, attempt) if attempt else "",
        )
        return Response(html, status, {"content-security-policy": CONTENT_POLICY}, "text/html; charset=utf-8")

    def _install(self, attempt: Attempt) -> str:
        values = {
            "appPublicToken": self.app_public,
            "redirectUrl": self.public_url + PATH,
            "locale": "en-US" if attempt.locale == "en" else "da-DK",
        }
        return f"{self.login_url}{INSTALL}?{urlencode(values)}"


def link(keys: KeyRing, public_url: str, attempt: Attempt) -> str:
    """The address that starts an attempt in a browser."""
    return f"{public_url}{PATH}?{urlencode({'attempt': attempts.issue(keys, attempt)})}"


def _cookie(request: Request, name: str) -> str:
    found = SimpleCookie(request.headers.get("cookie", "")).get(name)
    return found.value if found else ""


def _to(address: str) -> Response:
    return Response(status_code=303, headers={"location": address})


_PAGES = Environment(loader=PackageLoader("economic_adapter"), autoescape=True)
