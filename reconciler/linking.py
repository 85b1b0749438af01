"""What does it mean that two customers are one, or no longer, or that one is to be created from the other?

Each function gives the link as it then stands, and what to count where the wish could not be carried out. An unlinked
customer keeps what e-conomic held and what both agreed on, so that the unlinking can be undone; linked anew, it begins
without.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from uuid import UUID, uuid5

from crm_outbox.contract import Stage
from reconciler import carrying, contacts, decide, fields, lags, record, strangers
from reconciler.lacking import missing
from reconciler.link import Base, Choice, Create, CrmSeen, EconomicSeen, Link, Linked, LinkState, Pair, Side, Unlinked
from reconciler.rules import Direction, Rules, System
from reconciler.settle import put

MOST_MERGES = 5
"""A merged customer's survivor may have been merged itself, so many times."""
UNDO = "undo"
"""``Linked.by`` of an unlinking that is undone: the bases go on where they are still those of that number."""


def survivor(merged_into: str, recorded: Callable[[str], CrmSeen | None]) -> str | None:
    """Whom a customer went into in the end, for that one may have been merged as well; none while it is not heard of."""
    heir = merged_into
    for _ in range(MOST_MERGES):
        seen = recorded(heir)
        customer = None if seen is None else seen.customer
        if customer is None:
            return None
        if customer.merged_into is None:
            return None if customer.deleted else heir
        heir = customer.merged_into
    return None


def leaving(merged: Link) -> bool:
    """Whether a merged customer's own write to e-conomic is under way: its heir would take it for an edit made there."""
    return any(one.system is System.ECONOMIC for one in merged.pending)


def is_another(link: Link, seen: EconomicSeen) -> bool:
    """Whether what is seen under a new number looks like another customer than the one that had the old one.

    Its old number may have been free for a while, and ours only since it has it: the old number tells.
    """
    known = link.customer.economic
    if link.state is not LinkState.LINKED or known is None or known.gone or seen.customer is None:
        return False
    then = record.there(link, seen)
    there = then.customer.economic
    alike = there is not None and strangers.same_company(known.values, there.values)
    return not alike or record.another_identity(then.customer, then.contacts)


def linked(link: Link, said: Linked, rules: Rules, now: datetime) -> tuple[Link, str]:
    """The link of those two, or unchanged with ``not_linked`` and why. Saying it again only records what was seen."""
    if why := cannot_link(link, said):
        return link, f"not_linked.{why}"
    if link.state is not LinkState.LINKED or link.number != said.number:
        link = _joined(link, said, rules, now)
    if said.economic is not None:
        link, _ = record.economic(link, said.economic)
    link = contacts.settle(record.fate(link), rules)
    if said.differing != "rule" and link.state is LinkState.LINKED:
        decision = said.run or uuid5(link.id, f"linked/{said.number}")
        for pair in link.pairs:
            link = put(link, _settled(pair, said, rules, decision))
    return link, ""


def cannot_link(link: Link, said: Linked) -> str:
    """Why those two cannot be linked; empty when they can."""
    if not link.crm_id or link.state is LinkState.CREATING:
        return "under_way"
    if link.merged_into is not None or (link.customer.crm is not None and link.customer.crm.gone):
        return "gone"
    if said.economic is not None and (said.economic.customer is None or said.economic.number != said.number):
        return "absent"
    if said.differing != "rule" and (said.economic is None or link.crm_version is None):
        return "unseen"
    return ""


def unlinked(link: Link, said: Unlinked) -> tuple[Link, str]:
    """The link without its number, which is free for another; nothing is written in either system (R15)."""
    if not link.crm_id or link.number is None:
        return link, "not_unlinked"
    number = link.number
    quiet = [replace(one, pending={}, refusals=(), pause={}, chosen={}, bounces={}) for one in link.pairs]
    return replace(
        link,
        state=LinkState.UNLINKED,
        rest="",
        flows=False,
        number=None,
        unsendable=record.of_here(link.unsendable),
        candidates=(),
        old_numbers=_with(link.old_numbers, number),
        apart=_with(link.apart, number) if said.by == "person" else link.apart,
        parted=_with(link.parted, number) if said.by == "undo" else link.parted,
        customer=quiet[0],
        contacts=tuple(quiet[1:]),
    ), ""


