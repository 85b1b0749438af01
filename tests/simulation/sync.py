"""In what order does the reconciler deal with a message here? The product's own ``step``, inside locks that can be waited for.

A transaction that meets a lock somebody else holds gives up and is taken again later: the same as having waited.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

from crm_outbox.contract import CustomerWritten, WriteCustomer
from crm_outbox.messaging.envelope import Version
from economic_adapter.contract import CustomerObserved
from reconciler.link import CrmSeen, Due, EconomicSeen, Heard, Link, LinkState, Message, Step, new_link
from reconciler.step import step
from tests.simulation import ties
from tests.simulation.store import Connection, transaction

if TYPE_CHECKING:
    from tests.simulation.world import World

NAMESPACE = UUID("6f1f7c1e-4c57-4a4e-8f0e-0d6f6a0b8f11")
TENANT = "t"
AGREEMENT = 1


class Blocked(Exception):
    """Somebody else holds a lock this transaction needs."""


class Sync:
    """The reconciler's tables and its flow."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self.links: dict[UUID, Link] = {}
        self.crm_side: dict[str, CrmSeen] = {}
        self.economic_side: dict[int, EconomicSeen] = {}
        self.told: dict[UUID, object] = {}
        self._held: set[object] = set()

    # ---- what it hears

    def observed(self, connection: Connection, seen: CustomerObserved) -> None:
        """What the adapter saw."""
        here = None
        if seen.crm is not None:
            here = CrmSeen(
                version=Version.parse(seen.crm.version), customer=seen.crm.customer, unsendable=seen.crm.unsendable
            )
        there = None
        if seen.version is not None and seen.number is not None:
            there = EconomicSeen(
                version=Version.parse(seen.version), number=seen.number, customer=seen.economic,
                old_numbers=seen.old_numbers,
            )  # fmt: skip
        heard = Heard(outcomes=seen.outcomes, crm=here, economic=there, candidates=seen.candidates)
        if seen.customer is not None:
            self.take_step(connection, self.of_customer(connection, seen.customer), heard)
            return
        if there is None:
            return
        numbers = (there.number, *there.old_numbers)
        found = [link for link in self.links.values() if link.number in numbers]
        if not found:
            self._record(connection, there)
        holder = next((one for one in found if one.number == there.number), None)
        for link in found:
            if holder is None or link is holder:
                self.take_step(connection, link, heard)
            elif link.number not in holder.old_numbers:
                self.take_step(connection, link, Due(), renumbered=True)

    def written(self, connection: Connection, answer: CustomerWritten, version: Version | None) -> None:
        """The CRM's answer."""
        here = None if version is None else CrmSeen(version=version, customer=answer.customer)
        found = next((one for one in self.links.values() if one.crm_id == answer.id), None)
        if found is not None:
            self.take_step(connection, found, Heard(outcomes=answer.outcomes, crm=here))

    def of_customer(self, connection: Connection, crm_id: str) -> Link:
        """The link of a customer of the CRM, made if need be."""
        found = next((one for one in self.links.values() if one.crm_id == crm_id), None)
        if found is None:
            found = new_link(TENANT, AGREEMENT, crm_id, uuid5(NAMESPACE, crm_id))
            connection.put(self.links, found.id, found)
        return found

    def _record(self, connection: Connection, seen: EconomicSeen) -> None:
        known = self.economic_side.get(seen.number)
        if known is None or known.version < seen.version:
            connection.put(self.economic_side, seen.number, seen)

    # ---- one step

    @contextmanager
    def held(self, what: object) -> Iterator[None]:
        """A row's lock until the transaction ends."""
        if what in self._held:
            raise Blocked
        self._held.add(what)
        try:
            yield
        finally:
            self._held.discard(what)

    @contextmanager
    def _agreement(self, link: Link) -> Iterator[None]:
        """The agreement's lock, for a step that may link or create."""
        if link.state is not LinkState.UNLINKED:
            yield
            return
        with self.held("agreement"):
            yield

    def take_step(self, connection: Connection, link: Link, message: Message, *, renumbered: bool = False) -> None:
        """One step on a link: locks, the others' moment, the step, what follows."""
        world = self.world
        with self.held(link.id), self._agreement(link):
            link = self.links.get(link.id, link)
            world.peril.gap()
            if renumbered:
                link = replace(link, state=LinkState.RESTING, rest="renumbered")
            done = world.react(link, message, world.rules, world.now)
            after, commands = done.link, done.commands
            if after.number is not None and after.number != link.number:
                newest = self.economic_side.get(after.number)
                if newest is not None and (after.economic_version is None or newest.version > after.economic_version):
                    more = world.react(after, Heard(economic=newest), world.rules, world.now)
                    after, commands = more.link, (*commands, *more.commands)
                    done = replace(more, counted=(*done.counted, *more.counted))
            self._released(connection, after)
            if isinstance(message, Heard):
                if message.economic is not None:
                    self._record(connection, message.economic)
                if message.crm is not None:
                    connection.put(self.crm_side, link.crm_id, message.crm)
            connection.put(self.links, link.id, after)
            ties.remember(world, link, after)
            for command in commands:
                crm = isinstance(command, WriteCustomer)
                to, about = ("crm-applier" if crm else "economic-adapter"), link.crm_id
                world.bus.append(connection, "sync", to, command, about)
            ties.told(world, link, after, done, commands)
            if done.status != self.told.get(link.id):
                connection.put(self.told, link.id, done.status)

    def _released(self, connection: Connection, link: Link) -> None:
        """Whoever had a number that was just found free and given to a new customer has it no longer."""
        for other in list(self.links.values()):
            if link.number is None or other.id == link.id or other.number != link.number:
                continue
            free = replace(
                other, state=LinkState.RESTING, rest="deleted_there", number=None,
                old_numbers=(*other.old_numbers, link.number),
            )  # fmt: skip
            connection.put(self.links, other.id, free)

    def due(self, connection: Connection, now: datetime) -> list[UUID]:
        """The links that wait for time."""
        return [one.id for one in self.links.values() if one.due is not None and one.due <= now]

    def run(self, link_id: UUID, message: Message) -> None:
        """A step of a transaction of its own: the clock's, or a person's."""
        with transaction(self.world.peril) as connection:
            self.take_step(connection, self.links[link_id], message)


def plain(link: Link, message: Message, rules: object, now: datetime) -> Step:
    """The product's step."""
    return step(link, message, rules, now)  # type: ignore[arg-type]
