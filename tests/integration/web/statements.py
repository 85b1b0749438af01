"""Which statements does a page send, and how many rows go with them? Heard at the engine, while a block runs."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa


@contextmanager
def sent_by(engine: sa.Engine) -> Iterator[list[str]]:
    """The statements that are sent meanwhile, in order."""
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        sent.append(statement)

    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)


@contextmanager
def carried_by(engine: sa.Engine) -> Iterator[list[int]]:
    """For each statement that is sent meanwhile, in order, how many rows go with it, and how many come back."""
    carried: list[int] = []

    def goes(
        _connection: object, _cursor: object, _statement: str, given: Sequence[object], _: object, many: bool
    ) -> None:
        carried.append(len(given) if many else 1)

    def comes(_connection: object, cursor: Any, *_: object) -> None:
        carried.append(cursor.rowcount if cursor.description else 0)

    sa.event.listen(engine, "before_cursor_execute", goes)
    sa.event.listen(engine, "after_cursor_execute", comes)
    try:
        yield carried
    finally:
        sa.event.remove(engine, "before_cursor_execute", goes)
        sa.event.remove(engine, "after_cursor_execute", comes)
