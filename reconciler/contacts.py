"""Which contact persons belong together, stand alone, or are to be removed? Pairs by strong evidence only, one to one (C1-C7)."""

from collections.abc import Iterator
from dataclasses import replace

from reconciler import fields
from reconciler.link import Base, Link, LinkState, Pair, Side, flows
from reconciler.rules import Direction, Rules, System


def settle(link: Link, rules: Rules) -> Link:
    """The link with its contact persons paired anew: removed ones rest, lone ones are matched, doubtful ones wait."""
    removes = _removes(link, rules)
    pairs = [_rested(pair, rules, removes) for pair in link.contacts if _alive(pair) or pair.pending or _unseen(pair)]
    if link.state is LinkState.LINKED and link.crm_version is not None and link.economic_version is not None:
        pairs = _matched(pairs)
    return replace(link, contacts=tuple(pairs))


def alive(side: Side | None) -> bool:
    """Whether that side holds the record now."""
    return side is not None and not side.gone


def lone(pair: Pair, system: System) -> bool:
    """Whether only that system ever held the person, and nothing is under way or in doubt."""
    return alive(pair.side(system)) and pair.side(system.other) is None and not pair.pending and not pair.rest


def _alive(pair: Pair) -> bool:
    return alive(pair.crm) or alive(pair.economic)


def removals(link: Link) -> Iterator[tuple[Pair, System]]:
    """Whom an admin's choice removes now, and where: what e-conomic no longer shows is believed when two looks say so (R8)."""
    for pair in link.contacts:
        if pair.rest == "to_remove" and not pair.pending and _alive(pair):
            left = System.CRM if alive(pair.crm) else System.ECONOMIC
            gone = pair.side(left.other)
            if gone is not None and (gone.confirmed or left is System.ECONOMIC):
                yield pair, left


def _removes(link: Link, rules: Rules) -> frozenset[System]:
    """The systems from which persons are removed now: of a customer that is linked, settled and flows, where they may be."""
    if (
        not rules.removes
        or link.state is not LinkState.LINKED
        or link.unsendable
        or not flows(link, rules)
        or rules.only_decision is not None
    ):
        return frozenset()
    if rules.agreement not in {"on", "access_lost"}:
        return frozenset()
    naming = fields.rule("contact", fields.GROUPS["contact"][0], rules).direction
    open_ = {Direction.BOTH: set(System), Direction.ONLY_CRM: {System.ECONOMIC}, Direction.ONLY_ECONOMIC: {System.CRM}}
    return rules.removes & (open_.get(naming, set()) - ({System.CRM} if not rules.receive else set()))


def _unseen(pair: Pair) -> bool:
    """Whether a removal of ours was answered, and no look has shown since that it is so."""
    return any(side is not None and side.gone and side.superseded for side in (pair.crm, pair.economic))


def _rested(pair: Pair, rules: Rules, removes: frozenset[System]) -> Pair:
    """A person removed on one side rests: kept on the other, unlinked, but where an admin chose to have it removed too (C3, C4).

    That choice is for whom it finds unchanged there, and holds for those who are removed from then on.
    """
    if pair.crm is None or pair.economic is None or (alive(pair.crm) and alive(pair.economic)):
        return replace(pair, rest="") if pair.rest else pair
    if pair.rest in {"removed", "removed_edited"} or not _alive(pair):
        return pair
    left = System.CRM if alive(pair.crm) else System.ECONOMIC
    if _edited(pair, left, rules):
        return replace(pair, rest="removed_edited")
    kept = any(one.action == "remove" for one in pair.refusals)
    removed = left in removes and not kept and not pair.chosen and _agreed(pair, rules)
    return replace(pair, rest="to_remove" if removed else "removed")


def _agreed(pair: Pair, rules: Rules) -> bool:
    """Whether it is known of each detail that flows what both last held, so that an edit of it would be seen."""
    return all(name in pair.base and not pair.base[name].unknown for name in _flowing(pair, rules))


def _edited(pair: Pair, system: System, rules: Rules) -> bool:
    side = pair.side(system)
    return side is not None and any(
        name in pair.base
        and not fields.same(
            "contact",
            name,
            pair.base[name].crm if system is System.CRM else pair.base[name].economic,
            fields.text(side.values, name),
        )
        for name in _flowing(pair, rules)
    )


