"""How is a measurement told? A table for people, and the same as JSON in ``bench/results``."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure beside its bound: the best that was reached in the same run without what is measured.

    ``aim`` is what the product promises; ``more`` says that a larger value is the better one.
    """

    name: str
    value: float
    unit: str
    bound: float | None = None
    bound_is: str = ""
    aim: float | None = None
    more: bool = False

    @property
    def ratio(self) -> float | None:
        """The figure as a part of its bound."""
        return None if not self.bound else self.value / self.bound

    @property
    def reached(self) -> bool | None:
        """Whether the aim was reached; none without an aim."""
        if self.aim is None:
            return None
        return self.value >= self.aim if self.more else self.value <= self.aim


def show(title: str, figures: Sequence[Figure]) -> None:
    """Print the figures as a table."""
    print(f"\n{title}\n")
    print(f"{'':<44}{'measured':>12}{'bound':>12}{'ratio':>8}{'aim':>12}")
    for one in figures:
        verdict = {True: "  reached", False: "  MISSED", None: ""}[one.reached]
        bound = "" if one.bound is None else _short(one.bound, one.unit)
        ratio = "" if one.ratio is None else f"{one.ratio:.2f}"
        aim = "" if one.aim is None else _short(one.aim, one.unit)
        print(f"{one.name:<44}{_short(one.value, one.unit):>12}{bound:>12}{ratio:>8}{aim:>12}{verdict}")
    for text in dict.fromkeys(f"{one.name}: {one.bound_is}" for one in figures if one.bound_is):
        print(f"  bound of {text}")


def write(name: str, figures: Sequence[Figure], facts: Mapping[str, object]) -> Path:
    """Write the figures with what they were measured on; returns where."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    document = {
        "measured": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        **facts,
        "figures": [{**asdict(one), "ratio": one.ratio, "reached": one.reached} for one in figures],
    }
    path.write_text(json.dumps(document, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    return path


def machine() -> dict[str, object]:
    """What the figures depend on: processors, how busy they were with other things, the interpreter."""
    return {
        "processors": os.cpu_count(),
        "load": [round(one, 2) for one in os.getloadavg()],
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def percentile(values: Sequence[float], part: float) -> float:
    """The value below which that part of the values lies (0.5: half of them)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


def _short(value: float, unit: str) -> str:
    text = f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
    return f"{text} {unit}".strip()
