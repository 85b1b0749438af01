"""Which customers of e-conomic may an unlinked customer be, and which is it? What its page shows of them, and a press for each.

A question about candidates has a page of its own; here stands who was found besides, of which nothing is held up.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final, Literal
from urllib.parse import quote, urlencode
from uuid import UUID

from fastapi import Request, Response

from reconciler import facing, pressing
from reconciler.facing import Facing
from reconciler.link import Link
from reconciler.person import Person
from reconciler.pressing import Pressed
from reconciler.web import acting, answered, doors, panels
from reconciler.web.doors import Known, Senseless
from reconciler.web.site import Site

Answer = Literal["link", "not-the-same"]
_DOES: Final[Mapping[Answer, Any]] = {"link": pressing.link, "not-the-same": pressing.apart}


def shown(site: Site, one: Known, link: Link, found: Sequence[Facing], asked: Any) -> dict[str, Any]:
    """What the page of a customer shows of those it may be, and why an answer was not carried out."""
    mine = facing.own(link)
    told = "" if "moved" not in asked else one.words(panels.REFUSED["moved"])
    if reason := asked.get("refused", ""):
        told = answered.refused(one.words, reason, _number(asked.get("number", "")))
    return {
        "may_be": [(each, answered.may_be(one.words, each), facing.both(mine, each.values)) for each in found],
        "may_be_told": told,
        "may_create": doors.has(site, one.person, "create"),
    }


def press(site: Site, person: Person, crm_id: str, decision: UUID, answer: Answer, number: int) -> Pressed:
    """That customer is that number, or is not: decided once for that id, for pages and services alike."""
    return acting.press(site, person, crm_id, decision, partial(_DOES[answer], number=number))


def _answer(answer: Answer, site: Site, request: Request, one: Known) -> Response:
    given = doors.form(site, request, one, "settle", "decision", "number", "from")
    crm_id, number = request.path_params["crm_id"], _number("".join(given.get("number", [])))
    if number is None:
        raise Senseless("no customer number")
    pressed = press(site, one.person, crm_id, doors.parsed("".join(given.get("decision", []))), answer, number)
    after: list[tuple[str, str]] = [("from", "list")] if given.get("from") == ["list"] else []
    if pressed.saved is None:
        after.append(("moved", "1"))
    elif pressed.saved.state == "refused":
        reason = next((part.reason for part in pressed.saved.outcome if part.result == "refused"), "")
        after += [("refused", reason), ("number", str(number))]
    else:
        after.append(("decision", str(pressed.saved.decision.id)))
    return doors.to(site, f"/customers/{quote(crm_id, safe='')}?{urlencode(after)}")


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 9 else None


PAGES: Final = {("POST", f"/customers/{{crm_id}}/{one}"): partial(_answer, one) for one in _DOES}
