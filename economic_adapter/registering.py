"""How does e-conomic learn where its webhooks go? Registered with a new secret each time, and the old one ends later.

A new secret's digest is committed before the call, because e-conomic may use the address at once. Which secret e-conomic
has is read off the webhook that stands there, so that an answer that was lost closes no address in use.
"""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import Connection

from economic_adapter import account, addresses, agreements, claims
from economic_adapter.account import Standing
from economic_adapter.claims import Claim
from economic_adapter.desk import Calls, Desk, Finish
from economic_adapter.protocol import Forbidden, NotFound, Rejected, VersionConflict

log = structlog.get_logger(__name__)

ROTATE = "hook-secret"
"""The key of the check that gives the webhook a new secret."""
KEEP = "keep_seconds"
KEEP_OLD = timedelta(hours=24)
"""How long an old secret opens the address once e-conomic has the new one: what it sends again goes to the old address."""
_TRIES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """How it ended, with e-conomic's word when it would not; the digest of the new secret, if one was made."""

    webhooks: agreements.Webhooks
    note: str = ""
    secret_sha256: bytes = b""


LEFT = "webhook_left"
NONE = Registered(webhooks="none")


@dataclass(frozen=True, slots=True, kw_only=True)
class Registering:
    """The flow, with the address e-conomic is told, and new keys for its calls."""

    public_url: str
    key: Callable[[], UUID]

    def register(self, desk: Desk, calls: Calls, number: int) -> Registered:
        """Have e-conomic tell us of changed customers; refused is no error, polling then carries the full load.

        What became of it is kept with ``settle``, in the transaction that ends the row.
        """
        with desk.engine.begin() as connection:
            endpoint = addresses.name_of(connection, number) or secrets.token_hex(8)
        note, fresh = "", b""
        for _ in range(_TRIES):
            secret = secrets.token_urlsafe(32)
            fresh = _digest(secret)
            try:
                if not self._told(desk, calls, number, endpoint, secret):
                    return Registered(webhooks="refused", note="no_event_type")
            except VersionConflict as failed:  # a call of ours whose answer was lost may just have arrived: look again
                note = failed.code
            except (Forbidden, Rejected, NotFound) as failed:
                note = failed.code
                break
            else:
                return Registered(webhooks="registered", secret_sha256=fresh)
        log.warning("access.no_webhook", agreement=number, code=note)
        return Registered(webhooks="refused", note=note, secret_sha256=fresh)

    def give_up(self, desk: Desk, calls: Calls, number: int) -> Registered:
        """Take our webhook away, if there is one; what e-conomic would not take away is noted, and arrives still."""
        with desk.engine.begin() as connection:
            found = agreements.named(connection, number)
        if found is None or not found.has_grant or found.webhooks != "registered":
            return NONE
        try:
            calls.send(account.remove(self.key()))
        except NotFound:
            return NONE
        except (Forbidden, Rejected, VersionConflict) as failed:
            return Registered(webhooks="none", note=f"{LEFT}:{failed.code}")
        return NONE

    def rotate(self, desk: Desk, claim: Claim, calls: Calls) -> Finish:
        """Give the webhook of the claimed agreement a new secret. What e-conomic refuses leaves everything as it is."""
        with desk.engine.begin() as connection:
            found = agreements.named(connection, claim.agreement)
        if found is None or found.webhooks != "registered":
            return lambda connection: claims.finish(connection, claim)
        done = self.register(desk, calls, claim.agreement)
        keep = timedelta(seconds=float(claim.command.get(KEEP, KEEP_OLD.total_seconds())))

        def finish(connection: Connection) -> None:
            until = desk.now() + keep
            settle(connection, claim.agreement, done, until)
            note = "" if done.webhooks == "registered" else f"hook secret not rotated: {done.note}"
            agreements.set_webhooks(connection, claim.agreement, "registered", note)
            claims.finish(connection, claim)
            log.info("access.hook_secret", agreement=claim.agreement, rotated=not note, old_until=until.isoformat())

        return finish

    def _told(self, desk: Desk, calls: Calls, number: int, endpoint: str, secret: str) -> bool:
        """Make or change the webhook; false when e-conomic has no such event."""
        template = account.read_template(calls.send(account.EVENT_TYPES))
        if template is None:
            return False
        standing = _standing(calls)
        there = None if standing is None else _digest(standing.url.rpartition("/")[2])
        if there is not None:
            with desk.engine.begin() as connection:
                if addresses.is_newest_of_two(connection, number, there):
                    return True  # the answer to an earlier call was lost
        url = f"{self.public_url}/hooks/economic/{endpoint}/{secret}"

        def record(connection: Connection) -> bool:
            addresses.add_secret(connection, number, endpoint, _digest(secret), standing=there)
            return True

        if standing is None:
            calls.send(account.register(template, url, self.key()), record)
        else:
            calls.send(account.renew(template, url, standing.version, self.key()), record)
        return True


def settle(connection: Connection, number: int, done: Registered, old_until: datetime) -> None:
    """The old secret gets its end, or the new one is taken back when e-conomic would not have it."""
    if done.webhooks == "registered":
        addresses.end_old(connection, number, old_until)
    elif done.secret_sha256:
        addresses.take_back(connection, number, done.secret_sha256)


def _standing(calls: Calls) -> Standing | None:
    try:
        return account.read_webhook(calls.send(account.WEBHOOK))
    except NotFound:
        return None


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
