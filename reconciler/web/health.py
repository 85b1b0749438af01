"""How does everything fare? One page: for each thing a plain sentence and what to do next, and the same for a service."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from fastapi import Request, Response

from reconciler import health, measures
from reconciler.freshness import Reach
from reconciler.health import Facts, Finding, Name
from reconciler.person import Person, may
from reconciler.rules import System
from reconciler.web import screen
from reconciler.web.doors import Known
from reconciler.web.site import Site
from reconciler.web.words import Words


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One thing on the page: its name, how it stands, and what to do next. ``leads`` is the path of a page that helps."""

    title: str
    finding: Finding
    sentence: str
    step: str
    leads: str = ""


def of(site: Site, person: Person) -> Facts:
    """What is measured of that person's tenant."""
    with site.engine.connect() as connection:
        return measures.of(connection, person.tenant, site.now(), has_mail=site.has_mail)


def page(site: Site, _request: Request, one: Known) -> Response:
    """Everything on one page, what somebody must do first."""
    facts = of(site, one.person)
    findings = health.judged(facts)
    said = [_for(one.person, told(one.words, facts, each)) for each in findings]
    return screen.page(
        site,
        "health.html",
        one,
        here="health",
        well=health.is_well(findings),
        groups=[(text, [each for each in said if each.finding.name in names]) for text, names in GROUPS.items()],
        to_do=[each for each in said if each.finding.stands == "act"],
        customers=facts.nightly.customers,
        at=facts.now,
    )


def _for(person: Person, said: Said) -> Said:
    """Only who may open the page that helps is led there; the sentence says who may."""
    return replace(said, leads="") if said.leads.startswith("set-up") and not may(person.role, "administer") else said


def told(words: Words, facts: Facts, finding: Finding) -> Said:
    """A finding in words."""
    sentence = _SENTENCES[finding.name](words, facts, finding)
    step, leads = _step(facts, finding) if finding.stands == "act" else ("", "")
    return Said(
        title=words(TITLES[finding.name]),
        finding=finding,
        sentence=sentence,
        step=words(step or "Nothing to do."),
        leads=leads,
    )


def _step(facts: Facts, finding: Finding) -> tuple[str, str]:
    """What to do, and the path of the page where it is done, if any."""
    if finding.name in {"agreement", "reach"} and facts.state == "access_lost":
        return _RECONNECT, "set-up"
    if finding.name == "reach" and facts.reach.paused_since is not None:
        return _SERVER, ""
    return _STEPS.get(finding.name, ("", ""))


GROUPS: Final[Mapping[str, tuple[Name, ...]]] = {
    "What waits": ("agreement", "questions", "errors"),
    "How long edits take, the last 7 days": ("to_economic", "to_crm"),
    "Whether anything was missed": ("silent", "nightly", "webhooks", "checks"),
    "e-conomic": ("reach", "calls"),
    "Whether anybody is told": ("mail",),
    "The parts": ("relay", "reconcile", "clock", "web", "unsent", "adapter", "worker", "crm"),
}
TITLES: Final[Mapping[Name, str]] = {
    "agreement": "The integration", "questions": "Needs your choice", "errors": "Errors",
    "to_economic": "From Clickmate to e-conomic", "to_crm": "From e-conomic to Clickmate",
    "silent": "Same on both sides", "nightly": "The nightly check", "webhooks": "Webhooks", "checks": "Regular checks",
    "calls": "Calls", "reach": "Access", "mail": "Mail",
    "relay": "Sending messages", "reconcile": "Comparing", "clock": "The clock", "web": "These pages",
    "unsent": "Messages", "adapter": "The connection to e-conomic", "worker": "Work in e-conomic", "crm": "Clickmate",
}  # fmt: skip
_RECONNECT: Final = "An administrator must reconnect."
_SERVER: Final = "Tell whoever runs the server."
_STEPS: Final[Mapping[Name, tuple[str, str]]] = {
    "agreement": ("An administrator can set it up.", "set-up"),
    "questions": ("Choose the right details", ""),
    "errors": ("See the errors and try again.", "errors"),
    "to_economic": ("See below what waits.", ""),
    "to_crm": ("See below what waits.", ""),
    "silent": ("The fault is ours. Look at these customers, and tell whoever runs the server.", ""),
    "nightly": (_SERVER, ""),
    "webhooks": ("Regular checks still find every change. Tell whoever runs the server.", ""),
    "checks": (_SERVER, ""),
    "calls": ("Your edits and what you open are still served. The rest waits until midnight (UTC).", ""),
    "reach": ("Nothing is lost. It goes on by itself as soon as e-conomic may be asked again.", ""),
    "mail": ("An administrator enters an address.", "set-up/mail"),
    **dict.fromkeys(("relay", "reconcile", "clock", "unsent", "adapter", "worker", "crm"), (_SERVER, "")),
}  # fmt: skip
_STATES: Final[Mapping[str, str]] = {
    "": "The e-conomic integration is not set up",
    "on": "The integration is on.",
    "access_lost": "e-conomic has refused our access since {time}. Nothing is lost.",
}


