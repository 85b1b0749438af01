"""A question's page: its forms and buttons, and what was decided by them."""

import re
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from reconciler import questions
from tests.builders.meeting import Both
from tests.builders.sync import TENANT
from tests.integration.web.browsing import Browser, Pages


def arrive(pages: Pages, both: Both, **given: Any) -> Browser:
    pages.time = both.time
    return pages.arrive(tenant=TENANT, **given)


def only(pages: Pages, kind: str) -> UUID:
    """The one open question."""
    with pages.engine.connect() as connection:
        (found,) = questions.listed(connection, TENANT)
    assert found.kind == kind
    return found.id


def forms(browser: Browser, task: UUID, button: str = "") -> list[dict[str, str]]:
    """The fields of each form of a question's page; only of those whose button says so."""
    return [fields for said, fields in pressable(browser, task) if button in {"", said}]


def pressable(browser: Browser, task: UUID) -> list[tuple[str, dict[str, str]]]:
    """The forms of a question's page: the words on the button of each, and its fields."""
    text = browser.get(f"/tasks/{task}").text
    found = []
    for form in re.findall(r'<form method="post" action="[^"]*/tasks/[^"]*">(.*?)</form>', text, re.DOTALL):
        fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form))
        said = re.sub(r"<[^>]+>", "", re.findall(r"<button[^>]*>(.*?)</button>", form, re.DOTALL)[0]).strip()
        found.append((said, fields))
    return found


def press(browser: Browser, task: UUID, button: str, **more: str) -> str:
    """Press a button of a question's page; what the page says then."""
    (found,) = forms(browser, task, button)
    answer = browser.post(f"/tasks/{task}", {**found, **more})
    assert answer.status_code == 303, answer.text
    return browser.get(answer.headers["location"]).text


def buttons(browser: Browser, task: UUID) -> list[str]:
    return [said for said, _ in pressable(browser, task)]


def decided(pages: Pages) -> list[tuple[str, str, str]]:
    """Who decided what, and how it stands."""
    with pages.engine.connect() as connection:
        rows = connection.execute(sa.text("select who, means, state from sync.decision order by at, id"))
        return [(row.who, row.means, row.state) for row in rows]
