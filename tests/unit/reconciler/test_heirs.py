"""Whom does a merged customer's link belong to? R13 without a database: who is heard of, and in which order."""

import pytest

from crm_outbox.messaging.envelope import Version
from reconciler import linking
from reconciler.link import CrmSeen, LinkState, Unlinked
from reconciler.tasks import tasks
from tests.builders.crm import a_customer
from tests.builders.reconciler import linked


def recorded(**merged_into: str | None) -> dict[str, CrmSeen]:
    """Customers by id, and what each was merged into."""
    return {
        one: CrmSeen(version=Version(1, 1), customer=a_customer(id=one, merged_into=into, deleted=into is not None))
        for one, into in merged_into.items()
    }


def test_r13_a_survivor_nobody_heard_of_is_nobody_yet() -> None:
    assert linking.survivor("b", recorded().get) is None
    assert linking.survivor("b", recorded(b=None).get) == "b"


def test_r13_a_survivor_that_was_merged_itself_leads_on_also_when_it_is_marked_deleted() -> None:
    assert linking.survivor("b", recorded(b="c", c="d", d=None).get) == "d"
    assert linking.survivor("b", recorded(b="c").get) is None


@pytest.mark.parametrize("known", [recorded(b="c", c="b"), recorded(b="b")])
def test_r13_customers_merged_into_each_other_lead_nowhere(known: dict[str, CrmSeen]) -> None:
    assert linking.survivor("b", known.get) is None


def test_r13_a_deleted_survivor_gets_nothing() -> None:
    gone = CrmSeen(version=Version(1, 1), customer=a_customer(id="b", deleted=True))
    unsendable = CrmSeen(version=Version(1, 1))
    assert linking.survivor("b", {"b": gone}.get) is None
    assert linking.survivor("b", {"b": unsendable}.get) is None


def test_r13_a_merged_customer_waits_as_a_question_and_asks_nothing_once_its_link_has_moved() -> None:
    case = linked()
    case.facts |= {"merged_into": "c2", "deleted": True}
    case.crm()
    assert [one.kind for one in tasks(case.link, case.rules, case.now)] == ["merged"]
    assert case.hear(Unlinked(by="moved")) == ()
    assert (case.link.state, case.link.number, case.link.apart) == (LinkState.UNLINKED, None, ())
    assert tasks(case.link, case.rules, case.now) == (), "to bar the survivor's customer is not offered"
