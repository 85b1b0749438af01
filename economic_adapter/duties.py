"""Which duty is made of what? The edge's wiring: settings in, duties out."""

import random
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import sqlalchemy as sa
from starlette.types import ASGIApp

from crm_outbox.contract import TYPES as CRM_TYPES
from crm_outbox.messaging import database, upkeep
from crm_outbox.messaging.consumer import Consumer
from crm_outbox.messaging.duty import Duty, Periodic, Turn
from crm_outbox.messaging.envelope import Lane, Registry
from crm_outbox.messaging.lying import Lying
from crm_outbox.messaging.outbox import Doorbell, Outbox
from crm_outbox.messaging.relay import Relay
from crm_outbox.messaging.server import Server
from crm_outbox.messaging.settings import Broker
from economic_adapter import access, agreements, clock, connecting, figures, hooks, installation, work
from economic_adapter.checking import Checking
from economic_adapter.client import Addresses, Client, Grant
from economic_adapter.contract import TYPES
from economic_adapter.desk import Desk
from economic_adapter.intake import CONSUMER, Intake
from economic_adapter.settings import Settings
from economic_adapter.store import Gather
from economic_adapter.tables import messages
from economic_adapter.worker import Waker, Worker

OUTBOX = Outbox(tables=messages, registry=Registry((*CRM_TYPES, *TYPES)), source="economic_adapter")
PROBE_SECONDS = 60.0
TELL_SECONDS = 60.0

Factories = dict[str, Callable[[], Duty]]


@dataclass(frozen=True, slots=True)
class Held:
    """A duty with what was made for it, given back after it."""

    duty: Duty
    after: Sequence[Callable[[], None]]

    def run_once(self) -> Turn:
        """The duty's step."""
        return self.duty.run_once()

    def close(self) -> None:
        """The duty first, then everything else, whatever fails."""
        try:
            self.duty.close()
        finally:
            for give_back in self.after:
                give_back()


def duties(settings: Settings, names: Sequence[str]) -> Factories:
    """The factories of these duties; a clock is several loops."""
    made: Factories = {}
    for name in names:
        made |= _DUTIES[name](settings)
    return made


def desk(settings: Settings, engine: sa.Engine, client: Client, ring: Callable[[], None]) -> Desk:
    """What a worker has at hand; ``ring`` wakes the relay."""
    probe = _probe(settings)
    return Desk(
        engine=engine,
        client=client,
        outbox=OUTBOX,
        now=now,
        chance=random.random,
        open_grant=lambda connection, number: Grant(agreements.grant_of(connection, settings.keys, number)),
        lost=lambda connection, number, failed: access.lose(connection, OUTBOX, number, failed, now(), probe),
        check=Checking(public_url=settings.public_url, key=uuid.uuid4, probe=probe).do,
        ring=ring,
        reached=lambda connection, number: access.observe(connection, OUTBOX, number, now()),
        backoff_max=settings.clocks.backoff_max,
    )


def entry(settings: Settings, engine: sa.Engine, client: Client, ring: Callable[[], None]) -> access.Access:
    """What connecting needs; ``ring`` wakes the relay."""
    return access.Access(
        engine=engine,
        keys=settings.keys,
        outbox=OUTBOX,
        calls=lambda grant: partial(client.send, grant=Grant(grant)),
        now=now,
        committed=ring,
    )


def ticking(settings: Settings, engine: sa.Engine) -> clock.Clock:
    """The clock's actions."""
    return clock.Clock(
        engine=engine,
        outbox=OUTBOX,
        now=now,
        threads=settings.worker_threads,
        rhythm=settings.clocks.poll,
        probe=_probe(settings),
    )


def client(settings: Settings) -> Client:
    """The one way to e-conomic."""
    addresses = Addresses(
        rest=settings.rest_url,
        apis=settings.apis_url,
        customersapi=settings.customersapi,
        webhooksapi=settings.webhooksapi,
        development=settings.development_hosts,
    )
    return Client(app_secret=settings.app_secret, addresses=addresses)


def now() -> datetime:
    """This moment."""
    return datetime.now(UTC)


def _relay(settings: Settings) -> Factories:
    def make(lane: Lane) -> Duty:
        engine = database.engine(settings.database, "economic-relay", pool=2)
        relay = Relay(engine, messages, _broker(settings), "relay-economic", lane, "relay-economic")
        return Held(relay, [engine.dispose])

    return {f"relay.{lane}": partial(make, lane) for lane in Lane}


def _intake(settings: Settings) -> Factories:
    def make() -> Duty:
        engine = database.engine(settings.database, "economic-intake", pool=2)
        bell = Doorbell(engine, messages.schema)
        consumer = Consumer(
            engine=engine,
            broker=_broker(settings),
            user="economic-adapter",
            consumer=CONSUMER,
            registry=OUTBOX.registry,
            tables=messages,
            handle=Intake(outbox=OUTBOX, now=now).handle,
            committed=bell.ring,
            name="intake",
        )
        return Held(consumer, [bell.close, engine.dispose])

    return {"intake": make}


