"""What is said to last does: time alone never makes such a customer stand otherwise, whatever happened to it before."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as some

from reconciler.noting import KEPT_FOR
from reconciler.person import Kept, Person
from reconciler.rules import Decides, Direction, Rule, Rules, System
from reconciler.standing import Standing, lasts, standing
from reconciler.tasks import SILENT
from tests.builders.reconciler import NOW, RULES, Case, linked, ruled

ANNE = Person(tenant="t", id="u1", name="Anne Holm", role="user")
RULED = (
    RULES, ruled(phone=Rule(direction=Direction.ONLY_ECONOMIC, decides=Decides.ECONOMIC)),
    ruled(phone=Rule(), name=Rule()), replace(RULES, receive=False), replace(RULES, held=True),
    replace(RULES, agreement="off"), replace(RULES, agreement="access_lost"), replace(RULES, inactive_rests=True),
)  # fmt: skip
HAPPENS = some.lists(
    some.one_of(
        some.tuples(some.sampled_from(["crm", "economic"]), some.sampled_from(["name", "phone", "city"]), some.sampled_from("12")),
        some.tuples(some.sampled_from(["written", "refused", "missing", "unsendable", "waits", "still"]), some.just(""), some.just("")),
    ),
    max_size=7,
)  # fmt: skip
GAPS = (some.integers(0, 120) | some.integers(0, 60 * 24 * 40)).map(lambda minutes: timedelta(minutes=minutes))


def happened(case: Case, what: str, name: str, value: str) -> None:
    """One thing that happens to a customer."""
    match what:
        case "crm":
            case.crm(**{name: value})
        case "economic":
            case.economic(**{name: value})
        case "written" if case.commands:
            case.written(case.commands[0])
        case "refused" if case.commands:
            case.refused(case.commands[0], "invalid", detail="phone")
        case "missing":
            case.missing()
        case "unsendable":
            case.unsendable()
        case "waits":
            case.wait(timedelta(hours=2))
        case "still":
            case.link = replace(case.link, flows=not case.link.flows)


def stands(case: Case, rules: Rules, after: timedelta) -> Standing:
    return standing(case.link, rules, ANNE, Kept(), case.now + after)


@given(happens=HAPPENS, during=some.sampled_from(RULED), rules=some.sampled_from(RULED), one=GAPS, other=GAPS)
def test_it_stands_the_same_at_any_moment(
    happens: list[tuple[str, str, str]], during: Rules, rules: Rules, one: timedelta, other: timedelta
) -> None:
    case = linked(during)
    for each in happens:
        happened(case, *each)
    if lasts(case.link, rules):
        assert stands(case, rules, one) == stands(case, rules, other)


def test_what_time_makes_another_is_not_said_to_last() -> None:
    waits = linked()
    (command,) = waits.crm(phone="1")
    assert not lasts(waits.link, RULES)
    assert stands(waits, RULES, timedelta()) != stands(waits, RULES, SILENT), "nobody answers"
    waits.written(command)
    assert lasts(waits.link, RULES), "and as soon as it is answered it lasts"
    assert not lasts(waits.link, replace(RULES, paused=frozenset(System)))
    noted = linked(RULED[1])
    (command,) = noted.crm(phone="1")
    noted.written(command)
    assert not lasts(noted.link, RULED[1])
    assert stands(noted, RULED[1], timedelta()) != stands(noted, RULED[1], KEPT_FOR), "a note ends"
    assert noted.now >= NOW
