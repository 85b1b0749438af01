"""Where does a process die? ``python -m tests.faults.dying POINT PACKAGE run DUTY`` ends by SIGKILL at a durable step.

Runs the package's own ``__main__`` and looks at every pass of one point, from the moment the file ``DYING_ARMED`` exists:
what it is about, and the how-manieth of its kind it is. The first that does not stand in the file ``DYING_RECORD`` is
written there, and the process dies as a power cut would end it. The product knows nothing of it: drivers are wrapped here.

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
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

POINTS = (
    "commit.before", "commit.after", "send.before", "send.sent", "send.after", "publish.before", "publish.after",
    "confirm.before", "ack.before", "ack.after", "wake.before", "wake.after",
)  # fmt: skip

_WRITES = re.compile(r"\b(insert\s+into|delete\s+from|update)\s+([\w.]+)\s*(?:as\s+\w+\s+)?(\w*)", re.IGNORECASE)


class Death:
    """Dies at the first pass of its point that nobody died at before."""

    def __init__(self, point: str, armed: Path, record: Path) -> None:
        self._point, self._armed, self._record = point, armed, record
        self._walked = set(record.read_text("utf-8").splitlines())
        self._passes: Counter[str] = Counter()
        self._lock = threading.Lock()

    def passes(self, point: str, about: str) -> None:
        """A step is at this point."""
        if point != self._point:
            return
        with self._lock:
            if not self._armed.exists():
                return
            about = re.sub(r"\d+", "#", about)
            self._passes[about] += 1
            step = f"{point} {about} ({self._passes[about]})"
            if step in self._walked:
                return
            with self._record.open("a", encoding="utf-8") as file:
                file.write(f"{step}\n")
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
    cursors: Any = psycopg.Cursor
    connections: Any = psycopg.Connection
    execute, executemany = cursors.execute, cursors.executemany
    commit, rollback = connections.commit, connections.rollback

    def executed(cursor: Any, query: Any, *given: Any, **named: Any) -> Any:
        connection, told = cursor.connection, written(query)
        before = wrote.setdefault(id(connection), [])
        idle = connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
        if str(query).strip().lower() == "commit":
            ending, wrote[id(connection)] = _said(before), []
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
        told = _said(wrote.pop(id(connection), []))
        if told:
            death.passes("commit.before", told)
        commit(connection)
        if told:
            death.passes("commit.after", told)

    def rolled_back(connection: Any) -> None:
        wrote.pop(id(connection), None)
        rollback(connection)

    cursors.execute, cursors.executemany = executed, executed_many
    connections.commit, connections.rollback = committed, rolled_back


def _said(steps: list[str]) -> str:
    return ", ".join(dict.fromkeys(steps))


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

    calls: Any = HTTP11Connection
    send, receive = calls._send_request_headers, calls._receive_response_headers

    def received(connection: Any, request: Any) -> Any:
        death.passes("send.sent", call(connection, request))
        result = receive(connection, request)
        death.passes("send.after", call(connection, request))
        return result

    def sent(connection: Any, request: Any) -> None:
        death.passes("send.before", call(connection, request))
        send(connection, request)

    calls._send_request_headers, calls._receive_response_headers = sent, received


def _messages(death: Death) -> None:
    import amqp  # noqa: PLC0415
    from dramatiq.brokers import rabbitmq  # noqa: PLC0415

    from crm_outbox.messaging.publisher import Publisher  # noqa: PLC0415
    from economic_adapter.worker import Waker  # noqa: PLC0415

    def batch(_: Any, messages: Any) -> str | None:
        said = [message.type for message in messages if message.type != "greeting"]
        return _said(said) or None

    death.around(Publisher, "send", "publish", batch)
    death.around(Waker, "send", "wake", lambda *_: "wake")
    death.around(amqp.Channel, "basic_ack", "ack", lambda *_, **__: "ack")
    death.around(amqp.Channel, "basic_reject", "ack", lambda *_, **__: "reject")
    death.around(rabbitmq._RabbitmqConsumer, "ack", "ack", lambda *_: "wake-up")
    publishers: Any = Publisher
    hear = publishers.hear

    def heard(publisher: Any) -> Any:
        events = hear(publisher)
        said = [type(event).__name__ for event in events]
        if "Acked" in said:
            death.passes("confirm.before", _said(said))
        return events

    publishers.hear = heard


def main() -> None:
    """Wrap, then be the package."""
    point, package, *arguments = sys.argv[1:]
    if point not in POINTS:
        sys.exit(f"the points are {', '.join(POINTS)}")
    wrap(Death(point, Path(os.environ["DYING_ARMED"]), Path(os.environ["DYING_RECORD"])))
    sys.argv = [package, *arguments]
    runpy.run_module(package, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
