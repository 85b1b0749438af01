"""What the page of set-up says, and how an agreement stands: what tests of it ask for."""

import re

import sqlalchemy as sa

from reconciler import agreements
from reconciler.agreement import Agreement
from tests.builders.sync import TENANT, Wire
from tests.integration.web.browsing import Pages

NO = "Nordhavn Tømrer ApS"


def text(pages: Pages, path: str = "/set-up", language: str = "da") -> str:
    found = pages.arrive(tenant=TENANT, sub="m", name="Mette Krogh", role="admin").get(f"{path}?lang={language}")
    assert found.status_code == 200
    return found.text


def line(shown: str, name: str) -> str:
    """What the page says of one check, without its marks."""
    found = re.search(rf"<li><strong>{name}</strong>: (.*?)</li>", shown, re.DOTALL)
    assert found is not None, name
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", found.group(1))).strip()


def known(engine: sa.Engine) -> Agreement:
    with engine.connect() as connection:
        return agreements.of_tenant(connection, TENANT)[0]


def on(wire: Wire) -> None:
    """As after switching on, with nothing to link."""
    with wire.engine.begin() as connection:
        connection.execute(sa.text("update sync.agreement set state = 'on', since = now(), read_at = now()"))
    wire.said()
