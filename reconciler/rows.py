"""Which rows does a link become, which of them did a step change, and which link do rows become again?"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from crm_outbox.contract import Outcome, Result, Stage
from crm_outbox.messaging.envelope import Version
from reconciler import fields as field_table
from reconciler import keys
from reconciler.decisions import Supplied
from reconciler.fields import GROUPS
from reconciler.link import Link, LinkState, Pair, Pending, Status, new_link
from reconciler.note import Note
from reconciler.rules import System

_PAIRS = TypeAdapter(list[Pair])
_PAIR = TypeAdapter(Pair)
_PENDING = TypeAdapter(Pending)
_SUPPLIED = TypeAdapter(Supplied)
_NOTES = TypeAdapter(tuple[Note, ...])


@dataclass(frozen=True, slots=True, kw_only=True)
class Landed:
    """One write that reached its side, and the record as it was when it was decided."""

    pair: Pair
    pending: Pending
    created: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What to write so that the stored link becomes the new one; everything empty means nothing changed."""

    pairs: list[dict[str, Any]]
    bases: list[dict[str, Any]]
    operations: list[dict[str, Any]]
    settled: list[dict[str, Any]]
    landed: list[Landed]
    gone_pairs: list[UUID]
    gone_bases: list[tuple[UUID, str]]
    edits: list[dict[str, Any]]


def changes(before: Link | None, after: Link, outcomes: tuple[Outcome, ...]) -> Changes:
    """Compare the stored link with the new one, record by record. ``before`` none: no record of it is stored yet."""
    stored = {} if before is None else {pair.id: (nth, pair) for nth, pair in enumerate(before.pairs)}
    ended = {outcome.operation: outcome for outcome in outcomes}
    found = Changes(pairs=[], bases=[], operations=[], settled=[], landed=[], gone_pairs=[], gone_bases=[], edits=[])
    for nth, pair in enumerate(after.pairs):
        old_nth, old = stored.pop(pair.id, (-1, None))
        if old is pair and old_nth == nth:
            continue
        if old is None or old_nth != nth or _row(old) != _row(pair):
            found.pairs.append({"link": after.id, "position": nth, **_row(pair)})
        _compare_bases(found, after, old, pair)
        _compare_operations(found, after, old, pair, ended)
        if old is not None:
            found.edits.extend(_edits(old, pair))
    for _, pair in stored.values():
        found.gone_pairs.append(pair.id)
        for pending in pair.pending.values():
            _settle(found, pair, pending, ended.get(pending.operation))
    return found


def scalars(link: Link) -> dict[str, Any]:
    """The link's own columns, without its status."""
    crm, economic = link.crm_version, link.economic_version
    return {
        "tenant": link.tenant,
        "agreement": link.agreement,
        "crm_id": link.crm_id or None,
        "state": link.state,
        "rest": link.rest,
        "number": link.number,
        "old_numbers": link.old_numbers,
        "flows": link.flows,
        "counter": link.counter,
        "crm_epoch": None if crm is None else crm.epoch,
        "crm_number": None if crm is None else crm.number,
        "economic_epoch": None if economic is None else economic.epoch,
        "economic_counter": None if economic is None else economic.number,
        "stage": link.stage,
        "created": link.created,
        "active_since": link.active_since,
        "wanted": link.wanted,
        "merged_into": link.merged_into,
        "unsendable": link.unsendable,
        "barred": link.barred,
        "candidates": link.candidates,
        "candidates_here": link.candidates_here,
        "suggested": link.suggested,
        "apart": link.apart,
        "parted": link.parted,
        "linked_by": link.linked_by,
        "linked_at": link.linked_at,
        "run": link.run,
        "supplied": None if link.supplied is None else _SUPPLIED.dump_python(link.supplied, mode="json"),
        "waived": link.waived,
        "notes": _NOTES.dump_python(link.notes, mode="json") if link.notes else [],
        "due": link.due,
        "name_key": name_key(link),
    }


