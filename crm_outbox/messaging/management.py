"""What does RabbitMQ's HTTP API tell and do? The one file that speaks to it.

Filling a new broker, comparing it with ``deploy/rabbitmq/definitions.json``, telling one broker from another, and
looking at queues that no program consumes.
"""

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote
from uuid import UUID, uuid4

import httpx

from crm_outbox.messaging import topology
from crm_outbox.messaging.settings import Broker

DEFINITIONS = Path(__file__).parents[2] / "deploy" / "rabbitmq" / "definitions.json"
_SECONDS = 15.0
_MANY = 100_000


class ManagementError(Exception):
    """The HTTP API could not be reached or refused; says which request and why, never a credential."""

    def __init__(self, what: str, status: int | None = None) -> None:
        super().__init__(what)
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A message that lies in a queue; ``body`` is empty unless it was asked for."""

    message_id: str | None
    type: str | None
    timestamp: int | None
    routing_key: str
    exchange: str
    size: int
    headers: Mapping[str, Any]
    body: bytes = b""


class Management:
    """RabbitMQ's HTTP API as one user, for one vhost and its ``-jobs``. Used by one thread at a time."""

    def __init__(
        self, url: str, user: str, password: str, vhost: str, *, transport: httpx.BaseTransport | None = None
    ) -> None:
        self.vhost = vhost
        self.user = user
        self._http = httpx.Client(
            base_url=f"{url.rstrip('/')}/api/",
            auth=httpx.BasicAuth(user, password),
            timeout=_SECONDS,
            transport=transport,
            trust_env=False,
        )

    @classmethod
    def of(cls, broker: Broker, user: str) -> Self:
        """As one of the users whose password was given."""
        return cls(broker.management_url, user, broker.passwords[user], broker.vhost)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give back the connection."""
        self._http.close()

    def broker_ids(self) -> list[UUID]:
        """The identities of this broker: one, or none before ``topology init``; more is a fault."""
        found = self.get(f"exchanges/{self._vhost}/broker/bindings/source", missing=[])
        return [UUID(entry["routing_key"]) for entry in found if topology.is_broker_queue(entry["destination"])]

    def depths(self) -> dict[str, int]:
        """How many messages lie in each queue of the vhost, those out for delivery included."""
        return {entry["name"]: int(entry.get("messages", 0)) for entry in self.get(f"queues/{self._vhost}")}

    def look(self, queue: str, *, bodies: bool = False, limit: int = _MANY) -> list[Letter]:
        """Look at the messages of a queue and leave them there, in their order."""
        return self._letters(queue, "ack_requeue_true", bodies, limit)

    def take(self, queue: str, limit: int = _MANY) -> list[Letter]:
        """Take the messages out of a queue; they are gone from there when this returns."""
        return self._letters(queue, "ack_requeue_false", True, limit)

    def publish(self, exchange: str, key: str, body: bytes, properties: Mapping[str, Any]) -> bool:
        """Publish one persistent message and wait for the broker's confirm; false when no queue is bound to the key."""
        answer = self._send(
            "POST",
            f"exchanges/{self._vhost}/{quote(exchange, safe='')}/publish",
            {
                "properties": {"delivery_mode": 2, **properties},
                "routing_key": key,
                "payload": base64.b64encode(body).decode(),
                "payload_encoding": "base64",
            },
        )
        return bool(answer["routed"])

    def found(self) -> dict[str, list[dict[str, Any]]]:
        """What the broker holds in our vhosts, as far as this user may see it."""
        document: dict[str, list[dict[str, Any]]] = {}
        for kind in ("exchanges", "queues", "bindings", "policies"):
            entries = self.get(f"{kind}/{self._vhost}", missing=[], hidden=None)
            if entries is not None:
                document[kind] = entries
        for kind in ("vhosts", "users", "permissions"):
            entries = self.get(kind, hidden=None)
            if entries is not None:
                document[kind] = entries
        if "users" not in document:
            document.pop("vhosts", None)
        return document

    def get(self, path: str, **instead: Any) -> Any:
        """Read; ``missing=`` stands in for 404, ``hidden=`` for 401 and 403."""
        try:
            return self._send("GET", path)
        except ManagementError as error:
            if error.status == 404 and "missing" in instead:
                return instead["missing"]
            if error.status in {401, 403} and "hidden" in instead:
                return instead["hidden"]
            raise

    def put(self, path: str, body: Any) -> None:
        """Create or set."""
        self._send("PUT", path, body)

    def post(self, path: str, body: Any) -> Any:
        """Do."""
        return self._send("POST", path, body)

    def delete(self, path: str) -> None:
        """Remove; what is not there counts as removed."""
        try:
            self._send("DELETE", path)
        except ManagementError as error:
            if error.status != 404:
                raise

    @property
    def _vhost(self) -> str:
        return quote(self.vhost, safe="")

    def _letters(self, queue: str, mode: str, bodies: bool, limit: int) -> list[Letter]:
        asked: dict[str, Any] = {"count": limit, "ackmode": mode, "encoding": "base64"}
        if not bodies:
            asked["truncate"] = 1
        found = self._send("POST", f"queues/{self._vhost}/{quote(queue, safe='')}/get", asked)
        return [_letter(entry, bodies) for entry in found]

    def _send(self, method: str, path: str, body: Any = None) -> Any:
        try:
            answer = self._http.request(method, path, json=body)
        except httpx.HTTPError as error:
            raise ManagementError(f"{method} {path}: RabbitMQ's HTTP API is away ({type(error).__name__})") from error
        if answer.status_code >= 300:
            raise ManagementError(f"{method} {path}: {answer.status_code} {_reason(answer)}", answer.status_code)
        return answer.json() if answer.content else None


