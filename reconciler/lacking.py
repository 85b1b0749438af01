"""What does a creation in e-conomic lack, and which defaults does it get? By country, but for what a person chose for it alone."""

from economic_adapter.contract import Defaults
from reconciler import countries, fields
from reconciler.link import Link
from reconciler.rules import Area, Rules


def missing(link: Link, rules: Rules) -> str:
    """What a creation lacks: ``name``, ``country``, ``defaults``; empty when nothing."""
    values = link.customer.crm.values if link.customer.crm else {}
    if fields.blank(fields.held("customer", "name", fields.text(values, "name"))):
        return "name"
    if defaults(link, rules) is not None:
        return ""
    return "country" if _area(link) is None else "defaults"


def defaults(link: Link, rules: Rules) -> Defaults | None:
    """What a new customer gets in e-conomic: as an admin chose for its country, but for what a person chose for it alone."""
    area, given = _area(link), link.supplied
    known = None if area is None else rules.defaults.get(area)
    if given is None:
        return known
    group = given.group if given.group is not None else known and known.group
    terms = given.terms if given.terms is not None else known and known.terms
    zone = given.zone if given.zone is not None else known and known.zone
    currency = given.currency or (known.currency if known is not None else "")
    if group is None or terms is None or zone is None or not currency:
        return None
    return Defaults(group=group, terms=terms, zone=zone, currency=currency)


def _area(link: Link) -> Area | None:
    values = link.customer.crm.values if link.customer.crm else {}
    area = countries.area(fields.text(values, "country"))
    return area if area is not None or link.supplied is None else link.supplied.area
