"""Which writes follow from what is known now? Plans become pending operations, at most one per record and side."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Literal
from uuid import UUID, uuid5

from crm_outbox.contract import Many, Stage
from economic_adapter.contract import Defaults
from reconciler import alone, contacts, fields, lags, plan
from reconciler.lacking import defaults, missing
from reconciler.link import Base, Link, LinkState, Pair, Pending, Side, flows
from reconciler.plan import Detail, Do
from reconciler.rules import Direction, Rules, System, Transfer
from reconciler.settle import gate, put, standing, terms


def decide(link: Link, rules: Rules, now: datetime) -> Link:
    """The link with what agrees remembered, and with the operations that are to go out now."""
    link = contacts.settle(link, rules)
    for pair in link.pairs:
        link = put(link, _tidied(link, pair, rules, now))
    link = _marked(link, rules, now)
    if may_create(link, rules) and not missing(link, rules) and _open(link, link.customer, System.ECONOMIC, rules):
        return creation(link, rules, now)
    if link.state is not LinkState.LINKED or link.unsendable:
        return link
    decided = _details(link, rules)
    for pair, details in decided:
        becomes = {name: base for one in details if one.do is Do.REMEMBER for name, base in one.becomes.items()}
        if becomes:
            link = put(link, replace(pair, base={**pair.base, **becomes}))
    flowing = writes(link, rules)
    if not flowing:
        decided = _only_chosen(decided, rules)
    before = link
    for pair, details in decided:
        for system in System:
            if _may_write(before, pair, system, rules):
                link = _change(link, pair, system, _let(system, details, rules), now)
    for system in System:
        if not any(one.action == "create" and one.system is system.other for one in link.pending):
            link = _new_contacts(before, link, system, rules, now, flowing=flowing)
    if not flowing:
        return link
    for pair, system in contacts.removals(before):
        if _may_write(before, pair, system, rules) and (side := pair.side(system)) is not None:
            seen = {name: fields.text(side.values, name) for name in fields.FIELDS["contact"]}
            link = _recorded(link, pair, system, "remove", {}, {}, now, side=side, seen=seen)
    return link


def writes(link: Link, rules: Rules) -> bool:
    """Whether anything may be written for this link. Lost access is e-conomic's to wait for: commands wait there."""
    return flows(link, rules) and rules.agreement in {"on", "access_lost"} and rules.only_decision is None


def _only_chosen(decided: list[tuple[Pair, tuple[Detail, ...]]], rules: Rules) -> list[tuple[Pair, tuple[Detail, ...]]]:
    """What a person decided is carried out for a customer that does not flow as well, while the integration is on."""
    if rules.agreement not in {"on", "access_lost"}:
        return []
    return [(pair, tuple(one for one in details if _wanted(one.decision, rules))) for pair, details in decided]


def _wanted(decision: UUID | None, rules: Rules) -> bool:
    return decision is not None and rules.only_decision in {None, decision}


def _marked(link: Link, rules: Rules, now: datetime) -> Link:
    """The link with what a person chose of the customer itself on its way: inactive in the CRM, barred in e-conomic."""
    marks: tuple[tuple[Literal["stage", "barred"], System, Literal["change", "bar"]], ...] = (
        ("stage", System.CRM, "change"), ("barred", System.ECONOMIC, "bar"),
    )  # fmt: skip
    for mark, system, action in marks:
        choice, pair = link.customer.chosen.get(mark), link.customer
        if (
            choice is None
            or not _wanted(choice.decision, rules)
            or rules.agreement not in {"on", "access_lost"}
            or not _may_write(link, pair, system, rules)
        ):
            continue
        decided: dict[str, UUID] = {mark: choice.decision}
        link = _recorded(link, pair, system, action, {}, {}, now, side=pair.side(system), decided=decided, mark=mark)
    return link


