"""What does the demo's CRM show? Its customers, one customer with a form, and beside it whatever we say about it."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlsplit
from uuid import uuid4

import sqlalchemy as sa
from fastapi import FastAPI, Request, Response
from jinja2 import Environment, FileSystemLoader
from starlette.types import ASGIApp

from crm_outbox import customers
from crm_outbox.contract import CONTACT_FIELDS, CUSTOMER_FIELDS, Stage
from crm_outbox.messaging.limits import Limits
from deploy.local.demo.crm import breaking, states
from deploy.local.demo.crm.breaking import Breaking
from reconciler.passes import sign

SHOWN: Final = 100
PEOPLE: Final[Mapping[str, tuple[str, str]]] = {
    "anne": ("Anne Holm", "user"), "mette": ("Mette Krogh", "admin"), "lars": ("Lars Bak", "reader"),
}  # fmt: skip
"""Who may be signed in: names and roles."""
LABELS: Final[Mapping[str, str]] = {
    "name": "Navn", "cvr": "CVR-nr.", "ean": "EAN-nr.", "pnumber": "P-nr.", "street": "Adresse", "postcode": "Postnr.",
    "city": "By", "country": "Land", "phone": "Telefon", "mobile": "Mobil", "email": "E-mail", "website": "Hjemmeside",
    "notes": "Noter",
}  # fmt: skip
STAGES: Final[Mapping[Stage, str]] = {Stage.LEAD: "Emne", Stage.ACTIVE: "Aktiv", Stage.INACTIVE: "Inaktiv"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Crm:
    """What the pages need. ``pages`` is where ours are, ``key`` what both know."""

    engine: sa.Engine
    ring: Callable[[], None]
    tenant: str
    pages: str
    origin: str
    key_id: str
    key: bytes = field(repr=False)
    breaking: Breaking | None = None

    def signed(self, who: str, audience: str, seconds: int, **more: str) -> str:
        """A pass for that person, as any CRM makes it."""
        name, role = PEOPLE[who]
        at = int(time.time())
        claims = {
            "aud": audience, "jti": uuid4().hex, "iat": at, "exp": at + seconds, "tenant": self.tenant, "sub": who,
            "name": name, "role": role, "mail": f"{who}@clickmate.example", **more,
        }  # fmt: skip
        return sign(self.key_id, self.key, claims)


def app(crm: Crm) -> ASGIApp:
    """The demo's CRM as an ASGI app."""
    inner = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    add = inner.router.add_route
    add("/", lambda request: _list(crm, request), methods=["GET"])
    add("/sign-in", _sign_in, methods=["POST"])
    add("/economic/pass", lambda request: _pass(crm, request), methods=["GET"])
    add("/economic/snippet.js", _snippet, methods=["GET"])
    add("/break", lambda request: _break(crm, request), methods=["POST"])
    add("/economic/launch", lambda request: _launch(crm, request), methods=["GET"])
    add("/customers/{customer}", lambda request: _customer(crm, request), methods=["GET"])
    add("/customers/{customer}", lambda request: _save(crm, request), methods=["POST"])
    return Limits(inner, headers={"cache-control": "no-store"})


def _list(crm: Crm, request: Request) -> Response:
    if state := request.query_params.get("demo_state", ""):
        return _in_state(crm, request, state)
    wanted = request.query_params.get("q", "").casefold().strip()
    with crm.engine.connect() as connection:
        every = [one for one in customers.all_of(connection, crm.tenant).values() if not one.deleted]
    found = sorted(
        (one for one in every if not wanted or wanted in one.name.casefold() or one.cvr.startswith(wanted)),
        key=lambda one: one.name.casefold(),
    )
    return _page(request, "list.html", found=found[:SHOWN], total=len(found), q=request.query_params.get("q", ""))


def _in_state(crm: Crm, request: Request, state: str) -> Response:
    customer = states.found(crm.engine, crm.tenant, state) if state in states.HOW else None
    if customer is None:
        counts, words = states.counted(crm.engine, crm.tenant), 0 if _language(request) == "da" else 1
        nobody = f"Ingen kunde er {state} lige nu", f"No customer is {state} right now"
        none = "Sådan en tilstand er der ikke", "There is no such state"
        return _page(
            request,
            "states.html",
            404,
            heading=(nobody if state in states.HOW else none)[words],
            how=states.HOW[state][words] if state in states.HOW else "",
            columns=(
                ("Tilstand", "Kunder", "Sådan kommer en kunde dertil"),
                ("State", "Customers", "How one gets there"),
            )[words],
            rows=[(one, counts[one], how[words]) for one, how in states.HOW.items()],
        )
    tenant = f"?tenant={states.NOBODY}" if state == "not_set_up" else ""
    return Response(status_code=303, headers={"location": f"/customers/{quote(customer)}{tenant}"})


def _customer(crm: Crm, request: Request) -> Response:
    customer = request.path_params["customer"]
    with crm.engine.connect() as connection:
        held = customers.find(connection, crm.tenant, customer)
    if held is None:
        return Response("Kunden findes ikke.\n", 404, media_type="text/plain; charset=utf-8")
    held_pass = _widget_pass(crm, request, customer)
    frame = f"{crm.pages}/widget?version={held.version}&lang={_language(request)}&pass={held_pass}"
    again = f"/economic/pass?customer={quote(customer, safe='')}" + ("&tenant=nobody" if _is_nobodys(request) else "")
    return _page(
        request,
        "customer.html",
        customer=held.customer,
        frame=frame,
        again=again,
        fields=CUSTOMER_FIELDS,
        of_person=CONTACT_FIELDS,
    )


