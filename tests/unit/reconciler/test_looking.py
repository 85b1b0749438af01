"""Is e-conomic asked about a customer that a person opens, and what? Each case of the time line, without a database."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_outbox.contract import Stage
from reconciler.freshness import EXPIRES, FRESH, Known, Look, Reach, is_asked, is_on_its_way, layer
from reconciler.link import Link, LinkState, Pair, Side
from reconciler.looking import target

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def link(state: LinkState = LinkState.UNLINKED, number: int | None = None, **values: str) -> Link:
    side = Side(id="48211", values=values, version="1.1")
    return Link(
        id=uuid4(),
        tenant="t",
        agreement=1,
        crm_id="48211",
        state=state,
        number=number,
        stage=Stage.ACTIVE,
        customer=Pair(id=uuid4(), kind="customer", crm=side),
    )


def test_a_linked_customer_is_looked_at_under_its_number() -> None:
    for state in (LinkState.LINKED, LinkState.RESTING):
        found = target(link(state, 7), "on")
        assert found is not None
        assert (found.number, found.search) == (7, None)


def test_an_active_one_without_a_number_is_searched_for_by_what_identifies_it() -> None:
    found = target(link(cvr="12345678", ean=""), "on")
    assert found is not None
    assert found.search is not None
    assert (found.number, found.search.customer, found.search.cvr) == (0, "48211", "12345678")
    assert target(link(ean="5790000000005"), "on") is not None


@pytest.mark.parametrize(
    ("one", "agreement"),
    [
        (link(name="Nordhavn"), "on"),
        (replace(link(cvr="12345678"), stage=Stage.LEAD), "on"),
        (link(LinkState.CREATING, cvr="12345678"), "on"),
        (link(LinkState.LINKED, 7), "off"),
        (link(LinkState.LINKED, 7), "access_lost"),
        (link(cvr="12345678"), "connected"),
        (replace(link(LinkState.LINKED, 7), crm_id=""), "on"),
    ],
    ids=["no number at all", "lead", "being created", "off", "lost", "connected", "only there"],
)
def test_where_there_is_nothing_to_ask_no_call_is_made(one: Link, agreement: str) -> None:
    assert target(one, agreement) is None


@pytest.mark.parametrize(
    ("look", "seen", "reach", "asked"),
    [
        (Look(), None, Reach(), True),
        (Look(), ago(16), Reach(), True),
        (Look(), ago(14), Reach(), False),
        (Look(asked=ago(14), refused=ago(13)), ago(60), Reach(), False),
        (Look(asked=ago(16), refused=ago(13)), ago(60), Reach(), True),
        (Look(asked=ago(29)), ago(60), Reach(), False),
        (Look(asked=ago(31)), ago(60), Reach(), True),
        (Look(asked=ago(29), answered=ago(28)), ago(28), Reach(), True),
        (Look(asked=ago(29), answered=ago(40)), ago(60), Reach(), False),
        (Look(), ago(60), Reach(down_since=ago(100)), False),
        (Look(), ago(60), Reach(throttled_until=ago(-5)), False),
        (Look(), ago(60), Reach(throttled_until=ago(1)), True),
    ],
    ids=[
        "never", "seen long ago", "seen just now", "refused just now", "refused before", "on its way", "expired", "answered",
        "an older one answered", "down", "throttled", "no longer throttled",
    ],
)  # fmt: skip
def test_a_look_is_made_unless_one_is_on_its_way_or_just_was_or_none_would_be_served(
    look: Look, seen: datetime | None, reach: Reach, asked: bool
) -> None:
    assert is_asked(look, seen, reach, NOW) is asked


_MOMENTS = st.none() | st.integers(0, 60).map(ago)


@given(_MOMENTS, _MOMENTS, _MOMENTS, _MOMENTS, _MOMENTS)
def test_two_looks_are_never_on_their_way_and_none_comes_within_the_time_they_are_folded_in(
    asked: datetime | None,
    taken: datetime | None,
    refused: datetime | None,
    answered: datetime | None,
    seen: datetime | None,
) -> None:
    look = Look(asked=asked, taken=taken, refused=refused, answered=answered)
    if is_asked(look, seen, Reach(), NOW):
        assert not is_on_its_way(look, NOW)
        assert asked is None or NOW - asked >= FRESH
    if is_on_its_way(look, NOW):
        assert asked is not None
        assert NOW - asked < EXPIRES


def test_an_answered_look_that_recorded_nothing_is_not_told_as_delayed() -> None:
    told = layer(Known(seen=ago(20), compared=None), Look(asked=ago(21), answered=ago(20)), Reach(), None, NOW)
    assert told.freshness == "known"
