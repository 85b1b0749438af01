"""Which safeties can be taken away, one at a time? Each by name, and how: the product itself has no switch for it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any
from unittest.mock import patch

from economic_adapter import decide as adapter_decide
from economic_adapter import mapping
from economic_adapter.operation import Operation, State
from reconciler import (
    contacts,
    decide,
    fields,
    plan,
    record,
    settle,
    similar,
    tasks,
)
from reconciler.asked import Shown
from reconciler.link import Base, Decided, Heard, Link, Message, Pair, Pending, Step
from reconciler.plan import Detail, Do
from reconciler.rules import Rule, Rules, System
from tests.simulation import adapter, agreement, crm, mutants_of_runs, sync, world
from tests.simulation.schedule import STUCK, SWITCHING

NAMES: Mapping[str, str] = {
    "version-check": "a write goes through whatever version the other side has by now",
    "recorded-operation": "that a write leaves is not recorded before it does",
    "one-base": "one value is remembered for both sides, not one per side",
    "decision-durable": "a person's decision is forgotten once its first write went out",
    "base-late": "an answer does not move the base; only the next look at both sides does",
    "exists-test": "two values count as equal when both are there",
    "rules-read": "an admin's rules are stored and never read",
    "whole-record": "a write carries every detail, not only what changed",
    "agreement-lock": "two steps may link or create at the same time",
    "origin": "a record does not carry the operation that created it",
    "greedy-matching": "of the whole of both sides, whoever comes first is paired, not the best for the whole set",
    "first-candidate": "the first candidate of a new customer is linked as if it were certain",
    "run-not-rechecked": "a run carries a customer out without looking at it again",
    "undo-by-itself": "an undone pair is forgotten, so that each may be created from the other again",
    "undo-finishes": "an undo that is stopped finishes what it has begun",
    "undo-stills": "of a run that is taken back nothing more is written",
    "undo-overwrites": "an undo puts back what was, whatever somebody typed since",
    "fair-probe": "while e-conomic seems away, whoever is first in line is tried, however often that failed",
    "brake": "a look at everything writes to as many customers as it likes",
    "brake-release": "what a pass held goes as it would be by now, not as it was listed",
    "answers-gate": "an outcome counts only when the state beside it is news",
    "blind-mark": "a look clears its customer's mark even when it was marked again",
    "whole-question": "a question does not show what both sides last agreed on",
    "removal-chosen": "a contact person removed in one system is removed in the other, whatever an admin chose",
    "r19": "a number that holds another company is believed to be the same customer",
}
"""Name and what is missing then, in the order of the list."""

THEMES: Mapping[str, frozenset[str]] = {
    "agreement-lock": frozenset({"meeting"}),
    "greedy-matching": frozenset({SWITCHING}),
    "first-candidate": frozenset({"meeting"}),
    "run-not-rechecked": frozenset({SWITCHING}),
    "undo-by-itself": frozenset({SWITCHING}),
    "undo-finishes": frozenset({SWITCHING}),
    "undo-stills": frozenset({SWITCHING}),
    "undo-overwrites": frozenset({SWITCHING}),
    "fair-probe": STUCK,
    "brake": frozenset({SWITCHING}),
    "brake-release": frozenset({SWITCHING}),
    "decision-durable": frozenset({"decisions"}),
    "origin": frozenset({"meeting"}),
    "blind-mark": frozenset({"hooks"}),
    "removal-chosen": frozenset({"persons", "mixed"}),
    "r19": frozenset({"numbers", "mixed"}),
    "recorded-operation": frozenset({"creation", "persons", "faults"}),
}
"""Where a missing safety can show at all; other schedules are passed over when it is looked for."""

_Patch = Callable[[], Any]


@contextmanager
def without(name: str | None) -> Iterator[None]:
    """The product without that safety; with all of them for none."""
    if name is None:
        yield
        return
    with _PATCHES[name]():
        yield


def _version_check() -> Any:
    decided = adapter_decide.decide_change

    def careless(operation: Operation, body: Mapping[str, Any] | None, *, known: bool) -> Any:
        if known and body is not None:
            part = operation.part.model_copy(update={"object_version": mapping.version(body)})
            operation = replace(operation, part=part)
        return decided(operation, body, known=known)

    return _both(
        patch.object(adapter_decide, "decide_change", careless),
        patch.object(crm.Crm, "conflicts", lambda *_: False),
    )


def _recorded_operation() -> Any:
    saved = adapter._Tables.save

    def forgetful(tables: Any, connection: Any, operation: Operation, *more: Any, **named: Any) -> bool:
        if operation.state is State.SENT:
            if operation.key is not None:
                tables.world.truth.leaving[operation.key] = operation.id
            return True
        return saved(tables, connection, operation, *more, **named)

    return patch.object(adapter._Tables, "save", forgetful)


def _one_base() -> Any:
    def one(pair: Pair) -> Pair:
        return replace(pair, base={name: replace(base, economic=base.crm) for name, base in pair.base.items()})

    def flat(link: Link, message: Message, rules: Rules, now: datetime) -> Step:
        done = _STEP(link, message, rules, now)
        contacts = tuple(one(pair) for pair in done.link.contacts)
        return replace(done, link=replace(done.link, customer=one(done.link.customer), contacts=contacts))

    return patch.object(world, "plain", flat)


def _base_late() -> Any:
    written = settle._written

    def late(pair: Pair, pending: Pending) -> Pair:
        return replace(written(pair, pending), base=pair.base)

    return patch.object(settle, "_written", late)


def _exists_test() -> Any:
    def existing(seen: plan._Seen) -> tuple[str, ...]:
        return tuple(name for name in seen.group.fields if bool(seen.crm[name]) != bool(seen.economic[name]))

    return patch.object(plan._Seen, "differing", property(existing))


def _rules_read() -> Any:
    def default(_kind: str, group: fields.Group, _rules: Rules, **_marks: bool) -> Rule:
        return group.rule

    return patch.object(fields, "rule", default)


def _whole_record() -> Any:
    change = decide._change

    def whole(link: Link, pair: Pair, system: System, details: Sequence[Detail], now: datetime) -> Link:
        side, source = pair.side(system), pair.side(system.other)
        if side is None or source is None or not any(one.target is system for one in details):
            return change(link, pair, system, tuple(details), now)
        every = []
        for one in details:
            values = {name: fields.text(source.values, name) for name in one.group.fields}
            if system is System.ECONOMIC:
                values = {name: fields.held(pair.kind, name, value) for name, value in values.items()}
            do = Do.WRITE_ECONOMIC if system is System.ECONOMIC else Do.WRITE_CRM
            pairs = {
                name: Base(
                    crm=fields.text(source.values, name) if system is System.ECONOMIC else value,
                    economic=value if system is System.ECONOMIC else fields.text(source.values, name),
                )
                for name, value in values.items()
            }
            every.append(one if one.target is system else replace(one, do=do, values=values, becomes=pairs))
        return change(link, pair, system, tuple(every), now)

    return patch.object(decide, "_change", whole)


def _agreement_lock() -> Any:
    return patch.object(agreement.Agreements, "hold_agreement", lambda *_: None)


def _decision_durable() -> Any:
    def forgotten(link: Link, message: Message, rules: Rules, now: datetime) -> Step:
        if not isinstance(message, Decided):
            contacts = tuple(replace(pair, chosen={}) for pair in link.contacts)
            link = replace(link, customer=replace(link.customer, chosen={}), contacts=contacts)
        return _STEP(link, message, rules, now)

    return patch.object(world, "plain", forgotten)


def _first_candidate() -> Any:
    found = similar._similar

    def greedy(*given: Any) -> similar.Similar:
        all_of_them = found(*given)
        first = all_of_them.free[0] if all_of_them.free else ""
        return replace(all_of_them, certain=first, evidence="first")

    return patch.object(similar, "_similar", greedy)


def _origin() -> Any:
    return patch.object(crm.Crm, "origin", lambda *_: None)


def _answers_gate() -> Any:
    def gated(link: Link, message: Message, rules: Rules, now: datetime) -> Step:
        if isinstance(message, Heard):
            old_crm = message.crm and link.crm_version and message.crm.version <= link.crm_version
            old = message.economic and link.economic_version and message.economic.version <= link.economic_version
            if old_crm or old:
                message = replace(message, outcomes=())
        return _STEP(link, message, rules, now)

    return patch.object(world, "plain", gated)


def _blind_mark() -> Any:
    finished = adapter._Tables.finish

    def blind(tables: Any, connection: Any, claim: Any) -> None:
        if claim.kind == "look":
            connection.drop(tables.shelf.marks, claim.number)
        finished(tables, connection, claim)

    return patch.object(adapter._Tables, "finish", blind)


def _whole_question() -> Any:
    shown = tasks._values

    def less(pair: Pair, names: Iterable[str]) -> tuple[Shown, ...]:
        return tuple(replace(one, base=None) for one in shown(pair, names))

    return patch.object(tasks, "_values", less)


def _removal_chosen() -> Any:
    return patch.object(contacts, "_removes", lambda *_: frozenset(System))


def _r19() -> Any:
    return patch.object(record, "another_identity", lambda *_: False)


@contextmanager
def _both(*patches: Any) -> Iterator[None]:
    with patches[0], patches[1]:
        yield


_STEP: Callable[[Link, Message, Rules, datetime], Step] = sync.plain
_PATCHES: dict[str, _Patch] = {
    **mutants_of_runs.PATCHES,
    "version-check": _version_check,
    "recorded-operation": _recorded_operation,
    "one-base": _one_base,
    "base-late": _base_late,
    "exists-test": _exists_test,
    "rules-read": _rules_read,
    "whole-record": _whole_record,
    "agreement-lock": _agreement_lock,
    "origin": _origin,
    "decision-durable": _decision_durable,
    "first-candidate": _first_candidate,
    "answers-gate": _answers_gate,
    "blind-mark": _blind_mark,
    "whole-question": _whole_question,
    "removal-chosen": _removal_chosen,
    "r19": _r19,
}
