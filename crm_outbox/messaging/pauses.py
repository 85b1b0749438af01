"""How long until the next try? Longer each time, and never the same for two who failed together."""

import random


class Pauses:
    """Growing pauses with jitter, in seconds; from the first again after ``reset``."""

    def __init__(self, first: float, longest: float) -> None:
        self._first, self._longest, self._count = first, longest, 0

    def next(self) -> float:
        """The next pause, between half and all of twice the one before."""
        pause = min(self._longest, self._first * 2.0 ** min(self._count, 16))
        self._count += 1
        return pause * random.uniform(0.5, 1.0)

    def reset(self) -> None:
        """All is well again."""
        self._count = 0
