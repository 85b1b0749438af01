"""What is there to ask for? Every address of the pages, and what is said when something is not as it should be."""

import secrets
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Final
from urllib.parse import urlencode

import sqlalchemy as sa
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.types import ASGIApp, Scope

from crm_outbox.messaging.limits import Limits
from reconciler.web import (
    acting,
    bulk,
    by_hand,
    candidates,
    customers,
    details,
    differences,
    doors,
    downloads,
    flows,
    halting,
    handing,
    health,
    letter,
    lists,
    mailing,
    new_customers,
    pause,
    piece,
    retrying,
    reversals,
    runs,
    screen,
    set_up,
    settling,
    suggestions,
    switching_on,
    tasks,
    transfer,
    trial,
    widget,
)
from reconciler.web.api import describing, problems, router
from reconciler.web.doors import Conflict, Forged, Known, Lacking, NotIn, Senseless, Unknown
from reconciler.web.polls import Polls
from reconciler.web.site import Site

log = structlog.get_logger(__name__)

Page = Callable[[Site, Request, Known], Response]

PAGES: Final[Mapping[tuple[str, str], Page]] = {
    **customers.PAGES,
    **lists.PAGES,
    **mailing.PAGES,
    **set_up.PAGES,
    **by_hand.PAGES,
    **details.PAGES,
    **new_customers.PAGES,
    **pause.PAGES,
    **downloads.PAGES,
    **reversals.PAGES,
    **tasks.PAGES,
    **halting.PAGES,
    **retrying.PAGES,
    **settling.PAGES,
    **piece.PAGES,
    **runs.PAGES,
    **switching_on.PAGES,
    **trial.PAGES,
    **transfer.PAGES,
    **handing.PAGES,
    **health.PAGES,
    **acting.PAGES,
    **candidates.PAGES,
    **bulk.PAGES,
    **differences.PAGES,
    **suggestions.PAGES,
    **flows.PAGES,
}
"""Every page of somebody who is signed in, by method and path."""
FRAMED: Final[Mapping[tuple[str, str], Callable[[Site, Request], Response]]] = {**widget.PAGES, **acting.FRAMED}
"""Every page that stands inside a page of the CRM."""


