"""Which defaults do new customers get until an admin chooses? Read off what the agreement offers."""

from collections.abc import Sequence

from economic_adapter.contract import Choice, Defaults, Reference
from reconciler.rules import Area

_ZONES = {
    Area.DENMARK: (1, ("domestic", "indland", "indenlandsk", "danmark", "denmark")),
    Area.EU: (2, ("eu",)),
    Area.ABROAD: (3, ("abroad", "udland", "udenlandsk")),
}
"""e-conomic's own number of each VAT zone, and the names it goes by."""


def prefill(reference: Reference) -> dict[Area, Defaults]:
    """Defaults by area: the agreement's own group, terms and currency, and the zone that fits the area.

    An area for which the agreement offers no zone, and all of them when it offers no group or terms, stay without.
    """
    group = _one(reference.groups, reference.default_group)
    terms = _one(reference.terms, reference.default_terms)
    if group is None or terms is None:
        return {}
    currency = reference.base_currency or "DKK"
    found = {}
    for area in Area:
        zone = _zone(reference.zones, area)
        if zone is not None:
            found[area] = Defaults(group=group, terms=terms, zone=zone, currency=currency)
    return found


def _one(choices: Sequence[Choice], preferred: int | None) -> int | None:
    numbers = [choice.number for choice in choices]
    return preferred if preferred in numbers else min(numbers, default=None)


def _zone(zones: Sequence[Choice], area: Area) -> int | None:
    number, names = _ZONES[area]
    for zone in zones:
        if zone.name.strip().casefold() in names:
            return zone.number
    return number if any(zone.number == number for zone in zones) else None


def unoffered(reference: Reference, wanted: Defaults) -> tuple[str, ...]:
    """Which of these the agreement does not offer: ``group``, ``zone``, ``terms``, ``currency``."""
    offered = {
        "group": any(one.number == wanted.group for one in reference.groups),
        "zone": any(one.number == wanted.zone for one in reference.zones),
        "terms": any(one.number == wanted.terms for one in reference.terms),
        "currency": wanted.currency in currencies(reference),
    }
    return tuple(name for name, is_offered in offered.items() if not is_offered)


def currencies(reference: Reference) -> tuple[str, ...]:
    """The currencies to choose from, the agreement's own first."""
    return tuple(dict.fromkeys(one for one in (reference.base_currency, *reference.currencies) if one))
