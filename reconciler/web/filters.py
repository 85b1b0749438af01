"""What of a list does somebody want to see? The parts of a filter as they stand in an address; what is senseless is not there."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, get_args
from urllib.parse import urlencode

from crm_outbox.messaging.danish import danish
from reconciler import fields
from reconciler.contract import TaskKind
from reconciler.narrowing import Filter
from reconciler.rules import System
from reconciler.web import days

DETAILS: Final = (*(one.name for one in fields.GROUPS["customer"]), "contact")
"""Details a list is filtered by; ``contact``: all of contact persons."""
WHO: Final = (*map(str, System), "rule", "person")
A_PAGE: Final = 50
_LONGEST: Final = 200


def read(query: Mapping[str, str]) -> Filter:
    """The filter of an address."""
    group = query.get("group", "")
    return Filter(
        detail=_one_of(query.get("detail", ""), DETAILS),
        kind=_one_of(query.get("kind", ""), get_args(TaskKind)),
        since=since(query.get("since", "")),
        person=_text(query.get("person", "")),
        who=_one_of(query.get("who", ""), WHO),
        system=_one_of(query.get("system", ""), tuple(map(str, System))),
        customer=_text(query.get("customer", "")),
        group=int(group) if group.isascii() and group.isdecimal() and len(group) < 10 else None,
    )


def parts(wanted: Filter) -> dict[str, str]:
    """A filter part by part, as it stands in an address; nothing where it does not matter."""
    return {
        "detail": wanted.detail,
        "kind": wanted.kind,
        "since": "" if wanted.since is None else danish(wanted.since).date().isoformat(),
        "person": wanted.person,
        "who": wanted.who,
        "system": wanted.system,
        "customer": wanted.customer,
        "group": "" if wanted.group is None else str(wanted.group),
    }


def written(wanted: Filter, **more: object) -> str:
    """A filter as it stands in an address, with its question mark where there is anything; ``more`` stands beside it."""
    given = {name: value for name, value in {**parts(wanted), **more}.items() if value not in {"", None}}
    return f"?{urlencode(given)}" if given else ""


def since(text: str) -> datetime | None:
    """The first moment of a day on a Danish clock; none for what is no day."""
    day = days.read(text)
    if day is None:
        return None
    try:
        midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
        found = (midnight - timedelta(hours=hours) for hours in (2, 1))
        return next((one for one in found if danish(one).date() == day), None)
    except OverflowError:
        return None


def page(query: Mapping[str, str]) -> int:
    """The page of a list, from 1; the first for what is no page."""
    text = query.get("page", "1")
    return max(1, int(text)) if text.isascii() and text.isdecimal() and 0 < len(text) < 6 else 1


def _one_of(text: str, known: tuple[str, ...]) -> str:
    return text if text in known else ""


def _text(text: str) -> str:
    return text if len(text) <= _LONGEST and "\0" not in text else ""
