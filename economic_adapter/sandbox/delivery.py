"""How do webhooks leave? A few threads that send what is due, try again with growing gaps, and obey the faults."""

import heapq
import http.client
import itertools
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from economic_adapter.sandbox.faults import Faults
from economic_adapter.sandbox.settings import Settings

SENDERS = 4


@dataclass(slots=True, kw_only=True)
class Hook:
    """One webhook call still to be made; ``done`` hears whether it arrived in the end."""

    url: str
    method: str
    headers: dict[str, str]
    body: bytes
    about: dict[str, Any]
    done: Callable[[bool], None]
    tried: int = 0


@dataclass(order=True, slots=True)
class _Due:
    at: float
    turn: int
    hook: Hook = field(compare=False)


class Outgoing:
    """Webhooks on their way. ``fire`` never waits; ``start`` and ``close`` belong to whoever serves."""

    def __init__(self, settings: Settings, faults: Faults) -> None:
        self._settings = settings
        self._faults = faults
        self._wake = threading.Condition()
        self._due: list[_Due] = []
        self._held: list[Hook] = []
        self._held_until = 0.0
        self._turns = itertools.count()
        self._sending = 0
        self._closed = False
        self._threads: list[threading.Thread] = []
        self.log: deque[dict[str, Any]] = deque(maxlen=2000)

    def fire(self, hook: Hook) -> None:
        """One change happened: sends its webhook at once, unless a fault says otherwise."""
        fault = self._faults.take_hook()
        if fault is None:
            self._push(hook, 0.0)
            return
        match fault.kind:
            case "hook_lost":
                self._note(hook, "lost")
            case "hook_late":
                self._push(hook, fault.wait)
            case "hook_doubled":
                self._push(hook, 0.0)
                self._push(_again(hook), 0.0)
            case _:
                self._hold(hook, fault.wait, last=fault.count is not None and fault.hits >= fault.count)

    def _hold(self, hook: Hook, seconds: float, *, last: bool) -> None:
        with self._wake:
            if not self._held:
                self._held_until = time.monotonic() + seconds
            self._held.append(hook)
            self._wake.notify()
        if last:
            self._release()

    def _release(self) -> None:
        with self._wake:
            held, self._held = self._held, []
            for hook in reversed(held):
                self._push(hook, 0.0)

    def _push(self, hook: Hook, wait: float) -> None:
        with self._wake:
            heapq.heappush(self._due, _Due(time.monotonic() + wait, next(self._turns), hook))
            self._wake.notify()

    def start(self) -> None:
        """Starts sending."""
        for number in range(SENDERS):
            thread = threading.Thread(target=self._send_all, name=f"sandbox-hooks-{number}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def close(self) -> None:
        """Stops sending; what was not sent is lost."""
        with self._wake:
            self._closed = True
            self._wake.notify_all()
        for thread in self._threads:
            thread.join(timeout=self._settings.hook_timeout + 1)

    def forget(self) -> None:
        """Drops everything that waits, and the log."""
        with self._wake:
            self._due.clear()
            self._held.clear()
            self.log.clear()

    def waiting(self) -> int:
        """How many webhooks have neither arrived nor been given up."""
        with self._wake:
            return len(self._due) + len(self._held) + self._sending

    def _next(self) -> Hook | None:
        with self._wake:
            while not self._closed:
                now = time.monotonic()
                if self._held and self._held_until <= now:
                    self._release()
                away, _ = self._faults.away()
                ready = self._due[0].at if self._due else None
                if ready is not None and ready <= now and not away:
                    self._sending += 1
                    return heapq.heappop(self._due).hook
                times = [at for at in (ready, self._held_until if self._held else None) if at is not None]
                self._wake.wait(max(0.005, min(times) - now, min(away, 0.1)) if times else None)
        return None

    def _send_all(self) -> None:
        while (hook := self._next()) is not None:
            hook.tried += 1
            outcome = _send(hook, self._settings.hook_timeout)
            arrived = outcome.isdigit() and outcome.startswith("2")
            self._note(hook, outcome)
            gaps = self._settings.hook_gaps
            with self._wake:
                self._sending -= 1
                if not arrived and hook.tried <= len(gaps):
                    self._push(hook, gaps[hook.tried - 1])
                    continue
            hook.done(arrived)

    def _note(self, hook: Hook, outcome: str) -> None:
        self.log.append({**hook.about, "try": hook.tried, "outcome": outcome})


def _again(hook: Hook) -> Hook:
    return Hook(
        url=hook.url, method=hook.method, headers=hook.headers, body=hook.body, about=hook.about, done=lambda _: None
    )


def _send(hook: Hook, timeout: float) -> str:
    """The status as text, or why there was none."""
    parts = urlsplit(hook.url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection = kind(parts.hostname or "", parts.port, timeout=timeout)
    except (OSError, ValueError) as error:
        return type(error).__name__
    try:
        connection.request(hook.method, target, body=hook.body or None, headers=hook.headers)
        answered = connection.getresponse()
        answered.read(65_536)
        return str(answered.status)
    except (OSError, ValueError, http.client.HTTPException) as error:
        return type(error).__name__
    finally:
        connection.close()
