"""What happens when somebody presses a button of the status? A panel that says what it would do, one press, and back.

The same in the widget's frame, where every request carries its pass and no cookie counts, and on our own pages.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Literal
from urllib.parse import quote, urlencode, urlsplit
from uuid import UUID, uuid4

import sqlalchemy as sa
from fastapi import Request, Response

from reconciler import ordering, pressing
from reconciler.decisions import NotDecided
from reconciler.person import Person, Right
from reconciler.pressing import NotThere, Press, Pressed
from reconciler.standing import Act
from reconciler.stepping import Clocked
from reconciler.web import doors, panels, says, screen
from reconciler.web.doors import Known, Senseless, Unknown
from reconciler.web.panels import Panel
from reconciler.web.site import Site
from reconciler.web.status import Told
from reconciler.web.words import Words

Pressing = Literal["update", "create", "retry", "unlink", "leave", "flow", "still"]
Given = Mapping[str, list[str]]
Does = Callable[[Clocked, sa.Connection, Press], Pressed]

RIGHTS: Final[Mapping[Pressing, Right]] = {
    "update": "settle", "create": "create", "retry": "settle", "unlink": "settle", "leave": "settle", "flow": "settle",
    "still": "settle",
}  # fmt: skip
_PANELS: Final[Mapping[Panel, str]] = {
    "update": "Update in e-conomic", "create": "Create in e-conomic", "flow": "Flows automatically", "unlink": "Unlink",
}  # fmt: skip
"""The panels, and what each is headed with."""
_OPENS: Final[Mapping[Act, Panel]] = {
    "update": "update", "create": "create", "create_now": "create", "create_again": "create", "unlink": "unlink",
    "turn_on": "flow",
}  # fmt: skip
_LEADS: Final[Mapping[Act, str]] = {"set_up": "set-up", "reconnect": "set-up", "resume": "set-up/pause"}
"""The pages that buttons lead to, of somebody who is signed in: the box beside a customer leads there through the CRM."""
_POSTS: Final[Mapping[Act, Pressing]] = {"retry": "retry", "leave": "leave", "turn_off": "still"}
_SWITCH: Final[frozenset[Act]] = frozenset({"turn_on", "turn_off"})
CARRIED: Final = ("pass", "version", "lang")
"""What every form and address of the frame carries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where somebody stands who presses: who, about whom, what every form and address must carry, and how a page is shown."""

    person: Person
    words: Words
    customer: str
    base: str
    """The path of the customer there, without a slash before it."""
    back: str
    """The path of its status."""
    fields: Mapping[str, str]
    query: Mapping[str, str] = field(default_factory=dict)
    one: Known | None = None

    def path(self, name: str, **more: object) -> str:
        """The path of one of its panels or presses."""
        return self._with(f"{self.base}/{name}", more)

    def home(self, **more: object) -> str:
        """The path of its status."""
        return self._with(self.back, more)

    def _with(self, path: str, more: Mapping[str, object]) -> str:
        query = urlencode({**self.query, **more}, doseq=True)
        return f"{path}?{query}" if query else path


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """A button of the status that acts: a link to its panel, or a form with these fields; or a link ``out`` of our pages."""

    text: str
    path: str = ""
    fields: Mapping[str, str] | None = None
    out: str = ""


def of_session(customer: str, one: Known) -> Place:
    """On our own page of that customer."""
    at = f"customers/{quote(customer, safe='')}"
    fields = {"form_token": one.form_token}
    return Place(person=one.person, words=one.words, customer=customer, base=at, back=at, fields=fields, one=one)


def of_widget(site: Site, request: Request) -> Place:
    """In the frame beside the customer that the pass names."""
    held = doors.of_pass(site, request)
    query = carried(request)
    words = doors.spoken(site, request, query.get("lang"), held.lang)
    return Place(
        person=held.person, words=words, customer=held.customer or "", base="widget", back="widget", fields=query,
        query=query,
    )  # fmt: skip


def carried(request: Request) -> dict[str, str]:
    """What a request of the frame carries on to the next, in its address or in the form it sends."""
    given = {name: values[-1] for name, values in doors.fields_of(request).items()}
    asked = {name: request.query_params.get(name) or given.get(name, "") for name in CARRIED}
    return {name: value for name, value in {**asked, "pass": doors.carried_pass(request)}.items() if value}


def buttons(site: Site, at: Place, told: Told) -> list[Button]:
    """The status's buttons that act, of those this person may press. A customer is corrected where the CRM has it."""
    allowed = [one.name for one in told.first.actions if one.allowed]
    leads = [] if at.one is None else [name for name in allowed if name in _LEADS]
    card = site.card(at.customer) if "correct" in allowed else ""
    correct = [Button(text=at.words(says.BUTTONS["correct"]), out=card)] if card else []
    return [*correct, *(_button(at, told, name) for name in (*leads, *filter(_acts, allowed)))]


