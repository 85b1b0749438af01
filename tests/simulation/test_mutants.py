"""Would the worlds notice? Each safeguard is taken away in turn, and some world must then break a promise."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest

from reconciler import plan, settle
from reconciler.link import Heard, Link, Message, Pair, Pending, Step
from reconciler.rules import Rules
from reconciler.step import step
from tests.simulation.__main__ import broken, lived

WORLDS = range(1, 120)
UNCLEAR = range(0, 500, 5)
React = Callable[[Link, Message, Rules, datetime], Step]


def noticed(react: React = step, seeds: range = WORLDS, details: tuple[str, ...] = ()) -> bool:
    """Whether a world breaks a promise, or comes to no end."""
    for seed in seeds:
        try:
            if list(broken(lived(seed, steps=60, react=react, details=details))):
                return True
        except (AssertionError, KeyError, ValueError):
            return True
    return False


def pairs(link: Link, change: Callable[[Pair], Pair]) -> Link:
    return replace(
        link, customer=change(link.customer), contacts=tuple(change(one) for one in link.contacts)
    )  # fmt: skip


def without_version_gate(link: Link, message: Message, rules: Rules, now: datetime) -> Step:
    return step(replace(link, crm_version=None, economic_version=None), message, rules, now)


def without_recorded_operation(link: Link, message: Message, rules: Rules, now: datetime) -> Step:
    done = step(link, message, rules, now)
    return replace(done, link=pairs(done.link, lambda pair: replace(pair, pending={})))


def one_base_for_both_sides(link: Link, message: Message, rules: Rules, now: datetime) -> Step:
    def one(pair: Pair) -> Pair:
        return replace(pair, base={name: replace(base, economic=base.crm) for name, base in pair.base.items()})

    done = step(link, message, rules, now)
    return replace(done, link=pairs(done.link, one))


def answers_through_the_version_gate(link: Link, message: Message, rules: Rules, now: datetime) -> Step:
    if isinstance(message, Heard):
        old_crm = message.crm and link.crm_version and message.crm.version <= link.crm_version
        old = message.economic and link.economic_version and message.economic.version <= link.economic_version
        if old_crm or old:
            message = replace(message, outcomes=())
    return step(link, message, rules, now)


REACTIONS: list[React] = [
    without_version_gate,
    without_recorded_operation,
    one_base_for_both_sides,
    answers_through_the_version_gate,
]


def test_with_every_safeguard_nothing_is_noticed() -> None:
    assert not noticed()


@pytest.mark.parametrize("react", REACTIONS, ids=lambda react: react.__name__)
def test_a_world_notices(react: React) -> None:
    assert noticed(react)


def test_a_world_notices_a_base_that_moves_late(monkeypatch: pytest.MonkeyPatch) -> None:
    before = settle._written

    def late(pair: Pair, pending: Pending) -> Pair:
        return replace(before(pair, pending), base=pair.base)

    monkeypatch.setattr(settle, "_written", late)
    assert noticed()


def test_a_world_notices_an_exists_test_in_the_place_of_a_value_test(monkeypatch: pytest.MonkeyPatch) -> None:
    def existing(seen: plan._Seen) -> tuple[str, ...]:
        return tuple(name for name in seen.group.fields if bool(seen.crm[name]) != bool(seen.economic[name]))

    monkeypatch.setattr(plan._Seen, "differing", property(existing))
    assert noticed()


def test_a_world_notices_that_the_fields_of_an_open_write_are_planned(monkeypatch: pytest.MonkeyPatch) -> None:
    before = plan.plan

    def careless(*args: object, **more: object) -> object:
        return before(*args, **{**more, "under_way": ()})  # type: ignore[arg-type]

    monkeypatch.setattr(plan, "plan", careless)
    assert noticed(details=("phone",))


def test_a_world_notices_a_base_where_nobody_can_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settle, "_unknown", lambda _pair, pending: pending.becomes)
    assert noticed(seeds=UNCLEAR)
