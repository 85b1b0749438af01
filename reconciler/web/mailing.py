"""Who is told by mail? The page on which an admin sees it, sets addresses, and reads whether mail arrives."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fastapi import Request, Response

from reconciler import acts, mailbox, people
from reconciler import letter_links as links
from reconciler.mailbox import Post, Told
from reconciler.person import Language, Person
from reconciler.web import doors, screen
from reconciler.web.doors import Known, Senseless
from reconciler.web.site import Site
from reconciler.web.words import LANGUAGES, language

_ADDRESS: Final = re.compile(r"[!-?A-~]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,187}[A-Za-z0-9])?", re.ASCII)
"""What mail servers take everywhere (RFC 5321, without quoted names and without SMTPUTF8)."""
_SETTINGS: Final = (mailbox.LETTER_TO, mailbox.LETTER_LINKS, mailbox.LANGUAGE)
MOST: Final = 20
"""Addresses a letter goes to at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """Who is told. ``server``: whether there is a mail server at all."""

    server: bool
    post: Post
    people: tuple[Told, ...]
    letter_to: tuple[str, ...]
    letter_links: bool
    """Whether the links of the letter open without a sign-in, once each."""
    language: Language
    """What the tenant reads: its letter, and whoever has chosen nothing."""

    @property
    def nobody(self) -> bool:
        """Whether nobody is told of anything."""
        return not self.server or not self.post.readers


def of(site: Site, person: Person) -> Mail:
    """Who of that person's tenant is told; ``Lacking`` for who is no admin."""
    doors.must(site, person, "administer")
    with site.engine.connect() as connection:
        settings = people.settings(connection, person.tenant, _SETTINGS)
        return Mail(
            server=site.has_mail,
            post=mailbox.post(connection, person.tenant),
            people=mailbox.everybody(connection, person.tenant),
            letter_to=tuple(settings.get(mailbox.LETTER_TO) or ()),
            letter_links=settings.get(mailbox.LETTER_LINKS) is True,
            language=language(settings.get(mailbox.LANGUAGE)),
        )


def change(
    site: Site,
    person: Person,
    letter_to: Sequence[str] | None,
    addresses: Mapping[str, str],
    letter_links: bool | None = None,
    spoken: Language | None = None,
) -> tuple[str, ...]:
    """Set the letter's addresses and links, the language (none: as they are) and people's addresses; those that are none, and then nothing is changed.

    Links that were sent end for whoever is not written to any more, and for all once they are not allowed. ``Senseless`` for a person who is not known and for too many addresses.
    """
    doors.must(site, person, "administer")
    letters = None if letter_to is None else list(dict.fromkeys(one.strip() for one in letter_to if one.strip()))
    given = {name: address.strip() for name, address in addresses.items()}
    wrong = [one for one in (*(letters or ()), *given.values()) if one and not _ADDRESS.fullmatch(one)]
    if len(letters or ()) > MOST:
        raise Senseless("more than {n} addresses", n=str(MOST))
    if wrong:
        return tuple(wrong)
    with site.engine.begin() as connection:
        people.hold(connection, person.tenant)
        before = mailbox.everybody(connection, person.tenant)
        settings = people.settings(connection, person.tenant, _SETTINGS)
        for name, address in given.items():
            if "\x00" in name or not mailbox.address(connection, person.tenant, name, address):
                raise Senseless("nobody is known as {v}", v=repr(name))
        if letters is not None:
            people.choose(connection, person.tenant, mailbox.LETTER_TO, letters)
            links.revoke(connection, person.tenant, site.now(), but=letters)
        if letter_links is not None:
            people.choose(connection, person.tenant, mailbox.LETTER_LINKS, letter_links)
            if not letter_links:
                links.revoke(connection, person.tenant, site.now())
        if spoken is not None:
            people.choose(connection, person.tenant, mailbox.LANGUAGE, spoken)
        if about := _moved(before, settings, given, letters, letter_links, spoken):
            acts.add(connection, person, "mail", site.now(), None, about)
    return ()


def _moved(
    before: Sequence[Told],
    settings: Mapping[str, Any],
    given: Mapping[str, str],
    letters: Sequence[str] | None,
    letter_links: bool | None,
    spoken: Language | None,
) -> acts.About:
    """Whose address is another now, by name, and what of the letter."""
    about = {f"mail.{one.name}": (one.address, given[one.id]) for one in before if one.id in given}
    if letters is not None:
        about["letter_to"] = (", ".join(settings.get(mailbox.LETTER_TO) or ()), ", ".join(letters))
    if letter_links is not None:
        were = settings.get(mailbox.LETTER_LINKS) is True
        about["letter_links"] = ("yes" if were else "no", "yes" if letter_links else "no")
    if spoken is not None:
        about["language"] = (language(settings.get(mailbox.LANGUAGE)), spoken)
    return acts.moved(about)


def page(site: Site, _request: Request, one: Known) -> Response:
    """Who is told, with a field for each address."""
    return _shown(site, one, of(site, one.person))


def save(site: Site, request: Request, one: Known) -> Response:
    """Keep the addresses; what is no address is said, with everything as it was written."""
    given = doors.form(site, request, one, "administer", "letter_to", "letter_links", "language", "of.")
    chosen = given.get("language", [None])[-1]
    spoken = next((one for one in LANGUAGES if one == chosen), None)
    if chosen is not None and spoken is None:
        raise Senseless("a language that nobody speaks here")
    letter_to = "".join(given["letter_to"]).replace(",", "\n").splitlines() if "letter_to" in given else None
    written = {name.removeprefix("of."): values[-1] for name, values in given.items() if name.startswith("of.")}
    # a box that is not ticked is not sent; the form that has it has the addresses too
    letter_links = "letter_links" in given if letter_to is not None else None
    wrong = change(site, one.person, letter_to, written, letter_links, spoken)
    if not wrong:
        return doors.to(site, "/set-up/mail")
    known = of(site, one.person)
    shown = [
        Told(id=one.id, name=one.name, role=one.role, address=written.get(one.id, one.address)) for one in known.people
    ]
    return _shown(site, one, known, shown=shown, letter_to=letter_to, letter_links=letter_links, wrong=wrong)


def _shown(
    site: Site,
    one: Known,
    known: Mail,
    *,
    shown: Sequence[Told] | None = None,
    letter_to: Sequence[str] | None = None,
    letter_links: bool | None = None,
    wrong: tuple[str, ...] = (),
) -> Response:
    return screen.page(
        site,
        "mail.html",
        one,
        400 if wrong else 200,
        mail=known,
        people=known.people if shown is None else shown,
        letter_to="\n".join(known.letter_to if letter_to is None else letter_to),
        letter_links=known.letter_links if letter_links is None else letter_links,
        wrong=wrong,
    )


PAGES: Final = {("GET", "/set-up/mail"): page, ("POST", "/set-up/mail"): save}
