"""What makes many schedules quick? The pure core's answers are kept, because the same values give the same answer."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from economic_adapter import contract
from reconciler import countries, fields, plan

_KEPT = 1 << 16
_DEPTH = [0]


@contextmanager
def core() -> Iterator[None]:
    """The core with its memory of values; only ever the outermost one counts."""
    if _DEPTH[0]:
        yield
        return
    _DEPTH[0] = 1
    places: list[tuple[Any, str]] = [
        (fields, "canon"), (fields, "held"), (fields, "same"), (fields, "agree"), (fields, "blank"),
        (countries, "area"), (contract, "hold"),
    ]  # fmt: skip
    before = [(module, name, getattr(module, name)) for module, name in places]
    planned = plan.plan
    for module, name, function in before:
        setattr(module, name, lru_cache(_KEPT)(function))
    plan.plan = _remembered(planned)
    try:
        yield
    finally:
        _DEPTH[0] = 0
        plan.plan = planned
        for module, name, function in before:
            setattr(module, name, function)


def _remembered(planned: Callable[..., Any]) -> Callable[..., Any]:
    """The planner, which is asked about the same record again and again."""
    kept: dict[object, Any] = {}
    rules_of: dict[int, object] = {}

    def plan_of(
        kind: str, crm: Mapping[str, str], economic: Mapping[str, str], base: Mapping[str, Any], rules: Any, **more: Any
    ) -> Any:
        if more.get("refusals") or more.get("chosen"):
            return planned(kind, crm, economic, base, rules, **more)
        rules_of.setdefault(id(rules), rules)  # held, so that no other rules get its id
        key = (
            kind, tuple(crm.items()), tuple(economic.items()), tuple(base.items()), id(rules),
            frozenset(more.get("under_way", ())), tuple(more.get("stopped", ())),
        )  # fmt: skip
        found = kept.get(key)
        if found is None:
            if len(kept) > _KEPT:
                kept.clear()
            found = kept[key] = planned(kind, crm, economic, base, rules, **more)
        return found

    return plan_of
