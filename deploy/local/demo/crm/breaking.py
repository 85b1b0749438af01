"""What may a visitor of the demo break? e-conomic for half a minute, a relay, a webhook; everything heals by itself."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, get_args

from deploy.local.demo.books import Books

Breakable = Literal["economic", "relay", "webhook"]
BUTTONS: Final[dict[Breakable, tuple[str, str]]] = {
    "economic": ("Tag e-conomic ned i 30 s", "Take e-conomic away for 30 s"),
    "relay": ("Dræb relay", "Kill the relay"),
    "webhook": ("Tabt webhook", "Lose a webhook"),
}
"""What each button says, in Danish and in English."""
SAYS: Final[dict[Breakable, tuple[str, str]]] = {
    "economic": (
        "e-conomic svarer ikke i 30 sekunder. Ret noget imens: intet går tabt, og statussen siger det.",
        "e-conomic does not answer for 30 seconds. Edit something meanwhile: nothing is lost, and the status says so.",
    ),
    "relay": (
        "Relayet er dræbt og starter igen om 5 sekunder. Rettelser venter imens i outboxen.",
        "The relay was killed and starts again in 5 seconds. Edits wait in the outbox meanwhile.",
    ),
    "webhook": (
        "Den næste webhook fra e-conomic går tabt. Ret noget dér: den jævnlige kontrol finder det.",
        "The next webhook from e-conomic is lost. Edit something there: the regular check finds it.",
    ),
}
AWAY: Final = 30.0


@dataclass(frozen=True, slots=True)
class Breaking:
    """``asked`` is where whoever runs the demo's processes looks for what is asked of them."""

    books: Books
    asked: Path

    def do(self, what: Breakable) -> None:
        """Break it now."""
        match what:
            case "economic":
                self.books.take_away(AWAY)
            case "webhook":
                self.books.lose_a_webhook()
            case "relay":
                self.asked.mkdir(exist_ok=True)
                (self.asked / what).touch()


def named(text: str) -> Breakable | None:
    """What that word means; none for any other."""
    return next((one for one in get_args(Breakable) if one == text), None)
