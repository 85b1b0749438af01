"""How does everything fare, for a service? The same as the page shows, as figures."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request

from reconciler import health as judging
from reconciler.health import Facts, Name, Stands
from reconciler.person import Person
from reconciler.rules import System
from reconciler.web import health
from reconciler.web.api.problems import Said
from reconciler.web.site import Site
from reconciler.web.words import Words


class Took(Said):
    """How long edits took to the other side in the last 7 days: a half and 95 of 100 no more than so many seconds."""

    half_within_seconds: float
    most_within_seconds: float
    edits: int


class Waiting(Said):
    """What waits for a person, and the oldest of it."""

    questions: int
    oldest_question: datetime | None
    errors: int
    oldest_error: datetime | None


class Night(Said):
    """What the last nightly check found: changes nobody had told of, and differences nobody has seen."""

    read_at: datetime | None
    found: int
    failed: bool
    compared_at: datetime | None
    compared: int
    differences_nobody_has_seen: int
    customers: tuple[str, ...]


class Noticing(Said):
    """How changes in e-conomic are noticed. ``missed`` counts those that came without a webhook since ``missed_since``."""

    webhooks: str
    last_webhook: datetime | None
    missed: int | None
    missed_since: datetime | None
    regular_checks: bool
    last_check: datetime | None


class Calls(Said):
    """Calls to e-conomic of today, as told at ``at``."""

    today: int
    most: int
    left: int
    at: datetime


class Reached(Said):
    """Whether e-conomic is called: not answering since, not asked before, or stopped by an operator since."""

    down_since: datetime | None
    not_before: datetime | None
    paused_since: datetime | None


class Mail(Said):
    """Whether anybody is told by mail."""

    mail_server: bool
    people_told: int
    failed_at: datetime | None


class Duty(Said):
    """A duty of the reconciler, and when it was last seen to turn."""

    name: str
    last_seen: datetime | None


class Thing(Said):
    """One thing: it goes well, somebody must act, or nobody knows; in a sentence, with what to do next."""

    name: Name
    stands: Stands
    sentence: str
    next_step: str


class Health(Said):
    """How everything fares. ``agreement`` is its state: on, off, access_lost ...; empty where there is none."""

    at: datetime
    well: bool
    agreement: str
    to_economic: Took | None
    to_clickmate: Took | None
    waiting: Waiting
    nightly: Night
    noticing: Noticing
    calls: Calls | None
    reach: Reached
    mail: Mail
    duties: tuple[Duty, ...]
    things: tuple[Thing, ...]


def routes(made: APIRouter, site: Site, asking: Callable[[Request], Person]) -> None:
    """What can be asked."""
    Asking = Annotated[Person, Depends(asking)]  # noqa: N806 - an alias is a type

    @made.get("/health", tags=["health"])
    def health_of_everything(person: Asking) -> Health:
        """How long edits take, what waits, what was missed, what is left of the day's calls, who is told, which parts live."""
        return _said(health.of(site, person), Words("en", site.now()))


def _said(facts: Facts, words: Words) -> Health:
    findings = judging.judged(facts)
    night, figures, reach = facts.nightly, facts.figures, facts.reach
    things = [health.told(words, facts, one) for one in findings]
    return Health(
        at=facts.now,
        well=judging.is_well(findings),
        agreement=facts.state,
        to_economic=_took(facts, System.ECONOMIC),
        to_clickmate=_took(facts, System.CRM),
        waiting=Waiting(
            questions=facts.questions,
            oldest_question=facts.oldest,
            errors=facts.errors,
            oldest_error=facts.oldest_error,
        ),
        nightly=Night(
            read_at=night.read_at,
            found=night.found,
            failed=night.failed,
            compared_at=night.compared_at,
            compared=night.compared,
            differences_nobody_has_seen=night.differences,
            customers=tuple(crm_id for crm_id, _ in night.customers if crm_id),
        ),
        noticing=Noticing(
            webhooks=facts.webhooks,
            last_webhook=None if figures is None else figures.hooked,
            missed=None if figures is None else figures.missed,
            missed_since=None if figures is None else figures.connected,
            regular_checks=facts.polling,
            last_check=None if figures is None else figures.checked,
        ),
        calls=None
        if figures is None
        else Calls(today=figures.calls, most=figures.most, left=judging.left(figures), at=figures.at),
        reach=Reached(down_since=reach.down_since, not_before=reach.throttled_until, paused_since=reach.paused_since),
        mail=Mail(mail_server=facts.has_mail, people_told=facts.readers, failed_at=facts.mail_failed),
        duties=tuple(Duty(name=one, last_seen=facts.duties.get(one)) for one in judging.DUTIES),
        things=tuple(
            Thing(name=one.finding.name, stands=one.finding.stands, sentence=one.sentence, next_step=one.step)
            for one in things
        ),
    )


def _took(facts: Facts, system: System) -> Took | None:
    lag = facts.lags.get(system)
    if lag is None:
        return None
    return Took(half_within_seconds=round(lag.half, 3), most_within_seconds=round(lag.most, 3), edits=lag.edits)
