"""Which writes to e-conomic does a person wait for, beside those that carry what was decided? Priority is inherited."""

from collections.abc import Collection
from uuid import UUID

from reconciler.decisions import Decision
from reconciler.link import Link
from reconciler.rules import System


def waited_for(link: Link, decision: Decision, fresh: Collection[UUID]) -> tuple[UUID, ...]:
    """Writes to e-conomic that a person waits for now, beside those that carry the decision: what left before it for the same
    record, which it waits behind, and all that is tried again.
    """
    if decision.means == "retry":
        return tuple(one.operation for one in link.pending if one.system is System.ECONOMIC)
    return tuple(
        one.operation
        for pair in link.pairs
        if any(choice.decision == decision.id for choice in pair.chosen.values())
        for one in pair.pending.values()
        if one.system is System.ECONOMIC and one.operation not in fresh and decision.id not in one.decided.values()
    )
