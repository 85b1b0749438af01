"""What does time bring to people's mailboxes? What is due is planned once; what is planned is sent until it was taken."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlencode
from uuid import UUID, uuid4

import sqlalchemy as sa
import structlog

from reconciler import letter_links, mailbox, people
from reconciler.fields import GROUPS
from reconciler.letter_links import Change
from reconciler.mail import dates, letters
from reconciler.mail.letters import Said
from reconciler.mail.server import NotTaken, send
from reconciler.mailbox import Occasion, Reader, Unsent, Waiting, Written
from reconciler.settings import MailServer
from reconciler.web.words import Words, language

log = structlog.get_logger(__name__)

STILL: Final = timedelta(minutes=15)
"""So long something waits, and nothing moves, before it is said that all has stopped."""
PAUSES: Final = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15), timedelta(hours=1))
"""Between tries; the last one again and again."""
GIVEN_UP: Final = timedelta(days=2)
KEPT: Final = timedelta(days=90)
_CLAIMED: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """What mail needs. ``launch`` is the CRM's page that sends a browser to our pages, signed in."""

    engine: sa.Engine
    now: Callable[[], datetime]
    server: MailServer
    launch: str
    pages: str = ""
    """Where browsers find our pages; empty where that is not known, and then no link opens without a sign-in."""

    def link(self, path: str) -> str:
        """The address by which a reader comes to a path of our pages."""
        return f"{self.launch}?{urlencode({'to': path})}"


def turn(post: Post) -> int:
    """Plan what is due and send what is planned; returns how many were planned or tried."""
    worked = 0
    with post.engine.connect() as connection:
        found = mailbox.tenants(connection)
    for tenant, _agreement, state, changed in found:
        with post.engine.begin() as connection:
            worked += _trouble(post, connection, tenant, state, changed)
            worked += _digest(post, connection, tenant)
            worked += _letter(post, connection, tenant)
    while (mail := _claimed(post)) is not None:
        _sent(post, mail)
        worked += 1
    return worked


def forget(post: Post) -> int:
    """Remove what is older than it is kept; returns how many."""
    with post.engine.begin() as connection:
        return mailbox.forget(connection, post.now() - KEPT) + letter_links.forget(connection, post.now())


def _trouble(post: Post, connection: sa.Connection, tenant: str, state: str, changed: datetime) -> int:
    now = post.now()
    troubles: Mapping[Occasion, tuple[bool, Callable[[Words], Said]]] = {
        "lost": (state == "access_lost", lambda words: letters.lost(words, changed, post.link)),
        "stopped": (
            mailbox.stuck(connection, tenant, now - STILL), lambda words: letters.stopped(words, post.link)
        ),
    }  # fmt: skip
    planned = 0
    for kind, (holds, said) in troubles.items():
        if not holds:
            mailbox.over(connection, tenant, kind)
        elif mailbox.once(connection, tenant, kind, "", now):
            for reader in mailbox.readers(connection, tenant, ["admin"]):
                planned += _plan(post, connection, tenant, kind, reader.address, said(_words(reader, now)))
    return planned


def _digest(post: Post, connection: sa.Connection, tenant: str) -> int:
    now = post.now()
    day = dates.digest(now)
    if day is None or not mailbox.once(connection, tenant, "digest", day.isoformat(), now):
        return 0
    found = mailbox.waiting(connection, tenant)
    planned = 0
    for reader in mailbox.readers(connection, tenant, ["user", "admin"]):
        theirs = [one for one in found if _concerns(one, reader)]
        if theirs:
            said = letters.digest(_words(reader, now), theirs, post.link)
            planned += _plan(post, connection, tenant, "digest", reader.address, said)
    return planned


def _letter(post: Post, connection: sa.Connection, tenant: str) -> int:
    now = post.now()
    week = dates.letter(now)
    if week is None or not mailbox.once(connection, tenant, "letter", week[1].date().isoformat(), now):
        return 0
    settings = people.settings(connection, tenant, (mailbox.LETTER_TO, mailbox.LETTER_LINKS, mailbox.LANGUAGE))
    addresses = settings.get(mailbox.LETTER_TO) or []
    changes = mailbox.written(connection, tenant, *week) if addresses else []
    if not changes:
        return 0
    words = Words(language(settings.get(mailbox.LANGUAGE)), now)
    if settings.get(mailbox.LETTER_LINKS) is not True or not post.pages:
        said = letters.letter(words, changes, lambda one: post.link(letters.at(one.customer)))
        return sum(_plan(post, connection, tenant, "letter", one, said) for one in addresses)
    for address in addresses:
        _with_links(post, connection, tenant, address, words, changes)
    return len(addresses)


def _with_links(
    post: Post, connection: sa.Connection, tenant: str, address: str, words: Words, changes: Sequence[Written]
) -> None:
    """Plan a letter with a link of its reader's own for each change; a group of details is one change."""
    found: dict[tuple[int, str], Change] = {}

    def undo(one: Written) -> str:
        detail = next(group.name for group in GROUPS[one.record] if one.field in group.fields)
        change = Change(id=uuid4(), write=one.write, detail=detail, customer=one.customer)
        return _place(found.setdefault((one.write, detail), change).id)

    said = letters.letter(words, changes, undo)
    mail = mailbox.plan(connection, tenant, "letter", address, said.subject, said.body, post.now())
    letter_links.insert(connection, tenant, address, mail, found.values(), post.now())


def _place(link: UUID) -> str:
    """What stands for a link in a mail that has not left: what opens it is not made before."""
    return f"letter:{link}"


def _body(post: Post, mail: Unsent) -> str:
    """The text as it leaves: each link as it is now, one that holds no more leading through the CRM."""
    with post.engine.begin() as connection:
        links = letter_links.mint(connection, mail.id, post.now())
    body = mail.body
    for link, customer, token in links:
        address = f"{post.pages}/letter/{token}" if token else post.link(letters.at(customer))
        body = body.replace(_place(link), address)
    return body


def _concerns(one: Waiting, reader: Reader) -> bool:
    """A pass that stopped is an admin's to release; what was handed to somebody is theirs."""
    return (reader.role == "admin" or one.kind != "brake") and one.holder in {None, reader.id}


def _plan(post: Post, connection: sa.Connection, tenant: str, kind: Occasion, address: str, said: Said) -> int:
    mailbox.plan(connection, tenant, kind, address, said.subject, said.body, post.now())
    return 1


def _claimed(post: Post) -> Unsent | None:
    with post.engine.begin() as connection:
        return mailbox.claim(connection, post.now(), post.now() + _CLAIMED)


def _sent(post: Post, mail: Unsent) -> None:
    try:
        send(post.server, mail.id, mail.address, mail.subject, _body(post, mail), mail.planned)
    except NotTaken as error:
        now = post.now()
        over = error.for_good or now - mail.planned > GIVEN_UP
        log.warning("mail.not_taken", mail=str(mail.id), why=str(error), given_up=over)
        pause = PAUSES[min(mail.tries, len(PAUSES) - 1)]
        with post.engine.begin() as connection:
            mailbox.failed(connection, mail.id, str(error), None if over else now + pause)
    else:
        with post.engine.begin() as connection:
            mailbox.sent(connection, mail.id, post.now())


def _words(reader: Reader, now: datetime) -> Words:
    return Words(language(*reader.languages), now)
