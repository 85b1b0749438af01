"""How is a message told to a person? One line: when, which type, about whom, and what is new since the one before. Pure."""

import json
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from crm_outbox.messaging.danish import danish

REMEMBERED: Final = 10_000
"""Subjects whose last message is kept to compare with."""
LONGEST: Final = 60
"""Letters of a value that are shown."""
SHOWN: Final = 6
"""Values that are named; the rest is counted."""
_TOLD_FIRST: Final = ("why", "state", "action", "name", "result", "reason", "kind", "phone", "email")
"""Which values say most of a message that is the first about its subject: the last word of their path."""
_QUIET: Final = frozenset({"object_version", "last_updated", "seen", "operation", "id", "time", "created"})


class Teller:
    """Tells messages one after another, and remembers of each subject what was told last."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, str], dict[str, str]] = OrderedDict()

    def line(self, body: bytes) -> str:
        """One message in words; what is none is told by its size, never by its content."""
        document = _document(body)
        if document is None:
            return f"{'':8}  a message that is none of ours, {len(body)} bytes"
        kind, subject = str(document.get("type", "?")), str(document.get("subject", "?"))
        values = dict(_leaves(document.get("data"), ""))
        before = self._known.pop((kind, subject), None)
        self._known[kind, subject] = values
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        said = _first(values) if before is None else _changed(before, values)
        return f"{_clock(document)}  {kind:<38}  {_about(document)}{f'  {said}' if said else ''}"


def customer_of(body: bytes) -> tuple[str, str]:
    """The customer a message is about: its id in the CRM and its number in e-conomic, each empty where not known."""
    document = _document(body) or {}
    return str(document.get("customerid", "")), str(document.get("customernumber", ""))


def _document(body: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and found.get("specversion") == "1.0" else None


def _clock(document: Mapping[str, Any]) -> str:
    try:
        moment = datetime.fromisoformat(str(document.get("time", "")))
    except ValueError:
        return f"{'':8}"
    return f"{danish(moment):%H.%M.%S}" if moment.tzinfo is not None else f"{'':8}"


def _about(document: Mapping[str, Any]) -> str:
    customer, number = document.get("customerid"), document.get("customernumber")
    names = [
        *([f"customer {_shown(customer)}"] if customer else []),
        *([f"no. {_shown(number)}"] if number else []),
        *([f"v{_shown(document['version'])}"] if document.get("version") else []),
    ]
    return " ".join(names) or _shown(document.get("subject", ""))


def _leaves(value: Any, path: str) -> Iterator[tuple[str, str]]:
    match value:
        case Mapping():
            for name, part in value.items():
                yield from _leaves(part, f"{path}.{name}" if path else str(name))
        case list():
            for place, part in enumerate(value, 1):
                yield from _leaves(part, f"{path} {place}")
        case None:
            return
        case _:
            yield path, value if isinstance(value, str) else json.dumps(value)


def _first(values: Mapping[str, str]) -> str:
    ranked = sorted(
        (_TOLD_FIRST.index(last), path)
        for path in values
        if (last := path.rpartition(".")[2]) in _TOLD_FIRST and values[path].strip()
    )
    return _listed([f"{path.rpartition('.')[2]} {_shown(values[path])}" for _, path in ranked], rest=False)


def _changed(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    moved = [
        path
        for path in dict.fromkeys((*after, *before))
        if before.get(path, "") != after.get(path, "") and path.rpartition(".")[2] not in _QUIET
    ]
    return _listed([f"{path} {_shown(before.get(path, ''))} → {_shown(after.get(path, ''))}" for path in moved])


def _listed(said: list[str], *, rest: bool = True) -> str:
    more = len(said) - SHOWN
    return " · ".join((*said[:SHOWN], *([f"and {more} more"] if rest and more > 0 else [])))


def _shown(value: object) -> str:
    """One line of a stranger's text, cut, without anything a terminal would obey."""
    text = " ".join("".join(letter if letter.isprintable() else " " for letter in str(value)).split())
    return (text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…") or "(empty)"
