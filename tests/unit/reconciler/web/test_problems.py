"""What a service is told when it did not get what it asked for: in its language, with the same status, type and codes in both."""

import ast
import json
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

import pytest
import sqlalchemy as sa
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from reconciler import deciding
from reconciler.person import Language
from reconciler.web import doors, words
from reconciler.web.api import problems, wrongs
from reconciler.web.words import Words

WEB = Path(str(resources.files("reconciler.web")))
SHARED = ("acting", "bulk", "by_hand", "handing", "mailing", "retrying", "set_up", "set_up_choices")
"""What pages and services both call."""
DECIDING = ("choosing", "deciding", "pressing", "replying", "reversing", "wishing")
"""What refuses a decision, whoever brings it."""
NOW = datetime(2026, 11, 24, tzinfo=UTC)


def said(error: Exception, language: Language) -> tuple[int, str, str]:
    answer = problems.problem(error, Words(language, NOW))
    assert (answer.headers["content-type"], answer.headers["content-language"]) == (
        "application/problem+json",
        language,
    )
    told = json.loads(bytes(answer.body))
    assert (told["type"], told["status"]) == ("about:blank", answer.status_code)
    return answer.status_code, told["title"], told["detail"]


@pytest.mark.parametrize(
    ("error", "status", "danish", "english"),
    [
        (doors.NotIn(), 401, "Ingen nøgle", "No key"),
        (doors.Lacking([]), 403, "Ingen adgang til det", "No right"),
        (doors.Unknown(), 404, "Findes ikke", "Not found"),
        (HTTPException(404), 404, "Findes ikke", "Not found"),
        (HTTPException(405, headers={"Allow": "GET"}), 405, "Metoden er ikke tilladt", "Method not allowed"),
        (doors.Conflict("over"), 409, "Ikke nu", "Not now"),
        (RequestValidationError([]), 422, "Ikke forstået", "Not understood"),
        (sa.exc.TimeoutError(), 503, "Prøv igen senere", "Try again later"),
        (ValueError(), 500, "Vores fejl", "Our mistake"),
    ],
)
def test_each_problem_has_its_title_in_both_languages(error: Exception, status: int, danish: str, english: str) -> None:
    assert said(error, "da")[:2] == (status, danish)
    assert said(error, "en")[:2] == (status, english)
    assert said(error, "da")[2] != said(error, "en")[2]


@pytest.mark.parametrize(
    ("error", "danish", "english"),
    [
        (
            doors.Conflict("it has changed since it was shown"),
            "Det kan ikke ske nu: det er ændret, siden det blev vist. Intet er ændret.",
            "That is not so now: it has changed since it was shown. Nothing was changed.",
        ),
        (
            doors.Senseless("nobody is known as {v}", v="'{x}'"),
            "Det kan ikke lade sig gøre: vi kender ingen som '{x}'. Intet er ændret.",
            "That cannot be done: nobody is known as '{x}'. Nothing was changed.",
        ),
        (
            doors.Conflict("busy"),
            "Noget andet er ved at blive udført. Vent, til det er færdigt, eller stop det. Teknisk: busy",
            "Something else is being carried out. Wait until it is done, or stop it. Technical: busy",
        ),
        (
            doors.Conflict("Others are at these customers just now. Nothing was saved. Try again."),
            "Andre arbejder med disse kunder lige nu. Intet er gemt. Prøv igen.",
            "Others are at these customers just now. Nothing was saved. Try again.",
        ),
        (
            doors.Senseless("nothing of {x} says so"),
            "Det kan ikke lade sig gøre: nothing of {x} says so. Intet er ændret.",
            "That cannot be done: nothing of {x} says so. Nothing was changed.",
        ),
    ],
)
def test_why_is_said_in_the_same_language(error: Exception, danish: str, english: str) -> None:
    assert (said(error, "da")[2], said(error, "en")[2]) == (danish, english)


@pytest.mark.parametrize("status", list(problems.REFUSED))
def test_what_was_not_looked_at_is_refused_in_both_languages(status: int) -> None:
    danish, english = (
        json.loads(bytes(problems.refused(status, Words(language, NOW)).body)) for language in ("da", "en")
    )
    assert (danish["status"], danish["type"]) == (english["status"], english["type"])
    assert danish["title"] != english["title"]
    assert danish["detail"] != english["detail"]


def texts() -> set[str]:
    """Every text of a problem, and every reason that stands where it is raised."""
    found = {problems.NO_ADDRESS, *(text for both in problems.REFUSED.values() for text in both)}
    found |= {text for both in problems.SAID.values() for text in both}
    found |= {*wrongs.KINDS.values(), *wrongs.OURS, wrongs.OTHERWISE, *deciding.NOT_OFFERED.values()}
    said_by = (*(WEB / f"{name}.py" for name in SHARED), *(WEB.parent / f"{name}.py" for name in DECIDING))
    for file in (*(WEB / "api").glob("*.py"), *said_by):
        for call in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name | ast.Attribute):
                name = call.func.id if isinstance(call.func, ast.Name) else call.func.attr
                first = call.args[0] if call.args else None
                if name in {"Conflict", "Senseless", "NotDecided"}:
                    assert not isinstance(first, ast.JoinedStr), f"{file.name}: values are given by name"
                    if isinstance(first, ast.Constant) and " " in str(first.value):
                        found.add(str(first.value))
    return found


@pytest.mark.parametrize("text", sorted(texts()))
def test_every_text_of_a_problem_has_its_danish(text: str) -> None:
    assert text in words.catalogue("da")
