"""Who is at the door? A browser with a session, a widget with a pass, a service with a key; and how a session begins.

Nobody is known by anything a page was given but these three. A form of a session must come from our own pages and carry the
session's token; a widget's form carries its pass and no cookie counts there.
"""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

from fastapi import Request, Response

from crm_outbox.messaging.settings import origin_of
from reconciler import passes, people
from reconciler.passes import Pass
from reconciler.people import Session
from reconciler.person import Kept, Person, Right, may
from reconciler.web.site import Site
from reconciler.web.words import Words, language

_FIELDS = 200
"""Fields a form may have at most."""
_LONGEST_PATH = 1000


class NotIn(Exception):
    """Nobody we know, or not any more. ``kept``: what they had chosen is there when they come back."""

    def __init__(self, why: str = "", *, kept: bool = False) -> None:
        super().__init__(why)
        self.kept = kept


class Forged(Exception):
    """A form that did not come from a page of this very session."""


class Lacking(Exception):
    """Known, and without the right for this. ``helpers`` are those who have it."""

    def __init__(self, helpers: list[str]) -> None:
        super().__init__("no right")
        self.helpers = helpers


class Unknown(Exception):
    """Nothing of that id in this tenant."""


class _Reasoned(Exception):
    """Why not, by its English words; ``values`` are filled in, in whatever language it is said."""

    def __init__(self, text: str = "", **values: str) -> None:
        super().__init__(text.format_map(values) if values else text)
        self.text = text
        self.values = values


class Conflict(_Reasoned):
    """What was asked for cannot be now, or not any more."""


class Senseless(_Reasoned):
    """What no page of ours sends: a choice that is not on the list, a detail that is not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A person at a browser, the words they read, and what their session's forms carry."""

    session: Session
    words: Words
    form_token: str

    @property
    def person(self) -> Person:
        """Who it is."""
        return self.session.person


def known(site: Site, request: Request) -> Known:
    """The person of this browser's session; ``NotIn`` for nobody."""
    cookie = _cookie(request, cookie_name(site))
    with site.engine.begin() as connection:
        session = people.find(connection, cookie, site.now()) if cookie else None
    if session is None:
        raise NotIn
    chosen = request.query_params.get("lang"), *session.languages
    words = spoken(site, request, *chosen)
    return Known(session=session, words=words, form_token=_form_token(session))


def spoken(site: Site, request: Request, *chosen: str | None) -> Words:
    """The words of whoever asks, from now on also where this request fails: what they or theirs chose, else their browser's."""
    found = language(*chosen, accepted=request.headers.get("accept-language", ""))
    request.state.language = found
    return Words(found, site.now())


def keep(site: Site, request: Request, page: str) -> bool:
    """Keep the form of somebody whose session ended while they filled it in, if it is of that very session; whether it was."""
    cookie = _cookie(request, cookie_name(site))
    if not cookie or not _from_here(site, request):
        return False
    fields = fields_of(request)
    token = "".join(fields.pop("form_token", [])).encode()
    with site.engine.begin() as connection:
        session = people.lately(connection, cookie, site.now())
        if session is None or not hmac.compare_digest(token, _form_token(session).encode()):
            return False
        people.keep_form(connection, session.person, page, fields, site.now())
    return True


def form(site: Site, request: Request, one: Known, right: Right, *names: str) -> dict[str, list[str]]:
    """The fields of a form that came from a page of this session, of whoever has that right.

    ``Forged`` for any other, ``Lacking`` before anything of it is read, ``Senseless`` for a field that is not named; a name
    that ends with a dot stands for all that begin so.
    """
    if not _from_here(site, request):
        raise Forged
    fields = fields_of(request)
    if not hmac.compare_digest("".join(fields.pop("form_token", [])).encode(), one.form_token.encode()):
        raise Forged
    must(site, one.person, right)
    return only(fields, *names)


def pressed(site: Site, request: Request) -> None:
    """A button of a page that needs no session; ``Forged`` unless it came from our own pages, ``Senseless`` for any field."""
    if not _from_here(site, request):
        raise Forged
    only(fields_of(request))


def only(fields: dict[str, list[str]], *names: str) -> dict[str, list[str]]:
    """These fields, where all of them are named; ``Senseless`` for one that no form of ours has."""
    beginnings = tuple(name for name in names if name.endswith("."))
    if any(name not in names and not name.startswith(beginnings) for name in fields):
        raise Senseless("a field that the form does not have")
    return fields


def must(site: Site, person: Person, right: Right) -> None:
    """``Lacking`` unless that person has that right."""
    if not has(site, person, right):
        with site.engine.connect() as connection:
            raise Lacking(people.admins(connection, person.tenant))


