"""What should happen to each detail of one record? Both sides, what they last agreed on, and the rules give a plan.

Nothing is decided here on time, order or versions: only on values.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from uuid import UUID

from reconciler import chosen, fields
from reconciler.fields import Group
from reconciler.link import Base, Choice, Kind, Pair, Refusal
from reconciler.rules import Decides, Direction, Rule, Rules, System


class Do(StrEnum):
    """What a detail needs."""

    NOTHING = "nothing"
    REMEMBER = "remember"
    """Both agree, or their difference is accepted: the pair as it stands becomes the base."""
    WRITE_CRM = "write_crm"
    WRITE_ECONOMIC = "write_economic"
    ASK = "ask"
    REFUSED = "refused"
    """It would be written, but just that was refused, and nothing has moved since."""
    WAIT = "wait"
    """A write of it is under way."""


_TARGETS: Final[Mapping[Do, System]] = {Do.WRITE_CRM: System.CRM, Do.WRITE_ECONOMIC: System.ECONOMIC}


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """The plan for one group.

    ``differing`` are its fields that do not agree. ``values`` is what the target gets, ``becomes`` the base once it has.
    ``reason``: of asking, ``both``, ``unknown``, ``empty``, ``bouncing``, or ``kept`` when one of two that were to stay
    different has moved. ``decision`` is the person's decision it carries out, whatever the rules say. ``put_back``: an edit where none was allowed
    is undone. ``lost`` holds the values an edit loses by rule, for the audit.
    """

    group: Group
    do: Do
    differing: tuple[str, ...] = ()
    reason: str = ""
    put_back: bool = False
    values: Mapping[str, str] = field(default_factory=dict)
    becomes: Mapping[str, Base] = field(default_factory=dict)
    lost: Mapping[str, str] = field(default_factory=dict)
    decision: UUID | None = None

    @property
    def target(self) -> System | None:
        """The system it writes to."""
        return _TARGETS.get(self.do)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """One group as both sides hold it, beside its bases."""

    kind: Kind
    group: Group
    rule: Rule
    crm: Mapping[str, str]
    economic: Mapping[str, str]
    base: Mapping[str, Base]
    choice: Choice | None

    @property
    def differing(self) -> tuple[str, ...]:
        return tuple(
            name for name in self.group.fields if not fields.agree(self.kind, name, self.crm[name], self.economic[name])
        )

    @property
    def has_base(self) -> bool:
        return len(self.base) == len(self.group.fields)

    def on(self, system: System) -> Mapping[str, str]:
        return self.crm if system is System.CRM else self.economic

    def before(self, system: System) -> Mapping[str, str]:
        return {name: one.crm if system is System.CRM else one.economic for name, one in self.base.items()}

    def moved(self, system: System) -> bool:
        now, here = self.on(system), system is System.CRM
        return any(
            not fields.same(self.kind, name, now[name], one.crm if here else one.economic)
            for name, one in self.base.items()
        )

    def emptied(self, system: System) -> bool:
        """Whether that side holds nothing of it any more, where it did before."""
        return _blank(self.on(system)) and not _blank(self.before(system))


def plan(
    kind: Kind,
    crm: Mapping[str, str],
    economic: Mapping[str, str],
    base: Mapping[str, Base],
    rules: Rules,
    *,
    refusals: Collection[Refusal] = (),
    under_way: Collection[str] = (),
    stopped: Collection[str] = (),
    choices: Mapping[str, Choice] | None = None,
    gets_invoices: bool = False,
) -> tuple[Detail, ...]:
    """The plan for every group of one record. ``gets_invoices``: it is a contact person who gets copies of invoices.

    ``under_way`` names fields with an unanswered write: their groups wait, in both directions. ``stopped`` names groups
    that both systems keep rewriting. ``choices`` of a person come before every rule.
    """
    details = []
    choices = {} if choices is None else choices
    for group in fields.GROUPS[kind]:
        waits = group.name in choices or any(name in under_way for name in group.fields)
        if not waits and _untouched(group, crm, economic, base):
            details.append(Detail(group=group, do=Do.NOTHING))
            continue
        seen = _Seen(
            kind=kind,
            group=group,
            rule=fields.rule(kind, group, rules, gets_invoices=gets_invoices),
            crm={name: fields.text(crm, name) for name in group.fields},
            economic={name: fields.text(economic, name) for name in group.fields},
            base={name: base[name] for name in group.fields if name in base},
            choice=choices.get(group.name),
        )
        details.append(_held_back(_group(seen, under_way, stopped), refusals))
    return tuple(details)


def _untouched(group: Group, crm: Mapping[str, str], economic: Mapping[str, str], base: Mapping[str, Base]) -> bool:
    """Whether both hold, letter by letter, what they last agreed on: most groups in most steps, seen without comparing."""
    for name in group.fields:
        one = base.get(name)
        if one is None or one.unknown:
            return False
        if not fields.text(crm, name) == fields.text(economic, name) == one.crm == one.economic:
            return False
    return True


def of(pair: Pair, rules: Rules, stopped: Collection[str] = ()) -> tuple[Detail, ...]:
    """The plan for a record that both sides hold."""
    return plan(
        pair.kind,
        pair.crm.values if pair.crm else {},
        pair.economic.values if pair.economic else {},
        pair.base,
        rules,
        refusals=pair.refusals,
        under_way={name for one in pair.pending.values() for name in one.becomes},
        stopped=stopped,
        choices=pair.chosen,
        gets_invoices=pair.gets_invoices,
    )


def _group(seen: _Seen, under_way: Collection[str], stopped: Collection[str]) -> Detail:
    group, differing = seen.group, seen.differing
    if any(name in under_way for name in group.fields):
        return Detail(group=group, do=Do.WAIT, differing=differing)
    if seen.choice is not None and (chosen_for := _chosen(seen, seen.choice)) is not None:
        return chosen_for
    if seen.rule.direction is Direction.NONE:
        return Detail(group=group, do=Do.NOTHING)
    if not differing:
        return _agreed(seen)
    if seen.choice is not None and chosen.kept(seen.choice):
        return _kept(seen, seen.choice)
    if any(one.unknown for one in seen.base.values()):
        return _ask(seen, "unknown")
    if group.name in stopped:
        return _ask(seen, "bouncing")
    if not seen.has_base:
        return _without_base(seen)
    crm, economic = seen.moved(System.CRM), seen.moved(System.ECONOMIC)
    if not crm and not economic:
        return Detail(group=group, do=Do.NOTHING, differing=differing)
    if seen.rule.direction is not Direction.BOTH:
        return _one_way(seen, System.CRM if seen.rule.direction is Direction.ONLY_CRM else System.ECONOMIC)
    if crm and economic:
        return _by_rule(seen)
    return _flow(seen, System.CRM if crm else System.ECONOMIC)


def _chosen(seen: _Seen, choice: Choice) -> Detail | None:
    """The next write of what a person chose, whatever the rules say; none when there is none to make."""
    kind, group = seen.kind, seen.group
    if chosen.kept(choice) or not chosen.holds(kind, group, choice, seen.crm, seen.economic):
        return None
    if not chosen.left(kind, group, choice, seen.crm, seen.economic):
        return None
    system, values, becomes = chosen.write(kind, group, choice, seen.crm, seen.economic)
    return Detail(
        group=group,
        do=Do.WRITE_CRM if system is System.CRM else Do.WRITE_ECONOMIC,
        differing=seen.differing,
        values=values,
        becomes=becomes,
        lost={name: seen.on(system)[name] for name in values},
        decision=choice.decision,
    )


def _kept(seen: _Seen, choice: Choice) -> Detail:
    """Two that were to stay different do, until one of them moves: then a person is asked again."""
    if not chosen.holds(seen.kind, seen.group, choice, seen.crm, seen.economic):
        return _ask(seen, "kept")
    return Detail(group=seen.group, do=Do.NOTHING, differing=seen.differing)


def _agreed(seen: _Seen) -> Detail:
    """Nothing to write; the base moves only if a value did, so that a change of spelling is none."""
    holds = seen.has_base and not any(one.unknown for one in seen.base.values())
    if holds and not seen.moved(System.CRM) and not seen.moved(System.ECONOMIC):
        return Detail(group=seen.group, do=Do.NOTHING)
    return Detail(group=seen.group, do=Do.REMEMBER, becomes=_as_it_stands(seen))


def _without_base(seen: _Seen) -> Detail:
    """A link just made: blanks fill; what else differs goes by rule, and never over a value where it may be changed."""
    direction = seen.rule.direction
    for system in System:
        if all(fields.blank(seen.on(system)[name]) for name in seen.differing):
            closed = Direction.ONLY_CRM if system is System.CRM else Direction.ONLY_ECONOMIC
            return _stays(seen) if direction is closed else _write(seen, system.other, seen.on(system.other))
    return _by_rule(seen) if direction is Direction.BOTH else _stays(seen)


def _one_way(seen: _Seen, master: System) -> Detail:
    """Only one side may change it: its edit flows, an edit of the other side is put back."""
    edited = seen.moved(master.other)
    if seen.moved(master):
        return _flow(seen, master, put_back=edited)
    agreed = all(fields.agree(seen.kind, name, one.crm, one.economic) for name, one in seen.base.items())
    values = seen.before(master.other) if agreed else seen.on(master)
    return _write(seen, master, values, put_back=True)


def _by_rule(seen: _Seen) -> Detail:
    match seen.rule.decides:
        case Decides.ASK:
            return _ask(seen, "both")
        case Decides.CRM:
            return _flow(seen, System.CRM)
        case Decides.ECONOMIC:
            return _flow(seen, System.ECONOMIC)


def _flow(seen: _Seen, source: System, *, put_back: bool = False) -> Detail:
    if seen.emptied(source) and not seen.rule.may_be_empty:
        return _ask(seen, "empty")
    values, over = seen.on(source), seen.on(source.other)
    if not seen.has_base and any(fields.blank(values[name]) and not fields.blank(over[name]) for name in values):
        return _ask(seen, "both")  # an empty value of a link just made was not cleared, and a group moves whole
    return _write(seen, source, values, put_back=put_back)


def _write(seen: _Seen, source: System, values: Mapping[str, str], *, put_back: bool = False) -> Detail:
    target, kind = source.other, seen.kind
    becomes = _as_it_stands(seen)
    written = {}
    for name in seen.group.fields:
        if target is System.ECONOMIC:
            new = fields.held(kind, name, values[name])
            after = Base(crm=seen.crm[name], economic=new)
        else:
            new = values[name]
            after = Base(crm=new, economic=seen.economic[name])
        if name in seen.differing and not fields.same(kind, name, new, seen.on(target)[name]):
            written[name], becomes[name] = new, after
    if not written:
        return _stays(seen)
    over = seen.on(target)
    lost = {name: over[name] for name in written} if not seen.has_base or seen.moved(target) else {}
    return Detail(
        group=seen.group,
        do=Do.WRITE_ECONOMIC if target is System.ECONOMIC else Do.WRITE_CRM,
        differing=seen.differing,
        put_back=put_back,
        values=written,
        becomes=becomes,
        lost=lost,
    )


def _ask(seen: _Seen, reason: str) -> Detail:
    return Detail(group=seen.group, do=Do.ASK, differing=seen.differing, reason=reason)


def _stays(seen: _Seen) -> Detail:
    return Detail(group=seen.group, do=Do.REMEMBER, differing=seen.differing, becomes=_as_it_stands(seen))


def _as_it_stands(seen: _Seen) -> dict[str, Base]:
    return {name: Base(crm=seen.crm[name], economic=seen.economic[name]) for name in seen.group.fields}


def _held_back(detail: Detail, refusals: Collection[Refusal]) -> Detail:
    """A write stands back while something it would write was refused there and has not moved."""
    for refusal in refusals:
        if refusal.system is detail.target and any(name in refusal.values for name in detail.group.fields):
            return Detail(
                group=detail.group, do=Do.REFUSED, differing=detail.differing, reason=refusal.code
            )  # fmt: skip
    return detail


def _blank(values: Mapping[str, str]) -> bool:
    return all(fields.blank(value) for value in values.values())
