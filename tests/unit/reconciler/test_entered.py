"""Were our keys to e-conomic entered? As the adapter said last, for as long as it is heard of."""

from datetime import UTC, datetime, timedelta

import pytest

from reconciler.entered import Entered, Told, entered

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "lacks", "said"),
    [
        (0, (), "there"),
        (179.9, (), "there"),
        (180, (), "silent"),
        (0, ("ECONOMIC_APP_SECRET",), "missing"),
        (179.9, ("ECONOMIC_APP_SECRET",), "missing"),
        (180, ("ECONOMIC_APP_SECRET",), "silent"),
        (-30, (), "there"),  # its clock goes before ours
    ],
)
def test_what_the_adapter_said_holds_while_it_is_heard_of(
    seconds: float, lacks: tuple[str, ...], said: Entered
) -> None:
    assert entered(Told(at=NOW - timedelta(seconds=seconds), lacks=lacks), NOW) == said


def test_who_never_said_anything_has_neither() -> None:
    assert entered(None, NOW) == "unheard"
