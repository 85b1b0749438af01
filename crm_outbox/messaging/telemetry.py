"""What does a process tell of itself? JSON logs without personal data or secrets, metrics, and whether its loops turn."""

import logging
import re
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TextIO

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Gauge, Histogram, generate_latest

TURNS = Counter("sync_duty_turns", "Steps of a duty's loop", ["duty", "result"])
FAILURES = Counter("sync_duty_failures", "Steps that raised; the duty was rebuilt", ["duty", "error"])
LAST_WORK = Gauge("sync_last_success_timestamp_seconds", "When a duty last did something", ["job"])
PENDING = Gauge("sync_outbox_pending", "Messages still to be settled", ["schema", "lane"])
PENDING_AGE = Gauge(
    "sync_outbox_oldest_age_seconds", "Age of the oldest message still to be settled", ["schema", "lane"]
)
PARKED = Gauge("sync_outbox_parked", "Messages that could not be published by themselves", ["schema"])
UNCHANGED = Counter("sync_web_unchanged", "Answers to open pages that nothing has changed; they are not logged")
PUBLISHED = Counter("sync_relay_publish", "Publishes by how they ended", ["schema", "lane", "result"])
CONFIRM_SECONDS = Histogram("sync_relay_confirm_seconds", "From a publish to its confirm", ["schema", "lane"])
BLOCKED = Gauge("sync_relay_blocked", "1 while the broker blocks publishing", ["schema", "lane"])
CONSUMED = Counter("sync_inbox_messages", "Messages by what became of them", ["consumer", "result"])
REFUSED = Counter("sync_inbox_refused", "Messages that were refused, by reason", ["consumer", "reason"])
VERSIONS = Counter("sync_inbox_versions", "Versions that came: newer, gap, old", ["consumer", "result"])
BATCH_SECONDS = Histogram(
    "sync_inbox_batch_seconds", "From a batch's first statement to its commit", ["consumer", "lane"]
)
CONSUMER_LOST = Counter("sync_inbox_connections_lost", "Connections to the broker that ended", ["consumer", "error"])
DEAD_LETTERS = Gauge("sync_dead_letters_open", "Messages that wait in a dead-letter queue", ["queue"])

MASK = "***"
_SECRET_KEYS = re.compile(
    r"token|grant|authori[sz]ation|password|passwd|secret|cookie|api_?key|credential|body|payload|parameters",
    re.IGNORECASE,
)
_PERSONAL_KEYS = frozenset({
    "email", "phone", "mobile", "street", "address", "postcode", "city", "notes", "cvr", "ean", "pnumber", "website",
    "fields", "data", "customer_name", "contact_name",
})  # fmt: skip
_PATTERNS = (
    (re.compile(r"([a-z][a-z0-9+.-]*://[^\s:/@]*):[^\s/]*@", re.IGNORECASE), rf"\1:{MASK}@"),
    (re.compile(r"\b(password|passwd|pwd)=\S+", re.IGNORECASE), rf"\1={MASK}"),
    (re.compile(r"\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{6,}", re.IGNORECASE), rf"\1 {MASK}"),
    (re.compile(r"\b(x-(?:app|agreement)[a-z-]*token\W{1,4})[^\s'\",}]+", re.IGNORECASE), rf"\1{MASK}"),
    (re.compile(r"([?&;](?:[a-z_]*token|secret|code|state|key)=)[^\s&\"']+", re.IGNORECASE), rf"\1{MASK}"),
    (re.compile(r"(/hooks?(?:/[a-z-]+)*/)[A-Za-z0-9_-]{12,}"), rf"\1{MASK}"),
    (re.compile(r"[^\s@<>\"'(),:;=]+@(?=[^\s@]*\.)[^\s@<>\"'(),:;]+"), f"{MASK}@{MASK}"),
    (re.compile(r"\b[0-3][0-9][01][0-9]{3}-[0-9]{4}\b"), MASK),
    (re.compile(r"^DETAIL:.*$", re.MULTILINE), f"DETAIL: {MASK}"),
)
_QUIET = ("httpx", "httpcore", "amqp", "kombu", "pika", "urllib3", "asyncio", "sqlalchemy")
_LONGEST_TEXT = 2000
_hidden: set[str] = set()