def released(link: Link) -> Link:
    """The link of a customer whose number e-conomic has just given to another: whoever had it is there no longer (R7)."""
    side, number = link.customer.economic, link.number
    gone = replace(side or Side(id=str(number)), gone=True)
    return replace(
        link,
        state=LinkState.RESTING,
        rest=link.rest if link.rest in {"merged", "renumbered"} else "deleted_there",
        number=None,
        old_numbers=_with(link.old_numbers, number),
        customer=replace(link.customer, economic=gone),
    )


def moved_to(link: Link, number: int) -> Link:
    """The link of a customer that got a number that another link has: a person must say which is which (R6)."""
    return replace(link, state=LinkState.RESTING, rest="renumbered", candidates=(number,))


def told_apart(link: Link, numbers: Iterable[int] = (), ids: Iterable[str] = ()) -> Link:
    """The link of a customer that a person said none of those is: e-conomic's numbers for good, the CRM's as shown."""
    no, here = set(numbers), set(ids)
    link = replace(
        link,
        apart=(*link.apart, *sorted(no - set(link.apart))),
        candidates=tuple(one for one in link.candidates if one not in no),
        suggested=tuple(one for one in link.suggested if one not in no),
        candidates_here=tuple(one for one in link.candidates_here if one not in here),
    )
    if link.candidates or link.candidates_here:
        return link
    if link.rest == "renumbered" and link.customer.economic is not None and link.customer.economic.gone:
        link = replace(link, rest="deleted_there")
    left = tuple(one for one in link.customer.refusals if one.code != "candidates")
    return put(link, replace(link.customer, refusals=left))


def reopened(before: Link, link: Link) -> Link:
    """A customer whose linking was undone, and that was edited since: its former partner is a candidate, first of all."""
    here, then = link.customer.crm, before.customer.crm
    if link.state is not LinkState.UNLINKED or not link.parted or here is None or then is None:
        return link
    if all(
        fields.same("customer", name, fields.text(here.values, name), fields.text(then.values, name))
        for name in fields.FIELDS["customer"]
    ):
        return link
    return replace(link, candidates=tuple(dict.fromkeys((*reversed(link.parted), *link.candidates))))


def create(link: Link, said: Create, rules: Rules, now: datetime) -> tuple[Link, str]:
    """The link with the creation recorded, or unchanged with ``not_created`` and why."""
    if link.customer.pending:
        return link, "not_created.under_way"
    if rules.agreement not in {"on", "access_lost"}:
        return link, "not_created.off"
    if said.system in rules.paused:
        return link, "not_created.paused"
    if said.system is System.CRM:
        return _create_here(link, said, rules, now)
    if link.state is not LinkState.UNLINKED and link.rest != "deleted_there":
        return link, "not_created.linked"
    if not link.crm_id or not contacts.alive(link.customer.crm) or link.merged_into is not None:
        return link, "not_created.gone"
    if link.unsendable:
        return link, "not_created.unsendable"
    if what := missing(link, rules):
        return link, f"not_created.missing.{what}"
    fresh = replace(_alone(link), number=None, rest="", run=said.run)
    return _by(said, decide.creation(fresh, rules, now, said.ruled_out, said.many)), ""


def _create_here(link: Link, said: Create, rules: Rules, now: datetime) -> tuple[Link, str]:
    if link.crm_id or link.number is None or link.state is not LinkState.UNLINKED:
        return link, "not_created.linked"
    if said.economic is not None:
        link, _ = record.stranger(link, said.economic)
    there = link.customer.economic
    if there is None or not contacts.alive(there):
        return link, "not_created.gone"
    link = put(link, replace(link.customer, economic=replace(there, met=record.known_as(there))))
    if fields.blank(fields.text(there.values, "name")):
        return link, "not_created.missing.name"
    link = put(replace(link, run=said.run), replace(link.customer, refusals=(), pause={}))
    link = lags.whole(link, System.ECONOMIC, said.caused)
    return _by(said, decide.creation_here(link, rules, now, said.ruled_out, said.many)), ""


