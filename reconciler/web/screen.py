"""How does a page get to the screen? Templates with everything escaped, our own files under names that change with them."""

import hashlib
import mimetypes
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final

from fastapi import Request, Response
from jinja2 import Environment, PackageLoader, StrictUndefined

from reconciler.person import Right, may
from reconciler.web.asks import shown
from reconciler.web.doors import Known
from reconciler.web.site import Site
from reconciler.web.words import Words

HEADERS: Final = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cross-origin-opener-policy": "same-origin",
}
STRICT_TRANSPORT: Final = {"strict-transport-security": "max-age=31536000"}
PLACES: Final[tuple[tuple[str, str, Right], ...]] = (
    ("", "Choose the right details", "see"),
    ("customers", "Customers", "see"),
    ("suggestions", "Suggested links", "see"),
    ("health", "Health", "see"),
    ("transfer", "Transfer all customers from e-conomic", "administer"),
    ("set-up", "Set-up", "administer"),
)
"""What the menu leads to: path, words, and the right without which it is not shown."""
_A_YEAR: Final = "public, max-age=31536000, immutable"
_TURNING: Final = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Marks that turn the writing round, also that of the page behind the text they stand in (Unicode Annex 9)."""
_BETWEEN_TAGS: Final = re.compile(r"(?<=>)[^<]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One of our own files: what it holds, of which type, and the name it is asked for by."""

    body: bytes
    media_type: str
    name: str


def _files() -> Mapping[str, File]:
    found = {}
    for one in resources.files("reconciler.web").joinpath("static").iterdir():
        body = one.read_bytes()
        stem, _, ending = one.name.rpartition(".")
        name = f"{stem}.{hashlib.sha256(body).hexdigest()[:12]}.{ending}"
        media_type = mimetypes.guess_type(one.name)[0] or "application/octet-stream"
        found[one.name] = File(body=body, media_type=media_type, name=name)
    return found


FILES: Final = _files()
_BY_NAME: Final = {one.name: one for one in FILES.values()}


def static(request: Request) -> Response:
    """One of our own files, for good: another content has another name."""
    found = _BY_NAME.get(request.path_params["name"])
    if found is None:
        return Response("Not found\n", 404, media_type="text/plain")
    return Response(found.body, media_type=found.media_type, headers={"cache-control": _A_YEAR})


def page(site: Site, name: str, one: Known, status: int = 200, /, **values: Any) -> Response:
    """A page of somebody who is signed in."""
    places = [(path, text) for path, text, right in PLACES if may(one.person.role, right)]
    signed_in = {"who": one.person, "form_token": one.form_token, "places": places}
    return _shown(site, name, one.words, status, {**signed_in, **values})


def framed(site: Site, name: str, words: Words, /, **values: Any) -> Response:
    """A page that stands inside a page of the CRM."""
    return _framed(site, name, words, 200, values)


def bare_framed(site: Site, name: str, words: Words, status: int, /, **values: Any) -> Response:
    """As ``bare``, where it stands inside a page of the CRM; ``back`` is the path of the status there.

    That something went wrong here is not said to the CRM's page, which then says so itself and asks anew.
    """
    return _framed(site, name, words, status, {"home": False, "sheet": "framed.html", "speaks": status < 500, **values})


def piece(site: Site, name: str, words: Words, /, **values: Any) -> str:
    """A piece of a page, for a script of that page."""
    return _rendered(site, name, words, {"who": None, "form_token": "", "places": [], **values})


def bare(site: Site, name: str, words: Words, status: int, /, **values: Any) -> Response:
    """A page for somebody we do not know, or when something went wrong. ``home``: it may lead to the first page."""
    return _shown(site, name, words, status, {"who": None, "form_token": "", "places": [], "home": True, **values})


def policy(site: Site, *, framed: bool = False) -> str:
    """What a page may load and who may frame it (Content Security Policy Level 3): ours only, nobody unless it is a widget."""
    framers = site.crm_origin if framed else "'none'"
    return (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
        f"form-action 'self' {site.crm_origin}; frame-ancestors {framers}"
    )


def _framed(site: Site, name: str, words: Words, status: int, values: Mapping[str, Any]) -> Response:
    nobody: dict[str, Any] = {"who": None, "form_token": "", "places": [], "back": "", "speaks": True}
    response = _shown(site, name, words, status, {**nobody, "crm": site.crm_origin, **values})
    response.headers["content-security-policy"] = policy(site, framed=True)
    return response


def _shown(site: Site, name: str, words: Words, status: int, values: Mapping[str, Any]) -> Response:
    html = _rendered(site, name, words, values)
    headers = {"content-security-policy": policy(site), "content-language": words.language}
    return Response(html, status, headers, "text/html; charset=utf-8")


def _rendered(site: Site, name: str, words: Words, values: Mapping[str, Any]) -> str:
    html = _PAGES.get_template(name).render(
        say=words,
        read=shown,
        file=lambda one: f"static/{FILES[one].name}",
        base=site.public_url.rstrip("/") + "/",
        **{"sheet": "base.html", **values},
    )
    return _unturned(html) if _TURNING.search(html) else html


def _unturned(html: str) -> str:
    """A page without marks that turn its writing round; what a form sends back is left as it came."""
    return _BETWEEN_TAGS.sub(lambda text: _TURNING.sub("", text.group()), html)


_PAGES: Final = Environment(
    loader=PackageLoader("reconciler.web"),
    auto_reload=False,  # else the files of each page are looked for on the disk again each time
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
