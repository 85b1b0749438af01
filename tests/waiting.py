"""How does a test wait for what happens elsewhere? It asks again until the answer is yes or the time is over."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(check: Callable[[], T], within: float = 60.0, every: float = 0.02) -> T:
    """The first true answer of ``check``; AssertionError with the last answer, or failure, after ``within`` seconds.

    What happens takes as long as the machine is busy, so that ``within`` bounds nothing but a test that fails.
    An AssertionError of ``check`` counts as "not yet"; any other exception goes through.
    """
    deadline = time.monotonic() + within
    while True:
        failure: AssertionError | None = None
        said: object = None
        try:
            answer = check()
            if answer:
                return answer
            said = answer
        except AssertionError as error:
            failure = error
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within:g} s: {failure or repr(said)}") from failure
        time.sleep(every)
