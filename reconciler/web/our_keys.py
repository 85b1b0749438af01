"""Does the server have what a person's access to e-conomic needs? These pages' own settings, and what the adapter told of its own.

No page asks its own environment for a token of e-conomic: the adapter runs elsewhere, and it alone holds them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from reconciler import installation
from reconciler.entered import Entered, entered
from reconciler.web.site import Site
from reconciler.web.words import Words

_OF_WEBHOOKS = frozenset({"HOOKS_PUBLIC_URL", "CONNECT_KEY"})
"""What the address of a webhook that a person makes is made of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OurKeys:
    """Whether everything was entered, what was not, by name, and when the adapter was heard of last."""

    entered: Entered
    lacks: Sequence[str] = ()
    heard: datetime | None = None

    @property
    def is_unknown(self) -> bool:
        """Whether nobody can say: nothing is known to be missing, and nothing to be there."""
        return self.entered in {"unheard", "silent"}

    @property
    def can_make_webhooks(self) -> bool:
        """Whether a person can be told what to enter for a webhook."""
        return not _OF_WEBHOOKS & set(self.lacks)


def of(site: Site, connection: Connection) -> OurKeys:
    """What is known now. What the pages lack themselves is missing, whatever the adapter told."""
    own = {"HOOKS_PUBLIC_URL": site.hooks_url, "CONNECT_KEY": site.connect_key}
    lacks = [name for name, value in own.items() if not value]
    told = installation.last(connection)
    there = entered(told, site.now())
    if told is not None and there == "missing":
        lacks += [name for name in told.lacks if name not in lacks]
    return OurKeys(entered="missing" if lacks else there, lacks=lacks, heard=None if told is None else told.at)


def unknown(words: Words, ours: OurKeys) -> str:
    """That nobody can say whether everything was entered, and why; empty where it is known."""
    if ours.entered == "unheard":
        return words(
            "We have not heard yet from the part of the server that speaks to e-conomic, so we do not know whether it has our keys."
        )
    if ours.entered == "silent" and ours.heard is not None:
        return words(
            "We have not heard since {time} from the part of the server that speaks to e-conomic, so we do not know whether it has "
            "our keys.",
            time=words.since(ours.heard),
        )
    return ""
