"""What makes values quick to make and to copy? While schedules are lived, values that cannot be changed are made by plain assignment.

A frozen class sets each field by a call, because assigning is what it forbids: that was a sixth of a schedule's time. Everywhere
else those classes are as they are; nothing here changes a value once it is made.
"""

import dataclasses
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

_OURS: Final = ("crm_outbox.", "economic_adapter.", "reconciler.", "tests.simulation.")
_MADE_BY: Final = ("__init__", "__setattr__", "__delattr__")
_COPIES: dict[Any, Callable[[Any, dict[str, Any]], Any]] = {}
_THAWED: set[Any] = set()


@contextmanager
def thawed() -> Iterator[None]:
    """Our frozen classes made by assignment, and ``replace`` of our modules copying so; as before afterwards."""
    frozen = {kind: {name: vars(kind)[name] for name in _MADE_BY} for kind in _frozen()}
    copying = [module for module in _modules() if vars(module).get("replace") is dataclasses.replace]
    for kind in frozen:
        maker = _maker(kind)
        del kind.__setattr__, kind.__delattr__
        kind.__init__ = maker
    _THAWED.update(frozen)
    for module in copying:
        vars(module)["replace"] = changed
    try:
        yield
    finally:
        for module in copying:
            vars(module)["replace"] = dataclasses.replace
        _THAWED.clear()
        for kind, before in frozen.items():
            for name, function in before.items():
                setattr(kind, name, function)


def changed(value: Any, /, **changes: Any) -> Any:
    """``dataclasses.replace`` for values without surprises: a copy with some fields changed."""
    kind = value.__class__
    if kind not in _THAWED:
        return dataclasses.replace(value, **changes)
    copy = _COPIES.get(kind)
    if copy is None:
        copy = _COPIES[kind] = _copier(kind)
    return copy(value, changes)


def _modules() -> list[Any]:
    return [module for name, module in sys.modules.items() if name.startswith(_OURS)]


def _frozen() -> set[Any]:
    """The classes that are made as fields only: nothing of their own happens when one is."""
    return {
        one
        for module in _modules()
        for one in vars(module).values()
        if isinstance(one, type)
        and one.__module__.startswith(_OURS)
        and "__dataclass_params__" in vars(one)
        and vars(one)["__dataclass_params__"].frozen
        and not hasattr(one, "__post_init__")
        and all(field.init for field in dataclasses.fields(one))
    }


def _maker(kind: Any) -> Callable[..., None]:
    fields = sorted(dataclasses.fields(kind), key=lambda one: bool(one.kw_only))
    space: dict[str, Any] = {"missing": dataclasses.MISSING}
    given, lines = ["self"], []
    for one in fields:
        if one.kw_only and "*" not in given:
            given.append("*")
        value = one.name
        if one.default is not dataclasses.MISSING:
            space[f"of_{one.name}"] = one.default
            given.append(f"{one.name}=of_{one.name}")
        elif one.default_factory is not dataclasses.MISSING:
            space[f"of_{one.name}"] = one.default_factory
            given.append(f"{one.name}=missing")
            value = f"of_{one.name}() if {one.name} is missing else {one.name}"
        else:
            given.append(one.name)
        lines.append(f"    self.{one.name} = {value}")
    return _compiled(kind, "__init__", given, lines or ["    pass"], space)


def _copier(kind: Any) -> Callable[[Any, dict[str, Any]], Any]:
    lines = [f"    copy.{one.name} = value.{one.name}" for one in dataclasses.fields(kind)]
    changing = ["    for name in changes:", "        put(copy, name, changes[name])", "    return copy"]
    space = {"new": object.__new__, "kind": kind, "put": setattr}
    return _compiled(kind, "copier", ["value", "changes"], ["    copy = new(kind)", *lines, *changing], space)


def _compiled(kind: Any, name: str, given: list[str], lines: list[str], space: dict[str, Any]) -> Callable[..., Any]:
    code = "\n".join([f"def {name}({', '.join(given)}):", *lines])
    exec(compile(code, f"<{kind.__qualname__}>", "exec"), space)  # noqa: S102 - names of dataclass fields, nothing from outside
    made: Callable[..., Any] = space[name]
    return made
