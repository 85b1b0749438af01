"""Whoever opens a customer makes one look, shared by all who watch; what stands there follows how e-conomic answers."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from crm_outbox.contract import Customer, Stage
from reconciler import looks
from tests.builders.meeting import by_hand
from tests.builders.sync import there
from tests.integration.web.looking import Watching


def says(told: dict[str, Any]) -> tuple[str, bool]:
    return told["freshness"], told["compared"]["live"]


def test_opening_a_linked_customer_makes_one_look_that_all_who_watch_share(
    watching: Watching, customer: Customer
) -> None:
    first = watching.open(customer.id)
    (look,) = watching.looks()
    assert (look.number, look.search, str(look.look)) == (7, None, first["look_id"])
    assert look.expires == watching.both.time + timedelta(seconds=30)
    for _ in range(3):
        watching.later(seconds=4)
        assert watching.open(customer.id)["look_id"] == first["look_id"]
        assert watching.watch(customer.id)["look_id"] == first["look_id"]
    assert watching.looks() == []


def test_of_many_who_open_it_at_once_one_makes_the_look(watching: Watching, customer: Customer) -> None:
    watching.watch(customer.id)  # the key is there
    with ThreadPoolExecutor(8) as people:
        told = list(people.map(lambda _: watching.open(customer.id), range(16)))
    (look,) = watching.looks()
    assert {one["look_id"] for one in told} == {str(look.look)}


def test_a_page_that_polls_asks_nothing_of_e_conomic(watching: Watching, customer: Customer) -> None:
    assert watching.watch(customer.id)["look_id"] is None
    assert watching.looks() == []


def test_a_look_that_is_answered_makes_it_fresh_and_the_same_in_the_present(
    watching: Watching, customer: Customer
) -> None:
    told = watching.open(customer.id)
    assert (told["state"], says(told)) == ("same", ("older", False))
    (look,) = watching.looks()
    assert look.look is not None
    watching.later(milliseconds=400)
    assert says(watching.watch(customer.id)) == ("looking", False)
    watching.tell(look.look, "taken")
    watching.later(milliseconds=200)
    watching.answer(look.look, customer, 7, 2)
    assert says(watching.watch(customer.id)) == ("fresh", True)
    watching.later(seconds=14)
    watching.open(customer.id)
    assert watching.looks() == []
    watching.later(seconds=16)
    assert says(watching.open(customer.id)) == ("known", True)
    assert len(watching.looks()) == 1


def test_one_that_takes_long_is_looked_for_then_slow_then_fresh(watching: Watching, customer: Customer) -> None:
    told = watching.open(customer.id)
    (look,) = watching.looks()
    assert look.look is not None
    watching.tell(look.look, "taken")
    seen = [says(told)[0]]
    for seconds in (1.0, 2.5):
        watching.later(seconds=seconds)
        seen.append(says(watching.watch(customer.id))[0])
    watching.later(seconds=0.6)
    watching.answer(look.look, customer, 7, 2)
    assert [*seen, says(watching.watch(customer.id))[0]] == ["older", "looking", "slow", "fresh"]


def test_one_that_hangs_is_no_answer_and_what_comes_later_is_shown(watching: Watching, customer: Customer) -> None:
    watching.open(customer.id)
    (look,) = watching.looks()
    assert look.look is not None
    watching.tell(look.look, "taken")
    seen = []
    for seconds in (1.0, 2.5, 1.6):
        watching.later(seconds=seconds)
        seen.append(says(watching.watch(customer.id)))
    assert seen == [("looking", False), ("slow", False), ("no_answer", False)]
    watching.tell(look.look, "unanswered", "late")
    watching.later(seconds=6)
    assert says(watching.watch(customer.id)) == ("no_answer", False)
    watching.answer(look.look, customer, 7, 2)
    assert says(watching.watch(customer.id)) == ("fresh", True)


def test_a_refusal_is_told_at_once_and_after_a_while_one_may_ask_again(watching: Watching, customer: Customer) -> None:
    watching.open(customer.id)
    (look,) = watching.looks()
    assert look.look is not None
    watching.later(milliseconds=200)
    watching.tell(look.look, "taken")
    watching.tell(look.look, "unanswered", "away")
    assert says(watching.watch(customer.id)) == ("no_answer", False)
    watching.later(seconds=10)
    watching.open(customer.id)
    assert watching.looks() == []
    watching.later(seconds=5)
    watching.open(customer.id)
    assert [one.look == look.look for one in watching.looks()] == [False]


def test_one_that_nobody_takes_is_our_own_delay_and_expires(watching: Watching, customer: Customer) -> None:
    began = watching.both.time
    watching.open(customer.id)
    watching.looks()
    watching.later(seconds=5)
    told = watching.watch(customer.id)
    assert (told["freshness"], told["since"]) == ("delayed", began.isoformat().replace("+00:00", "Z"))
    watching.later(seconds=24)
    watching.open(customer.id)
    assert watching.looks() == []
    watching.later(seconds=1)
    watching.open(customer.id)
    assert len(watching.looks()) == 1


def test_while_the_breaker_is_open_no_look_is_made_and_it_is_told_since_when(
    watching: Watching, customer: Customer
) -> None:
    began = watching.both.time
    watching.reach(down_since=began)
    watching.later(minutes=3)
    told = watching.open(customer.id)
    assert (told["freshness"], told["compared"]["live"]) == ("down", False)
    assert told["since"] == began.isoformat().replace("+00:00", "Z")
    assert watching.looks() == []


def test_when_e_conomic_answers_again_what_was_opened_lately_is_looked_at_the_last_one_first(
    watching: Watching, customer: Customer
) -> None:
    others = [watching.both.linked(number, cvr=f"2345678{number}") for number in (8, 9)]
    watching.reach(down_since=watching.both.time)
    watching.open(others[1].id)
    watching.later(minutes=8)
    watching.open(customer.id)
    watching.later(minutes=1)
    watching.open(others[0].id)
    watching.later(minutes=2)
    watching.looks()
    watching.reach()
    assert [one.number for one in watching.looks()] == [8, 7]
    watching.reach()
    assert watching.looks() == []
    watching.later(seconds=1)
    assert says(watching.watch(customer.id))[0] == "looking"


def test_while_an_operator_stopped_all_calls_it_is_our_delay_and_nothing_is_asked_until_it_goes_on(
    watching: Watching, customer: Customer
) -> None:
    stopped = watching.both.time
    watching.reach(paused_since=stopped)
    watching.looks()
    told = watching.open(customer.id)
    assert (told["freshness"], told["since"]) == ("delayed", stopped.isoformat().replace("+00:00", "Z"))
    assert watching.looks() == []
    watching.later(minutes=1)
    watching.reach()
    assert [one.number for one in watching.looks()] == [7]


def test_an_older_word_about_how_e_conomic_is_reached_changes_nothing(watching: Watching, customer: Customer) -> None:
    watching.reach(down_since=watching.both.time)
    watching.both.time -= timedelta(seconds=30)
    watching.reach()
    watching.later(seconds=30)
    assert watching.open(customer.id)["freshness"] == "down"


def test_when_e_conomic_says_wait_that_time_is_told_and_no_look_is_made_before(
    watching: Watching, customer: Customer
) -> None:
    again = watching.both.time + timedelta(seconds=40)
    watching.reach(next_call=again)
    told = watching.open(customer.id)
    assert (told["freshness"], told["next_try_at"]) == ("throttled", again.isoformat().replace("+00:00", "Z"))
    assert watching.looks() == []
    watching.later(seconds=41)
    assert watching.open(customer.id)["freshness"] == "older"
    assert len(watching.looks()) == 1


@pytest.mark.parametrize("state", ["off", "access_lost", "connected"])
def test_while_the_integration_is_not_on_nothing_is_asked(watching: Watching, customer: Customer, state: str) -> None:
    watching.both.set(state=state)
    watching.open(customer.id)
    assert watching.looks() == []


def test_one_without_a_number_is_searched_for_a_lead_and_one_without_numbers_are_not(watching: Watching) -> None:
    by_hand(watching.both)
    one = watching.both.new(cvr="12345678", ean="")
    lead = watching.both.new(cvr="87654321", stage=Stage.LEAD)
    bare = watching.both.new(cvr="", ean="")
    for some in (one, lead, bare):
        watching.both.in_crm(some)
    watching.later(minutes=1)
    watching.looks()
    for some in (one, lead, bare):
        watching.open(some.id)
    (look,) = watching.looks()
    assert look.search is not None
    assert look.look is not None
    assert (look.number, look.search.customer, look.search.cvr) == (0, one.id, "12345678")
    watching.later(seconds=1)
    watching.tell(look.look, "answered", number=0)
    told = watching.watch(one.id)
    assert (told["state"], told["freshness"]) == ("not_there", "fresh")
    watching.later(minutes=1)
    watching.open(one.id)
    assert watching.watch(one.id)["freshness"] == "known"


def test_a_customer_that_was_not_found_once_says_so_until_it_is_seen(watching: Watching, customer: Customer) -> None:
    watching.open(customer.id)
    (look,) = watching.looks()
    assert look.look is not None
    watching.later(seconds=1)
    watching.tell(look.look, "missing")
    told = watching.watch(customer.id)
    assert ([one["note"] for one in told["notes"]], told["freshness"], told["state"]) == (
        ["not_found"],
        "fresh",
        "same",
    )
    watching.later(seconds=1)
    watching.both.in_economic(there(customer, 7, "v3", contacts=()), 3)
    assert watching.watch(customer.id)["notes"] == []


def test_what_is_the_same_as_told_before_is_not_told_again(watching: Watching, customer: Customer) -> None:
    first = watching.ask(customer.id, version="1.1")
    mark = first.headers["etag"]
    assert mark == f'"{first.json()["etag"]}"'
    again = watching.ask(customer.id, headers={"if-none-match": mark}, version="1.1", look="false")
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", mark)
    watching.later(seconds=1)
    moved = watching.ask(customer.id, headers={"if-none-match": mark}, version="1.1", look="false")
    assert (moved.status_code, moved.json()["freshness"]) == (200, "looking")
    assert watching.ask(customer.id, role="reader", version="1.1", look="false").json()["freshness"] == "looking"


def test_looks_that_nobody_waits_for_any_more_are_forgotten(watching: Watching, customer: Customer) -> None:
    watching.open(customer.id)
    (look,) = watching.looks()
    assert look.look is not None
    watching.tell(look.look, "taken")
    with watching.pages.engine.begin() as connection:
        assert looks.forget(connection, watching.both.time + timedelta(hours=23)) == 0
        assert looks.forget(connection, watching.both.time + timedelta(hours=25)) == 2
        assert connection.execute(sa.text("select count(*) from sync.look")).scalar() == 0
