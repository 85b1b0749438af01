"""What goes well is told so, what somebody must do is told so, and what nobody knows is never told to go well."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from economic_adapter.contract import Figures
from reconciler import statements
from reconciler.entered import Told
from reconciler.freshness import Reach, delayed_since, is_served, lags
from reconciler.health import Facts, Lag, Name, Nightly, is_well, judged, left
from reconciler.rules import System

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def ago(**span: float) -> datetime:
    return NOW - timedelta(**span)


FIGURES = Figures(at=ago(seconds=30), calls=412, most=45_000, checked=ago(seconds=50), hooked=ago(minutes=2))
GOOD = Facts(
    now=NOW,
    state="on",
    lags={one: Lag(half=1.0, most=4.0, edits=10) for one in System},
    nightly=Nightly(read_at=ago(hours=9), compared_at=ago(hours=9), compared=320),
    webhooks="registered",
    figures=FIGURES,
    has_mail=True,
    readers=2,
    duties=dict.fromkeys(("relay", "reconcile", "clock", "web"), ago(seconds=15)),
    crm_answered=ago(minutes=1),
)


def stands(facts: Facts) -> dict[Name, str]:
    return {one.name: one.stands for one in judged(facts)}


def figures(**given: Any) -> dict[str, Figures]:
    return {"figures": FIGURES.model_copy(update=given)}


def test_where_all_goes_well_nobody_must_do_anything() -> None:
    assert set(stands(GOOD).values()) == {"well"}
    assert is_well(judged(GOOD))


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"state": "off"}, "agreement"),
        ({"state": "access_lost"}, "reach"),
        ({"questions": 1}, "questions"),
        ({"errors": 1}, "errors"),
        ({"lags": {System.ECONOMIC: Lag(half=1, most=5.1, edits=10)}}, "to_economic"),
        ({"lags": {System.CRM: Lag(half=1, most=10.1, edits=10)}}, "to_crm"),
        ({"nightly": replace(GOOD.nightly, differences=1)}, "silent"),
        ({"nightly": replace(GOOD.nightly, failed=True)}, "nightly"),
        ({"nightly": replace(GOOD.nightly, read_at=ago(hours=37))}, "nightly"),
        ({"webhooks": "refused"}, "webhooks"),
        ({"polling": False}, "checks"),
        (figures(checked=ago(minutes=20)), "checks"),
        (figures(calls=45_000), "calls"),
        ({"reach": Reach(down_since=ago(minutes=1))}, "reach"),
        ({"reach": Reach(paused_since=ago(minutes=1))}, "reach"),
        ({"reach": Reach(throttled_until=NOW + timedelta(minutes=1))}, "reach"),
        ({"has_mail": False}, "mail"),
        ({"readers": 0}, "mail"),
        ({"mail_failed": ago(hours=1)}, "mail"),
        ({"duties": {}}, "relay"),
        ({"duties": {**GOOD.duties, "clock": ago(seconds=61)}}, "clock"),
        ({"unsent": ago(minutes=1)}, "unsent"),
        (figures(at=ago(minutes=3)), "adapter"),
        ({"told": Told(at=ago(minutes=3))}, "adapter"),
        ({"told": Told(at=ago(seconds=1), lacks=("ECONOMIC_APP_SECRET",))}, "adapter"),
        ({"figures": None, "told": Told(at=ago(seconds=1), lacks=("ECONOMIC_APP_SECRET",))}, "adapter"),
        (figures(late_since=ago(minutes=2)), "worker"),
        ({"crm_waits": ago(minutes=1)}, "crm"),
    ],
)
def test_what_goes_wrong_is_told_by_its_own_name(given: dict[str, Any], name: Name) -> None:
    found = judged(replace(GOOD, **given))
    assert {one.name: one.stands for one in found}[name] == "act"
    assert not is_well(found)


@pytest.mark.parametrize(
    "name", ["to_economic", "to_crm", "silent", "nightly", "calls", "adapter", "worker", "checks", "crm"]
)
def test_what_nobody_knows_is_not_told_to_go_well(name: Name) -> None:
    assert stands(Facts(now=NOW, state="on"))[name] == "unknown"


def test_an_adapter_is_heard_of_before_anything_is_connected() -> None:
    assert stands(Facts(now=NOW, told=Told(at=ago(seconds=60))))["adapter"] == "well"
    assert stands(replace(GOOD, told=Told(at=ago(seconds=60))))["adapter"] == "well"


def test_without_webhooks_an_edit_in_e_conomic_may_take_as_long_as_the_regular_checks() -> None:
    slow = {System.CRM: Lag(half=40, most=80, edits=10)}
    assert stands(replace(GOOD, webhooks="none", lags=slow))["to_crm"] == "well"
    assert stands(replace(GOOD, lags=slow))["to_crm"] == "act"


def test_no_more_is_left_of_a_day_than_nothing() -> None:
    assert left(FIGURES) == 44_588
    assert left(FIGURES.model_copy(update={"calls": 50_000})) == 0


def test_what_lies_of_ours_delays_since_the_first_of_it() -> None:
    assert delayed_since(None, FIGURES, NOW) is None
    assert delayed_since(ago(seconds=4), FIGURES, NOW) is None
    assert delayed_since(ago(seconds=6), FIGURES, NOW) == ago(seconds=6)
    late = FIGURES.model_copy(update={"late_since": ago(minutes=2)})
    assert delayed_since(ago(seconds=6), late, NOW) == ago(minutes=2)
    assert delayed_since(None, FIGURES.model_copy(update={"at": ago(minutes=3)}), NOW) == ago(minutes=3)
    assert delayed_since(None, None, NOW) is None


def test_regular_checks_that_stay_out_do_not_go_well() -> None:
    assert not lags(None)
    assert not lags(FIGURES)
    assert lags(FIGURES.model_copy(update={"checked": FIGURES.at - timedelta(minutes=15)}))


def test_while_an_operator_stopped_every_call_nobody_is_looked_at() -> None:
    assert not is_served(Reach(paused_since=ago(hours=1)), NOW)


def test_what_saves_a_link_is_short_enough_to_be_remembered() -> None:
    assert len(str(statements.SAVE)) < statements.REMEMBERED
