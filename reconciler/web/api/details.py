"""Where each detail may be changed, and who decides, for a service: seen, foreseen, changed and taken back as on the page."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Body, Depends, Path, Request
from pydantic import Field

from reconciler import rule_changes, ruleset, ruling
from reconciler.foreseeing import Foresight
from reconciler.person import Person
from reconciler.rule_changes import Preset
from reconciler.rules import Decides, Direction, Rule, System
from reconciler.ruleset import DETAILS, INVOICES, Part
from reconciler.web import details
from reconciler.web.api.problems import Problem, Said
from reconciler.web.api.strict import TEXT, Flag, needs
from reconciler.web.details import HINDRANCES, Held, NotSaved, Wish
from reconciler.web.doors import Conflict, Unknown
from reconciler.web.site import Site

_ERRORS: Final[Mapping[int | str, dict[str, Any]]] = {
    400: {"model": Problem, "description": "What was sent is no JSON"},
    403: {"model": Problem, "description": "Only an administrator's key may"},
    404: {"model": Problem, "description": "No agreement is connected, or nothing of that id is in this tenant"},
    409: {"model": Problem, "description": "The rules are others by now, or nothing would change; nothing was changed"},
}


class Chosen(Said):
    """The rule of a detail: where it may be changed, whose value holds if both did, and whether clearing it flows."""

    may_be_changed_in: Direction
    who_decides: Decides
    may_be_empty: bool


class Detail(Chosen):
    """A detail with its rule. ``usual`` is the rule it comes with."""

    detail: str
    on_invoices: bool
    usual: Chosen


class Moved(Said):
    """A detail whose rule became another."""

    detail: str
    before: Chosen
    after: Chosen


class Change(Said):
    """One change of the rules, and who made it."""

    id: UUID
    at: datetime
    who: str
    preset: Preset
    undoes: UUID | None
    undone_by: UUID | None
    changed: tuple[Moved, ...]


class Details(Said):
    """The rule of each detail, and who changed them of late. ``seen`` is the mark of these very rules."""

    seen: str
    details: tuple[Detail, ...]
    changes: tuple[Change, ...]


class WantedRule(Said):
    """What is chosen of a detail's rule; what is not given stays."""

    may_be_changed_in: Direction | None = None
    who_decides: Decides | None = None
    may_be_empty: Flag | None = None


class WantedRules(Said):
    """Rules to change, by detail, or ``preset`` ``invoices``: what stands on invoices may be changed in e-conomic only.

    With ``seen`` nothing is changed unless the rules are still those that had this mark.
    """

    rules: dict[Literal[tuple(DETAILS)], WantedRule] = Field(  # type: ignore[valid-type]
        default={}, max_length=len(DETAILS), examples=[{"phone": {"who_decides": "ask"}}]
    )
    preset: Literal["invoices"] | None = None
    seen: Annotated[str | None, Field(max_length=64, pattern=TEXT)] = None


class Written(Said):
    """One detail that would be written at once."""

    system: System
    record: Literal["customer", "contact"]
    field: str
    before: str
    after: str


class Touched(Said):
    """A customer that would be written to at once."""

    crm_id: str
    customer_number: int | None
    name: str
    writes: tuple[Written, ...]


class Counting(Said):
    """How many customers were looked at, of those that have to be."""

    seen: int
    total: int


class Would(Said):
    """What a change would do at once. At most 100 customers are named; ``customers`` counts all.

    Where more than 1,000 customers have to be looked at they are counted in the background: ``counting`` says how far that is, and
    asking again follows it. Meanwhile the numbers are those that were counted last, at ``counted_at``; null where none were.
    """

    seen: str
    customers: int | None
    details: Mapping[str, int]
    questions_settled: int | None
    questions_asked: int | None
    named: tuple[Touched, ...]
    counted_at: datetime | None
    counting: Counting | None


