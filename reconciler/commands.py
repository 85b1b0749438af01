"""What is told to each side? Pending operations as commands in the words of the package that carries them out."""

from collections.abc import Iterable
from uuid import UUID

from crm_outbox.contract import MOST_NAMED, Many, Part, Stage, WriteCustomer, many
from economic_adapter.contract import EconomicPart, WriteEconomicCustomer
from reconciler.link import Command, Link, LinkState, Pair, Pending
from reconciler.rules import System


def commands(link: Link, operations: Iterable[UUID], *, person: bool = False) -> tuple[Command, ...]:
    """One command per side, and per version the CRM's decisions were made on, for those of the link's operations.

    ``person``: somebody waits for them, also where nobody decided what they write.
    """
    wanted = set(operations)
    chosen = [(pair, one) for pair in link.pairs for one in pair.pending.values() if one.operation in wanted]
    told: list[Command] = []
    if link.agreement is None:
        return ()
    if parts := [_economic(pair, one) for pair, one in chosen if one.system is System.ECONOMIC]:
        there = link.customer.economic
        number = None if there is None or link.state is LinkState.CREATING else int(there.id)
        person = person or any(one.decided for _, one in chosen if one.system is System.ECONOMIC)
        told.append(
            WriteEconomicCustomer(
                agreement=link.agreement, customer=link.crm_id, number=number, parts=tuple(parts), person=person
            )
        )
    to_crm = [(pair, one) for pair, one in chosen if one.system is System.CRM]
    told.extend(
        WriteCustomer(
            agreement=link.agreement,
            customer=link.crm_id or None,
            version=version,
            parts=tuple(_crm(pair, one) for pair, one in to_crm if one.version == version),
            ruled_out=tuple(sorted(out for _, one in to_crm if one.version == version for out in named(one))),
            ruled_out_many=next((whole(one) for _, one in to_crm if one.version == version and whole(one)), None),
        )
        for version in sorted({one.version for _, one in to_crm}, key=str)
    )
    return tuple(told)


def named(pending: Pending) -> tuple[str, ...]:
    """The customers a creation rules out one by one."""
    return () if whole(pending) else pending.ruled_out


def whole(pending: Pending) -> Many | None:
    """The customers a creation rules out as a whole: those too many to be named."""
    if pending.many is not None:
        return pending.many
    return many(pending.ruled_out) if len(pending.ruled_out) > MOST_NAMED else None


def _crm(pair: Pair, pending: Pending) -> Part:
    if pending.action == "bar":
        raise ValueError("only e-conomic bars a customer")
    creating = pending.action == "create" or pair.crm is None
    return Part(
        operation=pending.operation,
        action=pending.action,
        record=pair.kind,
        id=None if creating or pair.crm is None else pair.crm.id,
        fields=dict(pending.values),
        stage=Stage.INACTIVE if pending.mark else Stage.ACTIVE if creating and pair.kind == "customer" else None,
    )


def _economic(pair: Pair, pending: Pending) -> EconomicPart:
    known = None if pair.economic is None or pending.action == "create" else int(pair.economic.id)
    return EconomicPart(
        operation=pending.operation,
        action=pending.action,
        record=pair.kind,
        number=pending.number if pending.action == "create" else known,
        object_version=pending.version,
        fields=dict(pending.values),
        defaults=pending.defaults,
        seen=pending.contacts_seen or tuple(sorted(int(one) for one in named(pending))),
        seen_many=whole(pending),
    )
