"""What makes many schedules quick? The pure core's answers are kept, because the same values give the same answer."""

import gc
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from typing import Any

from economic_adapter import contract, mapping
from reconciler import countries, fields, keys, plan
from tests.simulation.thaw import thawed

_KEPT = 1 << 16
_DEPTH = [0]
_OPEN = ExitStack()


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
    planned, keyed, mapped = plan.plan, keys.of, mapping.customer
    for module, name, function in before:
        setattr(module, name, lru_cache(_KEPT)(function))
    plan.plan = _remembered(planned)
    keys.of = _keyed(keyed)
    mapping.customer = _mapped(mapped)
    collecting = gc.isenabled()
    gc.disable()  # a world is dropped whole; what it leaves in circles is collected by ``tidy``
    tidy()
    try:
        with thawed():
            yield
    finally:
        gc.unfreeze()
        if collecting:
            gc.enable()
        _DEPTH[0] = 0
        plan.plan, keys.of, mapping.customer = planned, keyed, mapped
        for module, name, function in before:
            setattr(module, name, function)


def for_good() -> None:
    """The core with its memory in this process from now on."""
    _OPEN.enter_context(core())


def tidy() -> None:
    """Collect what was dropped. What is kept is never looked through again: only the newest world is gone through."""
    gc.collect()
    gc.freeze()


def _keyed(of: Callable[..., tuple[str, ...]]) -> Callable[..., tuple[str, ...]]:
    """The keys of a customer, which the model of a search asks of everybody each time."""
    kept = lru_cache(_KEPT)(
        lambda values, persons: of(dict(values), [dict(one) for one in persons]),
    )
    return lambda values, persons=(): kept(tuple(values.items()), tuple(tuple(one.items()) for one in persons))


def _mapped(customer: Callable[..., Any]) -> Callable[..., Any]:
    """What a body of e-conomic's means, which each read of the same version is asked for several times."""
    kept: dict[object, Any] = {}

    def customer_of(body: Mapping[str, Any], contacts: Iterable[Mapping[str, Any]] = ()) -> Any:
        persons = list(contacts)
        key = tuple(body.items()), tuple(tuple(one.items()) for one in persons)
        found = kept.get(key)
        if found is None:
            if len(kept) > _KEPT:
                kept.clear()
            found = kept[key] = customer(body, persons)
        return found

    return customer_of


def _remembered(planned: Callable[..., Any]) -> Callable[..., Any]:
    """The planner, which is asked about the same record again and again."""
    kept: dict[object, Any] = {}
    chosen: dict[int, object] = {}

    def plan_of(
        kind: str, crm: Mapping[str, str], economic: Mapping[str, str], base: Mapping[str, Any], rules: Any, **more: Any
    ) -> Any:
        if any(value for name, value in more.items() if name not in {"under_way", "stopped"}):
            return planned(kind, crm, economic, base, rules, **more)
        for one in (rules.customer, rules.contact):
            chosen.setdefault(id(one), one)  # held, so that no others get its id
        key = (
            kind, tuple(crm.items()), tuple(economic.items()), tuple(base.items()), id(rules.customer),
            id(rules.contact),
            frozenset(more.get("under_way", ())), tuple(more.get("stopped", ())),
        )  # fmt: skip
        found = kept.get(key)
        if found is None:
            if len(kept) > _KEPT:
                kept.clear()
            found = kept[key] = planned(kind, crm, economic, base, rules, **more)
        return found

    return plan_of
