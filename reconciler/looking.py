"""What is there to ask e-conomic about a customer that a person opens? Its number, or one search; often nothing. Pure."""

from dataclasses import dataclass

from crm_outbox.contract import Stage
from economic_adapter.contract import Search
from reconciler import fields
from reconciler.link import Link, LinkState


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A customer number to look at, or else by what to search."""

    number: int = 0
    search: Search | None = None


def target(link: Link, agreement: str) -> Target | None:
    """What a look at this customer asks, under an agreement in that state; none where there is nothing to ask.

    A lead costs no call: whether it may be there already is known from what is recorded.
    """
    if agreement != "on" or not link.crm_id:
        return None
    if link.number is not None and link.state in {LinkState.LINKED, LinkState.RESTING}:
        return Target(number=link.number)
    here = link.customer.crm
    if link.state is not LinkState.UNLINKED or link.stage is not Stage.ACTIVE or here is None or here.gone:
        return None
    search = Search(
        customer=link.crm_id, cvr=fields.text(here.values, "cvr"), ean=fields.text(here.values, "ean")
    )  # fmt: skip
    return Target(search=search) if search.cvr or search.ean else None