def may_create(link: Link, rules: Rules) -> bool:
    """Whether the transfer setting wants this customer in e-conomic. One that was there before is never created anew."""
    if link.state is not LinkState.UNLINKED or link.old_numbers or link.customer.pending or link.unsendable:
        return False
    if not link.crm_id:
        return False
    if rules.agreement not in {"on", "access_lost"} or rules.since is None or not contacts.alive(link.customer.crm):
        return False
    if any(one.action == "create" for one in link.customer.refusals) or link.merged_into is not None:
        return False
    match rules.transfer:
        case Transfer.CREATED:
            return link.stage is not Stage.INACTIVE and link.created is not None and link.created >= rules.since
        case Transfer.ACTIVE:
            since = link.active_since or link.created
            return link.stage is Stage.ACTIVE and since is not None and since >= rules.since
        case Transfer.HAND:
            return False


def stopped(pair: Pair) -> tuple[str, ...]:
    """Groups that both systems kept rewriting: three times within a day."""
    return tuple(group for group, times in pair.bounces.items() if len(times) >= 3)


def _tidied(link: Link, pair: Pair, rules: Rules, now: datetime) -> Pair:
    """The record without refusals and pauses that something has overtaken."""
    if not pair.refusals and not pair.pause:
        return pair
    chosen = terms(defaults(link, rules), link.wanted)
    return replace(
        pair,
        refusals=tuple(one for one in pair.refusals if standing(one, pair, chosen, rules.numbers)),
        pause={
            system: one
            for system, one in pair.pause.items()
            if one.until > now and one.version == gate(link, pair, system)
        },
    )


def _details(link: Link, rules: Rules) -> list[tuple[Pair, tuple[Detail, ...]]]:
    return [
        (pair, plan.of(pair, rules, stopped(pair)))
        for pair in link.pairs
        if contacts.alive(pair.crm) and contacts.alive(pair.economic)
    ]


def _open(link: Link, pair: Pair, system: System, rules: Rules) -> bool:
    """Whether that side of the record takes a write now. The CRM takes one command at a time: its parts share a version."""
    if system in rules.paused or system in pair.pending or system in pair.pause:
        return False
    crm = link.customer.crm
    return system is System.ECONOMIC or (
        crm is not None and bool(crm.version) and all(one.system is not System.CRM for one in link.pending)
    )


def _let(system: System, details: tuple[Detail, ...], rules: Rules) -> tuple[Detail, ...]:
    """The details that may be written there: while nothing is received, of the CRM only those that a person chose."""
    if system is System.ECONOMIC or rules.receive:
        return details
    return tuple(one for one in details if one.decision is not None)


def _may_write(link: Link, pair: Pair, system: System, rules: Rules) -> bool:
    side = pair.side(system)
    return side is not None and bool(side.version) and _open(link, pair, system, rules)


def _change(link: Link, pair: Pair, system: System, details: tuple[Detail, ...], now: datetime) -> Link:
    wanted = [one for one in details if one.target is system]
    side = pair.side(system)
    if not wanted or side is None:
        return link
    values = {name: value for one in wanted for name, value in one.values.items()}
    becomes = {name: base for one in wanted for name, base in one.becomes.items()}
    decided = {
        name: decision
        for one in wanted
        if (decision := one.decision or _linking(link, pair, one)) is not None
        for name in one.values
    }
    return _recorded(link, pair, system, "change", values, becomes, now, side=side, decided=decided)


def _linking(link: Link, pair: Pair, detail: Detail) -> UUID | None:
    """The decision of the person who linked the two, of which this write is a part: nothing was agreed on before."""
    if link.linked_by != "person" or any(name in pair.base for name in detail.group.fields):
        return None
    return link.run


def _new_contacts(before: Link, link: Link, system: System, rules: Rules, now: datetime, *, flowing: bool) -> Link:
    """Persons that only the other side has are created: by themselves while they flow, else those that a person chose.

    Those without a name wait (C1, C8).
    """
    customer = before.customer.side(system)
    if customer is None or not customer.version or not _known(before) or rules.agreement not in {"on", "access_lost"}:
        return link
    by_itself = flowing and lags.names_flow(system, rules) and (rules.receive or system is System.ECONOMIC)
    for pair in before.contacts:
        source, decision = pair.side(system.other), alone.wanted(pair, system)
        if not _wanted(decision, rules) and not by_itself:
            continue
        if source is None or not contacts.lone(pair, system.other) or not _open(before, pair, system, rules):
            continue
        if any(one.action == "create" for one in pair.refusals) or fields.blank(fields.text(source.values, "name")):
            continue
        values, becomes = _whole(pair, source.values, system, rules)
        decided = {} if decision is None else dict.fromkeys(values, decision)
        link = _recorded(link, pair, system, "create", values, becomes, now, decided=decided)
    return link


