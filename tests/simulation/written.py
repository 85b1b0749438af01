"""What does a step write that was not on its way before? Read off the link's open writes, not off the product's commands."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from reconciler import fields
from reconciler.link import Link
from reconciler.rehearsal import Write


class Wrote(NamedTuple):
    """One detail that is written: where, of which record (empty: a new one), from what to what."""

    system: str
    kind: str
    record: str
    name: str
    before: str
    after: str


def fresh(before: Link, after: Link, *, by_itself: bool = False) -> tuple[Wrote, ...]:
    """The details of the writes that a step began. ``by_itself``: without what a person decided."""
    if not any(pair.pending for pair in after.pairs):
        return ()
    known = {one.operation for one in before.pending}
    found = []
    for pair in after.pairs:
        for one in pair.pending.values():
            if one.operation in known:
                continue
            side = pair.side(one.system)
            record = "" if one.action == "create" or side is None else side.id
            seen = one.seen if one.action in {"change", "remove"} else {}
            values = (
                {one.mark: "yes"} if one.mark else dict.fromkeys(seen, "") if one.action == "remove" else one.values
            )
            found += [
                Wrote(str(one.system), pair.kind, _record(pair.kind, record), name, fields.text(seen, name), value)
                for name, value in values.items()
                if not (by_itself and name in one.decided)
            ]
    return tuple(found)


def planned(writes: tuple[Write, ...]) -> frozenset[Wrote]:
    """The same of what a preview showed."""
    return frozenset(
        Wrote(str(one.system), one.record, _record(one.record, one.id), one.field, one.before, one.after)
        for one in writes
    )


def _record(kind: str, record: str) -> str:
    """A link has one customer: which one a write is of goes without saying, but for one that is new."""
    return record if kind == "contact" or not record else "it"


def recognisable(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Whether anybody would see that two records are one company: its CVR number, or its name at its postcode."""

    def same(name: str) -> bool:
        both = [fields.canon("customer", name, fields.text(record, name)) for record in (one, other)]
        return both[0] == both[1] and (both[0] != "" or name == "country")

    if all(fields.text(record, "cvr") for record in (one, other)):
        return same("cvr")  # two different numbers are two companies, whatever else is the same
    return same("name") and same("postcode") and same("country")


def values(customer: Any) -> dict[str, str]:
    """The details of a customer as it was told of."""
    return {name: getattr(customer, name) for name in fields.FIELDS["customer"]}