def routes(made: APIRouter, site: Site, asking: Callable[[Request], Person]) -> None:
    """Seeing and changing the rules of each detail."""
    Admin = Annotated[Person, Depends(asking)]  # noqa: N806 - an alias is a type
    given: dict[str, Any] = {"tags": ["set-up"], "responses": _ERRORS, "openapi_extra": needs("administer")}

    @made.get("/set-up/details", **given)
    def all_details(person: Admin) -> Details:
        """Where each detail may be changed, and who decides when both sides changed it."""
        return _said(site, person)

    @made.post("/set-up/details/preview", **given)
    def preview(person: Admin, wanted: Annotated[WantedRules, Body()]) -> Would:
        """What changing these rules would do at once, as far as it is counted; nothing is changed."""
        with site.engine.begin() as connection:
            found = details.held(connection, person)
            if found is None:
                raise Unknown
            return _would(found, details.foreseen(site, connection, found, _wish(wanted).after(found.chosen)))

    @made.patch("/set-up/details", **given)
    def change(person: Admin, wanted: Annotated[WantedRules, Body()]) -> Details:
        """Change rules; every customer is then looked at again, and the brake holds what is more than it lets pass."""
        _saved(lambda: details.give(site, person, _wish(wanted), wanted.seen))
        site.ring()
        return _said(site, person)

    @made.post("/set-up/details/changes/{change}/undo", **given)
    def undo(
        person: Admin,
        change: Annotated[
            UUID, Path(description="The change's id.", examples=["0a4e6a52-8f3c-4c0e-9a43-3a1f5f2f1d11"])
        ],
    ) -> Details:
        """Take a change back; a rule that was changed again since stays."""
        with site.engine.connect() as connection:
            undoes = details.change_of(connection, person, change)
        _saved(lambda: details.give(site, person, Wish(parts={}, undoes=undoes), None))
        site.ring()
        return _said(site, person)


def _wish(wanted: WantedRules) -> Wish:
    if wanted.rules and wanted.preset:
        raise Conflict("a preset stands alone")
    parts = {
        str(name): Part(one.may_be_changed_in, one.who_decides, one.may_be_empty) for name, one in wanted.rules.items()
    }
    return Wish(parts=parts, protects=wanted.preset == "invoices")


def _saved(does: Callable[[], UUID]) -> None:
    try:
        does()
    except NotSaved as refused:
        raise Conflict(HINDRANCES[refused.why]) from refused


def _said(site: Site, person: Person) -> Details:
    with site.engine.connect() as connection:
        found = details.held(connection, person)
    if found is None:
        raise Unknown
    return Details(
        seen=found.mark,
        details=tuple(_detail(found, name) for name in DETAILS),
        changes=tuple(_change(one) for one in found.changes),
    )


def _detail(found: Held, name: str) -> Detail:
    return Detail(
        detail=name,
        on_invoices=name in INVOICES,
        usual=_chosen(DETAILS[name][1].rule),
        **_chosen(ruleset.rule(found.chosen, name)).model_dump(),
    )


def _chosen(rule: Rule) -> Chosen:
    return Chosen(may_be_changed_in=rule.direction, who_decides=rule.decides, may_be_empty=rule.may_be_empty)


def _change(one: rule_changes.Change) -> Change:
    return Change(
        id=one.id,
        at=one.at,
        who=one.who,
        preset=one.preset,
        undoes=one.undoes,
        undone_by=one.undone_by,
        changed=tuple(
            Moved(
                detail=name,
                before=_chosen(ruleset.rule(one.before, name)),
                after=_chosen(ruleset.rule(one.after, name)),
            )
            for name in ruleset.moved(one.before, one.after)
        ),
    )


def _would(found: Held, known: Foresight) -> Would:
    would = known.would
    return Would(
        seen=found.mark,
        customers=None if would is None else would.customers,
        details={} if would is None else would.details,
        questions_settled=None if would is None else would.answered,
        questions_asked=None if would is None else would.asked,
        named=() if would is None else tuple(_touched(one) for one in would.touched),
        counted_at=None if would is None else known.made,
        counting=None if known.seen is None else Counting(seen=known.seen, total=known.total),
    )


def _touched(one: ruling.Touched) -> Touched:
    return Touched(
        crm_id=one.crm_id,
        customer_number=one.number,
        name=one.name,
        writes=tuple(
            Written(
                system=write.system,
                record=write.record,
                field=write.field,
                before=write.before,
                after=write.after,
            )
            for write in one.writes
        ),
    )
