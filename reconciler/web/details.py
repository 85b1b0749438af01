"""Where may each detail be changed, and who decides? The page that shows it, what a change would do now, and its undo."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Request, Response
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from crm_outbox.messaging.database import is_contended
from reconciler import agreements, foreseeing, rule_changes, ruleset, ruling
from reconciler.agreements import Agreement
from reconciler.foreseeing import Foresight
from reconciler.person import Person
from reconciler.rule_changes import Change
from reconciler.rules import Decides, Direction
from reconciler.ruleset import DETAILS, INVOICES, Chosen, Part
from reconciler.ruling import Moved
from reconciler.web import doors, progress, rule_words, screen
from reconciler.web.asks import SYSTEMS, shown
from reconciler.web.doors import Known, Senseless, Unknown
from reconciler.web.says import label
from reconciler.web.site import Site

_FIELDS: Final = ("direction.", "decides.", "empty.")
MOST_CHANGES: Final = 10
"""Changes that the page lists."""
Why = Literal["moved", "busy", "nothing"]
HINDRANCES: Final[Mapping[Why, str]] = {
    "moved": "Somebody has changed the rules since. Nothing was saved. See them as they are now.",
    "busy": "Others are at these customers just now. Nothing was saved. Try again.",
    "nothing": "That is how it is already.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """The rules of an agreement as they stand, and who changed them of late."""

    known: Agreement
    chosen: Chosen
    changes: tuple[Change, ...]

    @property
    def mark(self) -> str:
        """A mark of these very rules."""
        return ruleset.mark(self.chosen)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody would have changed: parts of rules, invoice details protected, or a change taken back."""

    parts: Mapping[str, Part]
    protects: bool = False
    undoes: Change | None = None

    def after(self, chosen: Chosen) -> Chosen:
        """The rules as they would be; what was taken back is not taken back again."""
        if self.undoes is not None:
            if self.undoes.undone_by is not None:
                return chosen
            return ruleset.undone(chosen, self.undoes.before, self.undoes.after)
        return ruleset.protected(chosen) if self.protects else ruleset.altered(chosen, self.parts)


class NotSaved(Exception):
    """Nothing was saved; says why."""

    def __init__(self, why: Why) -> None:
        super().__init__(why)
        self.why: Why = why


def held(connection: Connection, person: Person) -> Held | None:
    """The rules of the agreement that person's tenant uses; none where none is connected."""
    known = progress.used(connection, person)
    if known is None:
        return None
    state = agreements.current(connection, known.tenant, known.agreement)
    changes = rule_changes.newest(connection, known.tenant, known.agreement, MOST_CHANGES)
    return Held(known=known, chosen=state.chosen, changes=tuple(changes))


def foreseen(site: Site, connection: Connection, one: Held, after: Chosen) -> Foresight:
    """What would follow from those rules at once: what is known of it within a moment, and how far it is being counted."""
    return foreseeing.foresight(connection, one.known, one.chosen, after, site.clocked)


def change_of(connection: Connection, person: Person, change: UUID) -> Change:
    """A change of the agreement that person's tenant uses; ``Unknown`` for any other."""
    known = progress.used(connection, person)
    found = rule_changes.find(connection, person.tenant, change)
    if known is None or found is None or found.agreement != known.agreement:
        raise Unknown
    return found


def give(site: Site, person: Person, wish: Wish, seen: str | None) -> UUID:
    """Change the rules; ``NotSaved`` where others hold by now, others are at the customers, or nothing would change."""
    try:
        with site.engine.begin() as connection:
            known = progress.locked(connection, person)
            undoes = wish.undoes
            if undoes is not None and change_of(connection, person, undoes.id).undone_by is not None:
                raise NotSaved("nothing")
            if known.rules_seen is None:
                agreements.choose(connection, known.tenant, known.agreement, rules_seen=site.now())
            saved = ruling.give(
                connection,
                known,
                wish.after,
                site.now(),
                by=person,
                seen=seen,
                preset="invoices" if wish.protects else "",
                undoes=None if undoes is None else undoes.id,
            )
    except Moved as error:
        raise NotSaved("moved") from error
    except DBAPIError as error:
        if not is_contended(error):
            raise
        raise NotSaved("busy") from error
    if saved is None:
        raise NotSaved("nothing")
    return saved


def page(site: Site, request: Request, one: Known) -> Response:
    """A row for each detail, with what its rule does; invoice details in one click; who changed what of late."""
    doors.must(site, one.person, "administer")
    words, why = one.words, request.query_params.get("why", "")
    with site.engine.begin() as connection:
        found = held(connection, one.person)
        if found is None:
            return screen.page(site, "set_up_details.html", one, here="set-up", held=None)
        if found.known.rules_seen is None:
            agreements.choose(connection, found.known.tenant, found.known.agreement, rules_seen=site.now())
        names = rule_changes.examples(connection, found.known.tenant, found.known.agreement)
        protected = ruleset.protected(found.chosen)
        protects = bool(ruleset.moved(found.chosen, protected))
        would = foreseen(site, connection, found, protected) if protects else None
    rules = {name: ruleset.rule(found.chosen, name) for name in DETAILS}
    return screen.page(
        site,
        "set_up_details.html",
        one,
        here="set-up",
        held=found,
        rows=[
            (name, rule_words.named(words, name), rule, rule_words.example(words, name, rule, names))
            for name, rule in rules.items()
        ],
        usual={name: group.rule for name, (_, group) in DETAILS.items()},
        invoices=INVOICES,
        printed=", ".join(rule_words.named(words, name) for name in INVOICES),
        protects=protects,
        would=would,
        saved=_known(found.changes, request.query_params.get("saved", "")),
        changes=[(each, _lines(one, each.before, each.after)) for each in found.changes],
        why=next((words(text) for name, text in HINDRANCES.items() if name == why), ""),
        words=rule_words,
    )


