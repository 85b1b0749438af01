"""What may a creation pass by? Named customers, or exactly those that were too many to be named; in doubt nothing."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as some

from crm_outbox.contract import MOST_NAMED, Many, Outcome, Result, WriteCustomer, many, unseen
from economic_adapter.contract import EconomicPart, WriteEconomicCustomer
from reconciler.link import Create, Heard, LinkState
from reconciler.rules import System
from reconciler.tasks import all_candidates, tasks
from tests.builders.reconciler import Case

IDS = some.sets(some.sampled_from("abcdefgh"))
ALL = tuple(str(number) for number in range(1000, 6000))


@given(IDS, IDS, IDS)
def test_a_twin_passes_only_by_its_name_or_as_one_of_exactly_the_ones_that_were_seen(
    found: set[str], named: set[str], seen: set[str]
) -> None:
    left = unseen(found, named, many(seen))
    assert left == (() if found == seen else tuple(sorted(found - named)))
    assert unseen(found, named, None) == tuple(sorted(found - named))


def test_neither_order_nor_repetition_changes_what_the_many_are() -> None:
    assert many(("b", "a", "b")) == many(("a", "b")) != many(("ab",))
    assert many(ALL).count == 5000


def stopped() -> Case:
    """A customer whose creation found five thousand others with its CVR number."""
    case = Case()
    (creation,) = case.crm(cvr="13748136")
    outcome = Outcome(operation=creation.parts[0].operation, result=Result.REFUSED, reason="candidates")
    numbers = tuple(int(one) for one in ALL[:MOST_NAMED])
    case.hear(Heard(outcomes=(outcome,), candidates=numbers, candidates_many=many(ALL)))
    return case


def test_a_person_who_creates_it_anyway_rules_out_all_that_stopped_it_and_the_message_stays_small() -> None:
    case = stopped()
    assert (case.link.state, len(case.link.candidates)) == (LinkState.UNLINKED, MOST_NAMED)
    whole = all_candidates(case.link)
    shown = tuple(str(one) for one in case.link.candidates)
    (command,) = case.hear(Create(system=System.ECONOMIC, ruled_out=shown, many=whole))
    assert isinstance(command, WriteEconomicCustomer)
    assert (command.parts[0].seen, command.parts[0].seen_many) == ((), many(ALL))
    assert len(command.model_dump_json()) < 1500
    (again,) = case.wait(case.rules.resend)
    assert again == command, "a repeat says the same"


def test_the_question_is_another_one_when_the_customers_too_many_to_be_named_are_others() -> None:
    first = stopped()
    other = stopped()
    (refusal,) = other.link.customer.refusals
    assert refusal.many == many(ALL)
    case = Case(link=first.link)
    before = tasks(first.link, first.rules, first.now)[0].fingerprint
    retried = first.hear(Create(system=System.ECONOMIC, ruled_out=("1000",), many=many(ALL)))[0]
    outcome = Outcome(operation=retried.parts[0].operation, result=Result.REFUSED, reason="candidates")
    more = many((*ALL, "7000"))
    first.hear(Heard(outcomes=(outcome,), candidates=case.link.candidates, candidates_many=more))
    assert first.link.candidates == case.link.candidates
    assert tasks(first.link, first.rules, first.now)[0].fingerprint != before


def test_more_than_a_hundred_told_apart_leave_as_a_whole_and_a_hundred_one_by_one() -> None:
    def told(count: int) -> EconomicPart:
        case = Case()
        case.hear(Heard(crm=case.crm_seen(1)))
        case = Case(rules=case.rules)
        case.crm_version = 1
        case.facts["created"] = case.rules.since and case.rules.since.replace(year=2020)
        case.hear(Heard(crm=case.crm_seen()))
        (command,) = case.hear(Create(system=System.ECONOMIC, ruled_out=ALL[:count]))
        part = command.parts[0]
        assert isinstance(part, EconomicPart)
        return part

    assert (len(told(MOST_NAMED).seen), told(MOST_NAMED).seen_many) == (MOST_NAMED, None)
    assert (told(101).seen, told(101).seen_many) == ((), many(ALL[:101]))


def test_a_reader_of_the_release_before_sees_nobody_ruled_out() -> None:
    new = WriteCustomer(agreement=1, parts=(), ruled_out_many=many(ALL)).model_dump()
    known_then: dict[str, Any] = {
        name: new[name] for name in ("agreement", "customer", "version", "parts", "ruled_out")
    }
    old = WriteCustomer.model_validate(known_then)
    assert unseen(ALL, old.ruled_out, old.ruled_out_many) == tuple(sorted(ALL))


def test_a_digest_says_nothing_of_another_count() -> None:
    wrong = Many(count=4999, digest=many(ALL).digest)
    assert len(unseen(ALL, (), wrong)) == 5000
