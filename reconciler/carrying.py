"""Which wishes of a person are taken up, and how did each end? Written on both sides, or refused with a reason: never half.

A wish that is taken up stands as a choice in the link, so that it outlives every crash; the plan carries it out.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from uuid import UUID

from crm_outbox.contract import Outcome, Result
from reconciler import alone, chosen, contacts, fields, plan
from reconciler.decisions import Before, Decision, Ended, Wish
from reconciler.fields import Group
from reconciler.link import Base, Choice, Link, LinkState, Pair, Pending
from reconciler.plan import Do
from reconciler.rules import Rules, System
from reconciler.settle import put

MARKS = frozenset({"stage", "barred"})
"""What a person may choose of a customer beside its details: set inactive in the CRM, barred in e-conomic."""


def taken_up(link: Link, decision: Decision, rules: Rules) -> tuple[Link, tuple[Ended, ...]]:
    """The link with those wishes as choices, and those that ended at once, most of them refused."""
    ended: list[Ended] = []
    for wish in decision.wishes:
        link, end = _taken_up(link, decision.id, wish, rules)
        ended += end
    return link, tuple(ended)


def landed(link: Link, writes: Iterable[tuple[UUID, Pending]]) -> Link:
    """The link after writes landed, of the records with those ids: choices know which sides hold what was chosen."""
    wrote = list(writes)
    for pair in link.pairs:
        if not pair.chosen:
            continue
        choices = dict(pair.chosen)
        for one in (pending for owner, pending in wrote if owner == pair.id):
            if one.mark in choices:
                choices[one.mark] = replace(choices[one.mark], written=(one.system,))
            for group in fields.GROUPS[pair.kind]:
                if group.name in choices:
                    choice = choices[group.name]
                    choices[group.name] = chosen.landed(pair.kind, group, choice, one.system, one.becomes)
        link = put(link, replace(pair, chosen=choices))
    return link


def tidied(link: Link) -> tuple[Link, tuple[Ended, ...]]:
    """The link without the choices that are carried out or cannot be, and how those ended."""
    ended: list[Ended] = []
    for pair in link.pairs:
        now = pair
        for name, choice in pair.chosen.items():
            if name in MARKS:
                now, end = _mark(link, now, name, choice)
            elif name == alone.PERSON:
                now, end = alone.ended(link, now, choice)
            else:
                now, end = _looked_at(link, now, _group(pair, name), choice)
            ended += end
        if now is not pair:
            link = put(link, now)
    return link, tuple(ended)


def creating(pair: Pair, decision: UUID) -> Pair:
    """The record whose creation is under way because a person decided so."""
    pending = {
        system: replace(one, decided=dict.fromkeys(one.values, decision)) if one.action == "create" else one
        for system, one in pair.pending.items()
    }
    return replace(pair, pending=pending)


def begun(link: Link, decision: Decision, ended: Iterable[Ended]) -> tuple[Link, tuple[Ended, ...]]:
    """A person created again: that decision ends with the answer, if its creation left at once."""
    told = tuple(ended)
    pair = next((one for one in link.contacts if one.id == decision.record), None)
    if decision.means != "create" or pair is None or any(one.result == "refused" for one in told):
        return link, told
    if all(one.action != "create" for one in pair.pending.values()):
        return link, told
    return put(link, creating(pair, decision.id)), tuple(one for one in told if one.decision != decision.id)


def answered(link: Link, pending: Pending, outcome: Outcome) -> tuple[Ended, ...]:
    """How a decision to create ended, with the answer to the creation; one that stands as a choice is told by that."""
    if pending.action != "create" or outcome.result is Result.WAITING:
        return ()
    if set(pending.decided.values()) & set(standing_in(link).values()):
        return ()
    refused = outcome.result is Result.REFUSED or outcome.created is None
    return tuple(
        Ended(
            decision=one,
            result="refused" if refused else "written",
            reason=(outcome.reason or "unclear") if refused else "",
        )
        for one in dict.fromkeys(pending.decided.values())
    )


def let_go(before: Link, after: Link, ended: Iterable[Ended]) -> tuple[Ended, ...]:
    """Decisions whose creation went with what it was about, without an answer."""
    creations = [one for one in before.pending if one.action == "create" and one.decided]
    if not creations:
        return ()
    told = {one.decision for one in ended}
    told |= {decision for one in after.pending if one.action == "create" for decision in one.decided.values()}
    told |= set(standing_in(before).values())  # of a contact person: the choice that stood for it tells how it ended
    left = {one.operation for one in after.pending}
    gone = [
        decision
        for one in creations
        if one.operation not in left
        for decision in one.decided.values()
        if decision not in told
    ]
    return tuple(Ended(decision=one, result="refused", reason="gone") for one in dict.fromkeys(gone))


def dropped(before: Link, after: Link, ended: Iterable[Ended]) -> tuple[Ended, ...]:
    """The choices that went with what they were about (their record, or the link itself), or that were chosen anew."""
    standing = standing_in(after)
    told = {(one.decision, one.record, one.detail) for one in ended}
    gone = []
    for (record, detail), decision in standing_in(before).items():
        now = standing.get((record, detail))
        if now != decision and (decision, record, detail) not in told and not _kept_in(before, record, detail):
            reason = "gone" if now is None else "chosen"
            end = Ended(decision=decision, record=record, detail=detail, result="refused", reason=reason, other=now)
            gone.append(end)
    return tuple(gone)


def standing_in(link: Link) -> dict[tuple[UUID, str], UUID]:
    """The decision that stands for a detail, by record and detail."""
    return {(pair.id, name): choice.decision for pair in link.pairs for name, choice in pair.chosen.items()}


def _kept_in(link: Link, record: UUID, detail: str) -> bool:
    return any(pair.id == record and chosen.kept(pair.chosen[detail]) for pair in link.pairs if detail in pair.chosen)


def _taken_up(link: Link, decision: UUID, wish: Wish, rules: Rules) -> tuple[Link, tuple[Ended, ...]]:
    pair = next((one for one in link.pairs if one.id == wish.record), None)

    def refused(reason: str, other: UUID | None = None) -> tuple[Link, tuple[Ended, ...]]:
        end = Ended(decision=decision, record=wish.record, detail=wish.detail, result="refused", reason=reason)
        return link, (replace(end, other=other),)

    if link.state is not LinkState.LINKED:
        return refused("not_linked")
    if link.unsendable:
        return refused("unsendable")
    if pair is not None and wish.detail == alone.PERSON:
        taken, why = alone.taken_up(pair, decision, wish)
        if why:
            return refused(why, standing_in(link).get((pair.id, alone.PERSON)) if why == "chosen" else None)
        return put(link, taken), ()
    if pair is None or pair.crm is None or pair.economic is None or not _both(pair):
        return refused("gone")
    group = next((one for one in fields.GROUPS[pair.kind] if one.name == wish.detail), None)
    if group is None:
        return refused("unknown_detail")
    standing = pair.chosen.get(group.name)
    if standing is not None and (standing.decision != wish.over or _leaving(pair, group, standing)):
        return refused("chosen", standing.decision)
    crm = {name: fields.text(pair.crm.values, name) for name in group.fields}
    economic = {name: fields.text(pair.economic.values, name) for name in group.fields}
    choice = replace(chosen.of(wish, decision), was=_stood(pair, group, rules), after=wish.after)
    seen = replace(choice, crm=None, economic=None)
    if not chosen.holds(pair.kind, group, seen, crm, economic):
        return refused("moved")
    choice = replace(choice, seen_crm=crm, seen_economic=economic)  # spelled as they are, to be put back so
    pair = _cleared(pair, group)
    if chosen.kept(choice):
        return put(link, _left_different(pair, group, choice, wish)), (_end(pair, group, choice, "kept", wish=wish),)
    return put(link, replace(pair, chosen={**pair.chosen, group.name: choice})), ()


def _leaving(pair: Pair, group: Group, standing: Choice) -> bool:
    """Whether an earlier choice is being written just now: then it can be undone, but no longer chosen otherwise."""
    under_way = any(name in one.becomes for one in pair.pending.values() for name in group.fields)
    return under_way and not chosen.kept(standing)


def _left_different(pair: Pair, group: Group, choice: Choice, wish: Wish) -> Pair:
    """The pair as it stands becomes the base; undoing that takes the mark away, and asks: the base before is not known."""
    pair = _stands(pair, group, ask=wish.after == "ask" or (wish.take == "undo" and wish.after == ""))
    if wish.take != "undo" or wish.after == "kept":
        return replace(pair, chosen={**pair.chosen, group.name: replace(choice, was="", after="")})
    return _without(pair, group.name)


def _looked_at(link: Link, pair: Pair, group: Group, choice: Choice) -> tuple[Pair, tuple[Ended, ...]]:
    crm, economic = pair.crm, pair.economic
    if chosen.kept(choice):
        apart = crm is None or economic is None or not _agree(pair, group, crm.values, economic.values)
        # what both came to hold is their base from here on, also while an earlier write is still under way
        return (pair if apart else _stands(_without(pair, group.name), group, ask=False)), ()
    if link.state is not LinkState.LINKED or crm is None or economic is None or not _both(pair):
        return _without(pair, group.name), (_end(pair, group, choice, "refused", "gone"),)
    if any(name in one.becomes for one in pair.pending.values() for name in group.fields):
        return pair, ()
    systems = chosen.left(pair.kind, group, choice, crm.values, economic.values)
    if not systems:
        return _done(pair, group, choice, crm.values, economic.values), (_end(pair, group, choice, "written"),)
    if not chosen.holds(pair.kind, group, choice, crm.values, economic.values):
        return _without(pair, group.name), (_end(pair, group, choice, "refused", "moved"),)
    for refusal in pair.refusals:
        if refusal.system in systems and any(name in refusal.values for name in group.fields):
            return _without(pair, group.name), (_end(pair, group, choice, "refused", refusal.code),)
    return pair, ()


def _done(pair: Pair, group: Group, choice: Choice, crm: Mapping[str, str], economic: Mapping[str, str]) -> Pair:
    """Where both still hold what was chosen, that is the base; an edit made since is one, against what was written."""
    holds = chosen.holds(pair.kind, group, choice, crm, economic)
    pair = _without(pair, group.name)
    if not holds:
        return pair
    pair = _stands(pair, group, ask=choice.after == "ask")
    if choice.after != "kept":
        return pair
    mark = Choice(decision=choice.decision, seen_crm=_of(crm, group), seen_economic=_of(economic, group))
    return replace(pair, chosen={**pair.chosen, group.name: mark})


def _mark(link: Link, pair: Pair, name: str, choice: Choice) -> tuple[Pair, tuple[Ended, ...]]:
    """What was chosen of the customer itself ends when it is seen to be so, or when that is refused."""
    done = link.stage == "inactive" if name == "stage" else bool(link.barred)
    system = System.CRM if name == "stage" else System.ECONOMIC
    end = Ended(decision=choice.decision, record=pair.id, detail=name, result="done")
    if any(one.mark == name for one in pair.pending.values()):
        return pair, ()
    if done or system in choice.written:
        return _without(pair, name), (end,)
    side = pair.side(system)
    if side is None or side.gone:
        return _without(pair, name), (replace(end, result="refused", reason="gone"),)
    for refusal in pair.refusals:
        if refusal.system is system and name in refusal.values:
            kept = tuple(one for one in pair.refusals if one is not refusal)
            pair = replace(_without(pair, name), refusals=kept)
            return pair, (replace(end, result="refused", reason=refusal.code),)
    return pair, ()


def _end(pair: Pair, group: Group, choice: Choice, result: str, reason: str = "", wish: Wish | None = None) -> Ended:
    crm, economic = chosen.target(pair.kind, choice, System.CRM), chosen.target(pair.kind, choice, System.ECONOMIC)
    became: Before = choice.after if wish is None or wish.take == "undo" else "kept"
    return Ended(
        decision=choice.decision,
        record=pair.id,
        detail=group.name,
        result="written" if result == "written" else "kept" if result == "kept" else "refused",
        reason=reason,
        crm=(choice.seen_crm, choice.seen_crm if crm is None else crm),
        economic=(choice.seen_economic, choice.seen_economic if economic is None else economic),
        was=choice.was,
        became=became,
    )


def _stood(pair: Pair, group: Group, rules: Rules) -> Before:
    standing = pair.chosen.get(group.name)
    asks = next(one for one in plan.of(pair, rules) if one.group is group).do is Do.ASK
    if asks:
        return "ask"
    return "kept" if standing is not None and chosen.kept(standing) else ""


def _cleared(pair: Pair, group: Group) -> Pair:
    """What was refused or stopped of a detail is chosen anew."""
    refusals = tuple(
        one
        for one in pair.refusals
        if one.action == "create" or not any(name in one.values for name in group.fields)
    )  # fmt: skip
    bounces = {name: times for name, times in pair.bounces.items() if name != group.name}
    return replace(pair, refusals=refusals, bounces=bounces)


def _stands(pair: Pair, group: Group, *, ask: bool) -> Pair:
    crm = pair.crm.values if pair.crm else {}
    economic = pair.economic.values if pair.economic else {}
    stands = {
        name: Base(crm=fields.text(crm, name), economic=fields.text(economic, name), unknown=ask)
        for name in group.fields
    }
    return replace(pair, base={**pair.base, **stands})


def _without(pair: Pair, name: str) -> Pair:
    return replace(pair, chosen={one: choice for one, choice in pair.chosen.items() if one != name})


def _agree(pair: Pair, group: Group, crm: Mapping[str, str], economic: Mapping[str, str]) -> bool:
    return all(
        fields.agree(pair.kind, name, fields.text(crm, name), fields.text(economic, name)) for name in group.fields
    )


def _of(values: Mapping[str, str], group: Group) -> dict[str, str]:
    return {name: fields.text(values, name) for name in group.fields}


def _both(pair: Pair) -> bool:
    return contacts.alive(pair.crm) and contacts.alive(pair.economic)


def _group(pair: Pair, name: str) -> Group:
    return next(one for one in fields.GROUPS[pair.kind] if one.name == name)
