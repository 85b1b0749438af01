"""What does a new customer get in e-conomic, and what becomes of persons who are removed and of customers that are inactive?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar, get_args

import sqlalchemy as sa
from fastapi import Request, Response
from sqlalchemy.exc import DBAPIError

from crm_outbox.messaging.database import is_contended
from reconciler import agreements, newcomers
from reconciler.agreement import Agreement, Inactive, Removed
from reconciler.newcomers import Choice, Defaults, NotOffered, Reference, Wanted
from reconciler.person import Person
from reconciler.prefill import currencies, prefill
from reconciler.rules import Area
from reconciler.web import doors, progress, screen
from reconciler.web.doors import Known, Senseless
from reconciler.web.rule_words import answer, asked
from reconciler.web.site import Site

AREAS: Final[Mapping[Area, str]] = {
    Area.DENMARK: "Denmark",
    Area.EU: "EU",
    Area.ABROAD: "Abroad (also Greenland and the Faroe Islands)",
}
PARTS: Final[Mapping[str, str]] = {
    "group": "Customer group", "zone": "VAT zone", "terms": "Payment terms", "currency": "Currency",
}  # fmt: skip
INACTIVE: Final[Mapping[str, str]] = {"flows": "It flows on", "rests": "It does not flow until it is active again"}
REMOVED: Final[Mapping[str, Mapping[str, str]]] = {
    "gone_there": {
        "keep": "When a contact person is removed in e-conomic: keep in Clickmate",
        "remove": "remove in Clickmate too",
    },
    "gone_here": {
        "keep": "When one is removed in Clickmate: keep in e-conomic",
        "remove": "remove in e-conomic too",
    },
}
_T = TypeVar("_T", bound=str)
BUSY: Final = "Others are at these customers just now. Nothing was saved. Try again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What is chosen for an agreement, what it offers, and how many customers wait for a choice."""

    known: Agreement
    offered: Reference | None
    waiting: int

    @property
    def suggested(self) -> Mapping[Area, Defaults]:
        """What e-conomic's own settings suggest."""
        return {} if self.offered is None else prefill(self.offered)


class NotSaved(Exception):
    """Others are at the customers just now; nothing was saved."""


def held(connection: sa.Connection, person: Person) -> Held | None:
    """What is chosen for the agreement that person's tenant uses; none where none is connected."""
    known = progress.used(connection, person)
    if known is None:
        return None
    return Held(
        known=known,
        offered=agreements.reference(connection, known.tenant, known.agreement),
        waiting=newcomers.waiting(connection, known),
    )


def give(site: Site, person: Person, wanted: Wanted) -> bool:
    """Store what was chosen; whether anything is another now. ``NotOffered``, ``NotSaved``, ``Unknown``."""
    try:
        with site.engine.begin() as connection:
            changed = newcomers.give(connection, progress.locked(connection, person), wanted, site.now(), person)
    except DBAPIError as error:
        if not is_contended(error):
            raise
        raise NotSaved from error
    if changed:
        site.ring()
    return changed


def page(site: Site, request: Request, one: Known) -> Response:
    """The defaults of each area, prefilled from e-conomic, and the other choices about customers and persons."""
    doors.must(site, one.person, "administer")
    return _shown(site, one, saved=request.query_params.get("saved") == "yes")


def save(site: Site, request: Request, one: Known) -> Response:
    """Keep what is chosen; an area of which only a part is chosen is said, with everything as it was chosen."""
    beginnings = tuple(f"{part}." for part in PARTS)
    given = doors.form(site, request, one, "administer", "inactive", *REMOVED, "suggested", *beginnings)
    chosen = {name: texts[-1] for name, texts in given.items()}
    if "suggested" in chosen:
        with site.engine.connect() as connection:
            found = held(connection, one.person)
        wanted = Wanted(defaults={} if found is None else found.suggested)
    else:
        wanted, lacking = _wanted(chosen)
        if lacking:
            text = one.words(
                "Choose all four for {area}, or none of them. Nothing was saved.", area=_named(one, lacking)
            )
            return _shown(site, one, chosen=chosen, wrong=text)
    try:
        give(site, one.person, wanted)
    except NotSaved:
        return _shown(site, one, chosen=chosen, wrong=one.words(BUSY))
    except NotOffered as refused:
        text = one.words(
            "e-conomic does not offer that for {area}: {details}. Nothing was saved.",
            area=_named(one, refused.area),
            details=", ".join(one.words(PARTS[name]) for name in refused.names),
        )
        return _shown(site, one, chosen=chosen, wrong=text)
    return doors.to(site, "/set-up/new-customers?saved=yes")


