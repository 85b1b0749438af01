"""How does somebody take a list along? Each tab as a CSV file, filtered as it is shown, all of it and not one page."""

from collections.abc import Iterator
from typing import Final

from fastapi import Request, Response

from reconciler import history, narrowing, worklists
from reconciler.history import Entry
from reconciler.web import act_words, asks, spreadsheet
from reconciler.web.doors import Known
from reconciler.web.lists import asked
from reconciler.web.rule_words import named
from reconciler.web.says import LABELS
from reconciler.web.site import Site
from reconciler.web.spreadsheet import Cell
from reconciler.web.words import Words

_ALL: Final = {"limit": narrowing.MOST, "skip": 0}


def questions(site: Site, request: Request, one: Known) -> Response:
    """The open questions."""
    words, wanted = one.words, asked("questions", request.query_params).wanted
    with site.engine.connect() as connection:
        found, _ = worklists.questions(connection, one.person.tenant, "questions", wanted, **_ALL)
    header = [
        words("Customer"),
        words("Customer no."),
        words("Kind"),
        words("Detail"),
        words("Question"),
        words("Since"),
    ]
    rows = (
        (each.name, each.number, words(asks.KINDS[each.kind]), asks.detailed(words, each.details), asks.line(words, each),
         each.opened)
        for each in found
    )  # fmt: skip
    return spreadsheet.download(_name(words, "questions"), header, rows)


def errors(site: Site, request: Request, one: Known) -> Response:
    """What could not be transferred."""
    words, wanted = one.words, asked("errors", request.query_params).wanted
    with site.engine.connect() as connection:
        found, _ = worklists.questions(connection, one.person.tenant, "errors", wanted, **_ALL)
    header = [
        words("Customer"), words("Customer no."), words("Detail"), words("Cause"), words("Since"), words("Tries"),
        words("Next try"), words("Technical"),
    ]  # fmt: skip
    rows = (
        (each.name, each.number, asks.detailed(words, each.details), asks.line(words, each), each.opened, each.tries,
         each.next_try, " ".join(filter(None, (each.reason, each.message, each.request_id))))
        for each in found
    )  # fmt: skip
    return spreadsheet.download(_name(words, "errors"), header, rows)


def settled(site: Site, request: Request, one: Known) -> Response:
    """What rules settled within the last 30 days, a line for each detail."""
    words, wanted = one.words, asked("settled", request.query_params).wanted
    with site.engine.connect() as connection:
        found, _ = worklists.settled(connection, one.person.tenant, site.now(), wanted, **_ALL)
    header = [
        words("Customer"), words("Customer no."), words("Detail"), words("Before"), words("After"), words("System"),
        words("When"),
    ]  # fmt: skip
    rows = (
        (
            each.name,
            each.number,
            _named(words, each.record, change.field),
            change.before,
            change.after,
            asks.SYSTEMS[each.system],
            each.at,
        )
        for each in found
        for change in each.changes
        if change.field in LABELS
    )
    return spreadsheet.download(_name(words, "settled"), header, rows)


def kept(site: Site, request: Request, one: Known) -> Response:
    """What people left different."""
    words, wanted = one.words, asked("kept", request.query_params).wanted
    with site.engine.connect() as connection:
        found, _ = worklists.kept(connection, one.person.tenant, wanted, **_ALL)
    header = [
        words("Customer"), words("Customer no."), words("Detail"), "Clickmate", "e-conomic", words("Who"), words("When"),
    ]  # fmt: skip
    rows = (
        (each.name, each.number, _named(words, each.kind, each.detail), *each.both, each.who, each.at) for each in found
    )
    return spreadsheet.download(_name(words, "kept"), header, rows)


def past(site: Site, request: Request, one: Known) -> Response:
    """Everything that was written, decided and set up, a line for each detail, as it is read."""
    words, tenant = one.words, one.person.tenant
    wanted = asked("history", request.query_params).wanted
    header = [
        words("Who"), words("When"), words("Customer"), words("Customer no."), words("Detail"), words("Before"),
        words("After"), words("System"),
    ]  # fmt: skip

    def rows() -> Iterator[tuple[Cell, ...]]:
        with site.engine.connect() as connection:
            for each in history.everything(connection, tenant, wanted):
                yield from _past(words, each)

    return spreadsheet.download(_name(words, "history"), header, rows())


def _past(words: Words, one: Entry) -> Iterator[tuple[Cell, ...]]:
    who, what = asks.doer(words, one), asks.deed(words, one)
    system = "" if one.system is None else asks.SYSTEMS[one.system]
    settings = act_words.lines(words, one)
    known = [each for each in one.changes if each.field in LABELS and (each.before or each.after) and not settings]
    if what:
        yield who, one.at, one.name, one.number, what, "", "", system
    for name, before, after in settings:
        yield who, one.at, one.name, one.number, f"{what}: {name}", before, after, system
    for each in known:
        yield who, one.at, one.name, one.number, _named(words, one.record, each.field), each.before, each.after, system


def _named(words: Words, record: str | None, detail: str) -> str:
    return named(words, f"contact.{detail}" if record == "contact" else detail)


def _name(words: Words, tab: str) -> str:
    return {
        "questions": "valg", "settled": "loest-automatisk", "errors": "fejl", "kept": "beholdte-forskelle",
        "history": "historik",
    }[tab] if words.language == "da" else tab  # fmt: skip


PAGES: Final = {
    ("GET", "/questions.csv"): questions,
    ("GET", "/settled.csv"): settled,
    ("GET", "/errors.csv"): errors,
    ("GET", "/kept.csv"): kept,
    ("GET", "/history.csv"): past,
}