def app(site: Site) -> ASGIApp:
    """The pages as an ASGI app, inside its limits."""
    inner = FastAPI(
        title="Clickmate and e-conomic",
        version="1",
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    inner.include_router(router.router(site))
    plain = inner.openapi
    inner.openapi = cache(lambda: describing.described(plain()))  # type: ignore[method-assign]
    add = inner.router.add_route
    add("/healthz", _named("health", lambda _: Response("ok\n", media_type="text/plain")), methods=["GET"])
    add("/static/{name}", _named("static", screen.static), methods=["GET"])
    add("/launch", _named("launch", lambda request: doors.launch(site, request)), methods=["POST"])
    add("/sign-out", _named("sign-out", _signed_in(site, doors.sign_out)), methods=["POST"])
    for (method, path), framed in FRAMED.items():
        add(path, _named(f"{method} {path}", partial(framed, site)), methods=[method])
    for (method, path), bearers in letter.PAGES.items():
        add(path, _named(f"{method} {path}", partial(bearers, site)), methods=[method])
    for (method, path), page in PAGES.items():
        add(path, _named(f"{method} {path}", _signed_in(site, page)), methods=[method])
    known = HTTPException, RequestValidationError, NotIn, Forged, Lacking, Unknown, Senseless, Conflict
    for error in (*known, sa.exc.OperationalError, sa.exc.TimeoutError, Exception):
        inner.add_exception_handler(error, _failed(site))
    headers = {**screen.HEADERS, **(screen.STRICT_TRANSPORT if site.is_secure else {})}
    return Limits(Polls(site, inner), headers=headers, refusal=partial(_refused, site))


def _signed_in(site: Site, page: Page) -> Callable[[Request], Response]:
    def answer(request: Request) -> Response:
        try:
            one = doors.known(site, request)
        except NotIn as error:
            kept = request.state.kind == settling.KEPT and doors.keep(site, request, request.path_params["crm_id"])
            raise NotIn(str(error), kept=kept) from error
        return page(site, request, one)

    return answer


def _named(kind: str, handler: Callable[[Request], Response]) -> Callable[[Request], Response]:
    def handle(request: Request) -> Response:
        request.state.kind = kind
        if any("\x00" in str(one) for one in request.path_params.values()):
            raise Unknown  # no database holds such an id
        return handler(request)

    return handle


def _failed(site: Site) -> Callable[[Request, Exception], Response]:
    def answer(request: Request, error: Exception) -> Response:
        if isinstance(error, HTTPException) and error.status_code == 405:
            error.headers = {"Allow": ", ".join(_taken(request))}
        if request.url.path.startswith("/api/"):
            return problems.problem(error, doors.spoken(site, request, request.query_params.get("lang")))
        framed = request.url.path.startswith("/widget")
        carried = acting.carried(request) if framed else request.query_params
        words = doors.spoken(site, request, carried.get("lang"), getattr(request.state, "language", None))
        back = f"widget?{urlencode(carried)}"
        bare = partial(screen.bare_framed, back=back) if framed else screen.bare
        match error:
            case NotIn() if framed:
                log.info("page.not_in", why=str(error))
                itself = request.method == "GET"
                back = f"{request.url.path.removeprefix('/')}?{urlencode(carried)}" if itself else back
                return screen.bare_framed(site, "not_in_framed.html", words, 401, back=back, itself=itself)
            case NotIn():
                log.info("page.not_in", why=str(error))
                return bare(site, "not_in.html", words, 401, kept=error.kept, back=_back(site, request))
            case Forged():
                log.warning("page.forged_form")
                return bare(site, "not_in.html", words, 403, kept=False, back=_back(site, request))
            case Lacking():
                return bare(site, "lacking.html", words, 403, helpers=error.helpers)
            case HTTPException() if error.status_code in {404, 405}:
                response = bare(site, "not_found.html", words, error.status_code)
                response.headers.update(error.headers or {})
                return response
            case Unknown():
                return bare(site, "not_found.html", words, 404)
            case Senseless():
                log.warning("page.senseless_form", why=error.text)  # what was sent may be personal
                return bare(site, "senseless.html", words, 400)
            case _:
                known_as = secrets.token_hex(6)
                log.error("page.failed", id=known_as, error=type(error).__name__)
                away = isinstance(error, problems.AWAY)
                response = bare(site, "failed.html", words, 503 if away else 500, id=known_as)
                if away:
                    response.headers["retry-after"] = "5"
                return response

    return answer


_REFUSED: Final[Mapping[int, str]] = {
    408: "What was sent did not come in whole. Nothing was changed. Try again.",
    413: "What was sent is too large. Nothing was changed.",
    429: "Too many are asking right now. Nothing was changed. Try again in a moment.",
    500: "Something went wrong on our side. Nothing is lost.",
}


def _refused(site: Site, scope: Scope, status: int) -> Response:
    """What is told in place of a page that was never asked, or that failed where nothing else says so.

    In its frame the CRM's page is told nothing, so that it asks anew after a while.
    """
    request = Request(scope)
    words = doors.spoken(site, request, request.query_params.get("lang"))
    if request.url.path.startswith("/api/"):
        return problems.refused(status, words)
    bare = screen.bare_framed if request.url.path.startswith("/widget") else screen.bare
    return bare(site, "refused.html", words, status, text=words(_REFUSED[status]), speaks=False)


def _back(site: Site, request: Request) -> str:
    """The CRM's address that leads back here, signed in; from inside its page there is no need: it renews what it gave us."""
    if not site.crm_launch or request.url.path.startswith("/widget"):
        return ""
    kept = request.method == "GET" or request.state.kind == settling.KEPT
    query = f"?{request.url.query}" if request.url.query and request.method == "GET" else ""
    return f"{site.crm_launch}?{urlencode({'to': f'{request.url.path}{query}' if kept else '/'})}"


def _taken(request: Request) -> list[str]:
    """Every method that this address takes; the framework names those of the first route alone."""
    found = (route for route in request.app.routes if route.matches(request.scope)[0] is not Match.NONE)
    return sorted({method for route in found for method in getattr(route, "methods", None) or ()})
