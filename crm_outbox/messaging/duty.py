"""How does a duty run? A thread each: turn after turn, until a signal; a failing one is rebuilt after a pause.

SIGTERM and SIGINT let every duty finish the step in hand and leave. Nothing here keeps a promise by itself: a duty that
is killed between two instructions is right too, only slower.
"""

import random
import signal
import threading
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

import structlog

from crm_outbox.messaging import telemetry

log = structlog.get_logger(__name__)

LEAVE_WITHIN = 60.0
"""Seconds a duty may take for the step in hand once it is told to stop."""
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 30.0


class Turn(NamedTuple):
    """What one step did: how many things, and how many seconds nothing will be due."""

    worked: int = 0
    wait: float = 0.0


class Duty(Protocol):
    """A loop around one step. ``run_once`` may raise: the duty is then closed and built anew."""

    def run_once(self) -> Turn:
        """One step, seconds at most; safe to repeat."""

    def close(self) -> None:
        """Give back connections; called once, also after a failure, and must not wait long."""


class Periodic:
    """A duty of a clock: do ``action`` every so many seconds; it returns how many things it did."""

    def __init__(self, every: float, action: Callable[[], int], close: Callable[[], None] | None = None) -> None:
        self._every = every
        self._action = action
        self._close = close

    def run_once(self) -> Turn:
        """The action, then the pause."""
        return Turn(self._action(), self._every)

    def close(self) -> None:
        """Give back what the action used, if its maker said how."""
        if self._close is not None:
            self._close()


def run(
    duties: Mapping[str, Callable[[], Duty]],
    *,
    stop: threading.Event | None = None,
    leave_within: float = LEAVE_WITHIN,
) -> int:
    """Run every duty in a thread of its own until ``stop`` is set or a signal comes; 0, or 1 if one did not leave.

    Each duty is made by its factory inside its thread, and again after each failure. Signals are heard only when this
    is called from the main thread; the handlers that were there before are put back.
    """
    stopping = stop or threading.Event()
    threads = [
        threading.Thread(target=_keep, args=(name, factory, stopping), name=name, daemon=True)
        for name, factory in duties.items()
    ]
    before = _listen(stopping)
    try:
        for thread in threads:
            thread.start()
        log.info("duty.started", duties=list(duties))
        while not stopping.wait(1.0):
            if not any(thread.is_alive() for thread in threads):
                break
        end = time.monotonic() + leave_within
        for thread in threads:
            thread.join(max(0.0, end - time.monotonic()))
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    late = [thread.name for thread in threads if thread.is_alive()]
    if late or not stopping.is_set():
        log.error("duty.did_not_leave" if late else "duty.died", duties=late)
        return 1
    log.info("duty.stopped", duties=list(duties))
    return 0


def pause(failures: int) -> float:
    """Seconds to wait after so many failures in a row: doubling to half a minute, with jitter."""
    return min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** min(failures - 1, 10)) * random.uniform(0.5, 1.0)


def _listen(stopping: threading.Event) -> dict[int, signal.Handlers]:
    if threading.current_thread() is not threading.main_thread():
        return {}

    def heard(_: int, __: object) -> None:
        stopping.set()

    return {number: signal.signal(number, heard) for number in (signal.SIGTERM, signal.SIGINT)}  # type: ignore[misc]


def _keep(name: str, factory: Callable[[], Duty], stopping: threading.Event) -> None:
    structlog.contextvars.bind_contextvars(duty=name)
    failures = 0
    while not stopping.is_set():
        duty: Duty | None = None
        try:
            telemetry.beats.beat(name, 0.0)
            duty = factory()
            while not stopping.is_set():
                turn = duty.run_once()
                failures = 0
                telemetry.beats.beat(name, turn.wait)
                telemetry.TURNS.labels(name, "worked" if turn.worked else "idle").inc()
                if turn.worked:
                    telemetry.LAST_WORK.labels(name).set_to_current_time()
                if turn.wait > 0.0:
                    stopping.wait(turn.wait)
        except Exception as error:
            failures += 1
            wait = pause(failures)
            telemetry.beats.beat(name, wait)
            telemetry.FAILURES.labels(name, type(error).__name__).inc()
            log.exception("duty.failed", failures=failures, wait=round(wait, 2))
            _close(name, duty)
            stopping.wait(wait)
        else:
            _close(name, duty)


def _close(name: str, duty: Duty | None) -> None:
    if duty is None:
        return
    try:
        duty.close()
    except Exception:
        log.exception("duty.not_closed", closing=name)
