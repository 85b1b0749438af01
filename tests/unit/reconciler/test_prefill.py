"""Which defaults do new customers get until an admin chooses?"""

from economic_adapter.contract import Choice, Reference
from reconciler.prefill import prefill
from reconciler.rules import Area

ZONES = (Choice(number=4, name="Indland ekskl. moms"), Choice(number=11, name="Indland"), Choice(number=2, name="EU"))
GROUPS = (Choice(number=5, name="Udenlandske"), Choice(number=3, name="Danske"))
TERMS = (Choice(number=9, name="Netto 8 dage"),)


def test_the_zone_is_found_by_its_name_and_else_by_e_conomics_own_number() -> None:
    found = prefill(Reference(groups=GROUPS, terms=TERMS, zones=(*ZONES, Choice(number=3, name="Øvrige"))))
    assert {area: one.zone for area, one in found.items()} == {Area.DENMARK: 11, Area.EU: 2, Area.ABROAD: 3}


def test_the_agreements_own_choice_goes_before_the_lowest_number() -> None:
    offered = Reference(groups=GROUPS, terms=TERMS, zones=ZONES, default_group=5, base_currency="EUR")
    denmark = prefill(offered)[Area.DENMARK]
    assert (denmark.group, denmark.terms, denmark.currency) == (5, 9, "EUR")
    assert prefill(Reference(groups=GROUPS, terms=TERMS, zones=ZONES, default_group=77))[Area.DENMARK].group == 3


def test_what_the_agreement_does_not_offer_has_no_default() -> None:
    assert Area.ABROAD not in prefill(Reference(groups=GROUPS, terms=TERMS, zones=ZONES))
    assert prefill(Reference(zones=ZONES, terms=TERMS)) == {}
    assert prefill(Reference(zones=ZONES, groups=GROUPS)) == {}