def switch(at: Place, told: Told) -> Button | None:
    """The other position of *Flows automatically*, where this person may choose it."""
    found = (one for one in told.first.actions if one.allowed and one.name in _SWITCH)
    return next((_button(at, told, one.name) for one in found), None)


def flows(told: Told) -> bool | None:
    """Whether the customer flows automatically; none where it is not linked, and nothing can flow."""
    return None if told.first.contacts is None else told.first.flows


def _acts(name: Act) -> bool:
    return name not in _SWITCH and (name in _OPENS or name in _POSTS)


def _button(at: Place, told: Told, name: Act) -> Button:
    text = at.words(says.BUTTONS[name])
    if name in _LEADS:
        return Button(text=text, path=_LEADS[name])
    if name in _OPENS:
        return Button(text=text, path=at.path(_OPENS[name]))
    task = {"task": told.first.task} if name == "leave" else {}
    path = f"{at.base}/{_POSTS[name]}"
    return Button(text=text, path=path, fields={**at.fields, "decision": str(uuid4()), **task})


def _panel(site: Site, request: Request, at: Place, panel: Panel) -> Response:
    doors.must(site, at.person, RIGHTS[panel])
    seen = panels.seen(site, at.person, at.customer, panel)
    asked = request.query_params
    values = {
        "panel": panel,
        "title": at.words(_PANELS[panel]),
        "name": seen.name,
        "seen": seen,
        "told": panels.told(
            site, at.words, at.person, asked.get("decision", ""), asked.getlist("stale"), "moved" in asked
        ),
        "update": None if seen.update is None else panels.updated(at.words, seen.update),
        "create": None if seen.create is None else panels.created(at.words, seen.create),
        "writes": panels.written(at.words, seen.writes),
        "action": f"{at.base}/{panel}",
        "fields": {**at.fields, "decision": str(uuid4())},
        "home": at.home(),
        "choose": _choose(site, at),
    }
    if at.one is None:
        return screen.framed(site, "panel_framed.html", at.words, **values)
    return screen.page(site, "panel_page.html", at.one, **values)


def _choose(site: Site, at: Place) -> str:
    """Where a customer that is there already is chosen: on our own page, in a window of its own where this is a frame."""
    page = f"customers/{quote(at.customer, safe='')}"
    return page if at.one is not None else f"{site.crm_launch}?{urlencode({'to': f'/{page}'})}"


def _press(site: Site, at: Place, given: Given, pressing_: Pressing) -> Response:
    decision = _id("".join(given.get("decision", [])))
    pressed = press(site, at.person, at.customer, decision, _DOES[pressing_](given))
    refused = pressed.saved is not None and pressed.saved.state in {"refused", "partly"}
    shown = pressing_ in _PANELS and (refused or pressed.saved is None or bool(pressed.stale))
    more: dict[str, object] = {}
    if pressed.saved is not None and (refused or pressing_ == "update"):
        more["decision"] = pressed.saved.decision.id
    if pressed.stale:
        more["stale"] = pressed.stale
    if pressed.moved:
        more["moved"] = 1
    if not shown and at.one is None:
        more = {}
    path = at.path(pressing_, **more) if shown else at.home(**more)
    prefix = urlsplit(site.public_url).path.rstrip("/")
    return Response(status_code=303, headers={"location": f"{prefix}/{path}"})


