"""The tour waits as long as something moves: a slow machine is not told that its edits are lost."""

from collections.abc import Iterator
from typing import Any, cast

import pytest

from deploy.local.demo.hands import StepFailed, Tour


class Living:
    """Processes of which none ended."""

    def died(self) -> dict[str, int]:
        return {}


def tour(said: list[str]) -> Tour:
    nothing = cast("Any", None)
    return Tour(
        engine=nothing, doorbell=nothing, books=nothing, processes=cast("Any", Living()), say=said.append, command=nothing,
        environ={},
    )  # fmt: skip


def test_what_still_moves_is_waited_for_longer_than_what_does_not() -> None:
    left: Iterator[str] = iter(f"{count} left" for count in range(8, 0, -1))
    tour([]).wait("all", lambda: next(left, None), within=0.06)


def test_where_nothing_moves_it_ends_and_says_so() -> None:
    with pytest.raises(StepFailed, match=r"^all: nothing moved for \d s: 3 left$"):
        tour([]).wait("all", lambda: "3 left", within=0.06)
