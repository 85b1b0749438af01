"""How does a person make the webhook in e-conomic by hand? What to enter where, word for word, and whether one has come."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from fastapi import Request, Response

from reconciler import setting_up
from reconciler.agreement import Agreement
from reconciler.person import Person
from reconciler.web import doors, our_keys, progress, screen
from reconciler.web.doors import Conflict, Known, Unknown
from reconciler.web.site import Site
from reconciler.web.words import Words

EVENT: Final = "Kunde opdateret"
"""e-conomic's own word for the kind of webhook, in either language: it is read off its own screen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ByHand:
    """What is entered in e-conomic, when one came that was made so, and the last that could not be taken since."""

    agreement: int
    url: str
    data: str
    content_type: str
    received: datetime | None
    refused: datetime | None = None
    why: Literal["", "secret", "content_type"] = ""
    given: str = ""

    @property
    def waits(self) -> bool:
        """Whether none has come yet, or none since one was refused."""
        return self.received is None or bool(self.why)


def of(site: Site, person: Person) -> ByHand:
    """What that person's tenant enters in e-conomic; ``Unknown`` where nothing is connected, ``Conflict`` without a key."""
    doors.must(site, person, "administer")
    with site.engine.connect() as connection:
        known, ours = progress.used(connection, person), our_keys.of(site, connection)
    if known is None:
        raise Unknown
    if not ours.can_make_webhooks:
        raise Conflict("the server lacks our keys to e-conomic; whoever runs it must enter them")
    return _of(site, known)


def _of(site: Site, known: Agreement) -> ByHand:
    data, content_type = setting_up.HOOK
    found = ByHand(
        agreement=known.agreement,
        url=site.hooks_url + setting_up.hand_made(site.connect_key, known),
        data=data,
        content_type=content_type,
        received=None if known.figures is None else known.figures.by_hand,
    )
    refused = None if known.figures is None else known.figures.refused
    if refused is None or (found.received is not None and found.received >= refused.at):
        return found
    return ByHand(
        agreement=found.agreement,
        url=found.url,
        data=data,
        content_type=content_type,
        received=found.received,
        refused=refused.at,
        why=refused.why,
        given=refused.given,
    )


def wrong(words: Words, found: ByHand) -> str:
    """Why the last one was not taken, and what to do; nothing where none was refused."""
    match found.why:
        case "secret":
            return words("A webhook came with the wrong secret. Copy the address again.")
        case "content_type":
            return words(
                "A webhook came with the wrong Content-type ({v}). Choose {right}.",
                v=found.given or "-",
                right=found.content_type,
            )
        case _:
            return ""


def page(site: Site, _request: Request, one: Known) -> Response:
    """The guide, which follows what comes."""
    try:
        found = of(site, one.person)
    except (Unknown, Conflict):
        found = None
    said = "" if found is None else wrong(one.words, found)
    return screen.page(site, "set_up_webhook.html", one, here="set-up", found=found, event=EVENT, wrong=said)


PAGES: Final = {("GET", "/set-up/webhook"): page}
