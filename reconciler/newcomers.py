"""What does a new customer get in e-conomic, and what becomes of one that is inactive? An admin chooses from what is offered.

Chosen anew, every customer is looked at again, as a pass: who waited for it is created, and nobody who exists is changed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection

from economic_adapter.contract import Choice, Defaults, Reference
from reconciler import agreements, questions, store
from reconciler.agreement import Agreement, Inactive
from reconciler.prefill import unoffered
from reconciler.rules import Area

__all__ = ["Choice", "Defaults", "NotOffered", "Reference", "Wanted", "give", "waiting"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is chosen: of each area that is named its defaults, none to have creations there wait; and of the inactive."""

    defaults: Mapping[Area, Defaults | None] = field(default_factory=dict)
    inactive: Inactive | None = None


class NotOffered(Exception):
    """The agreement does not offer what was chosen for that area, or nothing is known of what it offers."""

    def __init__(self, area: Area, names: tuple[str, ...]) -> None:
        super().__init__(f"{area}: {', '.join(names)}")
        self.area = area
        self.names = names


def waiting(connection: Connection, known: Agreement) -> int:
    """How many customers are not created because nothing is chosen for where they are."""
    return questions.lacking(connection, known.tenant, known.agreement, "defaults")


def give(connection: Connection, known: Agreement, wanted: Wanted) -> bool:
    """Store it for a locked agreement; whether anything is another now. ``NotOffered``, and nothing is changed."""
    offered = agreements.reference(connection, known.tenant, known.agreement)
    after = dict(known.defaults)
    for area, chosen in wanted.defaults.items():
        if chosen is None:
            after.pop(area, None)
            continue
        # what stands already may stay, also where the agreement offers it no longer
        if chosen != known.defaults.get(area) and (wrong := _wrong(offered, chosen)):
            raise NotOffered(area, wrong)
        after[area] = chosen
    inactive = wanted.inactive or known.inactive
    if (after, inactive) == (dict(known.defaults), known.inactive):
        return False
    store.look_again(connection, known.tenant, known.agreement)
    agreements.give_defaults(connection, known.tenant, known.agreement, after)
    agreements.give_inactive(connection, known.tenant, known.agreement, inactive)
    return True


def _wrong(offered: Reference | None, chosen: Defaults) -> tuple[str, ...]:
    return ("group", "zone", "terms", "currency") if offered is None else unoffered(offered, chosen)