def _widget_pass(crm: Crm, request: Request, customer: str) -> str:
    nobody = {"tenant": states.NOBODY} if _is_nobodys(request) else {}
    return crm.signed(_who(request), "widget", 600, customer=customer, **nobody)


def _is_nobodys(request: Request) -> bool:
    return request.query_params.get("tenant") == states.NOBODY


def _pass(crm: Crm, request: Request) -> Response:
    """A new pass for the status of a customer that stands open."""
    made = _widget_pass(crm, request, request.query_params.get("customer", ""))
    return Response(made, media_type="text/plain")


def _snippet(_: Request) -> Response:
    """The CRM's own copy, so that it works when our server is away."""
    return Response(_SNIPPET, media_type="text/javascript")


def _save(crm: Crm, request: Request) -> Response:
    customer = request.path_params["customer"]
    body: bytes = request.state.body
    given = _typed(dict(parse_qsl(body.decode(), keep_blank_values=True)))
    persons: dict[str, dict[str, str]] = {}
    for name, value in given.items():
        kind, _, rest = name.partition(".")
        person, _, detail = rest.partition(".")
        if kind == "person" and detail in CONTACT_FIELDS:
            persons.setdefault(person, {})[detail] = value
    edits = [
        customers.PersonEdit(id=None if person == "new" else person, fields=fields)
        for person, fields in persons.items()
        if person != "new" or fields.get("name", "").strip()
    ]
    edit = customers.Edit(
        fields={name: value for name, value in given.items() if name in CUSTOMER_FIELDS},
        stage=Stage(given["stage"]) if given.get("stage") in set(Stage) else None,
        persons=edits,
    )
    if edit.fields or edit.stage or edit.persons:
        with crm.engine.begin() as connection:
            customers.change(connection, crm.tenant, customer, edit)
        crm.ring()
    return Response(status_code=303, headers={"location": f"/customers/{quote(customer)}"})


def _typed(form: Mapping[str, str]) -> dict[str, str]:
    """What somebody changed on the page: what stands there as it came was not typed, and may have become something else since."""
    came = {name.removeprefix("was."): _lines(value) for name, value in form.items() if name.startswith("was.")}
    typed = {name: _lines(value) for name, value in form.items() if not name.startswith("was.")}
    return {name: value for name, value in typed.items() if came.get(name, "") != value}


def _lines(value: str) -> str:
    """A text with the line ends it is stored with; a form sends others."""
    return value.replace("\r\n", "\n")


def _launch(crm: Crm, request: Request) -> Response:
    """Send the browser to our pages, signed in: a form that sends itself, for a pass belongs in no address."""
    to = request.query_params.get("to", "/")
    # the box sends no referrer: what is asked for says which customer it stood beside
    place, _, customer = urlsplit(to).path.strip("/").partition("/")
    back = f"{crm.origin}/customers/{customer.partition('/')[0]}" if place == "customers" and customer else crm.origin
    held_pass = crm.signed(_who(request), "launch", 60, return_to=back, lang=_language(request))
    return _page(request, "launch.html", action=f"{crm.pages}/launch", held_pass=held_pass, to=to)


def _break(crm: Crm, request: Request) -> Response:
    body: bytes = request.state.body
    what = breaking.named(dict(parse_qsl(body.decode())).get("what", ""))
    if what is None or crm.breaking is None:
        return Response("Det kan ikke ødelægges.\n", 400, media_type="text/plain; charset=utf-8")
    crm.breaking.do(what)
    came_from = request.headers.get("referer", "")
    back = urlsplit(came_from).path if came_from.startswith(f"{crm.origin}/") else "/"
    return Response(status_code=303, headers={"location": f"{back}?broken={what}"})


def _sign_in(request: Request) -> Response:
    body: bytes = request.state.body
    given = dict(parse_qsl(body.decode()))
    response = Response(status_code=303, headers={"location": "/"})
    if given.get("who") in PEOPLE:
        response.set_cookie("who", given["who"], samesite="lax", httponly=True)
    if given.get("lang") in {"da", "en"}:
        response.set_cookie("lang", given["lang"], samesite="lax", httponly=True)
    return response


def _who(request: Request) -> str:
    who = request.cookies.get("who", "anne")
    return who if who in PEOPLE else "anne"


def _language(request: Request) -> str:
    return "en" if request.cookies.get("lang") == "en" else "da"


def _page(request: Request, name: str, status: int = 200, /, **values: Any) -> Response:
    who = _who(request)
    words = 0 if _language(request) == "da" else 1
    broken = breaking.named(request.query_params.get("broken", ""))
    values["buttons"] = {name: said[words] for name, said in breaking.BUTTONS.items()}
    values["broken"] = "" if broken is None else breaking.SAYS[broken][words]
    html = _PAGES.get_template(name).render(
        who=who, person=PEOPLE[who][0], people=PEOPLE, labels=LABELS, stages=STAGES, lang=_language(request), **values
    )
    return Response(html, status, media_type="text/html; charset=utf-8")


_SNIPPET: Final = resources.files("reconciler.web").joinpath("static", "snippet.js").read_text("utf-8")
_PAGES: Final = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, trim_blocks=True, lstrip_blocks=True
)
