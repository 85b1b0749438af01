"""A duty turns, fails, is rebuilt, and leaves when told to."""

import os
import signal
import threading
from collections.abc import Callable

import pytest
import structlog

from crm_outbox.messaging import duty, telemetry
from crm_outbox.messaging.duty import Periodic, Turn
from tests.waiting import eventually


class Counting:
    """A duty that counts its turns and may be told to fail."""

    def __init__(self, fail: Callable[[int], bool] = lambda _: False, wait: float = 0.001) -> None:
        self.turns = 0
        self.closed = 0
        self._fail = fail
        self._wait = wait

    def run_once(self) -> Turn:
        self.turns += 1
        if self._fail(self.turns):
            raise ValueError("anna@firma.dk")
        return Turn(1, self._wait)

    def close(self) -> None:
        self.closed += 1


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duty, "_FIRST_PAUSE", 0.001)
    monkeypatch.setattr(duty, "_LONGEST_PAUSE", 0.01)


def _running(duties: dict[str, Callable[[], duty.Duty]], stop: threading.Event) -> tuple[threading.Thread, list[int]]:
    codes: list[int] = []
    thread = threading.Thread(target=lambda: codes.append(duty.run(duties, stop=stop)))
    thread.start()
    return thread, codes


def test_each_duty_has_a_thread_and_all_leave_when_told() -> None:
    one, two, stop = Counting(), Counting(), threading.Event()
    thread, codes = _running({"one": lambda: one, "two": lambda: two}, stop)
    eventually(lambda: one.turns > 3 and two.turns > 3)
    stop.set()
    thread.join(60)
    assert codes == [0]
    assert (one.closed, two.closed) == (1, 1)


def test_a_failing_duty_is_closed_built_anew_and_the_others_go_on() -> None:
    made: list[Counting] = []
    well, stop = Counting(), threading.Event()

    def factory() -> Counting:
        made.append(Counting(lambda turn: turn == 2))
        return made[-1]

    with structlog.testing.capture_logs() as logs:
        thread, codes = _running({"ill": factory, "well": lambda: well}, stop)
        eventually(lambda: len(made) >= 3)
        turns = well.turns
        eventually(lambda: well.turns > turns)
        stop.set()
        thread.join(60)
    assert codes == [0]
    assert all(one.closed == 1 for one in made)
    failures = [line for line in logs if line["event"] == "duty.failed"]
    assert failures
    assert all(line["exc_info"] for line in failures), "with its traceback"


def test_a_factory_that_fails_is_tried_again() -> None:
    tries: list[int] = []
    stop = threading.Event()

    def factory() -> Counting:
        tries.append(1)
        if len(tries) < 3:
            raise OSError("not yet")
        return Counting()

    thread, _ = _running({"late": factory}, stop)
    eventually(lambda: len(tries) == 3)
    stop.set()
    thread.join(60)


def test_pauses_grow_to_half_a_minute_with_jitter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    for failures, longest in ((1, 0.5), (2, 1.0), (5, 8.0), (7, 30.0), (10_000, 30.0)):
        pauses = {duty.pause(failures) for _ in range(50)}
        assert longest / 2 <= min(pauses) <= max(pauses) <= longest
        assert len(pauses) > 10


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_the_step_in_hand_finish(number: signal.Signals) -> None:
    finished = threading.Event()
    before = signal.getsignal(number)

    class Slow(Counting):
        def run_once(self) -> Turn:
            os.kill(os.getpid(), number)
            threading.Event().wait(0.05)
            finished.set()
            return Turn(1, 60.0)

    assert duty.run({"slow": Slow}) == 0
    assert finished.is_set()
    assert signal.getsignal(number) == before


def test_a_duty_that_does_not_leave_in_time_is_named_and_the_code_is_1() -> None:
    stop, free = threading.Event(), threading.Event()

    class Stuck(Counting):
        def run_once(self) -> Turn:
            stop.set()
            free.wait(60)
            return Turn()

    with structlog.testing.capture_logs() as logs:
        assert duty.run({"stuck": Stuck}, stop=stop, leave_within=0.05) == 1
    free.set()
    assert [line["duties"] for line in logs if line["event"] == "duty.did_not_leave"] == [["stuck"]]


def test_a_clock_acts_then_waits() -> None:
    closed: list[bool] = []
    clock = Periodic(30.0, lambda: 4, lambda: closed.append(True))
    assert clock.run_once() == Turn(4, 30.0)
    clock.close()
    assert closed == [True]


def test_a_loop_that_stopped_turning_is_late_and_one_that_waits_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr("crm_outbox.messaging.telemetry.time.monotonic", lambda: now[0])
    beats = telemetry.Beats()
    beats.beat("stuck", 0.0)
    beats.beat("waits", 300.0)
    now[0] += 121
    assert beats.late(120.0) == ["stuck"]
    now[0] += 300
    assert beats.late(120.0) == ["stuck", "waits"]
