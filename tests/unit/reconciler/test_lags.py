"""Since when has each edit waited? Whatever comes between, the write that carries it in the end says so."""

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from crm_outbox.contract import Stage, WriteCustomer
from economic_adapter.contract import WriteEconomicCustomer
from reconciler.link import Command, Heard, Link
from reconciler.rules import Decides, Direction, Rule, System, Transfer
from tests.builders.reconciler import NOW, RULES, Case, linked, ruled

AT = NOW - timedelta(seconds=30)
LATER = AT + timedelta(seconds=5)


def crm(case: Case, at: datetime, **values: str) -> tuple[Command, ...]:
    case.crm_values |= values
    case.crm_version += 1
    return case.hear(Heard(crm=case.crm_seen(), caused=at))


def economic(case: Case, at: datetime, **values: str) -> tuple[Command, ...]:
    case.economic_values |= values
    case.economic_version += 1
    case.object_version += 1
    return case.hear(Heard(economic=case.economic_seen(), caused=at))


def carried(case: Case) -> dict[System, set[datetime]]:
    """The edits that writes which are on their way carry."""
    return {one.system: set(one.caused.values()) for one in case.link.pending if one.caused}


def waiting(link: Link) -> list[datetime]:
    """The edits that no write carries yet."""
    return sorted(at for pair in link.pairs for marks in pair.edited.values() for at in marks.values())


def test_a_write_carries_the_edit_it_was_made_for() -> None:
    case = linked()
    crm(case, AT, phone="22222222")
    assert carried(case) == {System.ECONOMIC: {AT}}
    assert waiting(case.link) == []


def test_an_edit_that_waits_for_an_earlier_write_keeps_its_time() -> None:
    case = linked()
    (first,) = crm(case, AT, phone="22222222")
    assert crm(case, LATER, city="Odense") == ()
    assert waiting(case.link) == [LATER]
    case.written(first)
    assert carried(case) == {System.ECONOMIC: {LATER}}


def test_several_edits_in_one_write_are_several_edits_and_one_commit_is_one() -> None:
    case = linked()
    (first,) = crm(case, AT, phone="22222222", mobile="23232323")
    assert carried(case) == {System.ECONOMIC: {AT}}
    crm(case, AT + timedelta(seconds=1), city="Odense")
    crm(case, AT + timedelta(seconds=2), website="www.odense.example")
    case.written(first)
    assert carried(case) == {System.ECONOMIC: {AT + timedelta(seconds=1), AT + timedelta(seconds=2)}}


def test_a_detail_edited_again_while_it_is_written_is_another_edit() -> None:
    case = linked()
    (first,) = crm(case, AT, phone="22222222")
    crm(case, LATER, phone="33333333")
    case.written(first)
    assert carried(case) == {System.ECONOMIC: {LATER}}


def test_a_version_refusal_loses_neither_edit() -> None:
    case = linked()
    (command,) = crm(case, AT, phone="22222222")
    case.economic_values |= {"city": "Odense"}
    case.object_version += 1
    refusal = case.refusal(command, "version")
    case.hear(replace(refusal, caused=LATER))
    assert carried(case) == {System.ECONOMIC: {AT}, System.CRM: {LATER}}


def test_what_our_own_write_brought_is_no_edit() -> None:
    case = linked()
    (command,) = crm(case, AT, phone="22222222")
    case.hear(replace(case.carried_out(command), caused=LATER))
    assert (carried(case), waiting(case.link)) == ({}, [])


def test_an_edit_that_a_person_is_asked_about_is_on_its_way_no_longer() -> None:
    case = linked(ruled(phone=Rule(decides=Decides.ASK)))
    (command,) = crm(case, AT, phone="22222222")
    case.economic_values |= {"phone": "33333333"}
    case.object_version += 1
    case.hear(replace(case.refusal(command, "version"), caused=LATER))
    assert (carried(case), waiting(case.link)) == ({}, [])
    crm(case, LATER, city="Odense")
    assert carried(case) == {System.ECONOMIC: {LATER}}


def test_an_edit_that_is_put_back_did_not_flow() -> None:
    case = linked(ruled(phone=Rule(direction=Direction.ONLY_ECONOMIC)))
    (back,) = crm(case, AT, phone="22222222")
    assert [one.system for one in case.link.pending] == [System.CRM]
    assert carried(case) == {}
    case.written(back)
    assert (carried(case), waiting(case.link)) == ({}, [])


