"""Which customer of the demo stands in a given state just now? ``/?demo_state=same`` leads to one."""

from collections.abc import Mapping
from typing import Final

import sqlalchemy as sa

NOBODY: Final = "nobody"
"""A tenant that never connected anything: of its customers nothing is set up."""
HOW: Final[Mapping[str, tuple[str, str]]] = {
    "not_set_up": (
        "Åbn en kunde hos en, der aldrig har forbundet noget.",
        "Open a customer of somebody who never connected anything.",
    ),
    "off": ("Slå integrationen fra under Opsætning.", "Turn the integration off on Set-up."),
    "access_lost": (
        "Træk adgangen tilbage i sandkassen, og vent et øjeblik.",
        "Withdraw the access in the sandbox, and wait a moment.",
    ),
    "paused": ("Sæt en retning på pause under Opsætning.", "Pause a direction on Set-up."),
    "error": (
        "Ret en kundes e-mail til noget, e-conomic ikke godtager.",
        "Change a customer's e-mail to something that e-conomic does not accept.",
    ),
    "choice": (
        "Ret det samme navn forskelligt i begge systemer.",
        "Change the same name differently in both systems.",
    ),
    "deleted": (
        "Slet en kunde i sandkassen, og vent på to kontroller.",
        "Delete a customer in the sandbox, and wait for two checks.",
    ),
    "perhaps": (
        "Opret en kunde med samme navn og postnr. som en i sandkassen.",
        "Create a customer with the name and postcode of one in the sandbox.",
    ),
    "creating": ("Tag e-conomic ned, og opret en kunde.", "Take e-conomic away, and create a customer."),
    "sending": ("Tag e-conomic ned, og ret en kunde.", "Take e-conomic away, and change a customer."),
    "different": (
        'Slå "Kunden flyder automatisk" fra for en kunde, og ret den.',
        'Turn "Flows automatically" off for a customer, and change it.',
    ),
    "not_there_yet": ("Opret et emne.", "Create a lead."),
    "not_there": (
        "Opret en kunde, der ikke overføres.",
        "Create a customer that is not transferred.",
    ),
    "same": ("Opret en kunde, og vent et øjeblik.", "Create a customer, and wait a moment."),
}
"""Every state, and how a visitor makes a customer stand so where none does: in Danish and in English."""


def found(engine: sa.Engine, tenant: str, state: str) -> str | None:
    """A customer of the CRM that stands so; none where none does."""
    with engine.connect() as connection:
        customer: str | None = connection.execute(_FOUND, {"tenant": tenant, "state": _stored(state)}).scalar()
    return customer


def counted(engine: sa.Engine, tenant: str) -> Mapping[str, int]:
    """How many customers of the CRM stand in each state just now."""
    with engine.connect() as connection:
        known = {row.status: row.n for row in connection.execute(_COUNTED, {"tenant": tenant})}
    return {state: known.get(_stored(state), 0) for state in HOW}


def _stored(state: str) -> str:
    return "same" if state == "not_set_up" else state


_COUNTED: Final = sa.text("""
    select status, count(*) as n from sync.link where tenant = :tenant and crm_id is not null group by status
""")
_FOUND: Final = sa.text("""
    select crm_id from sync.link where tenant = :tenant and status = :state and crm_id is not null order by crm_id limit 1
""")