def press(site: Site, person: Person, crm_id: str, decision: UUID, does: Does) -> Pressed:
    """Decide it, once for that id; ``Unknown`` for a customer that is not there, ``Senseless`` for what cannot be chosen."""
    pressed = Press(person=person, customer=crm_id, id=decision)
    try:
        return ordering.within(site.engine, lambda connection: does(site.clocked, connection, pressed))
    except NotThere as error:
        raise Unknown from error
    except NotDecided as why:
        raise Senseless(why.text, **why.values) from why


def _update(given: Given) -> Does:
    marks = {name.removeprefix("mark."): values[-1] for name, values in given.items() if name.startswith("mark.")}
    return partial(pressing.update, marks=marks)


def _create(given: Given) -> Does:
    not_these = [_number(one) for one in given.get("not", [])]
    return partial(
        pressing.create, not_these=not_these, task=_mark(given, "task"), also_a_lead=bool(_last(given, "lead"))
    )


_DOES: Final[Mapping[Pressing, Callable[[Given], Does]]] = {
    "update": _update,
    "create": _create,
    "retry": lambda _: pressing.retry,
    "unlink": lambda given: partial(pressing.unlink, number=_number(_last(given, "number"))),
    "leave": lambda given: partial(pressing.leave, task=_mark(given, "task")),
    "flow": lambda given: partial(pressing.flow, shown=_mark(given, "shown")),
    "still": lambda _: pressing.still,
}
"""What the form of each press says."""
_FIELDS: Final[Mapping[Pressing, tuple[str, ...]]] = {
    "update": ("decision", "mark."), "create": ("decision", "not", "task", "lead"), "retry": ("decision",),
    "unlink": ("decision", "number"), "leave": ("decision", "task"), "flow": ("decision", "shown"),
    "still": ("decision",),
}  # fmt: skip
"""And the fields it has."""


def _mark(given: Given, name: str) -> str:
    """A mark or fingerprint of ours, or nothing."""
    text = _last(given, name)
    if not re.fullmatch(r"[0-9a-f]{0,64}", text):
        raise Senseless("no mark of ours")
    return text


def _last(given: Given, name: str) -> str:
    return given.get(name, [""])[-1]


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 9):
        raise Senseless("no customer number")
    return int(text)


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise Senseless("no id of a form") from error


def _page_panel(panel: Panel, site: Site, request: Request, one: Known) -> Response:
    return _panel(site, request, of_session(request.path_params["crm_id"], one), panel)


def _page_press(name: Pressing, site: Site, request: Request, one: Known) -> Response:
    given = doors.form(site, request, one, RIGHTS[name], *_FIELDS[name])
    return _press(site, of_session(request.path_params["crm_id"], one), given, name)


def _framed_panel(panel: Panel, site: Site, request: Request) -> Response:
    return _panel(site, request, of_widget(site, request), panel)


def _framed_press(name: Pressing, site: Site, request: Request) -> Response:
    at = of_widget(site, request)
    doors.must(site, at.person, RIGHTS[name])
    return _press(site, at, doors.only(doors.fields_of(request), *CARRIED, *_FIELDS[name]), name)


PAGES: Final = {
    **{("GET", f"/customers/{{crm_id}}/{one}"): partial(_page_panel, one) for one in _PANELS},
    **{("POST", f"/customers/{{crm_id}}/{one}"): partial(_page_press, one) for one in _DOES},
}
FRAMED: Final = {
    **{("GET", f"/widget/{one}"): partial(_framed_panel, one) for one in _PANELS},
    **{("POST", f"/widget/{one}"): partial(_framed_press, one) for one in _DOES},
}
