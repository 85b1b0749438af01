"""How is a status shown? A piece of a page, the same in the box beside a customer and on our own page of it.

Its script asks for it again while something is on its way, and is told only what has changed.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any, Final
from urllib.parse import quote, urlencode

from fastapi import Request, Response

from reconciler import beside, facing, questions
from reconciler.beside import Row
from reconciler.contract import State
from reconciler.facing import Facing
from reconciler.link import Link
from reconciler.shown import Shown
from reconciler.standing import Act
from reconciler.web import acting, etag, reasons, says, screen, status
from reconciler.web.acting import Place
from reconciler.web.asks import shown
from reconciler.web.doors import Known, Unknown
from reconciler.web.site import Site
from reconciler.web.status import Told
from reconciler.web.words import Words

LIST: Final = "list"
"""What ``from`` says in the address of a customer that was opened from the list of questions."""
_PAGES: Final[dict[Act, str]] = {
    **dict.fromkeys(("choose", "choose_customer", "show_differences", "show_details"), "/customers/{}"),
    **dict.fromkeys(("set_up", "reconnect"), "/set-up"),
    "resume": "/set-up/pause",
}
"""The page of ours that each button leads to."""
MOST_SHOWN: Final = 20
"""Of what differs; the rest stands on our page."""
_QUIET: Final = frozenset({"not_set_up", "off", "access_lost"})
"""States beside which it is not said when e-conomic was seen last: nothing is asked."""


def answer(site: Site, request: Request, at: Place, shown: dict[str, Any]) -> Response:
    """The piece for its script, or only that it is as it was."""
    html = "text/html; charset=utf-8"
    made = etag.answer(request, shown["etag"], lambda: screen.piece(site, "status.html", at.words, status=shown), html)
    made.headers["content-language"] = at.words.language
    return made


def again(site: Site, request: Request, one: Known) -> Response:
    """The piece of our own page of a customer, which also says whether the values, or whom it may be, are old there."""
    crm_id, asked = request.path_params["crm_id"], request.query_params
    told = status.of(site, one.person, crm_id, None, ours=True, opening=asked.get("look") == "true")
    stored = told.found.stored
    if stored is None:
        raise Unknown
    rules = stored.agreement.rules_for(stored.link, site.resend)
    rows = beside.rows(stored.link, rules, questions.overlooked(stored.asked))
    at, moved = acting.of_session(crm_id, one), asked.get("seen", "") != seen(rows, told.found.shown)
    others = may_be(_there(site, stored.link, beside.may_be(stored.link, rules, site.now())))
    told_of = values(
        site, at, told, moved=moved, others=asked.get("may_be", others) != others, from_list=asked.get("from") == LIST
    )
    return answer(site, request, at, told_of)


def _there(site: Site, link: Link, numbers: Sequence[int]) -> Sequence[Facing]:
    if not numbers:
        return ()
    with site.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        return facing.there(connection, link, numbers)


def asks(at: Place, rows: Iterable[Row], there: Iterable[Shown], others: Iterable[Facing], *, from_list: bool) -> str:
    """The path that our own page asks for it again.

    With these values beside each other, these that e-conomic alone has, and these customers that it may be.
    """
    query = {"seen": seen(rows, there), "may_be": may_be(others), "lang": at.words.language, **_came(from_list)}
    return f"{at.base}/status?{urlencode(query)}"


def seen(rows: Iterable[Row], there: Iterable[Shown] = ()) -> str:
    """A mark of all values that stand beside each other, and of those that e-conomic alone has."""
    alone = [(one.detail, one.number, one.value, one.person) for one in there]
    return etag.of(json.dumps([*((one.key, one.mark) for one in rows), *alone]))


def may_be(others: Iterable[Facing]) -> str:
    """A mark of all that is shown of those it may be."""
    return etag.of(json.dumps([asdict(one) for one in others], sort_keys=True))


def values(
    site: Site, at: Place, told: Told, *, moved: bool = False, others: bool = False, from_list: bool = False
) -> dict[str, Any]:
    """What is shown of a status there, under its mark.

    ``moved``: the page around it shows other values than are known by now; ``others``: other customers that it may be.
    """
    words, first, second, agreement = at.words, told.first, told.second, told.found.agreement
    lacking = any(not one.allowed for one in first.actions) and told.admins
    acts, switch = acting.buttons(site, at, told), acting.switch(at, told)
    framed = at.one is None
    told_of = {
        "state": first.status.state,
        "freshness": second.freshness,
        "waits": told.waits,
        "line": says.first(words, first, second, None if agreement is None else agreement.changed),
        "differs": _differs(words, told) if framed else [],
        "most_shown": MOST_SHOWN,
        "small": "" if first.status.state in _QUIET else says.small(words, second),
        "ahead": second.ahead or moved,
        "others": others,
        "badges": [words(says.BADGES[one]) for one in first.badges],
        "notes": says.remarks(words, first, second, told.lately, told.number, told.halts),
        "also": first.choices if "choice" in first.also else 0,
        "contacts": first.contacts,
        "number": told.number if framed else None,
        "buttons": _links(site, at, told) if framed else [],
        "flows": acting.flows(told),
        "helpers": _help(words, first.status.state, told.admins) if lacking else "",
        "compare": f"{at.base}/compare" if told.compares else "",
    }
    # the forms carry an id of their own each time; a newer pass is no other answer
    piece = {**told_of, "acts": [one.text for one in (*acts, switch) if one is not None]}
    mark = etag.of(json.dumps([words.language, piece], default=str))
    return {**told_of, "acts": acts, "switch": switch, "fields": {**at.fields, **_came(from_list)}, "etag": mark}


def _came(from_list: bool) -> dict[str, str]:
    return {"from": LIST} if from_list else {}


def _differs(words: Words, told: Told) -> list[tuple[str, str, str]]:
    """What the number in the line counts, with both values; nothing where the line counts nothing."""
    if told.first.status.state != "different" or told.second.seen is None or told.second.behind:
        return []
    return [
        (
            says.whose(words, one.field, reasons.person(words, one.kind, one.person)),
            shown(one.field, one.crm),
            shown(one.field, one.economic),
        )
        for one in told.first.differs
    ]


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


PAGES: Final = {("GET", "/customers/{crm_id}/status"): again}
