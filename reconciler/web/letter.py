"""What does the reader of a letter see behind one of its links? One change, and a button that undoes it: without a sign-in, once.

What opens the link stands in its address and nowhere else; looking at it, however often, does not use it.
"""

from typing import Final

import sqlalchemy as sa
from fastapi import Request, Response

from reconciler import decided, letter_links, mailbox, ordering, people, reversing, worklists
from reconciler.decided import Saved
from reconciler.decisions import NotDecided
from reconciler.letter_links import Opened
from reconciler.person import Person
from reconciler.web import doors, screen
from reconciler.web.says import label
from reconciler.web.site import Site
from reconciler.web.words import Words, language


def show(site: Site, request: Request) -> Response:
    """The change, as long as nobody used the link; then only what came of it."""
    token = request.path_params["token"]
    with site.engine.connect() as connection:
        link = letter_links.find(connection, token, site.now())
        words = _words(site, request, connection, link)
        if link is None:
            return screen.bare(site, "letter.html", words, 404, home=False, link=None, change=None, back=None)
        if link.used is not None:
            back = None if link.decision is None else decided.get(connection, link.decision)
            return screen.bare(site, "letter.html", words, 200, home=False, link=link, change=None, back=back)
        found = worklists.changed_there(connection, link.tenant, link.write)
        if found is None:
            return screen.bare(site, "letter.html", words, 404, home=False, link=None, change=None, back=None)
    change = reversing.of_detail(found, link.detail)
    return screen.bare(
        site, "letter.html", words, 200, home=False, link=link, change=change, back=None, token=token,
        label=lambda name: label(words, name),
    )  # fmt: skip


def undo(site: Site, request: Request) -> Response:
    """Undo the change, and use the link up; pressed again it tells what came of it."""
    doors.pressed(site, request)
    token = request.path_params["token"]

    def do(connection: sa.Connection) -> bool:
        link = letter_links.find(connection, token, site.now())
        if link is None:
            return False
        if letter_links.use(connection, link.id, site.now()):
            saved = _put_back(site, connection, link)
            if saved is not None:
                letter_links.decided(connection, link.id, saved.decision.id)
        return True

    if not ordering.within(site.engine, do):
        return show(site, request)
    site.ring()
    return doors.to(site, f"/letter/{token}")


def _put_back(site: Site, connection: sa.Connection, link: Opened) -> Saved | None:
    reader = Person(tenant=link.tenant, id=f"letter {link.address}", name=link.address, role="user")
    try:
        return reversing.change(site.clocked, connection, reader, link.write, link.detail)
    except NotDecided:
        return None


def _words(site: Site, request: Request, connection: sa.Connection, link: Opened | None) -> Words:
    """The language of the letter, or of whoever reads what is none."""
    spoken = (
        None if link is None else people.settings(connection, link.tenant, (mailbox.LANGUAGE,)).get(mailbox.LANGUAGE)
    )
    asked = request.query_params.get("lang"), spoken
    return Words(language(*asked, accepted=request.headers.get("accept-language", "")), site.now())


PAGES: Final = {("GET", "/letter/{token}"): show, ("POST", "/letter/{token}"): undo}
"""Of whoever holds a letter: there is no session, and no cookie counts."""