def has(site: Site, person: Person, right: Right) -> bool:
    """Whether that person has that right, as the admins of the tenant have it."""
    return may(person.role, right, kept(site, person))


def rights(site: Site, person: Person) -> Callable[[Right], bool]:
    """As ``has``, for a page that asks for many rights: what the admins kept is read once."""
    held = kept(site, person)
    return lambda right: may(person.role, right, held)


def kept(site: Site, person: Person) -> Kept:
    """What the admins of that person's tenant kept for themselves."""
    with site.engine.connect() as connection:
        return people.kept(connection, person.tenant)


def of_key(site: Site, request: Request) -> Person:
    """Whom an API key in the ``Authorization`` header acts for; ``NotIn`` for none."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key.startswith("cme_") or len(key) > _FIELDS:
        raise NotIn
    with site.engine.begin() as connection:
        person = people.of_key(connection, key.strip(), site.now())
    if person is None:
        raise NotIn
    return person


def carried_pass(request: Request) -> str:
    """The pass a widget's request carries: in the ``Authorization`` header, in its address, or in the form it sends."""
    scheme, _, held = request.headers.get("authorization", "").partition(" ")
    text = held.strip() if scheme.lower() == "bearer" else request.query_params.get("pass", "")
    return text or "".join(fields_of(request).get("pass", []))


def of_pass(site: Site, request: Request) -> Pass:
    """What the pass of a widget says."""
    try:
        return passes.read(site.keys, carried_pass(request), "widget", site.now())
    except passes.Refused as refused:
        raise NotIn(str(refused)) from refused


def launch(site: Site, request: Request) -> Response:
    """A browser that the CRM sends with a pass: a new session, and on to the page that was asked for."""
    if (came_from := request.headers.get("origin")) not in {None, site.crm_origin, site.origin}:
        raise NotIn(f"from {origin_of(came_from or '')}")
    fields = fields_of(request)
    now = site.now()
    try:
        found = passes.read(site.keys, "".join(fields.get("pass", [])), "launch", now)
    except passes.Refused as refused:
        raise NotIn(str(refused)) from refused
    with site.engine.begin() as connection:
        if not people.use_pass(connection, found.tenant, found.jti, found.exp + passes.LEEWAY):
            raise NotIn("used")
        people.meet(connection, found.person, now)
        if found.lang is not None:
            people.speak(connection, found.person, found.lang)
        if old := _cookie(request, cookie_name(site)):
            people.end(connection, old)
        cookie = people.begin(connection, found.person, site.back(found.return_to), now)
    response = to(site, "".join(fields.get("to", [])))
    _set(site, response, cookie)
    return response


def sign_out(site: Site, request: Request, one: Known) -> Response:
    """End the session; back to where it came from, if that is known."""
    form(site, request, one, "see")
    with site.engine.begin() as connection:
        people.end(connection, _cookie(request, cookie_name(site)))
    response = Response(status_code=303, headers={"location": one.session.return_to or site.crm_origin})
    response.delete_cookie(cookie_name(site), path="/", secure=site.is_secure, httponly=True, samesite="lax")
    return response


def to(site: Site, path: str) -> Response:
    """On to a page of ours; to the first one for what is no path of ours."""
    ours = path.startswith("/") and len(path) <= _LONGEST_PATH and path.isascii() and path.isprintable()
    if not ours or path.startswith("//") or "\\" in path:
        path = "/"
    return Response(status_code=303, headers={"location": urlsplit(site.public_url).path.rstrip("/") + path})


def parsed(text: str) -> UUID:
    """The id in an address; ``Unknown`` for what is none."""
    try:
        return UUID(text)
    except ValueError as error:
        raise Unknown from error


def cookie_name(site: Site) -> str:
    """``__Host-`` binds a cookie to this host and HTTPS; without HTTPS browsers refuse that name."""
    return "__Host-sync" if site.is_secure else "sync"


def fields_of(request: Request) -> dict[str, list[str]]:
    """The fields of a form, each with its values in their order; what is no form has none."""
    body: bytes = request.state.body
    try:
        pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=_FIELDS)
    except ValueError:
        return {}
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found


def _from_here(site: Site, request: Request) -> bool:
    site_of = request.headers.get("sec-fetch-site")
    return site_of == "same-origin" if site_of is not None else request.headers.get("origin") == site.origin


def _form_token(session: Session) -> str:
    return hmac.new(session.form_key, b"form", hashlib.sha256).hexdigest()


def _set(site: Site, response: Response, cookie: str) -> None:
    response.set_cookie(
        cookie_name(site),
        cookie,
        max_age=int(people.LONGEST.total_seconds()),
        path="/",
        secure=site.is_secure,
        httponly=True,
        samesite="lax",
    )


def _cookie(request: Request, name: str) -> str:
    return request.cookies.get(name, "")
