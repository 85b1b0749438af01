"""Where does chance come from? One integer each: the same integer throws the same numbers, on every machine."""

from collections.abc import Sequence
from typing import TypeVar

_T = TypeVar("_T")
_MASK = (1 << 64) - 1


class Dice:
    """A stream of numbers (splitmix64): cheap to make, so that every event has its own."""

    __slots__ = ("state",)

    def __init__(self, seed: int) -> None:
        self.state = (seed * 0x9E3779B97F4A7C15 + 0x632BE59BD9B4E019) & _MASK

    def next(self) -> int:
        """The next number, below 2 to the 64th."""
        self.state = (self.state + 0x9E3779B97F4A7C15) & _MASK
        found = self.state
        found = ((found ^ (found >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        found = ((found ^ (found >> 27)) * 0x94D049BB133111EB) & _MASK
        return found ^ (found >> 31)

    def below(self, most: int) -> int:
        """A number from 0 to ``most`` - 1."""
        return self.next() % most

    def percent(self, chance: float) -> bool:
        """Whether something that happens so often happens now."""
        return self.next() % 10_000 < chance * 100

    def pick(self, among: Sequence[_T]) -> _T:
        """One of these."""
        return among[self.next() % len(among)]

    def unit(self) -> float:
        """A number from 0 to 1."""
        return self.next() / (1 << 64)
