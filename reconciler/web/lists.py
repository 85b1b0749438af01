"""What waits for a person, what settled itself, what fails, what was kept different, and what happened? The tabs of one page.

Each tab is a list with its filter and its pages; its count is the count of its list.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final
from uuid import uuid4

import sqlalchemy as sa
from fastapi import Request, Response

from crm_outbox.messaging.danish import danish
from reconciler import (
    agreements,
    decided,
    differences,
    history,
    narrowing,
    people,
    retries,
    reversing,
    suggestions,
    worklists,
)
from reconciler.narrowing import Filter
from reconciler.web import act_words, asks, days, filters, screen
from reconciler.web.doors import Known
from reconciler.web.filters import A_PAGE
from reconciler.web.says import LABELS, label
from reconciler.web.site import Site
from reconciler.worklists import Settled, Tab

TABS: Final[Mapping[Tab, str]] = {
    "questions": "Needs your choice", "settled": "Settled automatically", "errors": "Errors",
    "kept": "Kept differences", "history": "History",
}  # fmt: skip
PATHS: Final[Mapping[Tab, str]] = {
    "questions": "", "settled": "settled", "errors": "errors", "kept": "kept", "history": "history",
}  # fmt: skip
PARTS: Final[Mapping[Tab, tuple[str, ...]]] = {
    "questions": ("detail", "kind", "person", "since", "group"),
    "settled": ("detail", "system", "since", "group"),
    "errors": ("detail", "since", "group"),
    "kept": ("detail", "person", "since", "group"),
    "history": ("who", "system", "detail", "person", "customer", "since", "group"),
}
"""What each list is filtered by."""
ASKED: Final[Mapping[str, str]] = {
    "detail": "Detail", "kind": "Kind", "since": "Since", "group": "Customer group", "system": "System", "person": "Person",
    "who": "Who", "customer": "Customer in Clickmate (id)",
}  # fmt: skip


SHOWN_AFTER: Final = timedelta(minutes=10)
"""So long the end of trying many again stays on the page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One page of one list, as an address asks for it."""

    tab: Tab
    wanted: Filter
    page: int

    @property
    def window(self) -> dict[str, int]:
        """Which rows of the list these are."""
        return {"limit": A_PAGE, "skip": A_PAGE * (self.page - 1)}


def asked(tab: Tab, query: Mapping[str, str]) -> Asked:
    """What an address asks for of that list; parts that the list is not filtered by do not matter."""
    given = filters.read(query)
    wanted = replace(Filter(), **{name: getattr(given, name) for name in PARTS[tab]})
    return Asked(tab=tab, wanted=wanted, page=min(filters.page(query), narrowing.MOST // A_PAGE + 1))


def questions(site: Site, request: Request, one: Known) -> Response:
    """The open questions of the tenant, the oldest first."""
    asks_for = asked("questions", request.query_params)
    with site.engine.connect() as connection:
        found, total = worklists.questions(
            connection, one.person.tenant, "questions", asks_for.wanted, **asks_for.window
        )
        rows = [(each, asks.line(one.words, each)) for each in found]
        many = sum(differences.counts(connection, one.person.tenant, Filter()).values())
        agreement = agreements.in_use(connection, one.person.tenant)
        pairs = {} if agreement is None else suggestions.counts(connection, one.person.tenant, agreement)
        more = {"differences": many, "suggestions": sum(pairs.values())}
        return _page(site, request, one, connection, asks_for, total, rows=rows, **more)


def errors(site: Site, request: Request, one: Known) -> Response:
    """What could not be transferred: why, since when, how often it was tried, and what to do."""
    asks_for = asked("errors", request.query_params)
    with site.engine.connect() as connection:
        found, total = worklists.questions(connection, one.person.tenant, "errors", asks_for.wanted, **asks_for.window)
        rows = [(each, asks.line(one.words, each)) for each in found]
        again = {
            "attempt": retries.newest(connection, one.person.tenant, site.now() - SHOWN_AFTER),
            "retry": uuid4(),
            "decision": uuid4,
            "moment": site.now().isoformat(),
        }
        return _page(site, request, one, connection, asks_for, total, rows=rows, **again)


def settled(site: Site, request: Request, one: Known) -> Response:
    """What rules settled within the last 30 days, with the values before and after."""
    asks_for = asked("settled", request.query_params)
    with site.engine.connect() as connection:
        found, total = worklists.settled(connection, one.person.tenant, site.now(), asks_for.wanted, **asks_for.window)
        back = taken_back(connection, one.person.tenant, found)
        return _page(
            site, request, one, connection, asks_for, total, rows=[(each, back.get(each.id)) for each in found]
        )


def kept(site: Site, request: Request, one: Known) -> Response:
    """What people chose to leave different."""
    asks_for = asked("kept", request.query_params)
    with site.engine.connect() as connection:
        found, total = worklists.kept(connection, one.person.tenant, asks_for.wanted, **asks_for.window)
        return _page(site, request, one, connection, asks_for, total, rows=found)


def past(site: Site, request: Request, one: Known) -> Response:
    """Who wrote, decided and set up what: of the tenant, of a customer, or of one value."""
    asks_for = asked("history", request.query_params)
    with site.engine.connect() as connection:
        found, total = history.entries(connection, one.person.tenant, asks_for.wanted, **asks_for.window)
        words = one.words
        rows = [
            (each, asks.doer(words, each), asks.deed(words, each), act_words.lines(words, each)) for each in found
        ]  # fmt: skip
        return _page(site, request, one, connection, asks_for, total, rows=rows)


def taken_back(connection: sa.Connection, tenant: str, found: list[Settled]) -> dict[int, decided.Saved]:
    """Of writes that rules decided: the decisions that took them back, by write."""
    links = worklists.ids(connection, tenant, {(each.agreement, each.customer) for each in found})
    decisions = {
        reversing.of_write(link, each.id): each.id
        for each in found
        if (link := links.get((each.agreement, each.customer))) is not None
    }
    return {decisions[one.decision.id]: one for one in decided.of_ids(connection, tuple(decisions))}


def _day(request: Request, one: Known, wanted: Filter) -> str:
    """What stands in the field of the day: it as it is written there, or what was written and is no day."""
    if wanted.since is None:
        return request.query_params.get("since", "")[: days.LONGEST]
    return days.written(one.words.language, danish(wanted.since).date())


def _page(
    site: Site, request: Request, one: Known, connection: sa.Connection, asks_for: Asked, total: int, **values: Any
) -> Response:
    tab, wanted = asks_for.tab, asks_for.wanted
    day = _day(request, one, wanted)
    parts = [(name, ASKED[name], _offered(connection, one, name)) for name in PARTS[tab]]
    return screen.page(
        site,
        f"list_{tab}.html",
        one,
        here="",
        tab=tab,
        text_of_tab=TABS[tab],
        path=PATHS[tab],
        tabs=[(name, PATHS[name], text) for name, text in TABS.items()],
        counts=worklists.counts(connection, one.person.tenant, site.now()),
        most={name: narrowing.MOST_PAST if name in {"settled", "history"} else narrowing.MOST for name in TABS},
        total=total,
        page=asks_for.page,
        pages=max(1, -(-total // A_PAGE)),
        filtered=wanted != Filter(),
        chosen=filters.parts(wanted),
        chosen_in_words=_in_words(one, parts, {**filters.parts(wanted), "since": day}),
        day=day,
        day_is_wrong=wanted.since is None and bool(request.query_params.get("since", "").strip()),
        parts=parts,
        address=lambda **more: filters.written(wanted, **more),
        label=lambda name: label(one.words, name),
        shown=asks.shown,
        systems=asks.SYSTEMS,
        kinds=asks.KINDS,
        labelled=frozenset(LABELS),
        told=request.query_params.get("told", ""),
        may_settle=one.person.role != "reader",
        may_administer=one.person.role == "admin",
        beside=asks.BESIDE,
        **values,
    )


def _in_words(one: Known, parts: Sequence[tuple[str, str, list[tuple[str, str]]]], chosen: Mapping[str, str]) -> str:
    """What a filter has chosen, for where the filter itself is folded away; nothing where all is shown."""
    return " · ".join(
        f"{one.words(text)}: {dict(offered).get(chosen[name], chosen[name])}"
        for name, text, offered in parts
        if chosen[name]
    )


def _offered(connection: sa.Connection, one: Known, part: str) -> list[tuple[str, str]]:
    """What can be chosen in one part of a filter, with its words; nothing where it is written."""
    words, tenant = one.words, one.person.tenant
    match part:
        case "detail":
            return [(each, label(words, each)) for each in filters.DETAILS]
        case "kind":
            return [(kind, words(text)) for kind, text in asks.KINDS.items() if kind not in narrowing.ERRORS]
        case "system":
            return _systems()
        case "who":
            return [*_systems(), ("rule", words("A rule")), ("person", words("A person"))]
        case "person":
            return people.everybody(connection, tenant)
        case "group":
            return _groups(connection, tenant)
        case _:
            return []


def _systems() -> list[tuple[str, str]]:
    return [(str(system), text) for system, text in asks.SYSTEMS.items()]


def _groups(connection: sa.Connection, tenant: str) -> list[tuple[str, str]]:
    """The customer groups of e-conomic, as far as they were told."""
    used = next(iter(agreements.of_tenant(connection, tenant)), None)
    offers = None if used is None else agreements.reference(connection, tenant, used.agreement)
    return [] if offers is None else [(str(each.number), each.name) for each in offers.groups]


PAGES: Final = {
    ("GET", "/"): questions,
    ("GET", "/settled"): settled,
    ("GET", "/errors"): errors,
    ("GET", "/kept"): kept,
    ("GET", "/history"): past,
}
