"""In which words is a run told? The receipt of its preview, the button that carries its counts, its report, its lists."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from reconciler.classes import CONTESTED, LEAD, LINKED, ONLY, SUGGESTED, UNREADABLE
from reconciler.evidence import Evidence
from reconciler.listed import Kind, Row
from reconciler.previewed import Summary
from reconciler.proposing import Why
from reconciler.receipt import GROUPS, REASONS
from reconciler.rules import System
from reconciler.runs import Run
from reconciler.web.progress import Shown
from reconciler.web.rule_words import named
from reconciler.web.says import LABELS
from reconciler.web.words import Words

CLASSES: Final[Mapping[str, str]] = {
    LINKED: "Already linked ({n})", "cvr": "Linked by CVR no. ({n})", "ean": "Linked by EAN no. ({n})",
    SUGGESTED: "Suggestions to approve ({n})", CONTESTED: "Several may be the same ({n})", LEAD: "Leads ({n})",
    UNREADABLE: "Could not be read ({n})",
}  # fmt: skip
ONLY_IN: Final[Mapping[System, str]] = {
    System.CRM: "Only in Clickmate ({n})",
    System.ECONOMIC: "Only in e-conomic ({n})",
}
EVIDENCE: Final[Mapping[str, str]] = {
    "cvr": "Same CVR no.", "ean": "Same EAN no.", "name_postcode": "Same name and postcode", "phone": "Same phone",
    "email": "Same e-mail", "name_phone": "Same name and phone", "name_email": "Same name and e-mail",
    "name_city": "Same name and city", "parted": "Linked before, then undone", "linked": "Linked already",
    "pilot": "Chosen by hand",
}  # fmt: skip
PERSONS: Final[Mapping[str, str]] = {
    "person.crm": "New contact persons in Clickmate",
    "person.economic": "New contact persons in e-conomic",
}
SUMS: Final[Mapping[str, tuple[str, str]]] = {
    "link": ("1 customer is linked", "{n} customers are linked"),
    "filled": ("1 detail is filled in", "{n} details are filled in"),
    "overwritten": ("1 detail is overwritten", "{n} details are overwritten"),
    "differs": ("1 detail differs here and there", "{n} details differ"),
    "change": ("1 customer is brought up to date", "{n} customers are brought up to date"),
    "skipped": ("1 customer is skipped", "{n} customers are skipped"),
    "create_here": ("1 customer is created in Clickmate", "{n} customers are created in Clickmate"),
    "create_there": ("1 customer is created in e-conomic", "{n} customers are created in e-conomic"),
}
"""What a preview counts, in singular and plural."""
SAFE: Final[Mapping[str, str]] = {
    "empty_crm": "There are no customers in Clickmate yet, so nothing can be linked wrongly.",
    "empty_economic": "There are no customers in e-conomic yet, so nothing can be linked wrongly.",
    "numbers_match": "The customer numbers in Clickmate are those of e-conomic already.",
}
IN_THE_WAY: Final[Mapping[Why, str]] = {
    "not_connected": "The e-conomic integration is not set up",
    "access_lost": "e-conomic refuses our access. Reconnect first.",
    "on": "Integration is on",
    "off": "First turn the integration on.",
    "busy": "Something else is being carried out. Wait until it is done, or stop it.",
    "trial": "A customer is being tried. Keep it or undo the trial first.",
    "counts": "Something changed since the list was made. See the new list.",
    "over": "That is over already. Nothing was changed.",
    "empty": "The customer has no match in e-conomic. Give its customer number, or have it created there.",
}
"""Why there is no run, in words."""
_ORDER: Final = (LINKED, "cvr", "ean", SUGGESTED, CONTESTED, ONLY, LEAD, UNREADABLE)
TITLES: Final = {
    "switch_on": "Turn the integration on",
    "transfer": "Transfer all customers from e-conomic",
    "read": "Reading both systems",
    "sweep": "Nightly check of both systems",
    "pass": "Edits that were held",
    "undo": "Undo",
}
ACTIONS: Final = {
    "link": "Link",
    "change": "Brought up to date",
    "create_here": "Created in Clickmate",
    "create_there": "Created in e-conomic",
}
LISTS: Final[Mapping[Kind, str]] = {
    "crm": "Clickmate", "economic": "e-conomic", "barred": "Blocked in e-conomic",
    "filled": "Details that are filled in", "overwritten": "Details that are overwritten",
    "differs": "Details that differ", "person": "New contact persons", "skipped": "Skipped", "done": "Carried out",
    "left_out": "Left out", "planned": "Not carried out yet", "undone": "Undone",
}  # fmt: skip
ENDED: Final[Mapping[str, str]] = {
    "done": "Done", "stopped": "Stopped. What is done stays.", "failed": "It could not be carried out.",
    "replaced": "Replaced by a newer list.",
}  # fmt: skip
PLAIN: Final[Mapping[str, str]] = {
    ONLY: "Only there", LEAD: "Lead", CONTESTED: "Several may be the same", UNREADABLE: "Could not be read",
}  # fmt: skip
_PLACES: Final = {"switch_on": "set-up/switch-on", "transfer": "transfer"}
"""The page a kind of run belongs to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One number of a receipt, in words; ``list`` opens it. ``parts`` are what it is made of."""

    text: str
    n: int
    list: str
    parts: tuple["Line", ...] = ()


def told_of(words: Words, told: Shown, why: str = "") -> dict[str, object]:
    """What the templates of a run say of it; ``why``: what was in the way of what was asked last."""
    run, summary = told.run, told.summary
    return {
        "told": told,
        "sides": () if summary is None else sides(words, summary),
        "sums": () if summary is None else sums(words, run, summary),
        "safe": () if summary is None else [words(SAFE[one]) for one in summary.safe],
        "button": "" if summary is None else button(words, run, summary.counts),
        "why": in_the_way(words, why or run.reason),
        "left_out": [(because(words, reason), n, reason) for reason, n in told.left_out.items()],
        "report": report(words, told),
        "ended_as": words(ENDED[run.state]) if run.state in ENDED else "",
        "place": _PLACES.get(run.kind, ""),
    }


def button(words: Words, run: Run, counts: Mapping[str, int]) -> str:
    """The button that carries the counts."""
    numbers = {name: words.number(n) for name, n in counts.items()}
    if run.kind == "transfer":
        text = words("Transfer: {n} created in Clickmate", n=numbers["created"])
    else:
        given = {"n": numbers["linked"], "m": numbers["filled"], "k": numbers["created"]}
        one = counts["filled"] == 1
        if run.options.get("only") is None:
            text = words(
                "Turn on: {n} linked, 1 detail filled in, {k} created in e-conomic"
                if one
                else "Turn on: {n} linked, {m} details filled in, {k} created in e-conomic",
                **given,
            )
        else:
            text = words(
                "Try: {n} linked, 1 detail filled in, {k} created in e-conomic"
                if one
                else "Try: {n} linked, {m} details filled in, {k} created in e-conomic",
                **given,
            )
    over = numbers.get("overwritten")
    return text if over is None else f"{text}, {words('{n} details overwritten', n=over)}"


def report(words: Words, told: Shown) -> str:
    """What came of a transfer, in one line."""
    if told.run.kind != "transfer":
        return ""
    skipped = told.run.left_out + (0 if told.summary is None else sum(told.summary.skipped.values()))
    return words(
        "{n} created, {m} linked, {k} skipped",
        n=words.number(told.carried_out.get("create_here", 0)),
        m=words.number(told.carried_out.get("link", 0)),
        k=words.number(skipped),
    )


def sides(words: Words, told: Summary) -> tuple[tuple[str, tuple[Line, ...]], ...]:
    """Both systems with their totals, each class with its number: they add up."""
    economic, crm = _side(words, System.ECONOMIC, told.economic), _side(words, System.CRM, told.crm)
    if barred := sum(told.barred.values()):
        text = words("of which blocked ({n})", n=words.number(barred))
        economic = (*economic, Line(text=text, n=barred, list="barred"))
    return (
        (f"e-conomic ({words.number(sum(told.economic.values()))})", economic),
        (f"Clickmate ({words.number(sum(told.crm.values()))})", crm),
    )


def sums(words: Words, run: Run, told: Summary) -> tuple[Line, ...]:
    """What would be written, and what would not."""
    actions = told.actions
    filled = {**told.filled, **{f"person.{system}": n for system, n in told.persons.items()}}
    found = [
        _one(SUMS["link"], "action.link", actions.get("link", 0), words),
        _sum(words, SUMS["filled"], "filled", filled),
        _sum(words, SUMS["overwritten"], "overwritten", told.overwritten),
        _sum(words, SUMS["differs"], "differs", told.differing),
        _one(SUMS["change"], "action.change", actions.get("change", 0), words),
        _sum(words, SUMS["skipped"], "skipped", told.skipped),
        _one(SUMS["create_here"], "action.create_here", actions.get("create_here", 0), words),
        _one(SUMS["create_there"], "action.create_there", actions.get("create_there", 0), words),
    ]
    always = {"filled", "differs", "action.create_here" if run.kind == "transfer" else "action.create_there"}
    return tuple(one for one in found if one.n or one.list in always)


def groups(words: Words, told: Summary) -> list[tuple[str, str, int]]:
    """The groups of suggestions that an admin may approve: evidence, words, how many."""
    found = [(one, told.crm.get(f"{SUGGESTED}{one}", 0)) for one in GROUPS]
    return [(one, words(EVIDENCE[one]), n) for one, n in found if n]


def in_the_way(words: Words, why: str) -> str:
    """Why there is no run, in words; nothing for what is no reason."""
    return next((words(text) for name, text in IN_THE_WAY.items() if name == why), "")


def about(words: Words, text: str) -> str:
    """A class, or an evidence, in words."""
    bare = text.removeprefix(SUGGESTED)
    for table in (EVIDENCE, PLAIN):
        if bare in table:
            return words(table[bare])
    return bare


def detail(words: Words, text: str) -> str:
    """A detail, or contact persons of a system, in words."""
    if text in PERSONS:
        return words(PERSONS[text])
    return named(words, text) if text.removeprefix("contact.") in LABELS else text


def because(words: Words, reason: str) -> str:
    """Why a customer was left out, or is left, in words."""
    return words(REASONS[reason]) if reason in REASONS else about(words, reason)


def heading(words: Words, kind: Kind, text: str) -> str:
    """What a list is of, in words."""
    if kind == "action":
        return words(ACTIONS[text]) if text in ACTIONS else words("Customers")
    rest = _how(kind)(words, text)
    return ": ".join(filter(None, (words(LISTS[kind]), rest)))


def what(words: Words, kind: Kind, row: Row) -> str:
    """What a line of a list says of its customer."""
    if kind in {"done", "planned", "undone"}:
        return words(ACTIONS[row.action]) if row.action in ACTIONS else row.action
    return _how(kind)(words, row.about)


def _how(kind: Kind) -> Callable[[Words, str], str]:
    if kind in {"filled", "overwritten", "differs", "person"}:
        return detail
    return because if kind in {"skipped", "left_out"} else about


def _side(words: Words, system: System, counts: Mapping[str, int]) -> tuple[Line, ...]:
    found: dict[str, int] = {}
    parts = []
    for name in sorted(counts, key=_rank):
        if name.startswith(SUGGESTED):
            found[SUGGESTED] = found.get(SUGGESTED, 0) + counts[name]
            text = f"{about(words, name)} ({words.number(counts[name])})"
            parts.append(Line(text=text, n=counts[name], list=f"{system}.{name}"))
        else:
            found[name] = counts[name]
    return tuple(
        Line(
            text=words({**CLASSES, ONLY: ONLY_IN[system]}[name], n=words.number(found[name])),
            n=found[name],
            list=f"{system}.{name}",
            parts=tuple(parts) if name == SUGGESTED else (),
        )
        for name in _ORDER
        if name in found
    )


def _rank(name: str) -> int:
    evidence = list(Evidence)
    bare = name.removeprefix(SUGGESTED)
    return next((nth for nth, one in enumerate(evidence) if one == bare), len(evidence))


def _sum(words: Words, texts: tuple[str, str], kind: str, found: Mapping[str, int]) -> Line:
    said = because if kind == "skipped" else detail
    parts = tuple(
        Line(text=f"{said(words, name)} ({words.number(n)})", n=n, list=f"{kind}.{name}")
        for name, n in sorted(found.items())
    )
    n = sum(found.values())
    return Line(text=words.many(*texts, n), n=n, list=kind, parts=parts)


def _one(texts: tuple[str, str], list_: str, n: int, words: Words) -> Line:
    return Line(text=words.many(*texts, n), n=n, list=list_)