def http(settings: Settings, engine: sa.Engine, sender: Client, ring: Callable[[], None]) -> ASGIApp:
    """Webhooks and the connection pages; ``ring`` wakes the relay."""
    gather = Gather(quiet=settings.clocks.gather, most=settings.clocks.gather_limit)
    reach = entry(settings, engine, sender, ring)
    pages = connecting.Connecting(
        keys=settings.keys,
        connect=partial(access.connect, reach),
        part=partial(access.part, reach),
        now=now,
        public_url=settings.public_url,
        login_url=settings.login_url,
        app_public=settings.app_public,
        invites=settings.invites.encode(),
        ready=bool(settings.app_secret),
    )
    webhooks = hooks.Webhooks(
        engine=engine, now=now, gather=gather, key=settings.invites.encode(), told=partial(_tell_figures, settings)
    )
    return hooks.app(webhooks, pages, https=settings.public_url.startswith("https:"))


def _hooks(settings: Settings) -> Factories:
    def make() -> Duty:
        engine = database.engine(settings.database, "economic-hooks", pool=10)
        sender, bell = client(settings), Doorbell(engine, messages.schema)
        app = http(settings, engine, sender, bell.ring)
        return Held(Server(app, *settings.listen), [sender.close, bell.close, engine.dispose])

    def telling() -> Duty:
        engine = database.engine(settings.database, "economic-hooks", pool=1)
        return Held(Periodic(TELL_SECONDS, partial(tell_installation, settings, engine)), [engine.dispose])

    return {"hooks": make, "hooks.tell": telling}


def tell_installation(settings: Settings, engine: sa.Engine) -> int:
    """Tell whether this process has what access needs: it is the one that a person is led to; returns how many were told."""
    with engine.begin() as connection:
        installation.tell(connection, OUTBOX, settings.lacks, now())
    return 1


def _tell_figures(settings: Settings, connection: sa.Connection, number: int) -> None:
    for _, one in figures.every(connection, {}, settings.clocks.poll, now(), only=number):
        access.observe(connection, OUTBOX, number, now(), figures=one)


def _worker(settings: Settings) -> Factories:
    def make() -> Duty:
        engine = database.engine(settings.database, "economic-worker", pool=settings.worker_threads + 2)
        sender, bell = client(settings), Doorbell(engine, messages.schema)
        worker = Worker(
            engine=engine,
            url=_broker(settings).url("economic-jobs", jobs=True),
            threads=settings.worker_threads,
            step=partial(work.step, desk(settings, engine, sender, bell.ring)),
            through=lambda wake, worked: clock.served(engine, wake, now(), worked=worked),
        )
        return Held(worker, [sender.close, bell.close, engine.dispose])

    return {"worker": make}


def _clock(settings: Settings) -> Factories:
    broker = _broker(settings)

    def waking() -> Duty:
        engine = database.engine(settings.database, "economic-clock", pool=1)
        waker, ticks = Waker(broker.url("economic-jobs", jobs=True)), ticking(settings, engine)
        return Held(Periodic(0.1, lambda: ticks.wake(waker.send) or waker.rest()), [waker.close, engine.dispose])

    def attending() -> Duty:
        engine = database.engine(settings.database, "economic-clock", pool=1)
        lying = Lying(consumer=CONSUMER, command=f"{clock.PACKAGE} run intake")
        attend = partial(upkeep.attend, engine, messages, broker, clock.PACKAGE, lying, clock.open_items)
        return Held(Periodic(15.0, attend), [engine.dispose])

    def every(seconds: float, action: Callable[[clock.Clock], int]) -> Callable[[], Duty]:
        def make() -> Duty:
            engine = database.engine(settings.database, "economic-clock", pool=1)
            return Held(Periodic(seconds, partial(action, ticking(settings, engine))), [engine.dispose])

        return make

    return {
        "clock.wake": waking,
        "clock.claims": every(1.0, clock.Clock.free_claims),
        "clock.plan": every(min(1.0, settings.clocks.poll.active / 2), clock.Clock.plan),
        "clock.retain": every(600.0, clock.Clock.retain),
        "clock.measure": every(10.0, clock.Clock.measure),
        "clock.tell": every(TELL_SECONDS, clock.Clock.tell),
        "clock.attend": attending,
    }


_DUTIES: Mapping[str, Callable[[Settings], Factories]] = {
    "relay": _relay,
    "intake": _intake,
    "hooks": _hooks,
    "worker": _worker,
    "clock": _clock,
}


def _probe(settings: Settings) -> float:
    return min(PROBE_SECONDS, settings.clocks.backoff_max)


def _broker(settings: Settings) -> Broker:
    if settings.broker is None:
        raise AssertionError("a duty that needs the broker reads its settings")
    return settings.broker
