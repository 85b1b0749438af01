"""Which settings were given? All read once, from the environment; everything that is wrong is named at once."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, quote, urlsplit

_YES = frozenset({"1", "true", "yes", "on"})
_NO = frozenset({"0", "false", "no", "off"})


class SettingsError(Exception):
    """Settings that are missing or wrong, one sentence each; never a value of a secret."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Secret(str):
    """Text that does not show itself when a value that holds it is printed."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"


class Environment:
    """Reads settings and collects what is wrong with them; ``done`` raises ``SettingsError`` naming all of it.

    A setting that is wrong gives a harmless stand-in, so that reading goes on. An empty value counts as missing.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.problems: list[str] = []
        self.names: list[str] = []
        """Every setting that was asked for, in order."""
        self.secrets: list[Secret] = []
        """What the logs must never show."""

    def text(self, name: str, *, default: str | None = None, choices: Collection[str] = (), pattern: str = "") -> str:
        """A text; with ``choices`` one of those, with ``pattern`` (a whole match) of that form."""
        value = self._value(name, default)
        if value and choices and value not in choices:
            self._wrong(name, f"must be one of {', '.join(choices)}")
        if value and pattern and re.fullmatch(pattern, value) is None:
            self._wrong(name, f"must be of the form {pattern}")
        return value

    def integer(self, name: str, *, default: int | None = None, least: int = 0, most: int = 2**31 - 1) -> int:
        """A whole number between ``least`` and ``most``."""
        value = self._value(name, None if default is None else str(default))
        if not value:
            return least
        if re.fullmatch(r"-?[0-9]{1,18}", value, re.ASCII) is None or not least <= int(value) <= most:
            self._wrong(name, f"must be a whole number from {least} to {most}")
            return least
        return int(value)

    def seconds(self, name: str, *, default: float | None = None, least: float = 0.0, most: float = 864000.0) -> float:
        """A time in seconds, with or without a decimal point."""
        value = self._value(name, None if default is None else str(default))
        if not value:
            return least
        if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", value, re.ASCII) is None or not least <= float(value) <= most:
            self._wrong(name, f"must be seconds from {least:g} to {most:g}")
            return least
        return float(value)

    def flag(self, name: str, *, default: bool | None = None) -> bool:
        """Yes or no: 1/true/yes/on or 0/false/no/off."""
        value = self._value(name, None if default is None else str(default)).lower()
        if value and value not in _YES | _NO:
            self._wrong(name, "must be yes or no")
        return value in _YES

    def secret(self, name: str, *, default: str | None = None, least: int = 1) -> Secret:
        """A secret of at least so many characters; it is neither printed nor logged."""
        value = Secret(self._value(name, default))
        if value and len(value) < least:
            self._wrong(name, f"must have at least {least} characters")
        if value:
            self.secrets.append(value)
        return value

    def url(
        self,
        name: str,
        *,
        default: str | None = None,
        schemes: Collection[str] = ("http", "https"),
        credentials: bool = True,
    ) -> str:
        """An address with one of these schemes and a host; a password in it is kept out of the logs."""
        value = self._value(name, default)
        if not value:
            return value
        parts = _split(value)
        if parts is None or parts.scheme not in schemes or not (parts.hostname or parts.query):
            self._wrong(name, f"must be an address that starts with {' or '.join(f'{one}://' for one in schemes)}")
            return value
        if parts.password:
            self.secrets.append(Secret(parts.password))
        if not credentials and (parts.username or parts.password):
            self._wrong(name, "must not hold a user or password")
        return value

    def listen(self, name: str, *, default: str | None = None) -> tuple[str, int]:
        """``host:port`` to listen on."""
        value = self._value(name, default)
        host, _, port = value.rpartition(":")
        if value and not (host and re.fullmatch(r"[0-9]{1,5}", port, re.ASCII) and int(port) < 65536):
            self._wrong(name, "must be host:port")
            return "127.0.0.1", 0
        return host.strip("[]"), int(port or 0)

    def wrong(self, problem: str) -> None:
        """Note something wrong that concerns more than one setting."""
        self.problems.append(problem)

    def done(self) -> None:
        """Raise ``SettingsError`` if anything was missing or wrong."""
        if self.problems:
            raise SettingsError(self.problems)

    def _value(self, name: str, default: str | None) -> str:
        self.names.append(name)
        value = self._environ.get(name, "").strip()
        if value:
            return value
        if default is None:
            self.problems.append(f"{name} is missing")
        return default or ""

    def _wrong(self, name: str, what: str) -> None:
        self.problems.append(f"{name} {what}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """Where RabbitMQ is, and the passwords of the users this process may be."""

    address: str
    """``amqp://host:port`` or ``amqps://host:port``."""
    vhost: str
    management_url: str
    passwords: Mapping[str, str] = field(repr=False)

    def url(self, user: str, jobs: bool = False) -> str:
        """The AMQP address of that user in the vhost, or in that of dramatiq's wake-ups. Holds the password."""
        parts = urlsplit(self.address)
        vhost = f"{self.vhost}-jobs" if jobs else self.vhost
        credentials = f"{quote(user, safe='')}:{quote(self.passwords[user], safe='')}"
        return f"{parts.scheme}://{credentials}@{parts.netloc}/{quote(vhost, safe='')}"


def broker(environment: Environment, *users: str) -> Broker:
    """The broker, with the passwords of these users: ``BROKER_PASSWORD_`` and the user in capitals, ``_`` for ``-``."""
    address = environment.url("BROKER_URL", schemes=("amqp", "amqps"), credentials=False)
    parts = _split(address)
    if parts is not None and parts.path not in {"", "/"}:
        environment.wrong("BROKER_URL must not hold a vhost; that is BROKER_VHOST")
    return Broker(
        address=f"{parts.scheme}://{parts.netloc}" if parts is not None else "",
        vhost=vhost(environment),
        management_url=environment.url("BROKER_MANAGEMENT_URL", credentials=False).rstrip("/"),
        passwords={user: environment.secret(password_name(user)) for user in users},
    )


def vhost(environment: Environment) -> str:
    """The vhost of events and commands; ``<vhost>-jobs`` is that of wake-ups."""
    return environment.text("BROKER_VHOST", default="sync", pattern=r"[A-Za-z0-9._-]{1,100}")


def password_name(user: str) -> str:
    """The setting that holds the password of that broker user."""
    return f"BROKER_PASSWORD_{user.upper().replace('-', '_')}"


def database_url(environment: Environment, owner: str) -> str:
    """The database of one package: ``CRM_``, ``ECONOMIC_`` or ``SYNC_DATABASE_URL``, else ``DATABASE_URL``."""
    own = environment.url(f"{owner}_DATABASE_URL", default="", schemes=("postgresql", "postgresql+psycopg"))
    if own:
        return own
    shared = environment.url("DATABASE_URL", default="", schemes=("postgresql", "postgresql+psycopg"))
    if not shared:
        environment.wrong(f"{owner}_DATABASE_URL or DATABASE_URL is missing")
    return shared


def origin_of(address: str) -> str:
    """Scheme, host and port of an http or https address; empty for anything else."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        return ""
    if parts.scheme not in {"http", "https"} or not host or "@" in parts.netloc or "\\" in address:
        return ""
    named = f"[{host}]" if ":" in host else host
    usual = port in {None, {"http": 80, "https": 443}[parts.scheme]}
    return f"{parts.scheme}://{named}" + ("" if usual else f":{port}")


def _split(value: str) -> SplitResult | None:
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        return None
    return parts