def _known(link: Link) -> bool:
    return link.crm_version is not None and link.economic_version is not None


def creation(
    link: Link, rules: Rules, now: datetime, ruled_out: tuple[str, ...] = (), many: Many | None = None
) -> Link:
    """The link exists, creating, before the creation is sent; the contact persons follow when the number is known."""
    crm = link.customer.crm
    values, becomes = _whole(link.customer, crm.values if crm else {}, System.ECONOMIC, rules)
    link = replace(link, state=LinkState.CREATING, candidates=())
    return _recorded(
        link,
        link.customer,
        System.ECONOMIC,
        "create",
        values,
        becomes,
        now,
        number=link.wanted,
        chosen=defaults(link, rules),
        ruled_out=tuple(dict.fromkeys((*ruled_out, *(str(one) for one in link.apart)))),
        many=many,
    )


def creation_here(
    link: Link, rules: Rules, now: datetime, ruled_out: tuple[str, ...], many: Many | None = None
) -> Link:
    """As ``creation``, of a customer that only e-conomic has, in the CRM: active, as e-conomic holds it."""
    there = link.customer.economic
    values, becomes = _whole(link.customer, there.values if there else {}, System.CRM, rules)
    link = replace(link, state=LinkState.CREATING, candidates_here=())
    return _recorded(link, link.customer, System.CRM, "create", values, becomes, now, ruled_out=ruled_out, many=many)


def _whole(
    pair: Pair, values: Mapping[str, str], target: System, rules: Rules
) -> tuple[dict[str, str], dict[str, Base]]:
    """What a new record gets of every detail that flows, and the bases it starts with."""
    written, becomes, kind = {}, {}, pair.kind
    for name in _flowing(pair, rules):
        value = fields.text(values, name)
        new = fields.held(kind, name, value) if target is System.ECONOMIC else value
        becomes[name] = Base(crm=value, economic=new) if target is System.ECONOMIC else Base(crm=new, economic=value)
        if not fields.blank(new):
            written[name] = new
    return written, becomes


def _flowing(pair: Pair, rules: Rules) -> Iterator[str]:
    for group in fields.GROUPS[pair.kind]:
        if fields.rule_of(pair, group, rules).direction is not Direction.NONE:
            yield from group.fields


def _recorded(
    link: Link,
    pair: Pair,
    system: System,
    action: Literal["create", "change", "bar", "remove"],
    values: Mapping[str, str],
    becomes: Mapping[str, Base],
    now: datetime,
    *,
    side: Side | None = None,
    seen: Mapping[str, str] | None = None,
    number: int | None = None,
    chosen: Defaults | None = None,
    ruled_out: tuple[str, ...] = (),
    many: Many | None = None,
    decided: Mapping[str, UUID] | None = None,
    mark: Literal["", "stage", "barred"] = "",
) -> Link:
    """The link with one more operation; its id comes from the link's own counter."""
    counter = link.counter + 1
    current = next(one for one in link.pairs if one.id == pair.id)
    version = None if side is None else side.version
    if system is System.CRM and link.crm_version is not None:
        version = str(link.crm_version)
    contacts_seen = tuple(sorted(int(one.economic.id) for one in link.contacts if one.economic is not None))
    named = [name for name in becomes if name not in (decided or {})]
    carries = lags.carried(current, system, named, whole=action == "create")
    pending = Pending(
        operation=uuid5(link.id, f"operation/{counter}"),
        system=system,
        action=action,
        values=values,
        becomes=becomes,
        seen=seen or ({name: fields.text(side.values, name) for name in becomes} if side else {}),
        version=version,
        number=number,
        defaults=chosen,
        contacts_seen=contacts_seen if action == "create" and pair.kind == "contact" else (),
        ruled_out=ruled_out,
        many=many,
        decided=decided or {},
        mark=mark,
        sent=now,
        due=now,
        caused=carries,
    )
    current = lags.taken(current, system, carries, whole=action == "create")
    return put(replace(link, counter=counter), replace(current, pending={**current.pending, system: pending}))
