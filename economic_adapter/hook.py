"""What does a webhook say? At most two customer numbers, from a query, a form or a JSON document.

The payload is only a hint: the numbers are read from e-conomic later. Missing and empty fields are normal (the
documents do not say which one is empty on creation and deletion); what is no customer number at all is refused.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

HIGHEST_NUMBER = 999_999_999
_NEW = frozenset({"new", "newnumber", "number", "customernumber"})
_OLD = frozenset({"old", "oldnumber"})
_NUMBER = re.compile(r"[0-9]{1,9}", re.ASCII)


class Malformed(Exception):
    """A payload nobody could have meant; the message is a short code and holds nothing of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """The numbers a webhook named. Both may be missing."""

    new: int | None = None
    old: int | None = None

    def numbers(self) -> tuple[int, ...]:
        """Every number to look at, the new one first, each once."""
        return tuple(dict.fromkeys(number for number in (self.new, self.old) if number is not None))

    def old_numbers(self) -> tuple[int, ...]:
        """The number the customer had before, when it was renumbered."""
        return (self.old,) if self.old is not None and self.new not in {None, self.old} else ()


def read(query: str, content_type: str, body: bytes) -> Hint:
    """The hint in a request; ``Malformed`` with a code for anything that is no hint."""
    try:
        pairs = _pairs(query)
        if body.strip():
            pairs += _json(body) if _is_json(content_type, body) else _pairs(body.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise Malformed("malformed") from error
    return Hint(new=_one(pairs, _NEW), old=_one(pairs, _OLD))


def is_form(content_type: str) -> bool:
    """Whether that is the content type of a form, which e-conomic is told to send."""
    return content_type.partition(";")[0].strip().lower() == "application/x-www-form-urlencoded"


def _is_json(content_type: str, body: bytes) -> bool:
    kind = content_type.partition(";")[0].strip().lower()
    return kind == "application/json" or kind.endswith("+json") or body.lstrip()[:1] in {b"{", b"["}


def _pairs(text: str) -> list[tuple[str, Any]]:
    return list(parse_qsl(text, keep_blank_values=True, max_num_fields=50, errors="strict"))


def _json(body: bytes) -> list[tuple[str, Any]]:
    document = json.loads(body.decode("utf-8"), object_pairs_hook=tuple, parse_constant=_no_constant)
    if not isinstance(document, tuple):
        raise Malformed("no_object")
    if len({name for name, _ in document}) != len(document):
        raise Malformed("key_twice")
    return list(document)


def _one(pairs: Iterable[tuple[str, Any]], names: frozenset[str]) -> int | None:
    values = [value for name, value in pairs if name.lower() in names]
    numbers = {number for value in values if (number := _number(value)) is not None}
    if len(numbers) > 1:
        raise Malformed("contradicts")
    return numbers.pop() if numbers else None


def _number(value: Any) -> int | None:
    if value is None or value == "" or (isinstance(value, str) and not value.strip()):
        return None
    text = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if not _NUMBER.fullmatch(text) or not 1 <= int(text) <= HIGHEST_NUMBER:
        raise Malformed("no_number")
    return int(text)


def _no_constant(_: str) -> None:
    raise ValueError("NaN and Infinity are no JSON")
