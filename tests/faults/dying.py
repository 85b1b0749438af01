"""Where does a process die? ``python -m tests.faults.dying POINT N PACKAGE run DUTY`` ends by SIGKILL at a durable step.

Runs the package's own ``__main__`` and counts the passes of one point, from the moment the file ``DYING_ARMED`` exists;
at the N-th it writes to ``DYING_RECORD`` what it was about, and dies as a power cut would end it. The product knows
nothing of it: drivers are wrapped here.

A point is a step and a side of it:

- ``commit.before`` ``commit.after``: a commit in PostgreSQL of a transaction that wrote something.
- ``send.before`` ``send.sent`` ``send.after``: a request to e-conomic; ``sent`` is between its last byte and the answer.
- ``publish.before`` ``publish.after``: the write of a batch of messages to the broker's socket.
- ``confirm.before``: what the broker said of them was read, and nothing was made of it yet.
- ``ack.before`` ``ack.after``: an acknowledgement or a rejection.
- ``wake.before`` ``wake.after``: a wake-up for the worker.
"""

import os
import re
import runpy
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

POINTS = (
    "commit.before", "commit.after", "send.before", "send.sent", "send.after", "publish.before", "publish.after",
    "confirm.before", "ack.before", "ack.after", "wake.before", "wake.after",
)  # fmt: skip

_WRITES = re.compile(r"\b(insert\s+into|delete\s+from|update)\s+([\w.]+)\s*(?:as\s+\w+\s+)?(\w*)", re.IGNORECASE)


class Death:
    """Counts the passes of one point and dies at the N-th."""

    def __init__(self, point: str, nth: int, armed: Path, record: Path) -> None:
        self._point, self._nth = point, nth
        self._armed, self._record = armed, record
        self._passes = 0
        self._lock = threading.Lock()

    def passes(self, point: str, about: str) -> None:
        """A step is at this point."""
        if point != self._point:
            return
        with self._lock:
            if not self._armed.exists():
                return
            self._passes += 1
            if self._passes < self._nth:
                return
            with self._record.open("a", encoding="utf-8") as file:
                file.write(f"{point} {self._nth}: {about}\n")
            os.kill(os.getpid(), signal.SIGKILL)
            signal.pause()  # the lock is never given back

    def around(self, owner: Any, name: str, step: str, about: Callable[..., str | None]) -> None:
        """Wrap a method: both sides of it are points, unless ``about`` of its arguments is none."""
        method = getattr(owner, name)

        def wrapped(*given: Any, **named: Any) -> Any:
            told = about(*given, **named)
            if told is not None:
                self.passes(f"{step}.before", told)
            result = method(*given, **named)
            if told is not None:
                self.passes(f"{step}.after", told)
            return result

        setattr(owner, name, wrapped)


def wrap(death: Death) -> None:
    """Put the points around the drivers."""
    _commits(death)
    _calls(death)
    _messages(death)


def _commits(death: Death) -> None:
    import psycopg  # noqa: PLC0415 - only here, as below

    wrote: dict[int, list[str]] = {}
    execute, executemany = psycopg.Cursor.execute, psycopg.Cursor.executemany
    commit, rollback = psycopg.Connection.commit, psycopg.Connection.rollback

    def executed(cursor: Any, query: Any, *given: Any, **named: Any) -> Any:
        connection, told = cursor.connection, written(query)
        before = wrote.setdefault(id(connection), [])
        idle = connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
        if str(query).strip().lower() == "commit":
            ending, wrote[id(connection)] = ", ".join(before), []
        else:
            ending = told if connection.autocommit and idle else ""
        if ending:
            death.passes("commit.before", ending)
        result = execute(cursor, query, *given, **named)
        if ending:
            death.passes("commit.after", ending)
        elif told and cursor.rowcount != 0:
            before.append(told)
        return result

    def executed_many(cursor: Any, query: Any, *given: Any, **named: Any) -> Any:
        executemany(cursor, query, *given, **named)
        if told := written(query):
            wrote.setdefault(id(cursor.connection), []).append(told)

    def committed(connection: Any) -> None:
        told = ", ".join(wrote.pop(id(connection), ()))
        if told:
            death.passes("commit.before", told)
        commit(connection)
        if told:
            death.passes("commit.after", told)

    def rolled_back(connection: Any) -> None:
        wrote.pop(id(connection), None)
        rollback(connection)

    psycopg.Cursor.execute = executed  # type: ignore[method-assign]
    psycopg.Cursor.executemany = executed_many  # type: ignore[method-assign]
    psycopg.Connection.commit = committed  # type: ignore[method-assign]
    psycopg.Connection.rollback = rolled_back  # type: ignore[method-assign]


def written(query: Any) -> str:
    """Which table a statement writes how; empty for one that only reads or locks."""
    for verb, table, after in _WRITES.findall(query if isinstance(query, str) else str(query)):
        if verb.lower() != "update" or after.lower() == "set":
            return f"{verb.split()[0].lower()} {table}"
    return ""


def _calls(death: Death) -> None:
    from httpcore._sync.http11 import HTTP11Connection  # noqa: PLC0415

    def call(_: Any, request: Any) -> str:
        return f"{request.method.decode()} {request.url.target.decode().partition('?')[0]}"

    receive = HTTP11Connection._receive_response_headers

    def received(connection: Any, request: Any) -> Any:
        death.passes("send.sent", call(connection, request))
        result = receive(connection, request)
        death.passes("send.after", call(connection, request))
        return result

    send = HTTP11Connection._send_request_headers

    def sent(connection: Any, request: Any) -> None:
        death.passes("send.before", call(connection, request))
        send(connection, request)

    HTTP11Connection._receive_response_headers = received  # type: ignore[method-assign]
    HTTP11Connection._send_request_headers = sent  # type: ignore[method-assign]


def _messages(death: Death) -> None:
    import amqp  # noqa: PLC0415
    from dramatiq.brokers import rabbitmq  # noqa: PLC0415

    from crm_outbox.messaging.publisher import Publisher  # noqa: PLC0415
    from economic_adapter.worker import Waker  # noqa: PLC0415

    def batch(_: Any, messages: Any) -> str | None:
        said = [message.type for message in messages if message.type != "greeting"]
        return ", ".join(said) or None

    death.around(Publisher, "send", "publish", batch)
    death.around(Waker, "send", "wake", lambda *_: "wake")
    death.around(amqp.Channel, "basic_ack", "ack", lambda _, tag, multiple=False: f"ack {tag}{'...' * multiple}")
    death.around(amqp.Channel, "basic_reject", "ack", lambda _, tag, **_more: f"reject {tag}")
    death.around(rabbitmq._RabbitmqConsumer, "ack", "ack", lambda *_: "wake-up")
    hear = Publisher.hear

    def heard(publisher: Any) -> Any:
        events = hear(publisher)
        said = [type(event).__name__ for event in events]
        if "Acked" in said:
            death.passes("confirm.before", ", ".join(said))
        return events

    Publisher.hear = heard  # type: ignore[method-assign]


def main() -> None:
    """Wrap, then be the package."""
    point, nth, package, *arguments = sys.argv[1:]
    if point not in POINTS:
        sys.exit(f"the points are {', '.join(POINTS)}")
    wrap(Death(point, int(nth), Path(os.environ["DYING_ARMED"]), Path(os.environ["DYING_RECORD"])))
    sys.argv = [package, *arguments]
    runpy.run_module(package, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
