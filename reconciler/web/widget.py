"""What stands at the right of a customer in the CRM? A small page in a frame: how the customer stands, and what to do.

No cookie counts here: the pass in its address says who looks, at which customer of which tenant, and for how long.
"""

from typing import Final
from urllib.parse import quote, urlencode

from fastapi import Request, Response

from reconciler.standing import Act
from reconciler.web import acting, doors, says, screen, status
from reconciler.web.site import Site
from reconciler.web.words import Words, language

_PAGES: Final[dict[Act, str]] = dict.fromkeys(
    ("choose", "choose_customer", "show_differences", "show_details"), "/customers/{}"
)
"""The page of ours that each button leads to."""


def page(site: Site, request: Request) -> Response:
    """The widget of the customer that the pass names."""
    held = doors.of_pass(site, request)
    spoken = language(request.query_params.get("lang"), held.lang, accepted=request.headers.get("accept-language", ""))
    words = Words(spoken, site.now())
    customer = held.customer or ""
    told = status.of(site, held.person, customer, request.query_params.get("version"))
    agreement = told.found.agreement
    buttons = [
        (
            words(says.BUTTONS[one.name]),
            f"{site.crm_launch}?{urlencode({'to': _PAGES[one.name].format(quote(customer, safe=''))})}",
        )
        for one in told.first.actions
        if one.allowed and one.name in _PAGES
    ]
    at = acting.of_widget(site, request)
    lacking = any(not one.allowed for one in told.first.actions) and told.admins
    return screen.framed(
        site,
        "widget.html",
        words,
        line=says.first(words, told.first, told.second, None if agreement is None else agreement.changed),
        small=says.small(words, told.second) if told.number is not None else "",
        ahead=told.second.ahead,
        badges=[words(says.BADGES[one]) for one in told.first.badges],
        notes=[words(says.NOTES[one]) for one in told.first.notes if one in says.NOTES],
        also=told.first.choices if "choice" in told.first.also else 0,
        contacts=told.first.contacts,
        number=told.number,
        buttons=buttons,
        acts=acting.buttons(at, told),
        switch=acting.switch(at, told),
        flows=told.first.flows,
        helpers=", ".join(told.admins) if lacking else "",
    )


PAGES: Final = {("GET", "/widget"): page}
