"""How does a CRM written in Python sign a pass? Run it with the file of known passes, and it says whether it makes the same."""

import base64
import hashlib
import hmac
import json
import sys
from collections.abc import Mapping
from pathlib import Path


def sign(kid: str, key: bytes, claims: Mapping[str, object]) -> str:
    """A pass with those claims: a JSON Web Token under HMAC-SHA256."""
    parts = [_text(json.dumps(one, separators=(",", ":")).encode()) for one in (_header(kid), dict(claims))]
    signed = ".".join(parts)
    return f"{signed}.{_text(hmac.new(key, signed.encode(), hashlib.sha256).digest())}"


def _header(kid: str) -> dict[str, str]:
    return {"alg": "HS256", "kid": kid, "typ": "JWT"}


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


if __name__ == "__main__":
    known = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    made = [sign(one["kid"], bytes.fromhex(one["key"]), one["claims"]) for one in known]
    sys.stdout.write("\n".join((*made, "")))
    sys.exit(made != [one["pass"] for one in known])
