"""The set-up of the integration, for a service: as the page shows and sets it."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Depends, Request
from pydantic import Field

from reconciler import checks, setting_up
from reconciler.agreement import Agreement
from reconciler.entered import Entered
from reconciler.person import Language, Person
from reconciler.rules import Transfer
from reconciler.setting_up import HIGHEST_NUMBER, NotNow, Receive
from reconciler.web import access_words, by_hand, set_up
from reconciler.web.api.problems import Problem, Said
from reconciler.web.api.strict import WHOLE, Flag, needs
from reconciler.web.doors import Conflict
from reconciler.web.set_up_choices import Wanted, Who
from reconciler.web.site import Site
from reconciler.web.words import Words

Number = Annotated[int, Field(ge=1, le=HIGHEST_NUMBER, examples=[1000]), WHOLE]
AgreementNumber = Annotated[
    int,
    Field(gt=0, lt=2**31, examples=[123456], description="The agreement that was shown: another one is not touched."),
    WHOLE,
]


class Line(Said):
    """One live check: how it is, why it is not right, and that in a sentence."""

    name: checks.Name
    how: checks.How
    cause: checks.Cause
    code: str
    sentence: str


class Stage(Said):
    """One of the five steps of setting up."""

    name: checks.StageName
    done: bool
    lacks: tuple[checks.Lack, ...]
    """What it still lacks, where that is more than the step itself."""


class Access(Said):
    """Where the access to e-conomic stands, as it was told last."""

    state: checks.State
    agreement: int | None
    company: str
    next_step: access_words.Step
    since: datetime | None
    """Since when access is lost."""
    seen: datetime | None
    asking: bool
    """Whether e-conomic is being asked now."""
    our_keys: Entered
    """Whether our own keys to e-conomic were entered on the server; `unheard` and `silent`: the adapter did not say, or not lately."""
    adapter_heard: datetime | None
    """When the adapter said so last."""
    lacking_settings: tuple[str, ...]
    """The settings of the server without which nobody can give access, as far as that is known."""
    checks: tuple[Line, ...]


class SetUp(Said):
    """What is set up. What belongs to an agreement is none where none is connected."""

    access: Access
    steps: tuple[Stage, ...]
    integration: Literal["not_set_up", "off", "switching_on", "on"]
    on_since: datetime | None
    transfer: Transfer | None
    receive: Receive | None
    flows_by_default: bool | None
    """Whether customers flow by themselves from when they are linked, transferred or created."""
    may_create: Who
    may_bulk: Who
    """Who may link and settle many at once, and undo what others did."""
    number_from: int | None
    number_to: int | None
    highest_number: int | None
    calls_today: int | None
    calls_most: int
    last_webhook: datetime | None
    checked_every: float | None
    """Seconds between two regular checks while anything happens; each makes two calls."""


class Invited(Said):
    """Where a person gives access, and until when that address holds."""

    url: str
    until: datetime


class Webhook(Said):
    """What a person enters in e-conomic to make the webhook by hand, and whether one has come that was made so."""

    agreement: int
    kind: str
    url: str
    data: str
    content_type: str
    received: datetime | None
    refused: datetime | None
    why: Literal["", "secret", "content_type"]
    given: str
    sentence: str


class Change(Said):
    """What to set; what is not named stays as it is. ``number_from`` null: the next free number; ``number_to``: no limit."""

    transfer: Transfer | None = None
    receive: Receive | None = None
    flows_by_default: Flag | None = None
    may_create: Who | None = None
    may_bulk: Who | None = None
    number_from: Number | None = None
    number_to: Number | None = None


class Shown(Said):
    """Which agreement is meant."""

    agreement: AgreementNumber


class Right(Shown):
    """Whether the connected agreement is the right one."""

    right: Flag


def routes(made: APIRouter, site: Site, asking: Callable[[Request], Person]) -> None:
    """Seeing and setting what the set-up page shows and sets."""
    Admin = Annotated[Person, Depends(asking)]  # noqa: N806 - an alias is a type
    refused: dict[int | str, dict[str, Any]] = {
        403: {"model": Problem, "description": "Only an administrator's key may"}
    }
    acting: dict[int | str, dict[str, Any]] = {
        **refused,
        400: {"model": Problem, "description": "What was sent is no JSON"},
        404: {"model": Problem, "description": "No such agreement is connected"},
        409: {"model": Problem, "description": "Not now, or not any more; `detail` says why"},
    }
    given: dict[str, Any] = {"tags": ["set-up"], "openapi_extra": needs("administer")}

    def told(person: Person) -> SetUp:
        return _said(site, set_up.of(site, person), Words("en", site.now()))

    @made.get("/set-up", responses=refused, **given)
    def seen(person: Admin) -> SetUp:
        """What is set up, with the live checks of the access to e-conomic."""
        return told(person)

    @made.patch("/set-up", responses=acting, **given)
    def change(person: Admin, wanted: Annotated[Change, Body()]) -> SetUp:
        """Set when customers are transferred and flow, how changes are heard of, who may do what, and from which number."""

        def number(name: Literal["number_from", "number_to"]) -> int | Literal["any"] | None:
            given: int | None = getattr(wanted, name)
            return "any" if given is None and name in wanted.model_fields_set else given

        set_up.change(
            site,
            person,
            Wanted(
                transfer=wanted.transfer,
                receive=wanted.receive,
                flows_first=wanted.flows_by_default,
                may_create=wanted.may_create,
                may_bulk=wanted.may_bulk,
                number_from=number("number_from"),
                number_to=number("number_to"),
            ),
        )
        return told(person)

    @made.post("/set-up/agreement", responses=acting, **given)
    def answer(person: Admin, said: Annotated[Right, Body()]) -> SetUp:
        """Say that the connected agreement is the right one, or give it up again."""
        _now(lambda: set_up.answer(site, person, said.agreement, right=said.right))
        return told(person)

    @made.post("/set-up/check", status_code=202, responses=acting, **given)
    def check(person: Admin, said: Annotated[Shown, Body()]) -> SetUp:
        """Have e-conomic asked now how the access is; `access.seen` is newer when it answered."""
        set_up.look_over(site, person, said.agreement)
        return told(person)

    @made.post("/set-up/connect-link", status_code=201, responses={**refused, 409: acting[409]}, **given)
    def invite(person: Admin, lang: Language = "da") -> Invited:
        """An address at which a person signs in at e-conomic and gives access, for half an hour."""
        url, until = set_up.invitation(site, person, lang)
        return Invited(url=url, until=until)

    @made.get("/set-up/webhook", responses={**refused, 404: acting[404], 409: acting[409]}, **given)
    def webhook(person: Admin) -> Webhook:
        """What to enter in e-conomic for a webhook made by hand, and whether one has come. The address is a secret."""
        found = by_hand.of(site, person)
        return Webhook(
            agreement=found.agreement,
            kind=by_hand.EVENT,
            url=found.url,
            data=found.data,
            content_type=found.content_type,
            received=found.received,
            refused=found.refused,
            why=found.why,
            given=found.given,
            sentence=by_hand.wrong(Words("en", site.now()), found),
        )

    @made.post("/set-up/off", responses=acting, **given)
    def off(person: Admin, said: Annotated[Shown, Body()]) -> SetUp:
        """Turn the integration off. It is turned on by a run that is confirmed, under `/runs`."""
        set_up.switch_off(site, person, said.agreement)
        return told(person)

    @made.post("/set-up/disconnect", status_code=202, responses=acting, **given)
    def disconnect(person: Admin, said: Annotated[Shown, Body()]) -> SetUp:
        """Give the agreement up. Links are kept for 30 days; nothing is deleted in either system."""
        _now(lambda: set_up.disconnect(site, person, said.agreement))
        return told(person)


def _now(does: Callable[[], None]) -> None:
    try:
        does()
    except NotNow as refused:
        raise Conflict(refused.why) from refused


def _said(site: Site, found: set_up.SetUp, words: Words) -> SetUp:
    known, used = found.known, found.used
    calls = (None if used is None else checks.calls(used)) or (None, None)
    return SetUp(
        access=Access(
            state=checks.state(known),
            agreement=None if known is None else known.agreement,
            company="" if known is None else known.name,
            next_step=access_words.step(known),
            since=None if used is None or not checks.is_lost(used) else used.lost_since or used.changed,
            seen=None if used is None else used.seen,
            asking=used is not None and setting_up.is_asked(used),
            our_keys=found.ours.entered,
            adapter_heard=found.ours.heard,
            lacking_settings=tuple(found.ours.lacks),
            checks=() if used is None else tuple(_line(one) for one in access_words.lines(words, used)),
        ),
        steps=tuple(Stage(name=one.name, done=one.done, lacks=one.lacks) for one in set_up.stages(site, found)),
        integration=_integration(used),
        on_since=None if used is None else used.since,
        transfer=None if used is None else Transfer(used.transfer),
        receive=None if used is None else setting_up.receives(used),
        flows_by_default=None if used is None else used.flows_first,
        may_create=found.may_create,
        may_bulk=found.may_bulk,
        number_from=None if used is None else used.number_from,
        number_to=None if used is None else used.number_to,
        highest_number=found.highest,
        calls_today=calls[0],
        calls_most=calls[1] or checks.DAY,
        last_webhook=None if used is None or used.figures is None else used.figures.hooked,
        checked_every=None if used is None or used.figures is None else used.figures.every,
    )


def _line(one: access_words.Line) -> Line:
    return Line(
        name=one.check.name, how=one.check.how, cause=one.check.cause, code=one.check.code, sentence=one.text or one.how
    )


def _integration(used: Agreement | None) -> Literal["not_set_up", "off", "switching_on", "on"]:
    if used is None:
        return "not_set_up"
    match used.state:
        case "on" | "access_lost":
            return "on"
        case "switching_on":
            return "switching_on"
        case _:
            return "off"
