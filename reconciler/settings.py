"""With which settings does the reconciler run? All read once, all wrong ones named at once."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Self

from crm_outbox.messaging.settings import Broker, Environment, Secret, broker, database_url

DUTIES = ("relay", "reconcile", "clock")
USERS = {"relay": "relay-sync", "reconcile": "reconciler", "clock": "attention"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything the reconciler's duties and commands need. Secrets are not shown by ``repr``."""

    database: str = field(repr=False)
    broker: Broker | None
    resend: timedelta
    metrics: tuple[str, int] | None
    """Where to answer for metrics and health; none: nowhere."""
    sweep: int | None
    """The hour (UTC) from which both sides are read in full every day; none: never."""
    secrets: tuple[Secret, ...] = field(repr=False)

    @classmethod
    def from_env(cls, environ: Mapping[str, str], duties: Collection[str] = ()) -> Self:
        """Read them for these duties, none for a command; ``SettingsError`` names all problems."""
        environment = Environment(environ)
        users = sorted({USERS[duty] for duty in duties if duty in USERS})
        listen = environment.text("SYNC_METRICS_LISTEN", default="")
        sweep = environment.text("SWEEP_AT", default="2")
        if sweep != "off" and not (sweep.isdecimal() and int(sweep) < 24):
            environment.problems.append(f"SWEEP_AT must be an hour from 0 to 23, or off; it is {sweep!r}")
        found = cls(
            database=database_url(environment, "SYNC"),
            broker=broker(environment, *users) if users else None,
            resend=timedelta(seconds=environment.seconds("RESEND_SECONDS", default=120, least=0.1)),
            metrics=environment.listen("SYNC_METRICS_LISTEN", default="") if listen else None,
            sweep=int(sweep) if sweep.isdecimal() else None,
            secrets=tuple(environment.secrets),
        )
        environment.done()
        return found
