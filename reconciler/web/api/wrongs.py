"""What is wrong with a request that is not as it is described? Each thing by where it stands, in the language that was asked for."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from reconciler.web.words import Words

_ISO: Final = "not written as ISO 8601 has it"
_NO_JSON: Final = "json_invalid"
_ONE_OF: Final = "none of {expected}"
KINDS: Final[Mapping[str, str]] = {
    "missing": "missing",
    "extra_forbidden": "not known here",
    "string_type": "no text",
    "string_unicode": "no text",
    "string_too_short": "shorter than {min_length} characters",
    "string_too_long": "longer than {max_length} characters",
    "string_pattern_mismatch": "not written as {pattern} has it",
    "literal_error": _ONE_OF,
    "enum": _ONE_OF,
    "bool_type": "neither true nor false",
    "int_type": "no whole number",
    "int_from_float": "no whole number",
    "int_parsing": "no whole number",
    "int_parsing_size": "no whole number",
    "greater_than": "not more than {gt}",
    "greater_than_equal": "less than {ge}",
    "less_than": "not less than {lt}",
    "less_than_equal": "more than {le}",
    "too_short": "fewer than {min_length}",
    "too_long": "more than {max_length}",
    "tuple_type": "no list",
    "list_type": "no list",
    "set_type": "no list",
    "frozen_set_type": "no list",
    "dict_type": "no object",
    "model_type": "no object",
    "model_attributes_type": "no object",
    "uuid_type": "no UUID",
    "uuid_parsing": "no UUID",
    "timezone_aware": _ISO,
    _NO_JSON: "no JSON in UTF-8",
}
"""By the kind of error as pydantic names it; ``{}`` are its own values."""
OURS: Final = (
    _ISO, "neither true nor false", "no whole number", "no such parameter", "given twice", "no JSON in UTF-8",
)  # fmt: skip
"""What our own checks say."""
_LONGEST: Final = 64
"""Characters of a name that somebody else gave."""
OTHERWISE: Final = "not as it is described at /api/v1/openapi.json"


def said(errors: Iterable[Mapping[str, Any]], words: Words) -> str:
    """All that is wrong, where it stands first."""
    return "; ".join(f"{_where(one)}: {_why(one, words)}" for one in errors)


def _where(one: Mapping[str, Any]) -> str:
    whole, *inside = one["loc"]
    if one["type"] == _NO_JSON:  # inside is the character, not a field
        return str(whole)
    return ".".join(str(name)[:_LONGEST] for name in inside).strip(".") or str(whole)


def _why(one: Mapping[str, Any], words: Words) -> str:
    values = dict(one.get("ctx", {}))
    if one["type"] == "value_error":
        ours = str(values.get("error", one["msg"]))
        return words(ours if ours in OURS else OTHERWISE)
    if one["type"].startswith("date"):
        return words(_ISO)
    text = KINDS.get(one["type"], OTHERWISE)
    if text is _ONE_OF:
        values["expected"] = ", ".join(re.findall(r"'([^']*)'", str(values["expected"])))
    return words(text, **values)
