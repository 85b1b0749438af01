"""A customer whose name and phone were changed on both sides, and whom a person is to settle."""

from dataclasses import replace

from reconciler.rules import Decides, Rule, System
from tests.builders.deciding import Deciding, deciding
from tests.builders.reconciler import ruled

ASK = ruled(name=Rule(decides=Decides.ASK, may_be_empty=False), phone=Rule(decides=Decides.ASK))


def contested(**more: str) -> Deciding:
    """Name and phone were changed on both sides, and a person is to choose."""
    case = deciding(ASK)
    case.rules = replace(ASK, paused=frozenset(System))
    case.crm(name="Nordhavn A", phone="11111111", **more)
    case.economic(name="Nordhavn B", phone="22222222")
    case.rules = ASK
    case.hear_again()
    assert case.stands().state == "choice"
    return case
