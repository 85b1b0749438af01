"""What do new customers get, and what becomes of inactive ones and of persons who are removed? An admin chooses.

Chosen anew, every customer is looked at again, as a pass: who waited for it is created, and nobody who exists is changed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import Connection

from economic_adapter.contract import Choice, Defaults, Reference
from reconciler import acts, agreements, questions, store
from reconciler.agreement import Agreement, Inactive, Removed
from reconciler.person import Person
from reconciler.prefill import unoffered
from reconciler.rules import Area

__all__ = ["Choice", "Defaults", "NotOffered", "Reference", "Wanted", "give", "waiting"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is chosen: of each area that is named its defaults, none to have creations there wait; of the inactive and removed."""

    defaults: Mapping[Area, Defaults | None] = field(default_factory=dict)
    inactive: Inactive | None = None
    gone_there: Removed | None = None
    gone_here: Removed | None = None


class NotOffered(Exception):
    """The agreement does not offer what was chosen for that area, or nothing is known of what it offers."""

    def __init__(self, area: Area, names: tuple[str, ...]) -> None:
        super().__init__(f"{area}: {', '.join(names)}")
        self.area = area
        self.names = names


def waiting(connection: Connection, known: Agreement) -> int:
    """How many customers are not created because nothing is chosen for where they are."""
    return questions.lacking(connection, known.tenant, known.agreement, "defaults")


def give(connection: Connection, known: Agreement, wanted: Wanted, now: datetime, by: Person) -> bool:
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
    then = replace(
        known,
        defaults=after,
        inactive=wanted.inactive or known.inactive,
        gone_there=wanted.gone_there or known.gone_there,
        gone_here=wanted.gone_here or known.gone_here,
    )
    if then == known:
        return False
    # marking the links also has whoever waits for one of them read the agreement anew
    store.look_again(connection, known.tenant, known.agreement)
    agreements.give_defaults(connection, known.tenant, known.agreement, after)
    given = {"inactive": then.inactive, "gone_there": then.gone_there, "gone_here": then.gone_here}
    agreements.choose(connection, known.tenant, known.agreement, **given)
    before, after_ = _chosen(known), _chosen(then)
    about = acts.moved({name: (before.get(name, ""), after_.get(name, "")) for name in {**before, **after_}})
    acts.add(connection, by, "new_customers", now, known.agreement, about)
    return True


def _chosen(known: Agreement) -> dict[str, str]:
    """What is chosen, as acts name it: each part of each area's defaults by its number in e-conomic, and the rest."""
    parts = {
        f"{part}.{area}": str(value)
        for area, given in known.defaults.items()
        for part, value in given.model_dump().items()
    }
    return {**parts, "inactive": known.inactive, "gone_there": known.gone_there, "gone_here": known.gone_here}


def _wrong(offered: Reference | None, chosen: Defaults) -> tuple[str, ...]:
    return ("group", "zone", "terms", "currency") if offered is None else unoffered(offered, chosen)
