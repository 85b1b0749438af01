"""Nothing is settled that was not acknowledged, or that was returned; nothing that was sent is lost."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from crm_outbox.messaging.settlement import (
    Acked,
    Blocked,
    Closed,
    Event,
    Nacked,
    Returned,
    Sent,
    Unblocked,
    Verdict,
    Window,
    settle,
    to_probe,
)


def message(number: int) -> Sent:
    return Sent(1000 + number, f"m{number}")


def window(count: int) -> Window:
    return Window().sent(1, [message(number) for number in range(1, count + 1)])


@dataclass
class Outcome:
    settled: list[int] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)
    suspect: list[int] = field(default_factory=list)
    waiting: list[int] = field(default_factory=list)

    def add(self, verdict: Verdict) -> None:
        self.settled += verdict.settled
        self.refused += [one for one, _ in verdict.refused]
        self.suspect += [one.id for one in verdict.suspect]

    @property
    def all(self) -> list[int]:
        return sorted(self.settled + self.refused + self.suspect + self.waiting)


def run(count: int, chunks: Sequence[Sequence[Event]]) -> Outcome:
    open_window, outcome = window(count), Outcome()
    for chunk in chunks:
        open_window, verdict = settle(open_window, chunk)
        outcome.add(verdict)
        if verdict.closed is not None:
            break
    outcome.waiting = [sent.id for sent in open_window.waiting.values()]
    return outcome


COUNT = 12
tags = st.integers(0, COUNT + 2)
anything = st.lists(
    st.builds(Acked, tag=tags, multiple=st.booleans())
    | st.builds(Nacked, tag=tags, multiple=st.booleans())
    | tags.map(lambda tag: Returned(f"m{tag}"))
    | st.sampled_from([Blocked("memory"), Unblocked()])
    | st.builds(Closed, code=st.sampled_from([0, 320, 403, 404, 406])),
    max_size=30,
)


def cut(events: list[Event], places: list[int]) -> list[list[Event]]:
    edges = sorted({0, len(events), *(place % (len(events) + 1) for place in places)})
    return [events[start:end] for start, end in pairwise(edges)]


@given(anything)
def test_every_message_ends_in_exactly_one_place_whatever_the_broker_says(events: list[Event]) -> None:
    assert run(COUNT, [events]).all == [1000 + number for number in range(1, COUNT + 1)]


@given(anything)
def test_nothing_is_settled_without_an_ack_that_covers_it_and_no_return_before(events: list[Event]) -> None:
    acked: set[int] = set()
    returned: set[int] = set()
    nacked: set[int] = set()
    for event in events:
        match event:
            case Acked(tag, multiple) | Nacked(tag, multiple):
                covered = {tag} if not multiple else set(range(1, (tag or COUNT) + 1))
                fresh = covered - acked - nacked - returned
                (acked if isinstance(event, Acked) else nacked).update(fresh)
            case Returned(message_id):
                returned.add(int(message_id[1:]))
            case Closed():
                break
            case _:
                pass
    settled = {one - 1000 for one in run(COUNT, [events]).settled}
    assert settled == acked & set(range(1, COUNT + 1))


@given(anything, st.lists(st.integers(0, 100), max_size=5))
def test_it_does_not_matter_how_the_events_are_grouped(events: list[Event], places: list[int]) -> None:
    whole, pieces = run(COUNT, [events]), run(COUNT, cut(events, places))
    assert (whole.settled, whole.refused, whole.suspect, whole.waiting) == (
        pieces.settled, pieces.refused, pieces.suspect, pieces.waiting,
    )  # fmt: skip


@given(st.data())
def test_a_broker_that_answers_everything_in_any_order_leaves_nothing_waiting(data: st.DataObject) -> None:
    refused = data.draw(st.sets(st.integers(1, COUNT)))
    returned = data.draw(st.sets(st.integers(1, COUNT))) - refused
    order = data.draw(st.permutations(range(1, COUNT + 1)))
    events: list[Event] = []
    for tag in order:
        if tag in returned:
            events.append(Returned(f"m{tag}"))
        events.append(Nacked(tag) if tag in refused else Acked(tag))
    outcome = run(COUNT, [events])
    assert outcome.waiting == outcome.suspect == []
    assert {one - 1000 for one in outcome.refused} == refused | returned


def test_the_order_seen_on_a_real_broker_is_understood() -> None:
    """Eight publishes, the third and sixth without a route: return, ack, return, ack, then one ack for the rest."""
    said: list[Event] = [Returned("m3"), Acked(3), Returned("m6"), Acked(6), Acked(8, multiple=True)]
    left, verdict = settle(window(8), said)
    assert not left.waiting
    assert verdict.settled == (1001, 1002, 1004, 1005, 1007, 1008)
    assert verdict.refused == ((1003, "returned_312"), (1006, "returned_312"))


def test_a_return_may_come_in_an_earlier_read_than_its_ack() -> None:
    open_window, verdict = settle(window(2), [Returned("m2")])
    assert verdict == Verdict()
    open_window, verdict = settle(open_window, [Acked(2, multiple=True)])
    assert (verdict.settled, verdict.refused) == ((1001,), ((1002, "returned_312"),))
    assert open_window == Window()


def test_a_close_makes_everything_unsettled_suspect_and_blames_nobody() -> None:
    left, verdict = settle(window(4), [Acked(2), Closed(406, "PRECONDITION_FAILED"), Acked(3)])
    assert left == Window()
    assert verdict.settled == (1002,)
    assert [sent.id for sent in verdict.suspect] == [1001, 1003, 1004]


def test_a_returned_message_is_refused_and_not_suspect_when_its_ack_never_comes() -> None:
    _, verdict = settle(window(2), [Returned("m1"), Closed(0)])
    assert verdict.refused == ((1001, "returned_312"),)
    assert verdict.suspect == (message(2),)


def test_messages_are_blamed_only_for_closes_that_a_message_can_cause() -> None:
    for code, blamed in {406: True, 501: True, 403: False, 404: False, 320: False, 541: False, 0: False}.items():
        _, verdict = settle(window(1), [Closed(code)])
        assert to_probe(verdict) is blamed
    assert not to_probe(Verdict())


def test_a_batch_joins_a_window_that_is_still_open() -> None:
    open_window, _ = settle(window(2), [Acked(1), Returned("m2")])
    joined = open_window.sent(3, [message(3)])
    assert joined.waiting == {2: message(2), 3: message(3)}
    assert settle(joined, [Acked(3, multiple=True)])[1].refused == ((1002, "returned_312"),)
