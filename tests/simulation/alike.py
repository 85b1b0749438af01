"""Who is alike here? The searches and statements of the flows, over tables that are dicts."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from reconciler import fields, keys, nearby, similar, strangers
from reconciler.link import LinkState
from reconciler.profiles import Record
from reconciler.rules import System
from tests.simulation.store import Session
from tests.simulation.written import values as values_of

if TYPE_CHECKING:
    from tests.simulation.sync import Sync


class Alike:
    """The functions of ``reconciler.similar`` and ``nearby`` that search, by their names there without the underscore."""

    def __init__(self, sync: "Sync") -> None:
        self.sync = sync

    def search(self, session: Session, side: System, _tenant: str, _agreement: int, record: Record) -> list[Record]:
        wanted = keys.strong(keys.of(record.values, record.persons))
        if not wanted:
            return []
        if side is System.CRM:
            found = [
                _record_of(seen.customer.id, seen.customer)
                for seen in session.rows(self.sync.crm_side).values()
                if seen.customer is not None and not seen.customer.deleted and seen.customer.merged_into is None
            ]
        else:
            found = [
                similar.of_economic(seen.customer)
                for seen in session.rows(self.sync.economic_side).values()
                if seen.customer is not None
            ]
        return [one for one in found if not set(wanted).isdisjoint(keys.of(one.values, one.persons))]

    def links(
        self, session: Session, _tenant: str, _agreement: int, own: Sequence[Record], others: Sequence[Record]
    ) -> list[Any]:
        ids = {one.id for one in (*own, *others)}
        return [
            similar._Link(
                id=one.id, crm_id=one.crm_id, number=one.number, state=str(one.state), apart=frozenset(one.apart)
            )
            for one in session.rows(self.sync.links).values()
            if one.crm_id in ids or str(one.number) in ids
        ]

    def linked(self, session: Session, key: Mapping[str, Any], wanted: Sequence[str]) -> list[strangers.Known]:
        found = []
        for one in session.rows(self.sync.links).values():
            seen = session.get(self.sync.economic_side, one.number)
            if not one.crm_id or one.number is None or one.number == key["number"] or key["number"] in one.apart:
                continue
            if seen is not None and seen.customer is not None and _shares(seen.customer, wanted):
                persons = frozenset(person.number for person in seen.customer.contacts)
                values = strangers.values_of(seen.customer)
                found.append(
                    strangers.Known(
                        link=one.id,
                        crm_id=one.crm_id,
                        number=one.number,
                        values=values,
                        persons=persons,
                        looked=key["number"] in one.candidates,
                    )
                )
        return sorted(found, key=lambda one: one.number)

    def unseen(self, session: Session, key: Mapping[str, Any], crm_ids: Sequence[str]) -> list[strangers.Known]:
        seen = {number for number, one in session.rows(self.sync.economic_side).items() if one.customer is not None}
        return [
            strangers.Known(
                link=one.id,
                crm_id=one.crm_id,
                number=one.number,
                values=one.customer.economic.values if one.customer.economic else {},
                looked=key["number"] in one.candidates,
            )
            for one in sorted(session.rows(self.sync.links).values(), key=lambda one: one.number or 0)
            if one.crm_id in crm_ids
            and one.state is LinkState.LINKED
            and one.number not in {None, key["number"], *seen}
            and key["number"] not in one.apart
            and one.number is not None
        ]

    def gone(self, session: Session, key: Mapping[str, Any]) -> list[strangers.Known]:
        found = []
        for one in session.rows(self.sync.links).values():
            there = one.customer.economic
            if one.rest not in {"deleted_there", "renumbered"} or one.number is None or there is None or not there.gone:
                continue
            if key["number"] in one.apart:
                continue
            persons = frozenset(int(pair.economic.id) for pair in one.contacts if pair.economic is not None)
            found.append(
                strangers.Known(
                    link=one.id, crm_id=one.crm_id, number=one.number, values=there.values, persons=persons, gone=True
                )
            )
        return sorted(found, key=lambda one: one.link)

    def execute(self, session: Session, statement: Any, values: Mapping[str, Any]) -> Any:
        """The statements that the flows send themselves."""
        links = list(session.rows(self.sync.links).values())
        if statement is nearby._CREATING:
            return [
                _Row(link=one.id, values=dict(sent.values))
                for one in links
                if one.state is LinkState.CREATING
                for sent in one.customer.pending.values()
                if sent.action == "create" and sent.system is System.ECONOMIC
            ]
        if statement is nearby._UNCLEAR:
            return [
                _Row(crm_id=one.crm_id, values={name: sent for name, (sent, _) in refusal.values.items()})
                for one in sorted(links, key=lambda one: one.crm_id)
                if one.state is LinkState.UNLINKED and one.crm_id and values["number"] not in one.apart
                for refusal in one.customer.refusals
                if refusal.system is System.ECONOMIC
                and refusal.perhaps_made
                and not (one.customer.crm is not None and one.customer.crm.gone)
            ]
        if statement is nearby._BUSY:
            busy = [one.id for one in links if one.crm_id == values["crm_id"] and one.state is LinkState.CREATING]
            return _Scalar(busy[0] if busy else None)
        if statement is nearby._ASKED_ABOUT:
            number = values["number"]
            return [
                _Row(crm_id=one.crm_id)
                for one in sorted(links, key=lambda one: one.crm_id)
                if number in one.candidates
                and number not in one.apart
                and one.state is LinkState.UNLINKED
                and one.crm_id
            ]
        if statement is nearby._FORMER:
            return [
                _Row(crm_id=one.crm_id, parted=one.parted, gone=self._deleted(session, one.crm_id))
                for one in links
                if not set(values["numbers"]).isdisjoint(one.old_numbers)
                and one.state is LinkState.UNLINKED
                and one.crm_id
            ]
        if statement is similar._TWINS_HERE or statement is similar._TWINS_THERE:
            return self._twins(session, set(values["keys"]), here=statement is similar._TWINS_HERE)
        raise AssertionError(f"the simulation does not know this statement: {statement}")

    def _twins(self, session: Session, wanted: set[str], *, here: bool) -> "list[_Row]":
        links = session.rows(self.sync.links).values()
        if here:
            taken = {one.crm_id for one in links if one.number is not None}
            known = {
                crm_id: seen.customer
                for crm_id, seen in session.rows(self.sync.crm_side).items()
                if seen.customer is not None and not seen.customer.deleted
            }
        else:
            taken = {str(one.number) for one in links if one.crm_id}
            known = {
                str(number): seen.customer
                for number, seen in session.rows(self.sync.economic_side).items()
                if seen.customer is not None
            }
        return [
            _Row(id=one, taken=one in taken)
            for one, customer in known.items()
            if not wanted.isdisjoint(keys.of(values_of(customer)))
        ]

    def _deleted(self, session: Session, crm_id: str) -> bool:
        seen = session.get(self.sync.crm_side, crm_id)
        return seen is not None and seen.customer is not None and seen.customer.deleted


class _Row:
    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)


class _Scalar:
    def __init__(self, value: Any) -> None:
        self.scalar = lambda: value


def _record_of(crm_id: str, customer: Any) -> Record:
    values = {name: getattr(customer, name) for name in fields.FIELDS["customer"]}
    return Record(id=crm_id, values=values, persons=_persons(customer))


def _persons(customer: Any) -> tuple[dict[str, str], ...]:
    return tuple({name: getattr(one, name) for name in fields.FIELDS["contact"]} for one in customer.contacts)


def _shares(customer: Any, wanted: Sequence[str]) -> bool:
    values = {name: getattr(customer, name) for name in fields.FIELDS["customer"]}
    persons = tuple({"email": one.email} for one in customer.contacts)
    return not set(wanted).isdisjoint(keys.of(values, persons))
