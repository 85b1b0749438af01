"""A receipt says of each system whether it has what was chosen, and never that something is done which is not."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.decided import Saved
from reconciler.decisions import Decision, Ended, Wish, state
from reconciler.link import new_link
from reconciler.rules import Rules, System
from reconciler.web.receipts import receipt, systems
from reconciler.web.words import Words

NOW = datetime(2026, 11, 24, 13, 5, tzinfo=UTC)
LINK = new_link("t", 1, "48211", UUID(int=1))
WORDS = Words("en", NOW)


def wish(detail: str, crm: str | None, economic: str | None) -> Wish:
    return Wish(
        record=LINK.customer.id,
        detail=detail,
        take="text",
        crm=None if crm is None else {detail: crm},
        economic=None if economic is None else {detail: economic},
        seen_crm={detail: "a"},
        seen_economic={detail: "b"},
    )


def saved(*wishes: Wish, results: tuple[str, ...] = (), means: str = "settle", at: datetime = NOW) -> Saved:
    decision = Decision(
        id=uuid4(), tenant="t", agreement=1, link=LINK.id, means=means, who="Anne", at=at, wishes=wishes,  # type: ignore[arg-type]
    )  # fmt: skip
    outcome = tuple(
        Ended(decision=decision.id, result=one, record=LINK.customer.id, detail=each.detail, reason="moved")  # type: ignore[arg-type]
        for one, each in zip(results, wishes, strict=False)
    )
    parts = len(wishes) or 1
    stands = state(parts, outcome)
    return Saved(decision=decision, state=stands, parts=parts, outcome=outcome, ended=NOW if stands != "open" else None)


def test_a_creation_that_waits_is_not_said_to_be_done() -> None:
    shown = receipt(WORDS, saved(means="create"), LINK, Rules(), {}, {}, None)
    assert (shown.heading, shown.waits, shown.undo) == ("Your choice is saved.", True, False)


@pytest.mark.parametrize(("days", "undo"), [(0, True), (30, True), (31, False)])
def test_it_can_be_undone_for_thirty_days(days: int, undo: bool) -> None:
    one = saved(wish("name", None, "x"), results=("written",), at=NOW - timedelta(days=days))
    assert receipt(WORDS, one, LINK, Rules(), {}, {}, None).undo is undo


_WISHES = st.lists(
    st.tuples(
        st.sampled_from((None, "x")), st.sampled_from((None, "x")), st.sampled_from(("written", "refused", "open"))
    ),
    min_size=1,
    max_size=4,
)


@given(_WISHES)
def test_a_system_is_updated_only_where_nothing_of_it_is_left(parts: list[tuple[str | None, str | None, str]]) -> None:
    names = ("name", "cvr", "phone", "email")
    ordered = sorted(parts, key=lambda one: one[2] == "open")
    wishes = [wish(name, crm, economic) for name, (crm, economic, _) in zip(names, ordered, strict=False)]
    one = saved(*wishes, results=tuple(how for _, _, how in ordered if how != "open"))
    told = systems(one, LINK)
    for system, place in ((System.CRM, 0), (System.ECONOMIC, 1)):
        mine = [how for *targets, how in ordered if targets[place] is not None and how != "refused"]
        expected = None if not mine else "waiting" if "open" in mine else "updated"
        assert told.get(system) == expected
    shown = receipt(WORDS, one, LINK, Rules(), {}, {}, None)
    assert shown.waits == (one.state == "open")
    assert ("updated" in shown.heading) == (one.state == "done" and len(told) == 2)