def definitions(vhost: str, path: Path = DEFINITIONS) -> dict[str, list[dict[str, Any]]]:
    """The topology of the file, for a vhost of that name."""
    return topology.renamed(json.loads(path.read_text("utf-8")), vhost)


def fill(management_url: str, admin: tuple[str, str], vhost: str, passwords: Mapping[str, str]) -> None:
    """Bring everything of the definitions into a broker, for a vhost of any name, and set these users' passwords.

    Adds what is missing and changes nothing else that is there; safe to repeat. A user without a password given keeps
    the one it has, or gets one nobody knows. The administrator gets rights in both vhosts.
    """
    with Management(management_url, *admin, vhost) as management:
        document = definitions(vhost)
        known = {entry["name"] for entry in management.get("users")}
        users = [
            {"name": entry["name"], "tags": ",".join(entry["tags"])} | _hashed(passwords.get(entry["name"]))
            for entry in document.pop("users")
            if entry["name"] in passwords or entry["name"] not in known
        ]
        management.post("definitions", {**document, "users": users})
        for name in (vhost, f"{vhost}-jobs"):
            management.put(
                f"permissions/{quote(name, safe='')}/{quote(admin[0], safe='')}",
                {"configure": ".*", "write": ".*", "read": ".*"},
            )


def init(management: Management) -> UUID:
    """Give a broker its identity, the one thing that is not in the file; one that has it keeps it."""
    found = management.broker_ids()
    if found:
        return found[0]
    identity = uuid4()
    vhost = quote(management.vhost, safe="")
    management.put(
        f"queues/{vhost}/broker.{identity}",
        {"durable": True, "arguments": {"x-queue-type": "quorum", "x-max-length": 1, "x-overflow": "drop-head"}},
    )
    management.post(f"bindings/{vhost}/e/broker/q/broker.{identity}", {"routing_key": str(identity)})
    return identity


def verify(management: Management, path: Path = DEFINITIONS) -> list[str]:
    """Every difference between broker and file in plain words. Users and permissions only for an administrator."""
    return topology.differences(definitions(management.vhost, path), management.found())


def _hashed(password: str | None) -> dict[str, str]:
    salt = secrets.token_bytes(4)
    digest = hashlib.sha256(salt + (password or secrets.token_urlsafe(32)).encode()).digest()
    return {
        "password_hash": base64.b64encode(salt + digest).decode(),
        "hashing_algorithm": "rabbit_password_hashing_sha256",
    }


def _letter(entry: Mapping[str, Any], bodies: bool) -> Letter:
    properties = entry["properties"] if isinstance(entry["properties"], Mapping) else {}
    return Letter(
        message_id=properties.get("message_id"),
        type=properties.get("type"),
        timestamp=properties.get("timestamp"),
        routing_key=entry["routing_key"],
        exchange=entry["exchange"],
        size=int(entry["payload_bytes"]),
        headers=properties.get("headers") or {},
        body=_body(entry) if bodies else b"",
    )


def _body(entry: Mapping[str, Any]) -> bytes:
    payload = str(entry["payload"])
    return base64.b64decode(payload) if entry["payload_encoding"] == "base64" else payload.encode()


def _reason(answer: httpx.Response) -> str:
    try:
        said: Sequence[Any] | Mapping[str, Any] = answer.json()
    except ValueError:
        return ""
    return str(said.get("reason", ""))[:300] if isinstance(said, Mapping) else ""
