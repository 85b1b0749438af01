"""How does a customer stand? One line from the link and the rules, by precedence; the planner's own word, nothing stored."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from crm_outbox.contract import Stage
from economic_adapter.contract import DAY_LIMIT, next_day
from reconciler.asked import Task
from reconciler.decide import decide
from reconciler.link import Link, LinkState, Status, flows
from reconciler.plan import Detail, Do
from reconciler.rules import Rules, System, Transfer
from reconciler.tasks import TAKEN_NAME, Plans, named, planned, tasks


def status(
    link: Link, rules: Rules, now: datetime, asked: Sequence[Task] | None = None, plans: Plans | None = None
) -> Status:
    """The state a person sees, the details it is about, and why. ``asked`` and ``plans`` are those of this link, if known."""
    plans = planned(link, rules) if plans is None else plans
    asked = tasks(link, rules, now, plans) if asked is None else asked
    if (found := _switched(link, rules) or _paused(link, rules, now) or _error(link, asked)) is not None:
        return found
    plans = _plans(link, plans, rules)
    found = _choice(link, asked) or _perhaps(link) or _on_its_way(link, plans, rules) or _differences(plans)
    if found is not None:
        return found
    if link.state is LinkState.LINKED:
        return Status(state="same")
    waits = link.stage is not Stage.ACTIVE and rules.transfer is Transfer.ACTIVE and not link.old_numbers
    return Status(state="not_there_yet" if waits else "not_there")


def _switched(link: Link, rules: Rules) -> Status | None:
    match rules.agreement:
        case "none":
            return Status(state="not_set_up")
        case "access_lost":
            return Status(state="access_lost")
        case "on":
            return Status(state="not_set_up") if link.agreement is None else None
        case _:
            return Status(state="off")


def _paused(link: Link, rules: Rules, now: datetime) -> Status | None:
    """Something would be written, were it not that an admin paused that direction: the planner says what."""
    if not rules.paused or rules.held:
        return None
    known = {one.operation for one in link.pending}
    then = decide(link, replace(rules, paused=frozenset()), now)
    waiting = [
        (pair, one)
        for pair in then.pairs
        for one in pair.pending.values()
        if one.operation not in known and one.system in rules.paused
    ]
    if not waiting:
        return None
    reason = "both" if len(rules.paused) == len(System) else str(next(iter(rules.paused)))
    details = [name for pair, one in waiting if one.action != "create" for name in named(pair, tuple(one.values))]
    return Status(state="paused", reason=reason, details=_unique(details))


def goes_at(told: Status, now: datetime) -> datetime | None:
    """When what is on its way goes, where the calls of a day are used up."""
    return next_day(now) if told.state in {"creating", "sending"} and told.reason == DAY_LIMIT else None


def _error(link: Link, asked: Sequence[Task]) -> Status | None:
    """What stops this customer and is put right at its source."""
    if link.unsendable:
        reason, _, detail = link.unsendable.partition(" ")
        return Status(state="error", reason="unsendable", details=(detail,) if detail else (), message=reason)
    for kind in ("missing", "refused"):
        for one in asked:
            if one.kind == kind:
                return Status(
                    state="error",
                    reason=one.reason,
                    details=one.details,
                    message=one.message,
                    request_id=one.request_id,
                )
    return None


def _choice(link: Link, asked: Sequence[Task]) -> Status | None:
    """What waits for a person; one that rests does, whether it was asked about or left so."""
    if link.state is LinkState.RESTING:
        return Status(state="deleted" if link.rest == "deleted_there" else "choice", reason=link.rest)
    open_ = [one for one in asked if one.kind not in {"candidates", "deleted_here", "deleted_edited"}]
    if not open_:
        return None
    first = open_[0]
    if first.kind == "unclear":
        return Status(
            state="choice", reason="unclear" if first.reason == "silent" else first.reason, details=first.details
        )
    reason = "contact" if first.kind == "contact" and first.reason not in TAKEN_NAME else first.reason
    return Status(state="choice", reason=reason, details=_unique([name for one in open_ for name in one.details]))


def _perhaps(link: Link) -> Status | None:
    """Unlinked, and the other side has customers that may be this one: neither yes nor no (S8)."""
    if link.state is not LinkState.UNLINKED:
        return None
    refused = any(one.code == "candidates" for one in link.customer.refusals)
    return Status(state="perhaps", reason="candidates") if link.may_be or link.candidates_here or refused else None


def _on_its_way(link: Link, plans: Plans, rules: Rules) -> Status | None:
    cause = next((one.cause for one in link.pending if one.cause), "")
    if link.state is LinkState.CREATING:
        return Status(state="creating", reason=cause)
    writes = [
        name
        for pair, one in plans
        if one.do is Do.WAIT
        or one.decision is not None
        or (one.target is not None and flows(link, rules) and (rules.receive or one.target is not System.CRM))
        for name in named(pair, one.differing)
    ]
    if not link.pending and not writes:
        return None
    if not cause and rules.held and any(one.target for _, one in plans):
        cause = "brake"
    under_way = [
        name for pair in link.pairs for one in pair.pending.values() for name in named(pair, tuple(one.values))
    ]
    return Status(state="sending", reason=cause, details=_unique([*under_way, *writes]))


def _differences(plans: Plans) -> Status | None:
    details = [name for pair, one in plans for name in named(pair, one.differing)]
    return Status(state="different", details=_unique(details)) if details else None


def _plans(link: Link, plans: Plans, rules: Rules) -> Plans:
    """With nothing flowing, questions are only differences."""
    if flows(link, rules):
        return plans
    return [
        (pair, one if one.do is not Do.ASK else Detail(group=one.group, do=Do.NOTHING, differing=one.differing))
        for pair, one in plans
    ]


def _unique(names: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
