"""The pages that a victim serves: built in the process that forks it, because building them takes longer than a victim lives."""

from datetime import UTC, datetime, timedelta
from typing import Final

import sqlalchemy as sa
from starlette.types import ASGIApp

from reconciler.web.app import app
from reconciler.web.site import Site
from tests.integration.web.browsing import CRM, KEYS

RESEND: Final = timedelta(minutes=2)
_SITE: Final = Site(
    engine=sa.create_engine("postgresql+psycopg://"),
    now=lambda: datetime.now(UTC),
    keys=KEYS,
    public_url="http://nowhere.invalid",
    crm_origin=CRM,
    crm_launch=f"{CRM}/economic/launch",
    resend=RESEND,
)
_PAGES: Final = app(_SITE)


def served(engine: sa.Engine, now: datetime, public_url: str) -> ASGIApp:
    """The pages on that database, at that moment; once in a process."""
    for name, value in {"engine": engine, "now": lambda: now, "public_url": public_url}.items():
        object.__setattr__(
            _SITE, name, value
        )  # what the pages were built with is frozen, and this process alone has it
    return _PAGES
