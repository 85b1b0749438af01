"""What waits for a person? The list of open questions, the oldest first, each leading to where it is answered."""

from collections.abc import Mapping
from typing import Final

from fastapi import Request, Response

from reconciler import views
from reconciler.contract import TaskKind
from reconciler.views import Question
from reconciler.web import screen
from reconciler.web.doors import Known
from reconciler.web.says import LABELS, label
from reconciler.web.site import Site
from reconciler.web.words import Words

A_PAGE: Final = 50
_SAYS: Final[Mapping[TaskKind, str]] = {
    "deleted_there": "Deleted in e-conomic",
    "deleted_here": "The customer was deleted in Clickmate. It is untouched in e-conomic.",
    "merged": "Two customers were merged in Clickmate. Which customer in e-conomic should it stay linked to?",
    "bouncing": "The two systems keep changing the same detail. Choose what should apply.",
    "missing": "The country is missing. We do not know which VAT zone the customer should have.",
    "unclear": "We do not know whether the edit reached e-conomic. Look there, and choose.",
    "silent": "The nightly check found a difference we had not seen. The fault is ours.",
}


def tasks(site: Site, request: Request, one: Known) -> Response:
    """The open questions of the tenant, fifty a page."""
    page = request.query_params.get("page", "1")
    number = int(page) if page.isascii() and page.isdecimal() and 0 < len(page) < 6 else 1
    number = max(1, number)
    with site.engine.connect() as connection:
        found, total = views.questions(connection, one.person.tenant, limit=A_PAGE, skip=A_PAGE * (number - 1))
    return screen.page(
        site,
        "tasks.html",
        one,
        questions=[(each, said(one.words, each)) for each in found],
        total=total,
        page=number,
        pages=max(1, -(-total // A_PAGE)),
    )


def said(words: Words, one: Question) -> str:
    """What a question is about, in one line."""
    if one.kind in _SAYS:
        return words(_SAYS[one.kind])
    details = [label(words, name) for name in one.details if name.removeprefix("contact.") in LABELS]
    return ", ".join(dict.fromkeys(details)) or words("Choose the right details")


PAGES: Final = {("GET", "/"): tasks}