def _by(said: Create, link: Link) -> Link:
    """The link whose customer is being created, with the decision that this answers."""
    if said.decision is None:
        return link
    return put(link, carrying.creating(link.customer, said.decision))


def _joined(link: Link, said: Linked, rules: Rules, now: datetime) -> Link:
    """A link with that number. Only one that went along with its number, or was just undone, keeps its bases (R6, R16)."""
    there = link.customer.economic
    number, before = said.number, link.number
    moves = link.rest == "renumbered" and number in link.candidates
    kept = moves or (said.by == UNDO and there is not None and there.id == str(number))
    if kept and there is not None:
        # what is recorded of that number from here on counts anew, and shows whether it is there
        link = put(link, replace(link.customer, economic=replace(there, id=str(number), gone=False, superseded="")))
    else:
        link = _alone(link)
        link = put(link, replace(link.customer, economic=Side(id=str(number), met=said.met)))
    apart = link.apart if moves or before in {None, number} else _with(link.apart, before)
    olds = link.old_numbers if before in {None, number} else _with(link.old_numbers, before)
    return replace(
        link,
        state=LinkState.LINKED,
        rest="",
        flows=link.stage is not Stage.LEAD and (rules.flows_first or kept),
        number=number,
        economic_version=link.economic_version if before == number else None,
        barred=None,
        candidates=(),
        candidates_here=(),
        old_numbers=_without(olds, number),
        apart=_without(apart, number),
        parted=_without(link.parted, number),
        linked_by=said.by,
        linked_at=now,
        run=said.run,
    )


def _alone(link: Link) -> Link:
    """The link with the CRM's half of each record only, and nothing that was said about the other."""
    olds = link.old_numbers if link.number is None else _with(link.old_numbers, link.number)
    half = [
        Pair(id=one.id, kind=one.kind, crm=one.crm)
        for one in link.pairs
        if one.kind == "customer" or contacts.alive(one.crm)
    ]  # fmt: skip
    return replace(
        link,
        old_numbers=olds,
        unsendable=record.of_here(link.unsendable),
        economic_version=None,
        barred=None,
        customer=half[0],
        contacts=tuple(half[1:]),
    )


def _settled(pair: Pair, said: Linked, rules: Rules, decision: UUID) -> Pair:
    """A record both sides hold and no base is known of: what stays becomes the base, what is chosen is written by choice.

    Where all that differs is empty on one side it is left to the plan, which fills it.
    """
    here, there = pair.crm, pair.economic
    if here is None or there is None or here.gone or there.gone:
        return pair
    base, chosen = dict(pair.base), dict(pair.chosen)
    for group in fields.GROUPS[pair.kind]:
        if any(name in base for name in group.fields):
            continue
        direction = fields.rule_of(pair, group, rules).direction
        crm = {name: fields.text(here.values, name) for name in group.fields}
        economic = {name: fields.text(there.values, name) for name in group.fields}
        unlike = [one for one in group.fields if not fields.agree(pair.kind, one, crm[one], economic[one])]
        if not unlike or direction is Direction.NONE or _one_empty(unlike, crm, economic):
            continue
        if said.differing == "economic" and direction is not Direction.ONLY_CRM:
            theirs = {name: economic[name] for name in unlike if not fields.blank(economic[name])}
            ours = {name: crm[name] for name in unlike if name not in theirs and direction is Direction.BOTH}
            chosen[group.name] = Choice(
                decision=decision, crm=theirs, economic=ours or None, seen_crm=crm, seen_economic=economic
            )
        else:
            base |= {name: Base(crm=crm[name], economic=economic[name]) for name in group.fields}
    return replace(pair, base=base, chosen=chosen)


def _one_empty(names: list[str], crm: dict[str, str], economic: dict[str, str]) -> bool:
    return any(all(fields.blank(side[name]) for name in names) for side in (crm, economic))


def _with(numbers: tuple[int, ...], number: int | None) -> tuple[int, ...]:
    return numbers if number is None or number in numbers else (*numbers, number)


def _without(numbers: tuple[int, ...], number: int) -> tuple[int, ...]:
    return tuple(one for one in numbers if one != number)
