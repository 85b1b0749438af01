"""With which settings does the CRM's side run? All read once, all wrong ones named at once."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Self

from crm_outbox.messaging import upkeep
from crm_outbox.messaging.settings import Broker, Environment, Secret, broker, database_url

DUTIES = ("relay", "applier", "clock")
USERS = {"relay": "relay-crm", "applier": "crm-applier", "clock": upkeep.USER}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything the CRM's duties and commands need. Secrets are not shown by ``repr``."""

    database: str = field(repr=False)
    broker: Broker | None
    metrics: tuple[str, int] | None
    """Where to answer for metrics and health; none: nowhere."""
    secrets: tuple[Secret, ...] = field(repr=False)
    """What the logs must never show."""

    @classmethod
    def from_env(cls, environ: Mapping[str, str], duties: Collection[str] = ()) -> Self:
        """Read them for these duties, none for a command; ``SettingsError`` names all problems."""
        environment = Environment(environ)
        users = sorted({USERS[duty] for duty in duties})
        listen = environment.text("CRM_METRICS_LISTEN", default="")
        found = cls(
            database=database_url(environment, "CRM"),
            broker=broker(environment, *users) if users else None,
            metrics=environment.listen("CRM_METRICS_LISTEN", default="") if listen else None,
            secrets=tuple(environment.secrets),
        )
        environment.done()
        return found
