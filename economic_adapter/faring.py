"""How does the adapter fare? Its words for that: with an agreement, and on the server it stands on, of no agreement."""

from datetime import datetime
from typing import Literal

from crm_outbox.messaging.envelope import Words

EVERY_TENANT = "*"
"""In the place of a tenant: whom a message about the installation concerns."""


class Reach(Words):
    """Whether e-conomic is called for an agreement; told whenever it changes."""

    at: datetime
    """When it was so: of two, the later one holds."""
    down_since: datetime | None = None
    """Since when nothing was answered; only one call at a time is tried. None: it answers."""
    next_call: datetime | None = None
    """Before then nobody's look is served: e-conomic said so, or the day's share is used."""
    paused_since: datetime | None = None
    """Since when an operator has stopped every call."""


class RefusedHook(Words):
    """A webhook that came to an agreement's address and was not taken; ``given``: the content type it had."""

    at: datetime
    why: Literal["secret", "content_type"]
    given: str = ""


class Figures(Words):
    """How the adapter fares with an agreement. Told every minute, so that its silence is heard."""

    at: datetime
    calls: int
    """Calls made today, by UTC."""
    most: int
    """Calls a day after which only people and edits are served."""
    missed: int = 0
    """Changes that a regular check found though webhooks were registered, since the agreement was connected."""
    connected: datetime | None = None
    hooked: datetime | None = None
    """When the last webhook came, to the minute."""
    by_hand: datetime | None = None
    """The same of one that a person made by hand."""
    refused: RefusedHook | None = None
    """The last webhook that was not taken; one that came right after it says that it is put right."""
    checked: datetime | None = None
    """When e-conomic was last asked for everything that had changed."""
    every: float | None = None
    """Seconds between two regular checks while an agreement is active; each asks for customers and for contact persons."""
    late_since: datetime | None = None
    """Since when work is due that no worker does."""


class InstallationObserved(Words):
    """``economic.installation.observed.v1``: whether what access to e-conomic needs was entered on the server. Of every tenant.

    Told by who takes a person's access, when it starts and every minute, so that its silence is heard. One that is lost is told
    anew, so it need not route: a broker that does not know it yet holds nothing else up.
    """

    at: datetime
    lacks: tuple[str, ...] = ()
    """The settings that were not entered, by name; never a value. None: it has all of them."""