def choices(offered: Reference | None, part: str) -> Sequence[tuple[str, str]]:
    """What can be chosen of a part, each with its name."""
    if offered is None:
        return ()
    if part == "currency":
        return [(one, one) for one in currencies(offered)]
    rows: Mapping[str, Sequence[Choice]] = {"group": offered.groups, "zone": offered.zones, "terms": offered.terms}
    return [(str(one.number), one.name) for one in rows[part]]


def _wanted(chosen: Mapping[str, str]) -> tuple[Wanted, Area | None]:
    """What a form chooses, or the area of which it chooses a part only."""
    defaults: dict[Area, Defaults | None] = {}
    for name in chosen:
        part, _, area = name.partition(".")
        if part in PARTS and area not in set(Area):
            raise Senseless("an area that is none")
    for area in Area:
        parts = {part: chosen[f"{part}.{area}"] for part in PARTS if f"{part}.{area}" in chosen}
        if not parts:
            continue
        if not any(parts.values()):
            defaults[area] = None
            continue
        if not all(parts.get(part) for part in PARTS):
            return Wanted(), area
        numbers = {part: _number(parts[part]) for part in ("group", "zone", "terms")}
        if len(parts["currency"]) > 3:
            raise Senseless("a currency that is none")
        defaults[area] = Defaults(**numbers, currency=parts["currency"])
    wanted = Wanted(
        defaults=defaults,
        inactive=_one_of(chosen, "inactive", get_args(Inactive)),
        gone_there=_one_of(chosen, "gone_there", get_args(Removed)),
        gone_here=_one_of(chosen, "gone_here", get_args(Removed)),
    )
    return wanted, None


def _one_of(chosen: Mapping[str, str], name: str, known: Sequence[_T]) -> _T | None:
    """What a form chooses of these; none where it does not ask for it."""
    if name not in chosen:
        return None
    found = next((one for one in known if one == chosen[name]), None)
    if found is None:
        raise Senseless(name)
    return found


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise Senseless("no number of a list")
    return int(text)


def _shown(
    site: Site, one: Known, *, chosen: Mapping[str, str] | None = None, wrong: str = "", saved: bool = False
) -> Response:
    with site.engine.connect() as connection:
        found = held(connection, one.person)
    values: dict[str, Any] = {"held": found}
    if found is not None:
        stands = {
            f"{part}.{area}": text for area, given in found.known.defaults.items() for part, text in _texts(given)
        }
        offers = {part: choices(found.offered, part) for part in PARTS}
        values |= {
            "chosen": {
                "inactive": found.known.inactive,
                "gone_there": found.known.gone_there,
                "gone_here": found.known.gone_here,
                **stands,
                **(chosen or {}),
            },
            "offers": offers,
            "areas": AREAS,
            "parts": PARTS,
            "suggested": found.suggested if found.suggested != found.known.defaults else {},
            "inactive": INACTIVE,
            "removed": [
                (
                    name,
                    asked(one.words, texts["keep"]),
                    [(value, answer(one.words, text)) for value, text in texts.items()],
                )
                for name, texts in REMOVED.items()
            ],
            "wrong": wrong,
            "saved": saved,
        }
    return screen.page(site, "set_up_new_customers.html", one, 400 if wrong else 200, here="set-up", **values)


def _texts(given: Defaults) -> list[tuple[str, str]]:
    return [(part, str(getattr(given, part))) for part in PARTS]


def _named(one: Known, area: Area) -> str:
    return one.words(AREAS[area])


PAGES: Final = {("GET", "/set-up/new-customers"): page, ("POST", "/set-up/new-customers"): save}
