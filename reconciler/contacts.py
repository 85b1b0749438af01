"""Which contact persons belong together, and which of them stand alone? Pairs by strong evidence only, one to one (C1-C7)."""

from dataclasses import replace

from reconciler import fields
from reconciler.link import Base, Link, LinkState, Pair, Side
from reconciler.rules import Direction, Rules, System


def settle(link: Link, rules: Rules) -> Link:
    """The link with its contact persons paired anew: removed ones rest, lone ones are matched, doubtful ones wait."""
    pairs = [_rested(pair, rules) for pair in link.contacts if _alive(pair) or pair.pending]
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


def _rested(pair: Pair, rules: Rules) -> Pair:
    """A person removed on one side rests: kept on the other, unlinked. Nothing is ever removed in return (C3, C4)."""
    if pair.crm is None or pair.economic is None or (alive(pair.crm) and alive(pair.economic)):
        return replace(pair, rest="") if pair.rest else pair
    if pair.rest in {"removed", "removed_edited"}:
        return pair
    left = System.CRM if alive(pair.crm) else System.ECONOMIC
    return replace(pair, rest="removed_edited" if _edited(pair, left, rules) else "removed")


def _edited(pair: Pair, system: System, rules: Rules) -> bool:
    side = pair.side(system)
    flowing = (
        name
        for group in fields.GROUPS["contact"]
        if fields.rule_of(pair, group, rules).direction is not Direction.NONE
        for name in group.fields
    )
    return side is not None and any(
        name in pair.base
        and not fields.same(
            "contact",
            name,
            pair.base[name].crm if system is System.CRM else pair.base[name].economic,
            fields.text(side.values, name),
        )
        for name in flowing
    )


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
        if pair.id in doubtful and not pair.rest
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
