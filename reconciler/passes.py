"""Who sends this browser, and how do we know? What the CRM signs: a widget's pass for one customer, a launch for one sign-in.

Both are JSON Web Tokens (RFC 7519) under HMAC-SHA256 with a key that the CRM and we share; the header's ``kid`` names it, so
that keys can be changed without a stop. Pure: time and keys are given.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Any, Final, Literal, Self

import jwt
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from economic_adapter.contract import CONNECT_PATH, Invitation
from reconciler.person import Language, Person, Role

TAKEN_AT: Final = CONNECT_PATH
"""The adapter's page that takes an invitation."""
SHORTEST_KEY: Final = 32
"""Bytes: what HMAC-SHA256 is made for (RFC 7518 3.2)."""
LEEWAY: Final = timedelta(seconds=30)
"""Two machines' clocks may differ by so much."""
LIVES: Final[Mapping[str, timedelta]] = {"widget": timedelta(minutes=10), "launch": timedelta(minutes=1)}
"""The longest life a pass may ask for."""
_LONGEST: Final = 4096

_Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]


class Refused(Exception):
    """The pass is not ours, not signed, not for this, too old or asks for too long a life; says which."""


class Pass(BaseModel):
    """What a pass says: the person, what it is for, and until when. ``customer`` is the one customer of a widget."""

    model_config = ConfigDict(frozen=True, extra="ignore", str_strip_whitespace=True)

    aud: Literal["widget", "launch"]
    jti: Annotated[str, StringConstraints(min_length=8, max_length=100, pattern=r"^[\x21-\x7e]+$")]
    iat: datetime
    exp: datetime
    tenant: _Name
    sub: _Name
    name: _Name
    role: Role
    customer: _Name | None = None
    mail: Annotated[str, StringConstraints(max_length=254, pattern=r"^(\S+@\S+)?$")] = ""
    lang: Language | None = None
    return_to: Annotated[str, Field(max_length=2000)] = ""

    @model_validator(mode="after")
    def _about_one(self) -> Self:
        if self.aud == "widget" and self.customer is None:
            raise ValueError("a widget's pass names its customer")
        return self

    @property
    def person(self) -> Person:
        """Whom the CRM vouches for."""
        return Person(tenant=self.tenant, id=self.sub, name=self.name, role=self.role, mail=self.mail)


def keys_of(setting: str) -> dict[str, bytes]:
    """``kid=hex`` pairs, separated by commas, by kid; ``ValueError`` says which one is wrong and how."""
    found: dict[str, bytes] = {}
    for part in filter(None, (one.strip() for one in setting.split(","))):
        kid, _, text = part.partition("=")
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,32}", kid):
            raise ValueError("a key's name is 1 to 32 letters, digits, - or _")
        if kid in found:
            raise ValueError(f"key {kid} is given twice")
        if not re.fullmatch(r"([0-9a-fA-F]{2})+", text):
            raise ValueError(f"key {kid} is not hexadecimal")
        found[kid] = bytes.fromhex(text)
        if len(found[kid]) < SHORTEST_KEY:
            raise ValueError(f"key {kid} has {len(found[kid])} bytes; it needs {SHORTEST_KEY}")
    return found


def sign(key_id: str, key: bytes, claims: Mapping[str, Any]) -> str:
    """A pass with those claims, as the CRM makes it."""
    return jwt.encode(dict(claims), key, algorithm="HS256", headers={"kid": key_id})


def invite(key: bytes, *, tenant: str, by: str, lang: Language, nonce: str, until: datetime, back: str) -> str:
    """An invitation to give access to a tenant's e-conomic, signed for the adapter.

    ``by``: whom it invites, by id; ``back``: where to go on afterwards.
    """
    words = Invitation(jti=nonce, exp=int(until.timestamp()), tenant=tenant, sub=by, lang=lang, back=back)
    return jwt.encode(words.model_dump(), key, algorithm="HS256")


def read(keys: Mapping[str, bytes], text: str, wanted: Literal["widget", "launch"], now: datetime) -> Pass:
    """What a pass says, once its signature, its use and its times hold; else ``Refused``."""
    found = _signed(tuple(keys.items()), text, wanted)
    _timely(found, now.astimezone(UTC))
    return found


@lru_cache(maxsize=2000)  # a page that asks again brings the same pass for minutes
def _signed(keys: tuple[tuple[str, bytes], ...], text: str, wanted: Literal["widget", "launch"]) -> Pass:
    if not text or len(text) > _LONGEST or not text.isascii():
        raise Refused("no pass")
    try:
        kid = jwt.get_unverified_header(text).get("kid")
        key = dict(keys).get(kid) if isinstance(kid, str) else None
        if key is None:
            raise Refused("unknown key")
        # the times are judged below: the library would ask a clock
        untimed: jwt.types.Options = {"verify_exp": False, "verify_iat": False, "verify_nbf": False}
        claims = jwt.decode(text, key, algorithms=["HS256"], audience=wanted, options=untimed)
        return Pass.model_validate(claims)
    except jwt.InvalidAudienceError as error:
        raise Refused("for something else") from error
    except (jwt.PyJWTError, ValidationError, ValueError) as error:
        raise Refused(type(error).__name__) from error


def _timely(found: Pass, now: datetime) -> None:
    if found.iat.tzinfo is None or found.exp.tzinfo is None:
        raise Refused("times without a zone")
    if now >= found.exp + LEEWAY:
        raise Refused("too old")
    if found.iat > now + LEEWAY:
        raise Refused("from the future")
    if found.exp - found.iat > LIVES[found.aud]:
        raise Refused("too long a life")