def change(site: Site, request: Request, one: Known) -> Response:
    """What a change would do now: to which customers, and to which questions. Nothing is saved."""
    doors.must(site, one.person, "administer")
    query = request.query_params
    with site.engine.begin() as connection:
        found = held(connection, one.person)
        if found is None:
            raise Unknown
        wish = _wish(connection, one.person, {name: query.getlist(name) for name in query if name != "lang"})
        after = wish.after(found.chosen)
        lines = _lines(one, found.chosen, after)
        stale = query.get("seen", found.mark) != found.mark
        would = foreseen(site, connection, found, after) if lines and not stale else None
        limit = agreements.brake(connection, found.known.tenant, found.known.agreement)
    if stale or not lines:
        return doors.to(site, f"/set-up/details?why={'moved' if stale else 'nothing'}")
    carried = [*_carried(found.chosen, wish), ("seen", found.mark)]
    return screen.page(
        site,
        "set_up_details_change.html",
        one,
        here="set-up",
        lines=lines,
        looked=would,
        would=None if would is None else would.would,
        limit=limit,
        carried=carried,
        wish=wish,
        detail=lambda name: rule_words.named(one.words, name),
        label=lambda name: label(one.words, name),
        shown=shown,
        systems=SYSTEMS,
    )


def save(site: Site, request: Request, one: Known) -> Response:
    """Change the rules as they were shown; every customer is then looked at again."""
    given = doors.form(site, request, one, "administer", "seen", "preset", "undo", *_FIELDS)
    with site.engine.connect() as connection:
        wish = _wish(connection, one.person, given)
    try:
        saved = give(site, one.person, wish, "".join(given.get("seen", [])))
    except NotSaved as refused:
        return doors.to(site, f"/set-up/details?why={refused.why}")
    site.ring()
    return doors.to(site, f"/set-up/details?{urlencode({'saved': str(saved)})}")


def _wish(connection: Connection, person: Person, given: Mapping[str, Sequence[str]]) -> Wish:
    """What a form or an address asks for; ``Senseless`` for what no page of ours sends."""
    if undo := "".join(given.get("undo", [])):
        return Wish(parts={}, undoes=change_of(connection, person, doors.parsed(undo)))
    preset = "".join(given.get("preset", []))
    if preset not in {"", "invoices"}:
        raise Senseless("preset")
    parts: dict[str, Part] = {}
    for field, texts in given.items():
        what, _, name = field.partition(".")
        if what not in {"direction", "decides", "empty"}:
            continue
        if name not in DETAILS:
            raise Senseless("a detail that is none")
        try:
            parts[name] = _part(parts.get(name, Part()), what, texts[-1])
        except ValueError as error:
            raise Senseless(f"a choice for {name} that is none") from error
    if not (parts or preset):
        raise Senseless("nothing is chosen")
    return Wish(parts=parts, protects=preset == "invoices")


def _part(known: Part, what: str, text: str) -> Part:
    if what == "direction":
        return known._replace(direction=Direction(text))
    if what == "decides":
        return known._replace(decides=Decides(text))
    if text not in {"yes", "no"}:
        raise ValueError(text)
    return known._replace(may_be_empty=text == "yes")


def _carried(chosen: Chosen, wish: Wish) -> list[tuple[str, str]]:
    """The fields that say the same again, for the button that saves it."""
    if wish.undoes is not None:
        return [("undo", str(wish.undoes.id))]
    if wish.protects:
        return [("preset", "invoices")]
    after = wish.after(chosen)
    return [
        field
        for name in ruleset.moved(chosen, after)
        for rule in [ruleset.rule(after, name)]
        for field in (
            (f"direction.{name}", str(rule.direction)),
            (f"decides.{name}", str(rule.decides)),
            (f"empty.{name}", "yes" if rule.may_be_empty else "no"),
        )
    ]


def _lines(one: Known, before: Chosen, after: Chosen) -> list[tuple[str, str, str]]:
    """Each detail whose rule is another: its name, the rule before and after."""
    return [
        (
            rule_words.named(one.words, name),
            rule_words.told(one.words, ruleset.rule(before, name)),
            rule_words.told(one.words, ruleset.rule(after, name)),
        )
        for name in ruleset.moved(before, after)
    ]


def _known(changes: Sequence[Change], text: str) -> Change | None:
    return next((one for one in changes if str(one.id) == text), None)


PAGES: Final[Mapping[tuple[str, str], Any]] = {
    ("GET", "/set-up/details"): page,
    ("GET", "/set-up/details/change"): change,
    ("POST", "/set-up/details"): save,
}
