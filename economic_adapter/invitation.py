"""What do the pages sign for whoever gives access to e-conomic? Part of the contract."""

from typing import Literal

from crm_outbox.messaging.envelope import Words

PATH = "/connect/economic"
SHORTEST_KEY = 32
"""Characters of ``CONNECT_KEY``."""


class Invitation(Words):
    """Who may give access at ``/connect/economic``: signed by the pages as a JSON Web Token (HS256) under ``CONNECT_KEY``."""

    aud: Literal["connect"] = "connect"
    jti: str
    exp: int
    """When it is over, in seconds; at most half an hour after it was made."""
    tenant: str
    sub: str = ""
    """Who was invited, by the id under which the pages know them; never a name, for it stands in an address."""
    lang: Literal["da", "en"] = "da"
    back: str = ""
    """Where to go on afterwards."""