def _agreement(words: Words, facts: Facts, _: Finding) -> str:
    text = _STATES.get(facts.state, "The integration is off")
    return words(text, time=words.since(facts.since or facts.now)) if "{" in text else words(text)


def _questions(words: Words, facts: Facts, _: Finding) -> str:
    if not facts.questions:
        return words("Nothing waits for you.")
    oldest = words.since(facts.oldest or facts.now)
    one, more = (
        "1 question waits for a choice, since {time}.",
        "{n} questions wait for a choice, the oldest since {time}.",
    )
    return words.many(one, more, facts.questions, time=oldest)


def _errors(words: Words, facts: Facts, _: Finding) -> str:
    if not facts.errors:
        return words("Everything could be transferred.")
    oldest = words.since(facts.oldest_error or facts.now)
    return words.many(
        "1 transfer failed, since {time}.", "{n} transfers failed, the oldest since {time}.", facts.errors, time=oldest
    )


def _lag(system: System) -> Callable[[Words, Facts, Finding], str]:
    def say(words: Words, facts: Facts, finding: Finding) -> str:
        lag = facts.lags.get(system)
        if lag is None:
            return words("No edit was carried over.")
        times = {"a": _seconds(words, lag.half), "b": _seconds(words, lag.most)}
        text = words("half within {a} s, 95 % within {b} s", **times)
        of = words.many("of 1 edit", "of {n} edits", lag.edits)
        if finding.stands == "well":
            return f"{text[:1].upper()}{text[1:]} ({of})."
        most = words("promised are {n} s", n=words.number(int(health.slowest(facts, system))))
        return f"{text[:1].upper()}{text[1:]} ({of}); {most}."

    return say


def _silent(words: Words, facts: Facts, _: Finding) -> str:
    night = facts.nightly
    if night.compared_at is None:
        return words("The nightly check has not compared yet.")
    text = words("Differences nobody has seen: {n}", n=words.number(night.differences))
    compared = words.many("1 customer was compared {time}", "{n} customers were compared {time}", night.compared,
                          time=words.time(night.compared_at))  # fmt: skip
    return f"{text}. {compared}."


def _nightly(words: Words, facts: Facts, _: Finding) -> str:
    night = facts.nightly
    if night.failed:
        return words("The last nightly check could not be finished.")
    if night.read_at is None:
        return words("The nightly check has not run yet.")
    found = words("Found by the nightly check: {n}", n=words.number(night.found))
    return f"{found}. {words('It ended {time}.', time=words.time(night.read_at))}"


def _webhooks(words: Words, facts: Facts, _: Finding) -> str:
    if facts.webhooks != "registered":
        refused = facts.webhooks == "refused"
        return words(
            "e-conomic refused the webhook."
            if refused
            else "e-conomic sends no webhooks; regular checks find what changes."
        )
    figures = facts.figures
    if figures is None:
        return _unknown(words)
    last = (
        words("Last webhook {time}", time=words.time(figures.hooked))
        if figures.hooked
        else words("No webhook came yet")
    )
    since = words.since(figures.connected or figures.at)
    missed = words.many(
        "1 change came without a webhook since {time}", "{n} changes came without a webhook since {time}", figures.missed,
        time=since,
    )  # fmt: skip
    return f"{last}. {missed}."


