"""In which of the six lists does a customer stand, and why is one left out? From its link and the planner's word for it, pure.

The integration being off, or its access lost, moves nobody to another list: there it counts how the customer would stand.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final, Literal

from crm_outbox.contract import Stage
from reconciler.contract import State
from reconciler.link import Link, LinkState, Status, flows
from reconciler.rules import Rules
from reconciler.status import status

Category = Literal["same", "different", "waiting", "choice", "error", "left_out"]
LeftOut = Literal["", "lead", "inactive", "does_not_flow", "only_crm", "only_economic", "not_transferred", "off"]

_OF: Final[Mapping[State, Category]] = {
    "same": "same", "different": "different", "creating": "waiting", "sending": "waiting", "paused": "waiting",
    "choice": "choice", "deleted": "choice", "perhaps": "choice", "error": "error", "not_there": "left_out",
    "not_there_yet": "left_out",
}  # fmt: skip
_HIDDEN: Final[frozenset[State]] = frozenset({"not_set_up", "off", "access_lost"})
"""What is said of everybody at once, and hides how each one stands."""


def category(link: Link, told: Status, rules: Rules, now: datetime) -> tuple[Category | Literal[""], LeftOut]:
    """The list of that customer, whose status by these rules is ``told``, and why it is left out.

    Nothing where there is no such customer any more: deleted or merged in the CRM, and linked with none.
    """
    if _is_gone(link):
        return "", ""
    if link.stage is Stage.LEAD:
        return "left_out", "lead"
    if link.state is LinkState.LINKED and not flows(link, rules):
        return "left_out", "inactive" if link.flows else "does_not_flow"
    if told.state in _HIDDEN:
        told = status(link, replace(rules, agreement="on"), now)
    found = _OF[told.state]
    if found != "left_out":
        return found, ""
    return found, "only_crm" if link.crm_id else "only_economic"


def _is_gone(link: Link) -> bool:
    if link.number is not None:
        return False
    crm = link.customer.crm
    return not link.crm_id or link.merged_into is not None or (crm is not None and crm.gone)