class Beats:
    """When each loop of this process last turned."""

    def __init__(self) -> None:
        self._due: dict[str, float] = {}
        self._lock = threading.Lock()

    def beat(self, duty: str, wait: float) -> None:
        """This loop turned now, and will not turn again for ``wait`` seconds."""
        with self._lock:
            self._due[duty] = time.monotonic() + wait

    def late(self, limit: float = 120.0) -> list[str]:
        """The loops that should have turned more than ``limit`` seconds ago."""
        now = time.monotonic()
        with self._lock:
            return sorted(duty for duty, due in self._due.items() if now - due > limit)


beats = Beats()


def configure(duty: str, *, secrets: Iterable[str] = (), level: str = "INFO", stream: TextIO | None = None) -> None:
    """Send this process's logs, those of libraries too, as JSON lines to ``stream`` (standard error), masked."""
    _hidden.update(secret for secret in secrets if len(secret) >= 6)
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        _named(duty),
        _plain_exception,
        mask,
    ]
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.ExtraAdder(), *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                mask,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(level)))
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.add_logger_name,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def mask(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Allow plain values only, cut long ones, and cover what must not be read: by key, by form, by known secret."""
    for key, value in list(event.items()):
        if key in {"_record", "_from_structlog"}:
            continue
        event[key] = MASK if _SECRET_KEYS.search(key) or key.lower() in _PERSONAL_KEYS else _allowed(value)
    return event


def masked(text: str) -> str:
    """A text without secrets, e-mail addresses and values of rows."""
    for secret in _hidden:
        text = text.replace(secret, MASK)
    # Cut twice: the patterns need an end to their work, and what the first cut halved is gone with the second.
    text = text[: 2 * _LONGEST_TEXT]
    for pattern, instead in _PATTERNS:
        text = pattern.sub(instead, text)
    return text[:_LONGEST_TEXT]


def serve(
    host: str, port: int, ready: Callable[[], Mapping[str, bool]] = dict, late_after: float = 120.0
) -> ThreadingHTTPServer:
    """Answer ``/metrics``, ``/healthz`` and ``/readyz`` in a thread; ``shutdown()`` ends it.

    ``/healthz`` is 503 when a loop has not turned lately; it never looks at a server. ``/readyz`` is 503 while one of
    ``ready()`` is false, and names it.
    """

    class Answer(BaseHTTPRequestHandler):
        timeout = 5

        def do_GET(self) -> None:
            match self.path:
                case "/metrics":
                    self._send(200, generate_latest(), CONTENT_TYPE_LATEST)
                case "/healthz":
                    late = beats.late(late_after)
                    self._send(503 if late else 200, ("\n".join(late) or "ok").encode())
                case "/readyz":
                    missing = [name for name, is_ready in ready().items() if not is_ready]
                    self._send(503 if missing else 200, ("\n".join(missing) or "ok").encode())
                case _:
                    self._send(404, b"not found")

        def _send(self, code: int, body: bytes, kind: str = "text/plain; charset=utf-8") -> None:
            self.send_response(code)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Probes are not logged."""

    server = ThreadingHTTPServer((host, port), Answer)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="telemetry", daemon=True).start()
    return server


def _named(duty: str) -> structlog.typing.Processor:
    def add(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event.setdefault("duty", duty)
        return event

    return add


def _plain_exception(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Where it was raised and what it says, without the source lines, which may hold values."""
    info = event.pop("exc_info", None)
    if info is True:
        info = sys.exc_info()
    error = info if isinstance(info, BaseException) else info[1] if isinstance(info, tuple) else None
    if error is not None:
        event["error"] = type(error).__name__
        event["says"] = masked(str(error))
        event["traceback"] = [
            f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)
        ]
    return event


def _allowed(value: Any, depth: int = 0) -> Any:
    match value:
        case None | bool() | int() | float():
            return value
        case str():
            return masked(value)
        case list() | tuple() | set() | frozenset() if depth < 2:
            return [_allowed(part, depth + 1) for part in list(value)[:50]]
        case Mapping() if depth < 2:
            return dict(mask(None, "", {str(key): part for key, part in value.items()}))
        case bytes() | bytearray() | memoryview():
            return f"<{len(value)} bytes>"
        case _:
            return masked(str(value)) if type(value).__module__ in {"uuid", "datetime", "decimal"} else _worded(value)


def _worded(value: Any) -> str:
    return masked(str(value)) if isinstance(value, BaseException) else f"<{type(value).__name__}>"