def _checks(words: Words, facts: Facts, _: Finding) -> str:
    if not facts.polling:
        return words("e-conomic is not asked regularly for what changed.")
    if facts.figures is None or facts.figures.checked is None:
        return words("e-conomic was not asked yet for what changed.")
    return words("e-conomic was last asked for what changed {time}.", time=words.time(facts.figures.checked))


def _calls(words: Words, facts: Facts, _: Finding) -> str:
    if facts.figures is None:
        return _unknown(words)
    calls, most = words.number(facts.figures.calls), words.number(facts.figures.most)
    used = words("Calls to e-conomic today: {n} of {max}", n=calls, max=most)
    return f"{used}. {words('{n} are left.', n=words.number(health.left(facts.figures)))}"


def _reach(words: Words, facts: Facts, _: Finding) -> str:
    reach: Reach = facts.reach
    if facts.state == "access_lost":
        return _agreement(words, facts, _)
    if reach.paused_since is not None:
        return words(
            "Whoever runs the server has stopped every call since {time}.", time=words.since(reach.paused_since)
        )
    if reach.down_since is not None:
        return words("e-conomic has not answered since {time}.", time=words.since(reach.down_since))
    if reach.throttled_until is not None and reach.throttled_until > facts.now:
        return words("e-conomic is not asked before {time}.", time=words.brief(reach.throttled_until))
    return words("e-conomic answers.")


def _mail(words: Words, facts: Facts, _: Finding) -> str:
    if not facts.has_mail or not facts.readers:
        return words("Nobody is told. Enter an e-mail address.")
    if facts.mail_failed is not None:
        return words(
            "A mail could not be sent {time}, and is not tried again. Correct the address."
            if facts.mail_given_up
            else "A mail could not be sent {time}. We keep trying.",
            time=words.time(facts.mail_failed),
        )
    return words.many("1 person is told by mail.", "{n} people are told by mail.", facts.readers)


def _duty(name: str) -> Callable[[Words, Facts, Finding], str]:
    def say(words: Words, facts: Facts, finding: Finding) -> str:
        if finding.stands == "well":
            return words("Running.")
        at = facts.duties.get(name)
        return words("Not running.") if at is None else words("Not running since {time}.", time=words.since(at))

    return say


def _unsent(words: Words, facts: Facts, finding: Finding) -> str:
    if finding.stands == "well" or facts.unsent is None:
        return words("No message waits.")
    return words("Messages have waited since {time}.", time=words.since(facts.unsent))


def _adapter(words: Words, facts: Facts, _: Finding) -> str:
    if facts.lacks_keys:
        return words("The server lacks our keys to e-conomic. Whoever runs the server must enter them.")
    if facts.heard is None:
        return _unknown(words)
    return words("It was last heard of {time}.", time=words.time(facts.heard))


def _worker(words: Words, facts: Facts, _: Finding) -> str:
    if facts.figures is None:
        return _unknown(words)
    if facts.figures.late_since is None:
        return words("Nothing waits for anybody to do it.")
    return words("Work has waited since {time}.", time=words.since(facts.figures.late_since))


def _crm(words: Words, facts: Facts, finding: Finding) -> str:
    if finding.stands == "act" and facts.crm_waits is not None:
        return words("A write to Clickmate has waited since {time}.", time=words.since(facts.crm_waits))
    if facts.crm_answered is None:
        return words("Nothing was written to Clickmate yet.")
    return words("It last took a write {time}.", time=words.time(facts.crm_answered))


def _unknown(words: Words) -> str:
    return words("Not known yet; it is told within a minute.")


def _seconds(words: Words, value: float) -> str:
    """Tenths below ten seconds, whole ones above."""
    return words.decimal(round(value, 1) if value < 10 else round(value))


_SENTENCES: Final[Mapping[Name, Callable[[Words, Facts, Finding], str]]] = {
    "agreement": _agreement, "questions": _questions, "errors": _errors, "to_economic": _lag(System.ECONOMIC),
    "to_crm": _lag(System.CRM), "silent": _silent, "nightly": _nightly, "webhooks": _webhooks, "checks": _checks,
    "calls": _calls, "reach": _reach, "mail": _mail, "unsent": _unsent, "adapter": _adapter, "worker": _worker, "crm": _crm,
    **{name: _duty(name) for name in ("relay", "reconcile", "clock", "web")},
}  # fmt: skip
PAGES: Final = {("GET", "/health"): page}
