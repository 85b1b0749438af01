"""Who is told by mail, for a service: as the page shows and sets it."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import Field

from reconciler.person import Language, Person, Role
from reconciler.web import mailing
from reconciler.web.api.problems import Problem, Said
from reconciler.web.api.strict import TEXT, Flag, needs
from reconciler.web.doors import Senseless
from reconciler.web.site import Site

Address = Annotated[str, Field(max_length=254, pattern=TEXT, examples=["birthe@firma.example"])]


class Reader(Said):
    """Somebody who can act, and where they are written to; empty: not at all."""

    id: str
    name: str
    role: Role
    address: str


class Mail(Said):
    """Who is told by mail, and whether mail arrives. ``letter_links``: the letter's links open without a sign-in, once each.

    ``language``: of the letter, and for whoever has chosen none.
    """

    mail_server: bool
    nobody_is_told: bool
    people: tuple[Reader, ...]
    letter_to: tuple[str, ...]
    letter_links: bool
    language: Language
    failed_at: datetime | None
    failure: str
    failed_address: str
    given_up: bool = Field(description="Whether that mail is not tried again: the address must be corrected.")


class ChangedMail(Said):
    """Addresses to set, by the id of the person; what is not named stays as it is."""

    addresses: dict[Annotated[str, Field(max_length=200)], Address] = Field(default={}, max_length=200)
    letter_to: tuple[Address, ...] | None = Field(default=None, max_length=mailing.MOST)
    letter_links: Flag | None = Field(
        default=None, description="Whether the letter's links open without a sign-in; off, those that were sent end."
    )
    language: Language | None = Field(default=None, description="Of the letter, and for whoever has chosen none.")


def routes(made: APIRouter, site: Site, asking: Callable[[Request], Person]) -> None:
    """Seeing and setting who is told."""
    Asking = Annotated[Person, Depends(asking)]  # noqa: N806 - an alias is a type
    refused: dict[int | str, dict[str, Any]] = {
        403: {"model": Problem, "description": "Only an administrator's key may"}
    }

    @made.get("/set-up/mail", tags=["set-up"], responses=refused, openapi_extra=needs("administer"))
    def mail(person: Asking) -> Mail:
        """Who is told of what waits, and whether mail arrives."""
        return _said(mailing.of(site, person))

    @made.patch(
        "/set-up/mail",
        tags=["set-up"],
        openapi_extra=needs("administer"),
        responses={
            **refused,
            400: {"model": Problem, "description": "No such person, or no address; nothing was changed"},
        },
    )
    def change_mail(person: Asking, changed: ChangedMail) -> Mail:
        """Set addresses of people, and those of the weekly letter."""
        wrong = mailing.change(
            site, person, changed.letter_to, changed.addresses, changed.letter_links, changed.language
        )
        if wrong:
            raise Senseless("no address that can be written to: {v}", v=", ".join(wrong))
        return _said(mailing.of(site, person))


def _said(known: mailing.Mail) -> Mail:
    return Mail(
        mail_server=known.server,
        nobody_is_told=known.nobody,
        people=tuple(Reader(id=one.id, name=one.name, role=one.role, address=one.address) for one in known.people),
        letter_to=known.letter_to,
        letter_links=known.letter_links,
        language=known.language,
        failed_at=known.post.failed,
        failure=known.post.failure,
        failed_address=known.post.address,
        given_up=known.post.given_up,
    )
