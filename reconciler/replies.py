"""Which answers does a question take, and which decision is each of them? A person's choice among what was offered, pure.

Values are chosen on the customer's page; here is everything else a question may be answered with.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal
from uuid import UUID

from crm_outbox.contract import Stage
from reconciler import contacts, fields
from reconciler.asked import Task
from reconciler.decisions import Decision, Means, Supplied, Wish
from reconciler.link import Link, LinkState, Pair
from reconciler.person import Right

Answer = Literal[
    "link", "not_the_same", "create", "unlink", "inactive", "leave", "bar", "same_customer", "renumbered", "keep_own",
    "keep_merged", "same_person", "another_person", "create_person", "supply", "retry", "bring_back", "leave_empty",
]  # fmt: skip
"""What a question may be answered with; ``keep_own`` and ``keep_merged``: of two customers that were merged in the CRM."""
_MEANS: Final[Mapping[Answer, Means]] = {
    "link": "link", "not_the_same": "not_the_same", "create": "create", "unlink": "unlink", "inactive": "inactive",
    "leave": "leave", "bar": "bar", "same_customer": "same_customer", "renumbered": "renumbered", "keep_own": "unlink",
    "keep_merged": "unlink", "same_person": "same_person", "another_person": "another_person",
    "create_person": "create", "supply": "supply", "retry": "retry", "bring_back": "settle", "leave_empty": "settle",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One answer that may be given. ``number`` and ``customer`` name a customer, ``record`` and ``other`` contact persons.

    ``typed``: the customer number is the person's to write; nothing known may be it.
    """

    answer: Answer
    right: Right = "settle"
    number: int | None = None
    customer: str = ""
    record: UUID | None = None
    other: UUID | None = None
    typed: bool = False


def offers(task: Task, link: Link) -> tuple[Offer, ...]:
    """The answers to a question about a link as it stands; none where values are chosen."""
    return tuple(_OFFERS[task.kind](task, link)) if task.kind in _OFFERS else ()


def matching(known: Iterable[Offer], given: Offer) -> Offer | None:
    """The offer that an answer takes up, whatever right it needs; none for what was not offered."""
    for one in known:
        alike = replace(given, right=one.right)
        if one == alike or (
            one.typed and given.number is not None and replace(one, typed=False, number=given.number) == alike
        ):
            return replace(alike, typed=False)
    return None


def decided(blank: Decision, task: Task, link: Link, given: Offer, supplied: Supplied | None = None) -> Decision:
    """The decision that answers so. ``blank`` says who and when."""
    decision = replace(blank, means=_MEANS[given.answer], task=task.fingerprint, record=given.record, other=given.other)
    everybody = (*(str(one) for one in task.candidates), *task.candidates_here)
    match given.answer:
        case "link" | "not_the_same" | "renumbered":
            number = given.number if link.crm_id else link.number
            return replace(decision, number=number, ids=(given.customer,) if given.customer else ())
        case "create":
            return replace(decision, ids=everybody)
        case "supply":
            return replace(decision, supplied=supplied)
        case "retry":
            return replace(decision, task="")
        case "bring_back" | "leave_empty":
            return replace(decision, task="", wishes=tuple(_emptied(task, link, back=given.answer == "bring_back")))
        case _:
            return decision


def _candidates(task: Task, link: Link) -> Iterator[Offer]:
    for number in task.candidates:
        yield Offer(answer="link", number=number)
        yield Offer(answer="not_the_same", number=number)
    if not link.crm_id:
        for customer in task.candidates_here:
            yield Offer(answer="link", customer=customer)
            yield Offer(answer="not_the_same", customer=customer)
    yield Offer(answer="create", right="create" if link.crm_id else "settle")


def _deleted_there(_task: Task, link: Link) -> Iterator[Offer]:
    yield Offer(answer="create", right="create")
    if link.number is not None:
        yield Offer(answer="unlink")
    if contacts.alive(link.customer.crm) and link.stage is not Stage.INACTIVE:
        yield Offer(answer="inactive")
    yield Offer(answer="leave")


