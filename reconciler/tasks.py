"""What must a person choose? Derived from a link as it stands, so that a question goes when its cause does.

Kinds and answers are those of the pages. ``brake`` and ``silent`` follow from a run, not from a link: a pass that stopped, and
a comparison of everything. What waits for an answer that does not come is ``unclear``.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from json import dumps
from uuid import UUID

from crm_outbox.contract import Many, Stage
from reconciler import alone, contacts, fields, plan
from reconciler.asked import Shown, Task
from reconciler.contract import TaskKind
from reconciler.decide import may_create, stopped
from reconciler.lacking import missing
from reconciler.link import Link, LinkState, Pair, Refusal, Side, flows
from reconciler.pair import UNCLEAR
from reconciler.plan import Detail, Do
from reconciler.rules import Rules
from reconciler.settle import STOPPED

SILENT = timedelta(hours=1)
"""An operation neither answered nor acknowledged for this long is raised."""
TAKEN_NAME = frozenset({"CustomerContactNameAlreadyExists", "CustomerNumberMismatch"})
"""Refusals that ask who a contact person is."""
WAIVED = frozenset({"deleted_there", "deleted_here", "deleted_edited", "contact"})
"""Kinds that may be answered with leaving everything as it is."""
Plans = Sequence[tuple[Pair, Detail]]
_ASKED: dict[str, TaskKind] = {"empty": "empty", "bouncing": "bouncing"}


def tasks(link: Link, rules: Rules, now: datetime, plans: Plans | None = None) -> tuple[Task, ...]:
    """The open questions about that customer, those first that stop everything else; none about one that does not flow.

    A question that was answered with leaving it as it is stays away until a value it is about moves.
    """
    return tuple(one for one in every(link, rules, now, plans) if one.fingerprint not in link.waived)


def every(link: Link, rules: Rules, now: datetime, plans: Plans | None = None) -> tuple[Task, ...]:
    """As ``tasks``, with those that were answered with leaving it as it is."""
    plans = planned(link, rules) if plans is None else plans
    return tuple(_finished(link, one) for one in _found(link, rules, now, plans))


def overlooked(link: Link, details: Sequence[str]) -> Task:
    """The question about these details, which a comparison of everything found to differ without anybody knowing."""
    shown = tuple(
        one
        for pair in link.pairs
        for group in fields.GROUPS[pair.kind]
        if set(details) & set(named(pair, (group.name, *group.fields)))
        for one in _values(pair, group.fields)
    )
    return _finished(link, _task(link, "silent", details=tuple(details), shown=shown))


def all_candidates(link: Link) -> Many | None:
    """Everything that stopped the creation of a customer, where that was more than could be named."""
    return next((one.many for one in link.customer.refusals if one.code == "candidates"), None)


def planned(link: Link, rules: Rules) -> Plans:
    """The plan of each detail that both sides hold, and of what differs of a contact person in one system only, in order.

    None of a customer that is not linked.
    """
    if link.state is not LinkState.LINKED:
        return ()
    return tuple(
        (pair, one)
        for pair in link.pairs
        for one in (
            plan.of(pair, rules, stopped(pair))
            if contacts.alive(pair.crm) and contacts.alive(pair.economic)
            else alone.details(link, pair, rules)
        )
    )


def still_waived(link: Link, rules: Rules, now: datetime) -> Link:
    """The link without waivers of questions that have no cause any more: if it comes again, it is asked again."""
    if not link.waived:
        return link
    known = {one.fingerprint for one in every(link, rules, now)}
    return replace(link, waived=tuple(one for one in link.waived if one in known))


def _found(link: Link, rules: Rules, now: datetime, plans: Plans) -> Iterator[Task]:
    match link.state:
        case LinkState.RESTING:
            yield _resting(link)
        case LinkState.UNLINKED:
            yield from _unlinked(link, rules)
        case LinkState.LINKED if flows(link, rules):
            yield from _linked(link, plans)
    if flows(link, rules) or link.state is LinkState.CREATING:
        yield from _silent(link, now)


def _resting(link: Link) -> Task:
    here = link.customer.crm
    if link.rest == "deleted_there" and _moved(link.customer, here, crm=True):
        return _task(link, "deleted_edited", link.rest, shown=_values(link.customer, fields.FIELDS["customer"]))
    kind: TaskKind = link.rest or "deleted_there"
    differing = [
        name
        for name in fields.FIELDS["customer"]
        if here is not None
        and link.customer.economic is not None
        and not fields.agree(
            "customer", name, fields.text(here.values, name), fields.text(link.customer.economic.values, name)
        )
    ]
    shown = _values(link.customer, differing) if link.rest == "other_identity" else ()
    return replace(_task(link, kind, link.rest, shown=shown), candidates=link.candidates)


def _unlinked(link: Link, rules: Rules) -> Iterator[Task]:
    pair, here, there = link.customer, link.customer.crm, link.customer.economic
    if here is not None and here.gone:
        last = link.old_numbers[-1] if link.old_numbers else None
        if link.merged_into is not None:
            return  # its number is the survivor's
        if there is None or there.gone or last is None or last in (*link.apart, *link.parted) or link.barred:
            return
        if _moved(pair, there, crm=False):
            yield _task(link, "deleted_edited", "deleted_here", shown=_values(pair, fields.FIELDS["customer"]))
        else:
            yield _task(link, "deleted_here")
        return
    for refusal in pair.refusals:
        if refusal.code not in {"candidates", STOPPED}:
            kind: TaskKind = "unclear" if refusal.code in UNCLEAR else "refused"
            yield _refused(link, pair, refusal, kind)
    asked = any(one.code == "candidates" for one in pair.refusals)
    if asked or ((link.candidates or link.candidates_here) and link.stage is not Stage.LEAD):
        task = _task(link, "candidates", "candidates")
        whole = all_candidates(link)
        yield replace(
            task,
            candidates=link.candidates,
            candidates_here=link.candidates_here,
            fingerprint="" if whole is None else whole.digest,
        )
    if may_create(link, rules) and (what := missing(link, rules)):
        yield _task(link, "missing", "missing", details=(what,), shown=_values(pair, ("name", "country")))


def _linked(link: Link, plans: Plans) -> Iterator[Task]:
    if link.unsendable:
        reason, _, detail = link.unsendable.partition(" ")
        task = _task(link, "refused", "unsendable", details=(detail,) if detail else (), subject="unsendable")
        yield replace(task, message=reason)
    stopped_by, named_already = set(), set()
    for pair in link.pairs:
        for refusal in pair.refusals:
            if refusal.code == STOPPED or refusal.action == "remove":  # it stays there, and nobody has to do anything
                continue
            stopped_by |= {(pair.id, name) for name in refusal.values}
            if refusal.code in TAKEN_NAME and pair.kind == "contact":
                named_already.add(pair.id)
                shown = _values(pair, fields.FIELDS["contact"])
                details = named(pair, (refusal.detail or "name",))
                yield _task(link, "contact", refusal.code, details=details, subject=str(pair.id), shown=shown)
            else:
                yield _refused(link, pair, refusal, "unclear" if refusal.code in UNCLEAR else "refused")
    yield from _asked(link, plans, stopped_by)
    for pair in link.contacts:
        if pair.rest in {"unclear", "removed_edited"} and pair.id not in named_already:
            shown = _values(pair, fields.FIELDS["contact"])
            yield _task(link, "contact", pair.rest, details=("contact",), subject=str(pair.id), shown=shown)


def _asked(link: Link, plans: Plans, stopped_by: set[tuple[UUID, str]]) -> Iterator[Task]:
    """One question for all details of a kind, whoever of the customer and its persons they are about."""
    asked: dict[TaskKind, list[tuple[Pair, Detail]]] = {}
    for pair, one in plans:
        if one.do is Do.ASK and not any((pair.id, name) in stopped_by for name in one.group.fields):
            asked.setdefault(_ASKED.get(one.reason, "values"), []).append((pair, one))
    for kind, details in asked.items():
        task = _task(
            link,
            kind,
            details[0][1].reason,
            details=_unique(name for pair, one in details for name in named(pair, one.differing)),
            shown=tuple(shown for pair, one in details for shown in _values(pair, one.group.fields)),
        )
        yield replace(task, choices=len(details))


def _silent(link: Link, now: datetime) -> Iterator[Task]:
    silent = [one for one in link.pending if one.acknowledged is None and now - one.sent >= SILENT]
    if silent:
        operations = ",".join(sorted(str(one.operation) for one in silent))
        task = _task(link, "unclear", "silent", subject="silent")
        yield replace(task, fingerprint=operations)


def _refused(link: Link, pair: Pair, refusal: Refusal, kind: TaskKind) -> Task:
    names = tuple(refusal.values) if not refusal.detail else (refusal.detail,)
    known = [name for name in refusal.values if name in fields.FIELDS[pair.kind]]
    task = _task(
        link,
        kind,
        refusal.code,
        details=named(pair, names),
        subject=f"{pair.id}/{refusal.system}/{','.join(sorted(refusal.values))}",
        shown=_values(pair, known),
    )
    return replace(task, message=refusal.message, request_id=refusal.request_id)


def _task(
    link: Link,
    kind: TaskKind,
    reason: str = "",
    *,
    details: tuple[str, ...] = (),
    subject: str = "",
    shown: tuple[Shown, ...] = (),
) -> Task:
    return Task(
        kind=kind,
        customer=link.crm_id,
        number=link.number,
        reason=reason,
        details=details,
        subject=subject,
        shown=shown,
    )


def _finished(link: Link, task: Task) -> Task:
    values = [
        [str(one.record), one.field, fields.canon(one.kind, one.field, one.crm), fields.canon(one.kind, one.field, one.economic)]
        for one in task.shown
    ]  # fmt: skip
    about = [task.kind, task.reason, task.subject, link.number, values, task.candidates, task.candidates_here]
    text = dumps([*about, task.fingerprint], ensure_ascii=False)
    return replace(task, fingerprint=sha256(text.encode()).hexdigest()[:32])


def _values(pair: Pair, names: Iterable[str]) -> tuple[Shown, ...]:
    groups = {name: group.name for group in fields.GROUPS[pair.kind] for name in group.fields}
    crm, economic = _held(pair.crm), _held(pair.economic)
    person = ""
    if pair.kind == "contact":
        person = fields.text(crm, "name") or fields.text(economic, "name")
    return tuple(
        Shown(
            record=pair.id,
            kind=pair.kind,
            person=person,
            detail=groups[name],
            field=name,
            crm=fields.text(crm, name),
            economic=fields.text(economic, name),
            base=None if (base := pair.base.get(name)) is None else (base.crm, base.economic),
        )
        for name in names
    )


def _held(side: Side | None) -> dict[str, str]:
    return {} if side is None or side.gone else dict(side.values)


def _moved(pair: Pair, side: Side | None, *, crm: bool) -> bool:
    """Whether that side was edited since both agreed: what is left of it did not flow."""
    return side is not None and any(
        not one.unknown and not fields.same(pair.kind, name, one.crm if crm else one.economic, fields.text(side.values, name))
        for name, one in pair.base.items()
    )  # fmt: skip


def named(pair: Pair, names: Sequence[str]) -> tuple[str, ...]:
    """Those fields as statuses and tasks name them."""
    return tuple(names) if pair.kind == "customer" else tuple(f"contact.{name}" for name in names)


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
