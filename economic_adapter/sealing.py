"""How is a grant kept so that only the adapter can read it? AES-256-GCM, bound to its row and column.

The text is ``v1.<key id>.<nonce>.<data>``, the last two in unpadded URL-safe base64. The associated data names tenant,
agreement and column, so a sealed text copied to another row does not open. The first key of the ring seals, every key
opens. Nonces come from outside (12 random bytes, never twice under one key).
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES = 12
_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")
_URL_SAFE = str.maketrans("+/", "-_")


class Unreadable(Exception):
    """A sealed text that this key ring cannot open at this place; the message never holds any of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a sealed text stands. It opens nowhere else."""

    tenant: str
    agreement: int
    column: str

    def associated(self) -> bytes:
        """The bytes the seal is bound to; lengths first, so that no two places give the same bytes."""
        parts = (self.tenant, str(self.agreement), self.column)
        return b"".join(len(part.encode()).to_bytes(4) + part.encode() for part in parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRing:
    """Keys of 32 bytes by id, in order; the first one seals."""

    keys: Mapping[str, bytes] = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``id:base64,id:base64``; ``ValueError`` says which entry is wrong and never shows a key."""
        keys: dict[str, bytes] = {}
        for position, entry in enumerate((part.strip() for part in text.split(",") if part.strip()), start=1):
            name, colon, encoded = entry.partition(":")
            if not colon or not _KEY_ID.fullmatch(name):
                raise ValueError(f"entry {position} is not written id:base64 with a plain id")
            try:
                key = _decode(encoded.translate(_URL_SAFE).rstrip("="))
            except (binascii.Error, ValueError) as error:
                raise ValueError(f"key {name} is not base64") from error
            if len(key) != 32:
                raise ValueError(f"key {name} has {len(key)} bytes; 32 are needed")
            if len(set(key)) < 8:
                raise ValueError(f"key {name} is not random")
            if name in keys:
                raise ValueError(f"key {name} is there twice")
            keys[name] = key
        if not keys:
            raise ValueError("at least one key is needed, written id:base64 (32 bytes)")
        return cls(keys=keys)

    @property
    def first(self) -> str:
        """The id of the key that seals."""
        return next(iter(self.keys))

    def seal(self, text: str, place: Place, nonce: bytes) -> str:
        """The sealed text for exactly that place."""
        if len(nonce) != NONCE_BYTES:
            raise ValueError("a nonce has 12 bytes")
        data = AESGCM(self.keys[self.first]).encrypt(nonce, text.encode(), place.associated())
        return f"v1.{self.first}.{_encode(nonce)}.{_encode(data)}"

    def open(self, sealed: str, place: Place) -> str:
        """The text sealed for that place; ``Unreadable`` for another place, an unknown key or a damaged text."""
        try:
            version, name, nonce, data = sealed.split(".")
            key = self.keys[name]
            if version != "v1":
                raise Unreadable("sealed in an unknown way")
            return AESGCM(key).decrypt(_decode(nonce), _decode(data), place.associated()).decode()
        except KeyError as error:
            raise Unreadable("sealed with a key that is not in the ring") from error
        except (ValueError, InvalidTag) as error:
            raise Unreadable("damaged, or sealed for another place") from error

    def sign(self, purpose: str, text: str) -> str:
        """A short signature of a text under the first key, for one purpose only."""
        return _encode(_mac(self.keys[self.first], purpose, text))

    def signed(self, purpose: str, text: str, signature: str) -> bool:
        """Whether any key of the ring made that signature; constant time per key."""
        made = (_encode(_mac(key, purpose, text)).encode() for key in self.keys.values())
        return any(hmac.compare_digest(one, signature.encode()) for one in made)


def key_id(sealed: str) -> str:
    """Which key sealed this text."""
    parts = sealed.split(".")
    return parts[1] if len(parts) == 4 else ""


def _mac(key: bytes, purpose: str, text: str) -> bytes:
    # a key derived for signing, so that the sealing key itself is used for one thing only
    derived = hmac.digest(key, f"signing:{purpose}".encode(), hashlib.sha256)
    return hmac.digest(derived, text.encode(), hashlib.sha256)


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
