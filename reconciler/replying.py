"""In what order is a question answered? Found by its id, looked at as it stands now, decided: once for the id of its form.

An answer to a question that is another one by now is refused in words and changes nothing.
"""

from dataclasses import dataclass, replace
from uuid import UUID, uuid5

from sqlalchemy import Connection

from reconciler import agreements, decided, deciding, replies, store, worklists
from reconciler.asked import Task
from reconciler.decided import Saved
from reconciler.decisions import Decision, NotDecided, Supplied
from reconciler.link import Link
from reconciler.person import Person
from reconciler.replies import Offer
from reconciler.stepping import Clocked
from reconciler.tasks import overlooked, tasks
from reconciler.worklists import Question

MOVED = "moved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A question as it stands: ``task`` none once it is closed, or where it is about a run. ``closed``: it is answered or gone."""

    question: Question
    closed: bool
    stored: store.Stored | None
    task: Task | None

    @property
    def offers(self) -> tuple[Offer, ...]:
        """What it may be answered with."""
        return () if self.task is None or self.stored is None else replies.offers(self.task, self.stored.link)


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """An answer as it was given. ``seen`` is the mark of the question as it was shown."""

    offer: Offer
    seen: str
    supplied: Supplied | None = None


def find(clocked: Clocked, connection: Connection, tenant: str, task: UUID) -> Found | None:
    """A question of that tenant; none for another's."""
    found = worklists.question(connection, tenant, task)
    if found is None:
        return None
    question, closed = found
    stored = None if question.link is None else store.find(connection, question.link)
    asked = None
    if stored is not None and closed is None and question.kind == "silent":
        asked = overlooked(stored.link, question.details)
    elif stored is not None and closed is None:
        rules = stored.agreement.rules_for(stored.link, clocked.resend)
        asked = next(
            (
                one
                for one in tasks(stored.link, rules, clocked.now())
                if (one.kind, one.subject) == (question.kind, question.subject)
            ),
            None,
        )
    gone = closed is not None or (question.link is not None and asked is None)
    return Found(question=question, closed=gone, stored=stored, task=asked)


def reply(
    clocked: Clocked, connection: Connection, person: Person, task: UUID, given: Given, decision: UUID
) -> Saved | str | None:
    """Answer a question; sent again it tells how the first answer stands. A text says why it was refused: it is another now.

    None where there is no such question; ``NotDecided`` for what is not offered or cannot be understood.
    """
    found = find(clocked, connection, person.tenant, task)
    if found is None:
        return None
    known = decided.get(connection, decision)
    if known is not None and known.decision.tenant == person.tenant:
        return known
    stored, asked = found.stored, found.task
    if stored is None or asked is None or asked.fingerprint != given.seen:
        return MOVED
    offer = replies.matching(found.offers, given.offer)
    if offer is None:
        raise NotDecided("{answer} is no answer to this question", answer=given.offer.answer)
    blank = Decision(
        id=decision,
        tenant=person.tenant,
        agreement=stored.link.agreement or 0,
        link=stored.link.id,
        means="leave",
        who=person.name,
        who_id=person.id,
        at=clocked.now(),
        seen=deciding.versions(stored.link),
    )
    made = replies.decided(blank, asked, stored.link, offer, given.supplied)
    if offer.answer == "keep_merged":
        return _inherited(clocked, connection, stored, made)
    return deciding.save(clocked, connection, made)


def _inherited(clocked: Clocked, connection: Connection, stored: store.Stored, decision: Decision) -> Saved:
    """The survivor of a merge gets the merged one's number instead of its own: three decisions, of which this is the last."""
    link, number = stored.link, stored.link.number
    agreements.hold(connection, link.tenant, decision.agreement)
    survivor = heir(connection, link)
    if survivor is None or number is None:
        raise NotDecided("the customer it was merged into is not known")
    if survivor.number is not None:
        parted = replace(decision, id=uuid5(decision.id, "heir"), link=survivor.id, task="", number=survivor.number)
        deciding.save(clocked, connection, parted)
    deciding.save(clocked, connection, replace(decision, id=uuid5(decision.id, "merged")))
    linked = replace(decision, means="link", link=survivor.id, task="", number=number)
    return deciding.save(clocked, connection, linked)


def heir(connection: Connection, link: Link) -> Link | None:
    """The link of the customer that this one was merged into, at last; none where it is not known."""
    seen = set[str]()
    while link.merged_into is not None and link.merged_into not in seen:
        seen.add(link.merged_into)
        found = store.of_customer(connection, link.merged_into, link.tenant, link.agreement)
        if not found:
            return None
        link = found[0].link
    return link if seen else None
