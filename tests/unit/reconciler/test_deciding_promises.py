"""Do the promises about decisions hold whatever happens? P7, P8, P9 and P14 over seeded worlds, and what breaks them."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.link import Link, Message, Step
from reconciler.rules import Rules, System
from reconciler.step import step
from reconciler.tasks import tasks
from tests.builders.deciding_world import DETAILS, World, lived, same

SEED = st.integers(0, 2**32)
WORLDS = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def broken(world: World) -> Iterator[str]:
    """What is wrong with a world that came to rest."""
    yield from half_done(world)
    yield from unseen(world)
    yield from needless(world)
    if world.case.link.pending:
        yield "it never came to rest"


def half_done(world: World) -> Iterator[str]:
    """P7: every part of every decision ended once, on both sides as chosen or refused, and where refused not half."""
    for decision in world.made.values():
        for wish in decision.wishes:
            ended = world.ended.get((decision.id, wish.detail), [])
            if len(ended) != 1:
                yield f"P7: {wish.detail} of {decision.who} ended {len(ended)} times"
                continue
            (end,) = ended
            mine = [one for one in world.landed if (one.decision, one.detail) == (decision.id, wish.detail)]
            if end.result == "refused" and any(one.system is System.CRM for one in mine):
                yield f"P7: {wish.detail} of {decision.who} is refused and yet in the CRM"
            if end.result == "written":
                for system, target in ((System.CRM, wish.crm), (System.ECONOMIC, wish.economic)):
                    if target is None:
                        continue
                    if not any(same(wish.detail, target[wish.detail], one) for one in world.held[system][wish.detail]):
                        yield f"P7: {wish.detail} of {decision.who} is done and was never in {system}"
    if any(not (one.crm is None and one.economic is None) for one in world.case.link.customer.chosen.values()):
        yield "P7: a choice still stands at rest"


def unseen(world: World) -> Iterator[str]:
    """P8: what a decision wrote went over what its person saw there, or over what was chosen already."""
    for one in world.landed:
        decision = world.made[one.decision]
        wish = next(each for each in decision.wishes if each.detail == one.detail)
        seen = wish.seen_crm if one.system is System.CRM else wish.seen_economic
        if not same(one.detail, one.over, seen[one.detail]):
            yield f"P8: {one.detail} in {one.system} went over {one.over!r}, {decision.who} saw {seen[one.detail]!r}"


def needless(world: World) -> Iterator[str]:
    """P9: at every step the status asks or says an error exactly when a question is open, and each has two values.

    While something waits for a paused direction, it says that first.
    """
    for done in world.steps:
        asks = done.status.state in {"choice", "error"}
        if asks != bool(done.asked) and done.status.state != "paused":
            yield f"P9: {done.status} with {[one.kind for one in done.asked]}"
        for task in done.asked:
            if not task.shown and task.kind != "unclear":
                yield f"P9: {task.kind} says nothing about what it is"
            if task.kind == "values" and any(same(one.field, one.crm, one.economic) for one in task.shown):
                yield f"P9: {task.details} is asked about and is the same"
    for name in DETAILS:
        here, there = world.value(System.CRM, name), world.value(System.ECONOMIC, name)
        asked = any(name in one.details for one in tasks(world.case.link, world.rules, world.case.now))
        left = name in world.case.link.customer.chosen
        base = world.case.link.customer.base.get(name)
        accepted = (
            base is not None and not base.unknown and same(name, base.crm, here) and same(name, base.economic, there)
        )
        if not same(name, here, there) and not asked and not left and not accepted:
            yield f"P1: {name} differs, {here!r} and {there!r}, and nobody is asked"


@pytest.mark.slow
@WORLDS
@given(seed=SEED)
def test_p7_p8_p9_decisions_end_whole_over_what_was_seen_and_nobody_is_asked_needlessly(seed: int) -> None:
    assert list(broken(lived(seed))) == []


@pytest.mark.slow
@WORLDS
@given(seed=SEED)
def test_p14_undo_puts_back_exactly_what_was_there_or_says_where_it_was_edited_since(seed: int) -> None:
    world = World(seed)
    for _ in range(25):
        world.happen()
    world.rest()
    decision = world.decide(*world.wishes())
    world.rest()
    before = {
        name: [(end.crm, end.economic, end.result) for end in world.ended.get((decision, name), [])] for name in DETAILS
    }
    edited = world.dice.sample(DETAILS, world.dice.randrange(2))
    for name in edited:
        world.edit(System.CRM, name, f"later{world.dice.randrange(9)}@x.example" if name == "email" else "33333333")
        world.rest()
    undone = world.undo(decision)
    world.rest()
    if undone is None:
        assert all(result == "refused" for one in before.values() for _, _, result in one)
        return
    for wish in world.made[undone].wishes:
        ((crm, economic, _),) = before[wish.detail]
        assert crm is not None
        assert economic is not None
        (end,) = world.ended[undone, wish.detail]
        held = world.value(System.CRM, wish.detail), world.value(System.ECONOMIC, wish.detail)
        if end.result == "refused":
            assert end.reason in {"moved", "CustomerInvalidEmail"}
            continue
        assert same(wish.detail, held[0], crm[0][wish.detail])
        assert same(wish.detail, held[1], economic[0][wish.detail])
    again = world.undo(undone)
    world.rest()
    if again is not None:
        for wish in world.made[again].wishes:
            (end,) = world.ended[again, wish.detail]
            assert end.result in {"written", "kept"} or end.reason == "CustomerInvalidEmail"
    assert list(broken(world)) == []


def forgetful(link: Link, message: Message, rules: Rules, now: datetime) -> Step:
    """A step that keeps decisions only in its memory: what is not written at once is gone with the process."""
    done = step(link, message, rules, now)
    customer = replace(done.link.customer, chosen={})
    return replace(done, link=replace(done.link, customer=customer))


def test_a_decision_that_is_not_durable_is_found_out() -> None:
    assert any(list(broken(lived(seed, react=forgetful))) for seed in range(20))


def blind(link: Link, message: Message, rules: Rules, now: datetime) -> Step:
    """A step that takes whatever is there for what the person saw."""
    decision = getattr(message, "decision", None)
    if decision is not None:
        wishes = []
        for wish in decision.wishes:
            pair = link.customer
            crm = {name: (pair.crm.values if pair.crm else {}).get(name, "") for name in wish.seen_crm}
            economic = {
                name: (pair.economic.values if pair.economic else {}).get(name, "") for name in wish.seen_economic
            }
            standing = pair.chosen.get(wish.detail)
            over = None if standing is None else standing.decision
            wishes.append(replace(wish, seen_crm=crm, seen_economic=economic, over=over))
        message = replace(message, decision=replace(decision, wishes=tuple(wishes)))
    return step(link, message, rules, now)


def test_a_choice_carried_out_over_values_nobody_saw_is_found_out() -> None:
    assert any(list(broken(lived(seed, react=blind))) for seed in range(40))
