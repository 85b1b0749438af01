"""Which rule would always do what a person can choose for one detail? Pure; it is proposed, and nothing is changed by it.

Where both sides changed it, it is who decides; what that cannot settle is settled by where the detail may be changed.
"""

from collections.abc import Mapping
from typing import Final, Literal

from reconciler import fields
from reconciler.beside import Row
from reconciler.link import Kind
from reconciler.rules import Decides, Direction, Rules, System
from reconciler.ruleset import Part

Take = Literal["crm", "economic", "different"]

_BY_DECIDER: Final = frozenset({"both", "kept", "unknown", ""})
"""Why a detail is asked about that who decides may settle; of one that only a comparison found, nothing is said."""
_ONLY: Final[Mapping[System, Direction]] = {
    System.CRM: Direction.ONLY_CRM,
    System.ECONOMIC: Direction.ONLY_ECONOMIC,
}


def name_of(row: Row) -> str:
    """The detail by the name that its rule has."""
    gets = row.gets_invoices and row.kind == "contact" and row.fields == fields.INVOICE_EMAIL.fields
    return _named(row.kind, fields.INVOICE_EMAIL.name if gets else row.detail)


def proposed(row: Row, rules: Rules) -> Mapping[Take, Part]:
    """What is proposed for each choice between the values of a row that is asked about; nothing for one no rule can make."""
    if row.stands != "contested":
        return {}
    group = next(one for one in fields.GROUPS[row.kind] if one.name == row.detail)
    rule = fields.rule(row.kind, group, rules, gets_invoices=row.gets_invoices)
    parts: dict[Take, Part] = {"different": Part(direction=Direction.NONE)}
    for system in System:
        take: Take = "crm" if system is System.CRM else "economic"
        value = row.crm if system is System.CRM else row.economic
        if row.reason == "empty":
            if not value.strip() and not rule.may_be_empty:
                parts[take] = Part(may_be_empty=True)
        elif row.reason in _BY_DECIDER and rule.direction is Direction.BOTH and rule.decides != Decides(system):
            parts[take] = Part(decides=Decides(system))
        elif rule.direction is not _ONLY[system]:
            parts[take] = Part(direction=_ONLY[system])
    return parts


def _named(kind: Kind, group: str) -> str:
    return group if kind == "customer" else f"contact.{group}"
