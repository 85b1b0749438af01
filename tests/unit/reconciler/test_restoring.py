"""What of a run's writes is put back, and what does the run still write meanwhile?"""

from dataclasses import replace
from uuid import uuid4

import pytest

from reconciler.link import Choice, Link, LinkState, Side, new_link
from reconciler.rehearsal import Write
from reconciler.restoring import DONE, EDITED, still, wishes_of
from reconciler.rules import System

RUN, PERSON = uuid4(), uuid4()


def a_link() -> Link:
    link = new_link("t", 1, "one", uuid4())
    chosen = {
        "phone": Choice(decision=RUN, crm={"phone": "2"}, seen_crm={"phone": "1"}, seen_economic={"phone": "2"}),
        "email": Choice(decision=PERSON, crm={"email": "b"}, seen_crm={"email": "a"}, seen_economic={"email": "b"}),
    }
    here = Side(id="one", values={"phone": "11111111"}, version="1")
    there = Side(id="7", values={"phone": "22222222"}, version="a")
    customer = replace(link.customer, chosen=chosen, crm=here, economic=there)
    return replace(link, state=LinkState.LINKED, number=7, flows=True, customer=customer)


def test_what_the_run_chose_and_has_not_written_is_not_written_any_more() -> None:
    link = still(RUN, flows=False)(a_link())
    assert set(link.customer.chosen) == {"email"}
    assert not link.flows


def test_a_customer_that_stays_linked_goes_on_flowing() -> None:
    link = still(RUN, flows=True)(a_link())
    assert set(link.customer.chosen) == {"email"}
    assert link.flows


@pytest.mark.parametrize(
    ("before", "after", "reason", "wishes"),
    [
        ("", "11111111", DONE, 1),
        ("11111111", "22222222", DONE, 0),  # not written yet, or put back by hand
        ("", "33333333", EDITED, 0),
    ],
)
def test_only_what_still_holds_what_the_run_wrote_is_put_back(
    before: str, after: str, reason: str, wishes: int
) -> None:
    write = Write(system=System.CRM, record="customer", id="one", field="phone", before=before, after=after)
    found, why = wishes_of(a_link(), (write,))
    assert (why, len(found)) == (reason, wishes)
