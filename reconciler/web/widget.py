"""What stands at the right of a customer in the CRM? A small page in a frame: how the customer stands, and what to do.

No cookie counts here: the pass in its address says who looks, at which customer of which tenant, and for how long. Its script
asks for the same again as a piece of the page; without it, *Compare again* is a form that waits a moment.
"""

from typing import Final
from urllib.parse import urlencode, urlsplit

from fastapi import Request, Response

from reconciler import views
from reconciler.snapshots import Mark
from reconciler.web import acting, doors, etag, piece, screen, status
from reconciler.web.acting import Place
from reconciler.web.site import Site
from reconciler.web.status import Told


def page(site: Site, request: Request) -> Response:
    """The widget of the customer that the pass names; e-conomic is asked about it unless it just was."""
    at = acting.of_widget(site, request)
    values = piece.values(site, at, _told(site, at, opening=True))
    asks = f"widget/status?{urlencode({name: value for name, value in at.query.items() if name != 'pass'})}"
    return screen.framed(site, "widget.html", at.words, status=values, asks=asks)


def again(site: Site, request: Request) -> Response:
    """The same as a piece of that page, for its script; e-conomic is asked only for ``look``."""
    at = acting.of_widget(site, request)
    values = piece.values(site, at, _told(site, at, opening=request.query_params.get("look") == "true"))
    return piece.answer(site, request, at, values)


def as_told(site: Site, request: Request, at: Place, mark: Mark) -> str | None:
    """The piece's mark, where by that of its rows it is known to be what whoever asks again has.

    Of what was told before only what passes is reckoned again, where nothing else can have become another.
    """
    if (known := site.snapshots.kept(at.person.tenant, at.customer, mark)) is None:
        return None
    version, now = at.query.get("version"), site.now()
    shown = views.parsed(version)
    passes = status.passing(known, mark.unsent(now), shown, now)
    asked, made_from = (at.person, at.customer, version, at.words.language), (mark.rows, passes, at.words.today)
    if (found := site.marks.of(asked, made_from)) is None:
        told = status.told(site, at.person, known, passes, shown, now)
        found = str(piece.values(site, at, told)["etag"])
        if told.lasts:
            site.marks.keep(asked, made_from, found)
    return found if etag.has(request, found) else None


def compare(site: Site, request: Request) -> Response:
    """Compare again, without a script: e-conomic is asked, and its answer waited for a moment; then what there is."""
    at = acting.of_widget(site, request)
    doors.only(doors.fields_of(request), *acting.CARRIED)
    status.compare(site, at.person, at.customer)
    prefix = urlsplit(site.public_url).path.rstrip("/")
    return Response(status_code=303, headers={"location": f"{prefix}/{at.home()}"})


def _told(site: Site, at: Place, *, opening: bool) -> Told:
    return status.of(site, at.person, at.customer, at.query.get("version"), opening=opening)


PAGES: Final = {
    ("GET", "/widget"): page,
    ("GET", "/widget/status"): again,
    ("POST", "/widget/compare"): compare,
}
