"""What does it mean that a pass was stopped before it wrote to this customer? What differs stays, accepted as it stands.

Pure. A detail that would have been written gets the pair as it stands for its base, so that nothing is left to flow and the
next edit of it flows by rule. A record that would have been created does not come into being until one of its values moves,
or a person says so. What a person had decided about the customer was no part of the pass, and goes.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from reconciler import contacts, fields, record, settle
from reconciler.decide import creation_here, decide
from reconciler.link import Base, Link, LinkState, Pair, Pending, Stopped
from reconciler.rules import Rules, System

ROUNDS = 12
"""What is stopped makes room for what would have followed it, at most so often."""


def stopped(link: Link, said: Stopped, rules: Rules, now: datetime) -> Link:
    """The link for which nothing of what would be written now is left to be written."""
    if not link.crm_id:
        return _not_here(link, said, rules, now)
    for _ in range(ROUNDS):
        link = contacts.settle(link, rules)
        left = link
        for pair, pending in _fresh(link, decide(link, rules, now)):
            now_ = next(one for one in left.pairs if one.id == pair.id)
            left = settle.put(left, _without(now_, pending))
        if left == link:
            break
        link = left
    return link


def _not_here(link: Link, said: Stopped, rules: Rules, now: datetime) -> Link:
    """A customer that only e-conomic has is not created in the CRM."""
    if said.economic is not None:
        link, _ = record.stranger(link, said.economic)
    if link.state is not LinkState.UNLINKED or link.customer.pending or not contacts.alive(link.customer.economic):
        return link
    pending = creation_here(link, rules, now, ()).customer.pending[System.CRM]
    return settle.put(link, _without(link.customer, pending))


def _fresh(before: Link, after: Link) -> Iterator[tuple[Pair, Pending]]:
    """The writes that a person did not decide on, and that were not on their way already."""
    known = {one.operation for one in before.pending}
    for pair in after.pairs:
        for one in pair.pending.values():
            if one.operation not in known and not one.mark:
                yield pair, one


def _without(pair: Pair, pending: Pending) -> Pair:
    if pending.action == "create":
        return settle.stopped(pair, pending)
    if pending.action == "remove":
        return replace(pair, rest="removed")
    crm = pair.crm.values if pair.crm else {}
    economic = pair.economic.values if pair.economic else {}
    base = dict(pair.base)
    for group in fields.GROUPS[pair.kind]:
        if set(group.fields) & set(pending.becomes) and not set(group.fields) & set(pending.decided):
            base |= {
                name: Base(crm=fields.text(crm, name), economic=fields.text(economic, name)) for name in group.fields
            }
    return replace(pair, base=base)
