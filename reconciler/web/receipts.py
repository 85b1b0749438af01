"""What does a saved decision say on its receipt? A line for each system with its time, what was refused, what can be undone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from reconciler.decided import Saved
from reconciler.decisions import KEEP, Ended
from reconciler.link import Link
from reconciler.rules import Rules, System
from reconciler.web import reasons
from reconciler.web.words import Words

How = Literal["updated", "waiting"]
UPDATED: Final[Mapping[System, str]] = {
    System.CRM: "Clickmate: updated {time}",
    System.ECONOMIC: "e-conomic: updated {time}",
}
NAMES: Final[Mapping[System, str]] = {System.CRM: "Clickmate", System.ECONOMIC: "e-conomic"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A receipt in words. ``waits``: it is not finished. ``undo``: whether it can be put back from here."""

    heading: str
    lines: tuple[str, ...]
    refused: tuple[str, ...]
    waits: bool
    undo: bool


def systems(saved: Saved, link: Link) -> dict[System, How]:
    """For each system that was to be written whether it has what was chosen; nothing of one that keeps what it has."""
    told: dict[System, How] = {}
    ended = {(one.record, one.detail): one for one in saved.outcome}
    standing = {
        (pair.id, name): one
        for pair in link.pairs
        for name, one in pair.chosen.items()
        if one.decision == saved.decision.id
    }
    for wish in saved.decision.wishes:
        end = ended.get((wish.record, wish.detail))
        if end is not None and end.result == "refused":
            continue
        choice = standing.get((wish.record, wish.detail))
        for system, target in ((System.CRM, wish.crm), (System.ECONOMIC, wish.economic)):
            if target is None:
                continue
            has = end is not None or (choice is not None and system in choice.written)
            told[system] = "updated" if has and told.get(system) != "waiting" else "waiting"
    return told


def receipt(
    words: Words,
    saved: Saved,
    link: Link,
    rules: Rules,
    landed: Mapping[System, datetime],
    taken: Mapping[str, Saved],
    undone: Saved | None,
) -> Receipt:
    """The receipt of a decision. ``landed``: when each system was written; ``taken``: who settled a detail before, by detail."""
    told = systems(saved, link)
    undo = saved.decision.means == "undo"
    waits = saved.state == "open"
    refused = [_refused(words, one, link, taken, undo=undo) for one in saved.outcome if one.result == "refused"]
    notes = [
        reasons.refused(words, one, link, undo=True)
        for one in saved.outcome
        if undo and one.result != "refused" and one.reason in reasons.UNDOING
    ]
    heading, lines = _told(words, saved, told, landed, link, rules)
    if refused and not undo and saved.state == "partly" and len(told) == len(System):
        lines = (*lines, words("The other details were updated in both systems."))
    can = saved.state in {"done", "partly"} and undone is None and words.now - saved.decision.at <= KEEP
    if undone is not None:
        lines = (*lines, words("Undone {time}", time=words.brief(undone.ended or undone.decision.at)))
    return Receipt(heading=heading, lines=(*lines, *notes), refused=tuple(refused), waits=waits, undo=can)


def taken_by(words: Words, by: Saved) -> str:
    """Who chose before, and when."""
    return words("{Name} has already chosen ({time}).", name=by.decision.who, time=words.brief(by.decision.at))


def _told(
    words: Words,
    saved: Saved,
    told: Mapping[System, How],
    landed: Mapping[System, datetime],
    link: Link,
    rules: Rules,
) -> tuple[str, tuple[str, ...]]:
    ended = saved.ended or words.now
    if saved.decision.means == "undo" and saved.state != "open":
        return words("Undone {time}" if saved.state != "refused" else "Nothing was undone", time=words.brief(ended)), ()
    if saved.state == "refused":
        return words("Nothing was saved"), ()
    lines = tuple(
        words(UPDATED[system], time=words.brief(landed.get(system, ended)))
        if how == "updated"
        else f"{NAMES[system]}: {words('waiting')}"
        for system, how in sorted(told.items())
    )
    if saved.state == "open":
        return _waiting(words, told, link, rules), lines
    if saved.state == "done" and len(told) == len(System):
        return words("Saved. Both systems were updated {time}.", time=words.brief(ended)), lines
    return words("Saved {time}", time=words.brief(ended)), lines


def _waiting(words: Words, told: Mapping[System, How], link: Link, rules: Rules) -> str:
    waiting = {system for system, how in told.items() if how == "waiting"}
    if rules.held or waiting & rules.paused:
        return words("Your choice is saved and will be written when the pause ends.")
    away = any(one.system is System.ECONOMIC and one.cause in {"away", "throttled"} for one in link.pending)
    if System.ECONOMIC in waiting and away:
        return words(
            "Your choice is saved. e-conomic is not answering right now. Both systems are updated by themselves when it does."
            if System.CRM in waiting
            else "Saved in Clickmate. e-conomic is not answering right now. We keep trying, and you need do nothing."
        )
    return words("Your choice is saved.")


def _refused(words: Words, one: Ended, link: Link, taken: Mapping[str, Saved], *, undo: bool) -> str:
    by = taken.get(f"{one.record}.{one.detail}")
    if by is None:
        return reasons.refused(words, one, link, undo=undo)
    name = reasons.named_in(words, link, one.record, one.detail)
    return f"{name}: {taken_by(words, by)}" if name else taken_by(words, by)
