"""What stands at the right of a customer in the CRM? A small page in a frame: how the customer stands, and what to do.

No cookie counts here: the pass in its address says who looks, at which customer of which tenant, and for how long. Its script
asks for the same again as a piece of the page; without it, *Compare again* is a form that waits a moment.
"""

import json
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

from fastapi import Request, Response

from reconciler.contract import State
from reconciler.snapshots import Mark
from reconciler.standing import Act
from reconciler.web import acting, doors, etag, says, screen, status
from reconciler.web.acting import Place
from reconciler.web.site import Site
from reconciler.web.status import Told
from reconciler.web.words import Words

_PAGES: Final[dict[Act, str]] = {
    **dict.fromkeys(("choose", "choose_customer", "show_differences", "show_details"), "/customers/{}"),
    **dict.fromkeys(("set_up", "reconnect"), "/set-up"),
    "resume": "/set-up/pause",
}
"""The page of ours that each button leads to."""
_QUIET: Final = frozenset({"not_set_up", "off", "access_lost"})
"""States beside which it is not said when e-conomic was seen last: nothing is asked."""


def page(site: Site, request: Request) -> Response:
    """The widget of the customer that the pass names; e-conomic is asked about it unless it just was."""
    at = acting.of_widget(site, request)
    values = _values(site, at, _told(site, at, opening=True))
    return screen.framed(site, "widget.html", at.words, **values)


def piece(site: Site, request: Request) -> Response:
    """The same as a piece of that page, for its script; e-conomic is asked only for ``look``."""
    at = acting.of_widget(site, request)
    values = _values(site, at, _told(site, at, opening=request.query_params.get("look") == "true"))
    return etag.answer(
        request,
        values["etag"],
        lambda: screen.piece(site, "widget_status.html", at.words, **values),
        "text/html; charset=utf-8",
    )


def as_told(site: Site, request: Request, at: Place, mark: Mark) -> str | None:
    """The piece's mark, where by that of its rows it is known to be what whoever asks again has."""
    told = status.again(site, at.person, at.customer, at.query.get("version"), mark)
    known = None if told is None else _values(site, at, told)["etag"]
    return known if known is not None and etag.has(request, known) else None


def compare(site: Site, request: Request) -> Response:
    """Compare again, without a script: e-conomic is asked, and its answer waited for a moment; then what there is."""
    at = acting.of_widget(site, request)
    doors.only(doors.fields_of(request), *acting.CARRIED)
    status.compare(site, at.person, at.customer)
    prefix = urlsplit(site.public_url).path.rstrip("/")
    return Response(status_code=303, headers={"location": f"{prefix}/{at.home()}"})


def _told(site: Site, at: Place, *, opening: bool) -> Told:
    return status.of(site, at.person, at.customer, at.query.get("version"), opening=opening)


def _values(site: Site, at: Place, told: Told) -> dict[str, Any]:
    words, first, second, agreement = at.words, told.first, told.second, told.found.agreement
    lacking = any(not one.allowed for one in first.actions) and told.admins
    acts, switch = acting.buttons(site, at, told), acting.switch(at, told)
    values = {
        "state": first.status.state,
        "freshness": second.freshness,
        "waits": told.waits,
        "line": says.first(words, first, second, None if agreement is None else agreement.changed),
        "small": "" if first.status.state in _QUIET else says.small(words, second),
        "ahead": second.ahead,
        "badges": [words(says.BADGES[one]) for one in first.badges],
        "notes": says.remarks(words, first, second, told.lately, told.number, told.halts),
        "also": first.choices if "choice" in first.also else 0,
        "contacts": first.contacts,
        "number": told.number,
        "buttons": _links(site, at, told),
        "flows": acting.flows(told),
        "helpers": _help(words, first.status.state, told.admins) if lacking else "",
        "compare": dict(at.fields) if told.compares else None,
    }
    # the forms carry an id of their own each time; a newer pass is no other answer
    shown = {**values, "compare": told.compares, "acts": [one.text for one in (*acts, switch) if one is not None]}
    mark = etag.of(json.dumps([words.language, shown], default=str))
    return {**values, "acts": acts, "switch": switch, "etag": mark}


def _help(words: Words, state: State, admins: Sequence[str]) -> str:
    names = ", ".join(admins)
    if state == "not_set_up":
        return words("Ask {name} to set it up", name=names)
    return words("An administrator can: {name}", name=names)


def _links(site: Site, at: Place, told: Told) -> list[tuple[str, str]]:
    customer = quote(at.customer, safe="")
    return [
        (
            at.words(says.BUTTONS[one.name]),
            f"{site.crm_launch}?{urlencode({'to': _PAGES[one.name].format(customer)})}",
        )
        for one in told.first.actions
        if one.allowed and one.name in _PAGES
    ]


PAGES: Final = {
    ("GET", "/widget"): page,
    ("GET", "/widget/status"): piece,
    ("POST", "/widget/compare"): compare,
}