def _flowing(pair: Pair, rules: Rules) -> Iterator[str]:
    for group in fields.GROUPS["contact"]:
        if fields.rule_of(pair, group, rules).direction is not Direction.NONE:
            yield from group.fields


def _matched(pairs: list[Pair]) -> list[Pair]:
    here = [pair for pair in pairs if alive(pair.crm) and not alive(pair.economic) and not pair.pending]
    there = [pair for pair in pairs if alive(pair.economic) and not alive(pair.crm) and not pair.pending]
    if not here or not there:
        return pairs
    shared = _shared(pairs, System.CRM) | _shared(pairs, System.ECONOMIC)
    seen = [pair for pair in here if pair.economic is None or pair.economic.version]
    strong = [(one, other) for one in seen for other in there if _same_person(one, other, shared)]
    if any(System.ECONOMIC in pair.pending and pair.economic is None for pair in pairs):
        strong = []  # a stranger there may be ours: only the answer tells whose, for e-conomic keeps no origin
    joined: dict[object, Pair] = {}
    gone = set()
    for one, other in strong:
        if sum(one is a for a, _ in strong) == 1 and sum(other is b for _, b in strong) == 1:
            joined[one.id] = replace(
                one, economic=other.economic, base=_base(one, other), refusals=(), pause={}, bounces={}, rest=""
            )
            gone.add(other.id)
    doubtful = {
        pair.id
        for one in here
        for other in there
        if one.id not in joined and other.id not in gone and (_perhaps(one, other) or _same_person(one, other, set()))
        for pair in (one, other)
    }
    return [
        replace(joined.get(pair.id, pair), rest="unclear")
        if pair.id in doubtful and pair.rest in {"", "to_remove"}
        else joined.get(pair.id, pair)
        for pair in pairs
        if pair.id not in gone
    ]


def _base(one: Pair, other: Pair) -> dict[str, Base]:
    """None yet. Where a creation of ours ended unclear, this is it, and somebody may have edited it: what differs is asked."""
    if not any(refusal.perhaps_made for refusal in one.refusals):
        return {}
    return {
        name: Base(crm=_text(one.crm, name), economic=_text(other.economic, name), unknown=True)
        for name in fields.FIELDS["contact"]
    }


def _text(side: Side | None, field: str) -> str:
    return "" if side is None else fields.text(side.values, field)


def _shared(pairs: list[Pair], system: System) -> set[str]:
    """E-mail addresses that several persons of this customer use there, such as info@: they identify nobody alone."""
    mails = [_of(pair.side(system), "email") for pair in pairs if alive(pair.side(system))]
    return {mail for mail in mails if mail and mails.count(mail) > 1}


def _same_person(one: Pair, other: Pair, shared: set[str]) -> bool:
    """The same e-mail, with the name too where several use it; or the same name and phone (C2, C7)."""
    if _told_apart(one, other):
        return False
    mail, name, phone = _evidence(one, other)
    named = bool(name) and name[0] == name[1]
    if mail and mail[0] == mail[1]:
        return mail[0] not in shared or named
    return named and bool(phone) and phone[0] == phone[1]


def _perhaps(one: Pair, other: Pair) -> bool:
    """Evidence that is too weak to pair by and too strong to create a second person on: the name, or a shared e-mail."""
    mail, name, _ = _evidence(one, other)
    return not _told_apart(one, other) and any(both and both[0] == both[1] for both in (mail, name))


def _told_apart(one: Pair, other: Pair) -> bool:
    """Whether a person said that these two are not the same."""
    return other.economic is not None and other.economic.id in one.apart


def _evidence(one: Pair, other: Pair) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """The two e-mails, names (case ignored) and phones; empty where either side has none."""

    def both(field: str) -> tuple[str, ...]:
        values = (_of(one.crm, field).casefold(), _of(other.economic, field).casefold())
        return values if all(values) else ()

    return both("email"), both("name"), both("phone")


def _of(side: Side | None, field: str) -> str:
    return fields.canon("contact", field, _text(side, field))
