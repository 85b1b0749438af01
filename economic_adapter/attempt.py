"""Who is connecting, and is it really them? A signed, short-lived attempt, since e-conomic echoes no state.

The operator's command makes an attempt for a tenant, or the set-up page invites to one; the browser keeps it in a cookie
until e-conomic sends it back.
Nothing in it is secret, so it is signed and not sealed.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal, cast

import jwt

from economic_adapter.contract import Invitation
from economic_adapter.sealing import KeyRing

LIFETIME = timedelta(minutes=30)
Locale = Literal["da", "en"]
_LONGEST = 4096
_LEEWAY = timedelta(seconds=30)
"""Two machines' clocks may differ by so much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try at connecting a tenant. ``nonce`` (random, from outside) ties forms to it."""

    tenant: str
    locale: Locale
    nonce: str
    expires: datetime
    by: str = ""
    """Who was invited, by the id under which the pages know them; empty at the operator's link."""
    back: str = ""
    """The page that leads here, to go on from afterwards; empty where none does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a try ended: the key of its sentence, what the sentence names, and whether it is asked if that is right."""

    sentence: str
    names: Mapping[str, str] = field(default_factory=dict)
    ask: bool = False


def issue(keys: KeyRing, attempt: Attempt) -> str:
    """The text of an attempt, safe in an address and in a cookie."""
    return _signed(
        keys,
        "attempt",
        {
            "tenant": attempt.tenant,
            "locale": attempt.locale,
            "nonce": attempt.nonce,
            "expires": int(attempt.expires.timestamp()),
            "back": attempt.back,
            "by": attempt.by,
        },
    )


def read(keys: KeyRing, text: str, now: datetime) -> Attempt | None:
    """The attempt in that text; none when it was not made by us, was altered or is over."""
    found = _unsigned(keys, "attempt", text)
    if found is None:
        return None
    attempt = Attempt(
        tenant=str(found["tenant"]),
        locale="en" if found["locale"] == "en" else "da",
        nonce=str(found["nonce"]),
        expires=datetime.fromtimestamp(cast(int, found["expires"]), UTC),
        back=str(found.get("back", "")),
        by=str(found.get("by", "")),
    )
    return attempt if now < attempt.expires else None


def invited(key: bytes, text: str, now: datetime) -> Attempt | None:
    """The attempt that the set-up page invites to; none when it was not signed with that key, is over or lasts too long."""
    if not key or len(text) > _LONGEST or not text.isascii():
        return None
    # the time is judged below: the library would ask a clock
    untimed: jwt.types.Options = {"verify_exp": False, "verify_iat": False, "verify_nbf": False}
    try:
        claims = jwt.decode(text, key, algorithms=["HS256"], audience="connect", options=untimed)
        found = Invitation.model_validate(claims)
        expires = datetime.fromtimestamp(found.exp, UTC)
    except (jwt.PyJWTError, ValueError, OverflowError):
        return None
    if not now < expires <= now + LIFETIME + _LEEWAY:
        return None
    return Attempt(
        tenant=found.tenant, locale=found.lang, nonce=found.jti, expires=expires, back=found.back, by=found.sub
    )


def form_token(keys: KeyRing, attempt: Attempt) -> str:
    """What a form must carry to be taken as this attempt's own."""
    return keys.sign("form", f"{attempt.tenant}\n{attempt.nonce}")


def form_token_holds(keys: KeyRing, attempt: Attempt, token: str) -> bool:
    """Whether a form belongs to this attempt; constant time."""
    return keys.signed("form", f"{attempt.tenant}\n{attempt.nonce}", token)


def keep(keys: KeyRing, attempt: Attempt, ending: Ending) -> str:
    """The text that carries an ending over a redirect, so that a reload does nothing again."""
    return _signed(
        keys, f"ending:{attempt.nonce}", {"sentence": ending.sentence, "names": dict(ending.names), "ask": ending.ask}
    )


def kept(keys: KeyRing, attempt: Attempt, text: str) -> Ending | None:
    """The ending kept for this attempt."""
    found = _unsigned(keys, f"ending:{attempt.nonce}", text)
    if found is None:
        return None
    return Ending(
        sentence=str(found["sentence"]), names=cast(dict[str, str], found["names"]), ask=found.get("ask") is True
    )


def _signed(keys: KeyRing, purpose: str, values: Mapping[str, object]) -> str:
    body = base64.urlsafe_b64encode(json.dumps(values, separators=(",", ":")).encode()).rstrip(b"=").decode()
    return f"{body}.{keys.sign(purpose, body)}"


def _unsigned(keys: KeyRing, purpose: str, text: str) -> dict[str, object] | None:
    body, dot, signature = text.partition(".")
    if not dot or len(text) > _LONGEST or not keys.signed(purpose, body, signature):
        return None
    return cast(dict[str, object], json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))))