def name_key(link: Link) -> str:
    """The name by which lists order that customer: the CRM's, else e-conomic's."""
    held = (side.values for side in (link.customer.crm, link.customer.economic) if side is not None)
    return keys.ordered(next((name for values in held if (name := values.get("name", "").strip())), ""))


def link_of(row: Mapping[str, Any], pairs: str | None) -> Link:
    """The link of its row and of its pairs as JSON; without pairs, a link that was only just made."""
    if pairs is None:
        fresh = new_link(row["tenant"], row["agreement"], row["crm_id"] or "", row["id"])
        return fresh if row["crm_id"] else replace(fresh, number=row["number"])
    customer, *contacts = _PAIRS.validate_json(pairs)
    return Link(
        id=row["id"],
        tenant=row["tenant"],
        agreement=row["agreement"],
        crm_id=row["crm_id"] or "",
        state=LinkState(row["state"]),
        rest=row["rest"],
        number=row["number"],
        old_numbers=tuple(row["old_numbers"]),
        flows=row["flows"],
        counter=row["counter"],
        crm_version=_version(row["crm_epoch"], row["crm_number"]),
        economic_version=_version(row["economic_epoch"], row["economic_counter"]),
        stage=None if row["stage"] is None else Stage(row["stage"]),
        created=row["created"],
        active_since=row["active_since"],
        wanted=row["wanted"],
        merged_into=row["merged_into"],
        unsendable=row["unsendable"],
        barred=row["barred"],
        candidates=tuple(row["candidates"]),
        candidates_here=tuple(row["candidates_here"]),
        suggested=tuple(row["suggested"]),
        apart=tuple(row["apart"]),
        parted=tuple(row["parted"]),
        linked_by=row["linked_by"],
        linked_at=row["linked_at"],
        run=row["run"],
        supplied=None if row["supplied"] is None else _SUPPLIED.validate_python(row["supplied"]),
        waived=tuple(row["waived"]),
        notes=_NOTES.validate_python(row["notes"]) if row["notes"] else (),
        customer=customer,
        contacts=tuple(contacts),
    )


def status_row(status: Status, listed: tuple[str, str]) -> dict[str, Any]:
    """The link's columns that hold its status, the list it stands in and why it is left out."""
    return {
        "category": listed[0],
        "left_out": listed[1],
        "status": status.state,
        "status_details": status.details,
        "status_reason": status.reason,
        "status_message": status.message,
        "status_request_id": status.request_id,
    }


def status_of(row: Mapping[str, Any]) -> Status | None:
    """The status the world was told; none when nothing was told yet."""
    if row["status"] is None:
        return None
    return Status(
        state=row["status"],
        details=tuple(row["status_details"]),
        reason=row["status_reason"],
        message=row["status_message"],
        request_id=row["status_request_id"],
    )


def audit(landed: Landed) -> list[dict[str, Any]]:
    """What the audit says of one write that landed; what a person decided stands apart from what flowed with it.

    Of a contact person who was removed it keeps what documents they got a copy of (``receives``), where that was told.
    """
    pending, pair = landed.pending, landed.pair
    side = pair.side(pending.system)
    row = {
        "record": pair.kind,
        "record_id": landed.created if pending.action == "create" else None if side is None else side.id,
        "system": pending.system,
        "action": pending.action,
        "operation": pending.operation,
    }
    removed = side if pending.action == "remove" else None
    copies = {"receives": " ".join(removed.receives)} if removed and removed.receives else {}
    lost = _overwritten(pair, pending)
    parts: dict[UUID | str, list[str]] = {"rule": [*pending.seen]} if pending.action == "remove" else {}
    if pending.mark or not (pending.values or parts):
        parts[pending.decided.get(pending.mark, "flow")] = []
    for field in pending.values:
        parts.setdefault(pending.decided.get(field) or ("rule" if field in lost else "flow"), []).append(field)
    return [
        row
        | {
            "before": {field: pending.seen.get(field, "") for field in fields_of} | copies,
            "after": {field: pending.values.get(field, "") for field in fields_of} or _marked(pending),
            "by": "person" if isinstance(by, UUID) else by,
            "decision": by if isinstance(by, UUID) else None,
        }
        for by, fields_of in parts.items()
    ]


