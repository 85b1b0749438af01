"""What goes wrong just now? Where the running process dies, what becomes of a call, and what happens in between."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.simulation.dice import Dice


class Crash(BaseException):
    """The process is killed here. No ``except Exception`` of the product sees it."""

    def __init__(self, where: str) -> None:
        super().__init__(where)
        self.where = where


class Peril:
    """The dangers of the event that happens now. Without dice nothing goes wrong.

    ``between`` lets the next events happen in the middle of this one: other people, other processes.
    """

    def __init__(self) -> None:
        self.dice: Dice | None = None
        self.between: Callable[[], None] = lambda: None
        self._left = 0
        self._crowded = 0.0

    @contextmanager
    def of(self, dice: Dice | None, *, crash: float = 0.0, crowded: float = 0.0) -> Iterator[None]:
        """The dangers of one event; those of the event around it wait. Percentages."""
        before = self.dice, self._left, self._crowded
        self.dice, self._crowded = dice, crowded
        self._left = 1 + dice.below(9) if dice is not None and dice.percent(crash) else 0
        try:
            yield
        finally:
            self.dice, self._left, self._crowded = before

    def point(self, where: str) -> None:
        """A place where the process may die."""
        if self._left:
            self._left -= 1
            if not self._left:
                raise Crash(where)

    def gap(self) -> None:
        """A place where others may do something before this goes on."""
        if self.dice is not None and self.dice.percent(self._crowded):
            self.between()

    def happens(self, chance: float) -> bool:
        """Whether something that goes wrong so often, in percent, goes wrong now."""
        return self.dice is not None and self.dice.percent(chance)
