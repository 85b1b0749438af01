"""Which records does a filter mean, and in which order? e-conomic's filter language with its documented quirks."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from economic_adapter.sandbox.fields import Property, moment

R = TypeVar("R")
Get = Callable[[R, str], Any]

_OPERATOR = re.compile(r"\$(eq|ne|gte|gt|lte|lt|like|in|nin):", re.IGNORECASE)
_NEXT = re.compile(r"\$(and|or):", re.IGNORECASE)
_ESCAPES = "$()*,"
_STAR = "\ue000"  # stands for an escaped star, which is a letter and no wildcard
LONGEST_LIST = 200


class BadFilter(Exception):
    """The filter or the sort cannot be served; ``property`` is set when only that property is to blame."""

    def __init__(self, message: str, property_name: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.property = property_name


@dataclass(frozen=True, slots=True)
class Clause:
    """``property$operator:value``; ``value`` none is ``$null:``."""

    property: str
    operator: str
    value: str | None
    values: tuple[str | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Joined:
    """Clauses joined by ``$and:`` or ``$or:``."""

    all: bool
    parts: "tuple[Clause | Joined, ...]"


Expression = Clause | Joined


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def whole(self) -> Expression:
        found = self.either()
        if self.at < len(self.text):
            raise BadFilter(f"Syntax error, unexpected: {self.text[self.at]}")
        return found

    def either(self) -> Expression:
        parts = [self.both()]
        while self.joined("or"):
            parts.append(self.both())
        return parts[0] if len(parts) == 1 else Joined(False, tuple(parts))

    def both(self) -> Expression:
        parts = [self.single()]
        while self.joined("and"):
            parts.append(self.single())
        return parts[0] if len(parts) == 1 else Joined(True, tuple(parts))

    def joined(self, word: str) -> bool:
        found = _NEXT.match(self.text, self.at)
        if found is None or found[1].lower() != word:
            return False
        self.at = found.end()
        return True

    def single(self) -> Expression:
        if self.text.startswith("(", self.at):
            self.at += 1
            inside = self.either()
            if not self.text.startswith(")", self.at):
                raise BadFilter("Syntax error, expected: )")
            self.at += 1
            return inside
        found = _OPERATOR.search(self.text, self.at)
        if found is None or found.start() == self.at:
            raise BadFilter("Syntax error, expected: property and operator")
        name, operator = self.text[self.at : found.start()], found[1].lower()
        self.at = found.end()
        if operator not in {"in", "nin"}:
            return Clause(name, operator, self.value(")"))
        if not self.text.startswith("[", self.at):
            raise BadFilter("Syntax error, expected: [")
        self.at += 1
        values = [self.value(",]")]
        while self.text.startswith(",", self.at):
            self.at += 1
            values.append(self.value(",]"))
        if not self.text.startswith("]", self.at):
            raise BadFilter("Syntax error, expected: ]")
        self.at += 1
        if len(values) > LONGEST_LIST:
            raise BadFilter(f"At most {LONGEST_LIST} values are allowed in a list")
        return Clause(name, operator, None, tuple(values))

    def value(self, ends: str) -> str | None:
        """A value up to what ends it; ``$[`` and ``$]`` stay as they are, so an escaped bracket matches nothing."""
        if self.text[self.at : self.at + 6].lower() == "$null:":
            self.at += 6
            return None
        out: list[str] = []
        while self.at < len(self.text) and self.text[self.at] not in ends and not _NEXT.match(self.text, self.at):
            letter, following = self.text[self.at], self.text[self.at + 1 : self.at + 2]
            if letter == "$" and following and following in _ESCAPES:
                out.append(_STAR if following == "*" else following)
                self.at += 2
            else:
                out.append(letter)
                self.at += 1
        return "".join(out)


def read(text: str) -> Expression:
    """The expression a filter says; raises ``BadFilter``."""
    return _Reader(text).whole()


def predicate(expression: Expression, properties: Mapping[str, Property], get: Get[R]) -> Callable[[R], bool]:
    """A test of one record. Raises ``BadFilter`` for a property, an operator or a value that is not allowed."""
    if isinstance(expression, Joined):
        parts = [predicate(part, properties, get) for part in expression.parts]
        if expression.all:
            return lambda record: all(part(record) for part in parts)
        return lambda record: any(part(record) for part in parts)
    names = {name.lower(): name for name in properties}
    name = names.get(expression.property.lower())
    if name is None:
        raise BadFilter(f"Filtering is not allowed on property '{expression.property}'", expression.property)
    known = properties[name]
    if expression.operator not in known.filters:
        raise BadFilter(f"Operator ${expression.operator}: not supported on property {name}", name)
    test = _test(expression, known)
    return lambda record: test(get(record, name))


def ordered(records: Sequence[R], sort: str, properties: Mapping[str, Property], get: Get[R]) -> list[R]:
    """The records in the order ``sort`` says (``-`` descending, ``~`` as text); raises ``BadFilter``."""
    names = {name.lower(): name for name, known in properties.items() if known.sortable}
    found = list(records)
    for part in reversed([part.strip() for part in sort.split(",") if part.strip()]):
        bare = part.lstrip("-~")
        name = names.get(bare.lower())
        if name is None:
            raise BadFilter(f"Sorting is not allowed on property '{bare}'", bare)
        prefix = part[: len(part) - len(bare)]
        found.sort(key=_key(name, get, as_text="~" in prefix), reverse="-" in prefix)
    return found


def _key(name: str, get: Get[R], *, as_text: bool) -> Callable[[R], tuple[bool, Any]]:
    def key(record: R) -> tuple[bool, Any]:
        value = get(record, name)
        if value is None:
            return (False, 0)
        if isinstance(value, str) or as_text:
            return (True, str(value).casefold())
        return (True, value)

    return key


def _typed(text: str | None, known: Property) -> Any:
    if text is None:
        return None
    text = text.replace(_STAR, "*")
    try:
        match known.kind:
            case "integer":
                return int(text)
            case "number":
                return float(text)
            case "flag":
                return {"true": True, "false": False}[text.lower()]
            case "moment":
                return _moment(text)
            case _:
                return text.casefold()
    except (ValueError, KeyError):
        raise BadFilter(f"Syntax error, '{text}' is no {known.kind}") from None


def _moment(text: str) -> datetime:
    found = moment(text)
    if found is None:
        raise ValueError(text)
    return found


def _plain(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value


def _test(clause: Clause, known: Property) -> Callable[[Any], bool]:
    if clause.operator == "like":
        pattern = _pattern(clause.value or "")
        return lambda value: value is not None and pattern.fullmatch(str(value)) is not None
    if clause.operator in {"in", "nin"}:
        wanted = {_typed(value, known) for value in clause.values}
        inside = clause.operator == "in"
        return lambda value: (_plain(value) in wanted) == inside
    against = _typed(clause.value, known)
    match clause.operator:
        case "eq":
            return lambda value: bool(_plain(value) == against)
        case "ne":
            return lambda value: bool(_plain(value) != against)
        case _:
            pass
    if against is None:
        return lambda _value: False
    compare: dict[str, Callable[[Any], bool]] = {
        "lt": lambda value: bool(value < against),
        "lte": lambda value: bool(value <= against),
        "gt": lambda value: bool(value > against),
        "gte": lambda value: bool(value >= against),
    }
    held = compare[clause.operator]
    return lambda value: value is not None and held(_plain(value))


def _pattern(text: str) -> re.Pattern[str]:
    """``*`` is any text, none means contains, and a bracket opens a class of letters, as in SQL."""
    if "*" not in text:
        text = f"*{text}*"
    out: list[str] = []
    at = 0
    while at < len(text):
        letter = text[at]
        closing = text.find("]", at + 2) if letter == "[" else -1
        if closing > 0:
            out.append("[" + re.sub(r"([\\\[\]&~|])", r"\\\1", text[at + 1 : closing]) + "]")
            at = closing + 1
            continue
        out.append(".*" if letter == "*" else re.escape("*" if letter == _STAR else letter))
        at += 1
    try:
        return re.compile("".join(out), re.IGNORECASE | re.DOTALL)
    except re.error:
        raise BadFilter("Syntax error in a class of letters") from None