def _marked(pending: Pending) -> dict[str, str]:
    return {"stage": "inactive"} if pending.mark == "stage" else {"barred": "yes"} if pending.mark else {}


def _overwritten(pair: Pair, pending: Pending) -> set[str]:
    """The fields of details of which the side written to had moved as well: there a rule or a direction decided, not the flow."""
    on_crm = pending.system is System.CRM
    moved = {
        field
        for field in pending.values
        if (base := pair.base.get(field)) is not None
        and pending.seen.get(field, "") != (base.crm if on_crm else base.economic)
    }
    return {field for group in GROUPS[pair.kind] if moved & set(group.fields) for field in group.fields}


def _row(pair: Pair) -> dict[str, Any]:
    row: dict[str, Any] = _PAIR.dump_python(pair, mode="json", exclude={"base", "pending"})
    return row


def _compare_bases(found: Changes, link: Link, old: Pair | None, pair: Pair) -> None:
    before = {} if old is None else old.base
    found.bases.extend(
        {
            "link": link.id, "pair": pair.id, "field": field, "crm": base.crm, "economic": base.economic,
            "unknown": base.unknown,
        }
        for field, base in pair.base.items()
        if before.get(field) != base
    )  # fmt: skip
    found.gone_bases.extend((pair.id, field) for field in before if field not in pair.base)


def _edits(old: Pair, pair: Pair) -> Iterator[dict[str, Any]]:
    """The values that are another now, but for those that a write of ours brought or may have brought."""
    for system in System:
        before, now = old.side(system), pair.side(system)
        if before is None or now is None or now.gone or before is now:
            continue
        ours = [one.pending.get(system) for one in (old, pair)]
        for field in field_table.FIELDS[pair.kind]:
            was, new = before.values.get(field, ""), now.values.get(field, "")
            if field_table.same(pair.kind, field, was, new):
                continue
            if any(
                one is not None and field_table.same(pair.kind, field, one.values.get(field, was), new) for one in ours
            ):
                continue
            yield {"pair": pair.id, "system": system, "field": field, "before": was, "after": new}


def _compare_operations(
    found: Changes, link: Link, old: Pair | None, pair: Pair, ended: Mapping[UUID, Outcome]
) -> None:
    before = {one.operation: one for one in _pending(old)}
    for pending in _pending(pair):
        if before.pop(pending.operation, None) != pending:
            found.operations.append(
                {
                    "id": pending.operation,
                    "link": link.id,
                    "pair": pair.id,
                    "system": pending.system,
                    "action": pending.action,
                    "body": _PENDING.dump_python(pending, mode="json"),
                    "sent": pending.sent,
                    "due": pending.due,
                    "acknowledged": pending.acknowledged,
                    "caused": min(pending.caused.values(), default=None),
                    "edits": sorted(set(pending.caused.values())),
                }
            )
    for pending in before.values():
        _settle(found, old or pair, pending, ended.get(pending.operation))


def _settle(found: Changes, pair: Pair, pending: Pending, outcome: Outcome | None) -> None:
    """Note how a write ended. One that ended without an outcome was settled by what was seen."""
    found.settled.append(
        {
            "id": pending.operation,
            "result": "seen" if outcome is None else outcome.result,
            "reason": "" if outcome is None else outcome.reason,
            "message": "" if outcome is None else outcome.message,
            "detail": "" if outcome is None else outcome.detail,
        }
    )
    if outcome is None or outcome.result is Result.WRITTEN:
        created = None if outcome is None else outcome.created
        found.landed.append(Landed(pair=pair, pending=pending, created=created))


def _pending(pair: Pair | None) -> Iterator[Pending]:
    return iter(()) if pair is None else iter(pair.pending.values())


def _version(epoch: int | None, number: int | None) -> Version | None:
    return None if epoch is None or number is None else Version(epoch, number)
