"""Which duty is made of what? The edge's wiring: settings in, duties out.

A duty's own modules are imported where it is made: a relay that starts again after a crash reads no page and no rule.
"""

import os
import socket
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial

from crm_outbox.messaging import database
from crm_outbox.messaging.duty import Duty, Periodic
from crm_outbox.messaging.envelope import Lane
from crm_outbox.messaging.settings import Broker, SettingsError
from reconciler import alive
from reconciler.settings import Settings
from reconciler.tables import messages

ATTEND_SECONDS = 30.0
RETAIN_SECONDS = 3600.0
SWEEP_SECONDS = 60.0
MAIL_SECONDS = 30.0
COMPARE_SECONDS = 60.0

Makers = Mapping[str, Callable[[], Duty]]


def duties(settings: Settings, chosen: Sequence[str]) -> dict[str, Callable[[], Duty]]:
    """What makes each of these duties, by name, and that which tells that they run; ``SettingsError`` where one lacks something."""
    makers: dict[str, Callable[[], Duty]] = {}
    for duty in chosen:
        makers |= _DUTIES[duty](settings)
    return {**makers, "alive": _alive(settings, chosen)}


def now() -> datetime:
    """This moment."""
    return datetime.now(UTC)


def _alive(settings: Settings, chosen: Sequence[str]) -> Callable[[], Duty]:
    engine = database.engine(settings.database, "alive", pool=1)
    process = f"{socket.gethostname()}/{os.getpid()}"
    return partial(Periodic, alive.EVERY, partial(alive.write, engine, chosen, process, now), engine.dispose)


def _relay(settings: Settings) -> Makers:
    from crm_outbox.messaging.relay import Relay

    engine = database.engine(settings.database, "relay", pool=len(Lane))
    return {
        f"relay.{lane}": partial(Relay, engine, messages, _broker(settings), "relay-sync", lane, "relay")
        for lane in Lane
    }


def _reconcile(settings: Settings) -> Makers:
    from crm_outbox.messaging.consumer import Consumer
    from crm_outbox.messaging.doorbell import Doorbell
    from reconciler import bus, ordering, reconcile
    from reconciler.stepping import Clocked

    engine = database.engine(settings.database, "reconcile")
    consumer = partial(
        Consumer,
        engine=engine,
        broker=_broker(settings),
        user="reconciler",
        consumer=bus.CONSUMER,
        registry=bus.TAKEN,
        tables=messages,
        handle=partial(reconcile.handle, Clocked(resend=settings.resend, now=now)),
        prepare=ordering.prepare,
        committed=Doorbell(engine, messages.schema).ring,
        name="reconcile",
    )
    return {"reconcile": consumer}


def _web(settings: Settings) -> Makers:
    from crm_outbox.messaging.doorbell import Doorbell
    from crm_outbox.messaging.server import Server
    from reconciler.web.app import app
    from reconciler.web.site import Site

    pages = settings.pages
    if pages is None:
        raise SettingsError(["no pages were asked for"])
    engine = database.engine(settings.database, "web", pool=10)
    site = Site(
        engine=engine,
        ring=Doorbell(engine, messages.schema).ring,
        now=now,
        keys=pages.keys,
        public_url=pages.public_url,
        crm_origin=pages.crm_origin,
        crm_customer=pages.crm_customer,
        crm_launch=pages.crm_launch,
        resend=settings.resend,
        hooks_url=pages.hooks_url,
        connect_key=pages.connect_key.encode(),
        has_mail=settings.mail is not None,
    )
    return {"web": partial(Server, app(site), *pages.listen, shared=pages.shared)}


def _clock(settings: Settings) -> Makers:
    from crm_outbox.messaging.doorbell import Doorbell
    from crm_outbox.messaging.lying import Lying
    from reconciler import bus, clock, nightly
    from reconciler.stepping import Clocked

    engine = database.engine(settings.database, "clock")
    patient = database.engine(settings.database, "clock.retention", pool=2, statement_seconds=600.0)
    committed = Doorbell(engine, messages.schema).ring
    clocked = Clocked(resend=settings.resend, now=now)
    lying = Lying(consumer=bus.CONSUMER, command="reconciler run reconcile")
    return {
        "clock": partial(clock.Clock, engine, clocked, committed),
        "clock.sweep": partial(Periodic, SWEEP_SECONDS, partial(clock.sweep, engine, clocked, settings.sweep)),
        "clock.compare": partial(Periodic, COMPARE_SECONDS, partial(nightly.carry_on, patient, clocked)),
        "clock.attention": partial(Periodic, ATTEND_SECONDS, partial(clock.attend, engine, _broker(settings), lying)),
        "clock.retention": partial(Periodic, RETAIN_SECONDS, partial(clock.retain, patient)),
        **_mail(settings),
    }


def _mail(settings: Settings) -> Makers:
    if settings.mail is None:
        return {}
    from reconciler.mail import rounds
    from reconciler.mail.rounds import Post

    post = Post(
        engine=database.engine(settings.database, "clock.mail", pool=1),
        now=now,
        server=settings.mail,
        launch=settings.crm_launch,
        pages=settings.public_url,
    )
    return {
        "clock.mail": partial(Periodic, MAIL_SECONDS, partial(rounds.turn, post)),
        "clock.mail.retention": partial(Periodic, RETAIN_SECONDS, partial(rounds.forget, post)),
    }


_DUTIES: Mapping[str, Callable[[Settings], Makers]] = {
    "relay": _relay,
    "reconcile": _reconcile,
    "web": _web,
    "clock": _clock,
}


def _broker(settings: Settings) -> Broker:
    if settings.broker is None:
        raise SettingsError(["no broker was asked for"])
    return settings.broker
