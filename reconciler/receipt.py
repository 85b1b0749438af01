"""How does a preview, a run or a comparison read on paper? Plain lines, the numbers adding up."""

from collections.abc import Iterable, Mapping

from reconciler.classes import CONTESTED, LEAD, LINKED, ONLY, SUGGESTED, UNREADABLE
from reconciler.matching import Evidence
from reconciler.previewed import Preview
from reconciler.rules import System

_SAFE = {
    "empty_crm": "Clickmate is empty: nothing can be linked wrongly",
    "empty_economic": "e-conomic is empty: nothing can be linked wrongly",
    "numbers_match": "the customer numbers in Clickmate are those of e-conomic already",
}
_EVIDENCE = {"cvr": "CVR no.", "ean": "EAN no.", "parted": "linked before, then undone"}
GROUPS = tuple(str(one) for one in Evidence if one not in {Evidence.CVR, Evidence.EAN})
"""Groups of suggestions an admin may tick, the strongest first."""
REASONS = {
    "moved": "changed since the preview",
    "linked": "linked meanwhile",
    "gone": "not there any more",
    "barred": "blocked in e-conomic",
    "inactive": "not active in Clickmate",
    "our_error": "an error of ours; see the log",
    CONTESTED: "several may be the same: a person must choose",
    "missing.name": "has no name",
    "missing.country": "has no country",
    "missing.defaults": "no standard values are chosen for its country",
    "edited": "somebody has edited it since",
    "refused": "could not be put back: refused, or edited since",
    "kept_there": "was created in e-conomic and is kept there",
    "persons": "contact persons that were created are kept",
    "unlinked": "not linked by that run any more",
    "renumbered": "may be a customer that had another number: a person must say so",
    "under_way": "a write is under way",
    "stopped": "stopped before it was written to; it stays as it is",
}


def receipt(shown: Preview) -> list[str]:
    """The preview, class by class, then what would be written."""
    lines = _side("e-conomic", shown.economic, "only in e-conomic")
    if shown.barred:
        lines.append(f"  {'of which blocked':<34}{sum(shown.barred.values()):>8}")
    lines += _side("Clickmate", shown.crm, "only in Clickmate")
    lines += [f"  {_SAFE[one]}" for one in shown.safe]
    lines.append("What would be written")
    if shown.asked.kind == "switch_on" or shown.count("link"):
        lines.append(_line("customers linked", shown.count("link")))
    filled = sum(shown.filled.values()) + sum(shown.persons.values())
    lines.append(_line("details filled in", filled, _details(shown)))
    if over := sum(shown.overwritten.values()):
        lines.append(_line("details overwritten", over, _named(shown.overwritten)))
    if changed := shown.count("change"):
        lines.append(_line("customers brought up to date", changed))
    lines.append(_line("details that differ and stay", sum(shown.differing.values()), _named(shown.differing)))
    lines.append(_line("customers created in Clickmate", shown.count("create_here")))
    lines.append(_line("customers created in e-conomic", shown.count("create_there")))
    for reason, count in sorted(_reasons(shown).items()):
        lines.append(_line("skipped", count, said(reason)))
    lines.append(f"  {shown.calls} calls to e-conomic, about {shown.minutes} min.")
    return lines


def counts(confirmed: Mapping[str, int]) -> str:
    """The counts a person confirms, as they are given to ``--confirm``."""
    return ",".join(str(one) for one in confirmed.values())


def in_words(confirmed: Mapping[str, int]) -> str:
    """The counts a person confirms, each with what it counts."""
    words = {"linked": "linked", "filled": "details filled in", "created": "created", "overwritten": "overwritten"}
    return ", ".join(f"{count} {words[name]}" for name, count in confirmed.items())


def said(reason: str) -> str:
    """A reason in words."""
    if reason.startswith(SUGGESTED):
        evidence = reason.removeprefix(SUGGESTED)
        return f"may be the same by {_EVIDENCE.get(evidence, evidence.replace('_', ' and '))}: a person must say so"
    return REASONS.get(reason, reason)


def _side(name: str, classes: Mapping[str, int], only: str) -> list[str]:
    lines = [f"{name} ({sum(classes.values())})"]
    lines += [_line(_class(one, only), classes[one]) for one in sorted(classes, key=_rank)]
    return lines


def _class(label: str, only: str) -> str:
    if label.startswith(SUGGESTED):
        evidence = label.removeprefix(SUGGESTED)
        return f"suggested by {_EVIDENCE.get(evidence, evidence.replace('_', ' and '))}"
    known = {
        LINKED: "linked already",
        CONTESTED: "several may be the same",
        ONLY: only,
        LEAD: "leads",
        UNREADABLE: "could not be read",
    }
    return known.get(label, f"linked by {_EVIDENCE.get(label, label)}")


def _rank(label: str) -> tuple[int, str]:
    order = [LINKED, "", SUGGESTED, CONTESTED, ONLY, LEAD, UNREADABLE]
    name = SUGGESTED if label.startswith(SUGGESTED) else label if label in order else ""
    return order.index(name), label


def _details(shown: Preview) -> str:
    people = {
        System.ECONOMIC: "new contact persons in e-conomic",
        System.CRM: "new contact persons in Clickmate",
    }
    return _named({**shown.filled, **{people[system]: count for system, count in shown.persons.items()}})


def _named(found: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(found.items()))


def _reasons(shown: Preview) -> Mapping[str, int]:
    found: dict[str, int] = {}
    for one in shown.skipped:
        found[one.reason] = found.get(one.reason, 0) + 1
    return found


def _line(label: str, count: int, more: str = "") -> str:
    return f"  {label:<34}{count:>8}{f'   {more}' if more else ''}"


def listed(names: Iterable[str], most: int = 20) -> str:
    """Some of many, and how many more there are."""
    found = list(names)
    more = f" and {len(found) - most} more" if len(found) > most else ""
    return f"{', '.join(found[:most])}{more}"
