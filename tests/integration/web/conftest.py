"""The pages on a real socket and a real database, and a browser that is only what the test makes it."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from crm_outbox.contract import Customer
from reconciler.rules import Transfer
from tests.builders.meeting import Both
from tests.builders.sync import Wire
from tests.integration.web.acting import Door, Opens
from tests.integration.web.browsing import Pages
from tests.integration.web.companies import Admin, company
from tests.integration.web.looking import Watching
from tests.integration.web.serving import served


@pytest.fixture
def pages(engine: sa.Engine) -> Iterator[Pages]:
    """The pages as most tests want them."""
    with served(engine) as made:
        yield made


@pytest.fixture
def wire(pages: Pages) -> Wire:
    """The reconciler behind the pages, with nothing connected."""
    return Wire(engine=pages.engine, time=pages.time)


@pytest.fixture
def both(pages: Pages) -> Both:
    """The reconciler behind the pages, switched on."""
    made = Both(engine=pages.engine, time=pages.time)
    made.switch_on(Transfer.CREATED)
    return made


@pytest.fixture
def watching(pages: Pages) -> Watching:
    """Somebody who opens customers while e-conomic answers, or does not."""
    return Watching(pages, Both(engine=pages.engine, time=pages.time))


@pytest.fixture
def customer(watching: Watching) -> Customer:
    """The linked customer that they look at."""
    return watching.linked(7, cvr="12345678")


@pytest.fixture
def admin(pages: Pages) -> Admin:
    """An admin of a company that was kept by hand, connected and not switched on."""
    return Admin(pages, company(pages))


@pytest.fixture(params=["widget", "page"])
def door(request: pytest.FixtureRequest, pages: Pages) -> Opens:
    """Each way to a customer's buttons."""
    framed = request.param == "widget"

    def opens(customer: Customer, **given: str) -> Door:
        return Door(pages, customer.id, framed=framed, **given)

    return opens
