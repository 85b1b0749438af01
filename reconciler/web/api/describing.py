"""What does the description of ``/api/v1`` say besides shapes? Every error of each operation, as it is sent, and examples.

The examples are answers that were really given, with ids and names of nobody.
"""

import json
import re
from collections.abc import Mapping
from importlib import resources
from typing import Any, Final

from reconciler.web.api.problems import MEDIA_TYPE, REFUSED, SAID, Problem
from reconciler.web.api.strict import RIGHT

_EVERYWHERE: Final[Mapping[str, str]] = {
    "401": "No key, or one that does not hold",
    "422": "Not understood; nothing was changed",
    "429": "Too many at one time; send it again in a second",
    "500": "Our mistake; nothing is lost",
    "503": "Our database does not answer; nothing is lost, repeat it in a few seconds",
}
_WITH_BODY: Final[Mapping[str, str]] = {"408": "Not whole within 5 seconds", "413": "More than 64 KiB"}
_FILLED: Final[Mapping[str, str]] = {
    "400": "there is no such colleague", "409": "it has changed since it was shown", "422": "limit: no whole number",
}  # fmt: skip
_TITLES: Final[Mapping[str, tuple[str, str]]] = {
    **{str(status): told for status, told in REFUSED.items()},
    **{
        str(status): (title, re.sub(r"\{.*?\}", _FILLED.get(str(status), ""), detail))
        for status, (title, detail) in SAID.items()
    },
}
_EXAMPLES: Final[Mapping[str, Mapping[str, Any]]] = json.loads(
    resources.files("reconciler.web.api").joinpath("examples.json").read_text("utf-8")
)
"""By method and path: what is sent, where there is a body, and what is answered."""
_MODULE: Final = re.compile(r"reconciler__web__api__([a-z_]+?)__")
"""How the framework names a shape that two modules have one of."""


def described(document: dict[str, Any]) -> dict[str, Any]:
    """The same description, with every error that an operation can end in and an example of all that is sent either way."""
    schemas = document.get("components", {}).get("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas["Problem"] = Problem.model_json_schema(mode="serialization")
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _complete(operation, _EXAMPLES.get(f"{method.upper()} {path}", {}))
    named: dict[str, Any] = json.loads(_MODULE.sub(r"\1.", json.dumps(document)))
    return named


def _complete(operation: dict[str, Any], example: Mapping[str, Any]) -> None:
    answers: dict[str, dict[str, Any]] = operation["responses"]
    for status, text in {**_EVERYWHERE, **(_WITH_BODY if "requestBody" in operation else {})}.items():
        answers.setdefault(status, {})["description"] = text
    if operation.get(RIGHT, "see") != "see":
        answers.setdefault("403", {"description": "The key's role may not do this"})
    for status, answer in answers.items():
        if status >= "400":
            title, detail = _TITLES[status]
            problem = Problem(title=title, status=int(status), detail=detail)
            schema = {"$ref": "#/components/schemas/Problem"}
            answer["content"] = {MEDIA_TYPE: {"schema": schema, "example": problem.model_dump()}}
        elif "answer" in example and "content" in answer:
            answer["content"]["application/json"]["example"] = example["answer"]
    if "request" in example:
        operation["requestBody"]["content"]["application/json"]["example"] = example["request"]
