"""Is the page on how everything fares flawless, where all goes well and where it does not?"""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

from economic_adapter.contract import Figures, Reach
from reconciler import alive, comparisons, health
from tests.browser.gallery import contested, linked
from tests.browser.screens import Screens
from tests.builders.meeting import Both
from tests.builders.sync import AGREEMENT, TENANT, agreement_seen
from tests.integration.web.browsing import Pages

ADMIN: dict[str, Any] = {"role": "admin", "sub": "m", "name": "Mette Krogh"}


def test_how_everything_fares(screens: Screens, both: Both, pages: Pages) -> None:
    linked(both, 7, "Aalborg Byg A/S")
    carried_over(both)
    fares(both)
    pages.time = both.time
    screens.look("health-well", "/health", also=True, **ADMIN)
    contested(both)
    both.later(minutes=7)
    fares(both, late=True)
    pages.time = both.time
    screens.look("health-trouble", "/health", also=True, **ADMIN)
    screens.look("health-reader", "/health", role="reader", sub="l", name="Lars Bak")


def carried_over(both: Both) -> None:
    """Edits took a second and a half towards e-conomic."""
    with both.engine.begin() as connection:
        connection.execute(
            sa.text("""
                insert into sync.operation (id, link, pair, system, action, body, sent, due, caused, result, settled)
                select gen_random_uuid(), l.id, l.id, 'economic', 'change', '{}', :now, :now,
                       cast(:now as timestamptz) - make_interval(secs => n), 'written', :now
                from sync.link l, generate_series(1, 2) n
            """),
            {"now": both.time},
        )


def fares(both: Both, *, late: bool = False) -> None:
    """Everything goes well, or nearly nothing does."""
    now = both.time
    silent = [{"customer": "kunde-7", "number": 7, "details": ["phone"]}] if late else []
    with both.engine.begin() as connection:
        comparisons.insert(connection, TENANT, AGREEMENT, uuid4(), {"same": 319, "silent": len(silent)}, silent, now)
        connection.execute(
            sa.text("""
                insert into sync.run (id, tenant, agreement, kind, state, started, ended, found, found_crm)
                values (gen_random_uuid(), :tenant, :agreement, 'sweep', 'done', :now, :now, 2, 0)
            """),
            {"tenant": TENANT, "agreement": AGREEMENT, "now": now},
        )
    if not late:
        alive.write(both.engine, health.DUTIES, "host/1", lambda: now)
    figures = Figures(
        at=now - timedelta(minutes=5 * late), calls=45_000 if late else 412, most=45_000, missed=2 * late,
        connected=now - timedelta(days=30), hooked=now - timedelta(minutes=2), checked=now - timedelta(minutes=30 * late),
        late_since=now - timedelta(minutes=6) if late else None,
    )  # fmt: skip
    reach = Reach(at=now, down_since=now - timedelta(minutes=6) if late else None)
    webhooks = "refused" if late else "registered"
    both.hear(agreement_seen(now, reference=None, webhooks=webhooks, figures=figures, reach=reach))
    if late:
        both.later(minutes=2)
