"""Where does a webhook arrive that a person makes by hand in e-conomic? An address that needs no row: part of the contract.

It is made of what the pages and the adapter share, ``CONNECT_KEY``, so that the pages can show it and nobody has to keep it.
With another key it is another address.
"""

import base64
import hashlib
import hmac
import re

DATA = "old=[OLDNUMBER]&new=[NEWNUMBER]"
"""What e-conomic is to send, in its own merge fields."""
CONTENT_TYPE = "application/x-www-form-urlencoded"
_ENDPOINT = re.compile(r"([1-9][0-9]{0,9})-[0-9a-f]{16}", re.ASCII)


def path(key: bytes, tenant: str, agreement: int) -> str:
    """The path of that tenant's agreement."""
    return f"/hooks/economic/{_endpoint(key, agreement)}/{secret(key, tenant, agreement)}"


def secret(key: bytes, tenant: str, agreement: int) -> str:
    """What opens it, at the end of its path."""
    return base64.urlsafe_b64encode(_mac(key, f"hook secret\n{agreement}\n{tenant}")).rstrip(b"=").decode()


def number_of(key: bytes, endpoint: str) -> int | None:
    """The agreement of an endpoint that was made with this key; constant time."""
    found = _ENDPOINT.fullmatch(endpoint)
    number = int(found.group(1)) if found else 0
    holds = hmac.compare_digest(_endpoint(key, number).encode(), endpoint.encode("utf-8", "surrogatepass"))
    return number if key and found and holds and number < 2**31 else None


def _endpoint(key: bytes, agreement: int) -> str:
    return f"{agreement}-{_mac(key, f'hook endpoint {agreement}')[:8].hex()}"


def _mac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).digest()
