"""Is a request of a service just what is described? Who sends it and whether they may comes first; nothing is guessed or left out.

What is no ``true`` or ``false``, no number and no moment as they are written in JSON is not taken for one.
"""

import re
from collections.abc import Callable, Coroutine
from datetime import date
from typing import Annotated, Any, Final

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import AwareDatetime, BeforeValidator, StrictBool, StringConstraints
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from reconciler.person import Person, Right
from reconciler.web import doors
from reconciler.web.site import Site

RIGHT: Final = "x-right"
"""What the description of an operation calls the right it needs."""
TEXT: Final = r"^[^\x00]*$"
"""No database holds a NUL."""
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_MOMENT: Final = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}.*")


def _written(pattern: re.Pattern[str]) -> Callable[[object], object]:
    def check(value: object) -> object:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise ValueError("not written as ISO 8601 has it")
        return value

    return check


def _true_or_false(value: object) -> object:
    if value not in ("true", "false"):
        raise ValueError("neither true nor false")
    return value == "true"


def _decimal(value: object) -> object:
    if not isinstance(value, str) or not re.fullmatch(r"-?[0-9]{1,19}", value):
        raise ValueError("no whole number")
    return int(value)


def _whole(value: object) -> object:
    if isinstance(value, float) and value.is_integer():
        return int(value)  # JSON does not tell 7.0 from 7
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("no whole number")  # noqa: TRY004 - what pydantic asks for
    return value


Flag = StrictBool
WHOLE: Final = BeforeValidator(_whole)
"""Of a body; it stands last, so that the bounds before it are described."""
ASKED_WHOLE: Final = BeforeValidator(_decimal)
"""The same as it stands in an address."""
ASKED_FLAG: Final = BeforeValidator(_true_or_false)
"""As it stands in an address."""
Moment = Annotated[AwareDatetime, BeforeValidator(_written(_MOMENT))]
Day = Annotated[date, BeforeValidator(_written(_DAY))]
Text = Annotated[str, StringConstraints(max_length=2000, pattern=TEXT)]


def needs(right: Right) -> dict[str, Any]:
    """What an operation says of itself besides: the right that a key needs for it."""
    return {RIGHT: right}


def routes(site: Site) -> type[APIRoute]:
    """How each operation takes a request: the key, its right, the words of the address, the body; the first that is wrong is said."""

    class Strict(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            plain, right, names = super().get_route_handler(), right_of(self), frozenset(_names(self.dependant))

            async def handle(request: Request) -> Response:
                request.state.person = await run_in_threadpool(_person, site, request, right)
                _only(request, names)
                try:
                    return await plain(request)
                except HTTPException as error:
                    if error.status_code != 400:
                        raise
                    raise _wrong("body", "", "no JSON in UTF-8") from error

            return handle

    return Strict


def right_of(route: APIRoute) -> Right:
    """The right that an operation needs."""
    found: Right = (route.openapi_extra or {}).get(RIGHT, "see")
    return found


def _person(site: Site, request: Request, right: Right) -> Person:
    person = doors.of_key(site, request)
    doors.must(site, person, right)
    return person


def _only(request: Request, names: frozenset[str]) -> None:
    seen: set[str] = set()
    for name, _ in request.query_params.multi_items():
        if name not in names:
            raise _wrong("query", name[:40], "no such parameter")
        if name in seen:
            raise _wrong("query", name, "given twice")
        seen.add(name)


def _names(dependant: Dependant) -> set[str]:
    return {one.alias for one in dependant.query_params}.union(*(_names(one) for one in dependant.dependencies))


def _wrong(where: str, what: str, why: str) -> RequestValidationError:
    return RequestValidationError([{"type": "value_error", "loc": (where, what), "msg": why, "input": None}])