def _deleted_here(_task: Task, link: Link) -> Iterator[Offer]:
    if not link.barred:
        yield Offer(answer="bar")
    yield Offer(answer="leave")


def _deleted_edited(task: Task, link: Link) -> Iterator[Offer]:
    yield from (_deleted_here if task.reason == "deleted_here" else _deleted_there)(task, link)


def _renumbered(task: Task, link: Link) -> Iterator[Offer]:
    for number in task.candidates:
        yield Offer(answer="renumbered", number=number)
        yield Offer(answer="not_the_same", number=number)
    if not task.candidates and link.number is not None:
        yield Offer(answer="unlink")


def _other_identity(_task: Task, _link: Link) -> Iterator[Offer]:
    yield Offer(answer="unlink")
    yield Offer(answer="same_customer")


def _merged(_task: Task, _link: Link) -> Iterator[Offer]:
    yield Offer(answer="keep_own")
    yield Offer(answer="keep_merged")


def _contact(task: Task, link: Link) -> Iterator[Offer]:
    pair = next((one for one in link.contacts if str(one.id) == task.subject), None)
    if pair is None:
        return
    if pair.rest in {"removed", "removed_edited"}:
        yield Offer(answer="create_person", record=pair.id)
    for here, there in _who_may_be_one(pair, link):
        yield Offer(answer="same_person", record=here.id, other=there.id)
        yield Offer(answer="another_person", record=here.id, other=there.id)
    yield Offer(answer="leave")


def _who_may_be_one(pair: Pair, link: Link) -> Iterator[tuple[Pair, Pair]]:
    """Persons that one side alone has and that may be one, the CRM's first."""
    mine = contacts.alive(pair.crm), contacts.alive(pair.economic)
    for other in link.contacts:
        theirs = contacts.alive(other.crm), contacts.alive(other.economic)
        if mine == (True, False) and theirs == (False, True):
            yield pair, other
        elif mine == (False, True) and theirs == (True, False):
            yield other, pair


def _missing(task: Task, _link: Link) -> Iterator[Offer]:
    if task.details != ("name",):
        yield Offer(answer="supply", right="create")
    yield Offer(answer="retry")


def _refused(_task: Task, _link: Link) -> Iterator[Offer]:
    yield Offer(answer="retry")


def _empty(_task: Task, _link: Link) -> Iterator[Offer]:
    yield Offer(answer="bring_back")
    yield Offer(answer="leave_empty")


def _unclear(task: Task, link: Link) -> Iterator[Offer]:
    if task.reason == "silent":
        return
    if link.state is LinkState.UNLINKED and link.crm_id:
        yield Offer(answer="link", typed=True)
    yield Offer(answer="retry", right="create")


_OFFERS: Final = {
    "candidates": _candidates, "deleted_there": _deleted_there, "deleted_here": _deleted_here,
    "deleted_edited": _deleted_edited, "renumbered": _renumbered, "other_identity": _other_identity, "merged": _merged,
    "contact": _contact, "missing": _missing, "refused": _refused, "empty": _empty, "unclear": _unclear,
}  # fmt: skip


def _emptied(task: Task, link: Link, *, back: bool) -> Iterator[Wish]:
    """For each detail that was cleared: the side that still has it goes for both, or the one that has not."""
    pairs = {pair.id: pair for pair in link.pairs}
    for record, detail in dict.fromkeys((one.record, one.detail) for one in task.shown):
        pair = pairs.get(record)
        if pair is None or pair.crm is None or pair.economic is None:
            continue
        group = next(one for one in fields.GROUPS[pair.kind] if one.name == detail)
        crm = {name: fields.text(pair.crm.values, name) for name in group.fields}
        economic = {name: fields.text(pair.economic.values, name) for name in group.fields}
        from_crm = all(fields.blank(one) for one in economic.values()) == back
        standing = pair.chosen.get(detail)
        yield Wish(
            record=record,
            detail=detail,
            take="crm" if from_crm else "economic",
            crm=None if from_crm else economic,
            economic=crm if from_crm else None,
            seen_crm=crm,
            seen_economic=economic,
            over=None if standing is None else standing.decision,
        )
