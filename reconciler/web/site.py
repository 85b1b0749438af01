"""What do the pages need? One value that every door and page gets; wiring makes it, a test makes another."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import quote

import sqlalchemy as sa

from crm_outbox.messaging.settings import origin_of
from reconciler.snapshots import Snapshots
from reconciler.stepping import Clocked
from reconciler.web.etag import Marks


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """``public_url`` is where browsers find these pages, ``crm_origin`` the one site that may frame and open them."""

    engine: sa.Engine
    now: Callable[[], datetime]
    keys: Mapping[str, bytes] = field(repr=False)
    public_url: str
    crm_origin: str
    crm_launch: str
    """The CRM's page that sends a browser here, signed in; it takes ``to``, the path that is wanted."""
    crm_customer: str = ""
    """A customer's own page in the CRM, with ``{id}``; empty where none is known."""
    resend: timedelta
    """After how long an unanswered command is sent again."""
    ring: Callable[[], None] = lambda: None
    """Says that something of ours was committed that is to leave."""
    connect_key: bytes = field(default=b"", repr=False)
    """What invitations to the adapter are signed with; empty where none can be."""
    hooks_url: str = ""
    """Where e-conomic and people's browsers reach the adapter; empty where that is not known."""
    has_mail: bool = False
    """Whether there is a mail server to tell people by."""
    snapshots: Snapshots = field(default_factory=Snapshots, repr=False)
    """What was read of the customers that are open just now."""
    marks: Marks = field(default_factory=Marks, repr=False)
    """What their boxes were told last."""

    @property
    def origin(self) -> str:
        """Scheme, host and port of our own pages, as browsers name them."""
        return origin_of(self.public_url)

    @property
    def clocked(self) -> Clocked:
        """What a step needs besides the database."""
        return Clocked(resend=self.resend, now=self.now)

    @property
    def is_secure(self) -> bool:
        """Whether browsers come by HTTPS."""
        return self.public_url.startswith("https:")

    def card(self, crm_id: str) -> str:
        """The page of that customer in the CRM, if it is known."""
        return self.crm_customer.replace("{id}", quote(crm_id, safe=""))

    def back(self, address: str) -> str:
        """An address of the CRM to lead back to; empty for any other."""
        return address if origin_of(address) == self.crm_origin else ""