def test_an_edit_that_waits_for_a_pause_is_not_measured() -> None:
    case = linked(replace(RULES, paused=frozenset({System.ECONOMIC})))
    crm(case, AT, phone="22222222")
    assert waiting(case.link) == []
    case.rules = RULES
    case.wait(timedelta(days=1))
    assert [one.system for one in case.link.pending] == [System.ECONOMIC]
    assert carried(case) == {}


def test_a_creation_and_its_persons_count_from_the_moment_the_customer_was_there() -> None:
    case = Case()
    case.crm_contacts = {"p1": {"name": "Anne Holm"}}
    (creation,) = crm(case, AT)
    assert carried(case) == {System.ECONOMIC: {AT}}
    persons = case.written(creation, created="1042")
    assert [one for one in persons if isinstance(one, WriteEconomicCustomer)]
    assert carried(case) == {System.ECONOMIC: {AT}}


def test_a_lead_counts_from_when_it_became_active() -> None:
    case = Case(rules=replace(RULES, transfer=Transfer.ACTIVE), facts={"stage": Stage.LEAD})
    case.crm_contacts = {"p1": {"name": "Anne Holm"}}
    crm(case, AT)
    crm(case, AT + timedelta(seconds=1), phone="22222222")
    assert waiting(case.link) == []
    case.facts = {"stage": Stage.ACTIVE, "active_since": NOW}
    (creation,) = crm(case, LATER)
    assert carried(case) == {System.ECONOMIC: {LATER}}
    case.written(creation, created="1042")
    assert [(one.action, set(one.caused.values())) for one in case.link.pending] == [("create", {LATER})]


def test_a_creation_refused_for_its_values_counts_from_the_correction() -> None:
    case = Case()
    (creation,) = crm(case, AT, email="not an address")
    case.refused(creation, "CustomerInvalidEmail", detail="email")
    assert waiting(case.link) == []
    crm(case, LATER, email="anne@nordhavn.example")
    assert carried(case) == {System.ECONOMIC: {LATER}}


def test_a_person_without_a_name_does_not_wait_for_us() -> None:
    case = linked()
    case.crm_contacts = {"p1": {"phone": "21212121"}}
    crm(case, AT)
    assert waiting(case.link) == []
    case.crm_contacts = {"p1": {"phone": "21212121", "name": "Anne Holm"}}
    crm(case, LATER)
    assert carried(case) == {System.ECONOMIC: {LATER}}


def test_where_nobody_can_say_when_nothing_is_noted() -> None:
    case = linked()
    case.crm(phone="22222222")
    assert carried(case) == {}


EDITS = st.lists(
    st.tuples(
        st.sampled_from(["crm", "economic"]),
        st.sampled_from(["phone", "city", "website"]),
        st.integers(min_value=0, max_value=9),
        st.sampled_from(["hold", "answer", "answer without state", "refuse"]),
    ),
    max_size=14,
)


@given(EDITS)
def test_every_write_that_leaves_carries_an_edit_and_when_all_agree_none_waits(
    edits: list[tuple[str, str, int, str]],
) -> None:
    rules = {name: Rule(decides=Decides.CRM) for name in ("phone", "address", "website")}
    case = linked(ruled(**rules))
    open_writes: list[Command] = []
    made: set[datetime] = set()
    for nth, (system, name, value, then) in enumerate(edits):
        at = AT + timedelta(seconds=nth)
        made.add(at)
        values = {"phone": f"1111111{value}", "city": f"By {value}", "website": f"www.{value}.example"}
        open_writes.extend((crm if system == "crm" else economic)(case, at, **{name: values[name]}))
        if then != "hold" and open_writes:
            _answer(case, open_writes, then, at)
    for _ in range(60):
        assert {at for times in carried(case).values() for at in times} <= made
        if not open_writes:
            case.wait(RULES.resend)
            open_writes.extend(case.commands)
            open_writes.extend(case.hear(Heard(crm=case.crm_seen(), economic=case.economic_seen())))
        if not open_writes:
            break
        _answer(case, open_writes, "answer", NOW)
    assert not open_writes
    assert not case.link.pending
    assert waiting(case.link) == []


def _answer(case: Case, open_writes: list[Command], how: str, at: datetime) -> None:
    command = open_writes.pop(0)
    moved = isinstance(command, WriteCustomer) and command.version != f"1.{case.crm_version}"
    pending = {one.operation: one for one in case.link.pending}
    sides = [pending[part.operation] for part in command.parts if part.operation in pending]
    moved = moved or any(one.system is System.ECONOMIC and one.version != f"v{case.object_version}" for one in sides)
    if how == "refuse" or moved:
        heard = case.refusal(command, "version")
    else:
        heard = case.carried_out(command, state=how == "answer")
    open_writes.extend(case.hear(replace(heard, caused=at)))
