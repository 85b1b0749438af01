"""Which customer of the demo stands in a given state just now? ``/?demo_state=same`` leads to one."""

from typing import Final

import sqlalchemy as sa

NOBODY: Final = "nobody"
"""A tenant that never connected anything: of its customers nothing is set up."""
HOW: Final = {
    "off": "Slå integrationen fra under Opsætning.",
    "access_lost": "Træk adgangen tilbage i sandkassen, og vent et øjeblik.",
    "paused": "Sæt en retning på pause under Opsætning.",
    "error": "Ret en kundes e-mail til noget, e-conomic ikke godtager.",
    "choice": "Ret det samme navn forskelligt i begge systemer.",
    "deleted": "Slet en kunde i sandkassen, og vent på to kontroller.",
    "perhaps": "Opret en kunde med samme navn og postnr. som en i sandkassen.",
    "creating": "Tag e-conomic ned, og opret en kunde.",
    "sending": "Tag e-conomic ned, og ret en kunde.",
    "different": 'Slå "Kunden flyder automatisk" fra for en kunde, og ret den.',
    "not_there_yet": "Opret et emne.",
    "not_there": "Opret en kunde, der ikke overføres.",
}
"""How a visitor makes a customer stand so, where none does."""


def found(engine: sa.Engine, tenant: str, state: str) -> str | None:
    """A customer of the CRM that stands so; none where none does."""
    wanted = "same" if state == "not_set_up" else state
    with engine.connect() as connection:
        customer: str | None = connection.execute(_FOUND, {"tenant": tenant, "state": wanted}).scalar()
    return customer


_FOUND: Final = sa.text("""
    select crm_id from sync.link where tenant = :tenant and status = :state and crm_id is not null order by crm_id limit 1
""")
