"""With which settings does the reconciler run? All read once, all wrong ones named at once."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Self
from urllib.parse import unquote, urlsplit

from crm_outbox.messaging.settings import Broker, Environment, Secret, broker, database_url, origin_of
from economic_adapter.contract import SHORTEST_CONNECT_KEY
from reconciler import passes

DUTIES = ("relay", "reconcile", "web", "clock")
USERS = {"relay": "relay-sync", "reconcile": "reconciler", "clock": "attention"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """Where the pages listen, where browsers find them, and which CRM opens and frames them, with the keys it signs with."""

    listen: tuple[str, int]
    shared: bool
    """Whether other processes of the pages listen there too."""
    public_url: str
    crm_origin: str
    crm_customer: str
    """A customer's own page in the CRM, with ``{id}`` for its id; empty where it has none that is known."""
    crm_launch: str
    hooks_url: str
    """Where e-conomic and people's browsers reach the adapter; empty where it is not known."""
    connect_key: Secret
    """What leads people to the adapter is signed with; empty, and nobody can be led there."""
    keys: Mapping[str, bytes] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """Where mail is handed in. ``encrypted``: from the first byte (smtps), else by STARTTLS unless it is ``plain``."""

    host: str
    port: int
    sender: str
    user: str = ""
    password: str = field(default="", repr=False)
    encrypted: bool = False
    plain: bool = False


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
    pages: Pages | None
    """None for whoever shows no pages."""
    mail: MailServer | None
    """None: nobody is told by mail."""
    crm_launch: str
    """The CRM's page that sends a browser to our pages; empty for whoever has no need of it."""
    public_url: str
    """Where browsers find our pages, for mails that lead there; empty where it is not known or not needed."""
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
        mail = _mail(environment) if {"web", "clock"} & {*duties} else None
        found = cls(
            database=database_url(environment, "SYNC"),
            broker=broker(environment, *users) if users else None,
            resend=timedelta(seconds=environment.seconds("RESEND_SECONDS", default=120, least=0.1)),
            metrics=environment.listen("SYNC_METRICS_LISTEN", default="") if listen else None,
            sweep=int(sweep) if sweep.isdecimal() else None,
            pages=_pages(environment) if "web" in duties else None,
            mail=mail,
            crm_launch=_launch(environment) if mail is not None else "",
            public_url=environment.url("WEB_PUBLIC_URL", default="", credentials=False).rstrip("/")
            if mail is not None
            else "",
            secrets=tuple(environment.secrets),
        )
        environment.done()
        return found


def _pages(environment: Environment) -> Pages:
    public, crm = environment.url("WEB_PUBLIC_URL", credentials=False), environment.url("CRM_ORIGIN", credentials=False)
    for name, address in (("WEB_PUBLIC_URL", public), ("CRM_ORIGIN", crm)):
        host = (urlsplit(origin_of(address)).hostname or "") if address else ""
        loopback = host in {"127.0.0.1", "::1"} or host.rpartition(".")[2] == "localhost"
        if address and not address.startswith("https:") and not loopback:
            environment.wrong(f"{name} must be https, but on this machine")
    launch = _launch(environment)
    customer = environment.url("CRM_CUSTOMER_URL", default="", credentials=False)
    if customer and (origin_of(customer) != origin_of(crm) or "{id}" not in customer):
        environment.wrong("CRM_CUSTOMER_URL must be a page of CRM_ORIGIN, with {id} for the customer's id")
    text = environment.secret("CRM_KEYS")
    keys: Mapping[str, bytes] = {}
    try:
        keys = passes.keys_of(text)
    except ValueError as error:
        environment.wrong(f"CRM_KEYS: {error}")
    environment.secrets.extend(Secret(one.partition("=")[2].strip()) for one in text.split(",") if "=" in one)
    return Pages(
        listen=environment.listen("WEB_LISTEN", default="127.0.0.1:8082"),
        shared=environment.flag("WEB_SHARED", default=False),
        public_url=public.rstrip("/"),
        crm_origin=origin_of(crm),
        crm_customer=customer,
        crm_launch=launch,
        hooks_url=environment.url("HOOKS_PUBLIC_URL", default="", credentials=False).rstrip("/"),
        connect_key=environment.secret("CONNECT_KEY", default="", least=SHORTEST_CONNECT_KEY),
        keys=keys,
    )


def _launch(environment: Environment) -> str:
    crm = environment.url("CRM_ORIGIN", credentials=False)
    launch = environment.url("CRM_LAUNCH_URL", default=f"{origin_of(crm)}/economic/launch", credentials=False)
    if crm and origin_of(launch) != origin_of(crm):
        environment.wrong("CRM_LAUNCH_URL must be a page of CRM_ORIGIN")
    return launch


def _mail(environment: Environment) -> MailServer | None:
    address = environment.url("MAIL_SERVER", default="", schemes=("smtp", "smtps"))
    if not address:
        return None
    parts = urlsplit(address)
    host = parts.hostname or ""
    loopback = host in {"127.0.0.1", "::1", "localhost"}
    return MailServer(
        host=host,
        port=parts.port or (465 if parts.scheme == "smtps" else 587),
        sender=environment.text("MAIL_FROM", pattern=r"(?:[^<>\r\n]*<)?[^@<>\s]+@[^@<>\s]+>?"),
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        encrypted=parts.scheme == "smtps",
        plain=loopback and parts.scheme == "smtp",
    )
