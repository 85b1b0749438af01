"""Does the link of a merged customer reach its survivor in every order of messages, and no twin? R13, on real PostgreSQL."""

import json
from itertools import permutations

import pytest
import sqlalchemy as sa

from crm_outbox.contract import Customer, WriteCustomer
from economic_adapter.contract import WriteEconomicCustomer
from reconciler import clock
from tests.builders.meeting import Both, sydhavn
from tests.builders.sync import TENANT, crm_changed, crm_unsendable, done, economic_answered, refused, there
from tests.integration.reconciler.test_meeting_races import race

pytestmark = pytest.mark.slow


def merged(customer: Customer, heir: str) -> Customer:
    return customer.model_copy(update={"merged_into": heir, "deleted": True})


def tasks(both: Both) -> list[tuple[str, str | None]]:
    """The open questions, but those about differing values: their kind, and whose they are."""
    with both.engine.connect() as connection:
        found = connection.execute(
            sa.text("""
                select t.kind, l.crm_id from sync.task t join sync.link l on l.id = t.link
                where t.closed is null and t.kind <> 'values' order by 1, 2
            """)
        )
        return [(row.kind, row.crm_id) for row in found]


def test_r13_a_survivor_heard_of_after_the_merge_gets_the_link_and_is_not_created(both: Both) -> None:
    first = both.linked(7, cvr="12345678")
    both.in_crm(merged(first, "heir"), 2)
    assert both.pairs() == [(first.id, 7, "resting merged")]
    assert tasks(both) == [("merged", first.id)], "until then a person is told"
    both.said()
    both.in_crm(both.new(id="heir", name="Nordhavn A/S", phone="22222222"))
    assert sorted(both.pairs()) == sorted([(first.id, None, "unlinked"), ("heir", 7, "linked")])
    assert both.of("heir").linked_by == "merged"
    assert tasks(both) == []
    writes = both.said_only(WriteEconomicCustomer)
    assert [one.number for one in writes] == [7] * len(writes), "nothing is created beside it"


def test_r13_the_same_survivor_heard_of_before_the_merge(both: Both) -> None:
    first = both.linked(7, cvr="12345678")
    both.set(transfer="hand")
    both.in_crm(both.new(id="heir", name="Nordhavn A/S", phone="22222222"))
    both.in_crm(merged(first, "heir"), 2)
    assert sorted(both.pairs()) == sorted([(first.id, None, "unlinked"), ("heir", 7, "linked")])
    assert tasks(both) == []


@pytest.mark.parametrize("order", list(permutations(("first", "middle", "heir"))))
def test_r13_a_chain_of_merges_ends_at_the_last_one_in_every_order(both: Both, order: tuple[str, ...]) -> None:
    first = both.linked(7, cvr="12345678")
    both.set(transfer="hand")
    last = both.new(id="heir", name="Nordhavn A/S")
    told = {
        "first": (merged(first, "middle"), 2),
        "middle": (merged(both.new(id="middle", name="Nordhavn"), "heir"), 2),
        "heir": (last, 1),
    }
    for one in order:
        both.in_crm(*told[one])
    assert sorted(both.pairs(), key=str) == sorted(
        [(first.id, None, "unlinked"), ("middle", None, "unlinked"), ("heir", 7, "linked")], key=str
    )
    assert tasks(both) == []


def test_r13_a_survivor_first_heard_of_without_its_state_gets_the_link_when_that_is_told(both: Both) -> None:
    first = both.linked(7, cvr="12345678")
    both.in_crm(merged(first, "heir"), 2)
    both.hear(crm_unsendable("heir", 1))
    assert both.of(first.id).number == 7
    both.in_crm(both.new(id="heir", name="Nordhavn A/S"), 2)
    assert both.of("heir").number == 7


def test_r13_a_survivor_recorded_before_it_had_a_link_gets_it_from_the_clock_or_at_once(both: Both) -> None:
    first = both.linked(7, cvr="12345678")
    both.in_crm(both.new(id="heir", name="Nordhavn A/S"))
    with both.engine.begin() as connection:
        connection.execute(sa.text("delete from sync.link where crm_id = 'heir'"))
    both.said()
    both.in_crm(merged(first, "heir"), 2)
    assert both.of("heir").number == 7


def test_r13_one_survivor_of_two_linked_customers_gets_one_link_and_the_other_stays_a_question(both: Both) -> None:
    one, other = both.linked(7, name="Alfa"), both.linked(8, name="Beta")
    both.in_crm(merged(one, "heir"), 2)
    both.in_crm(merged(other, "heir"), 2)
    both.said()
    both.in_crm(both.new(id="heir", name="Gamma"))
    number = both.of("heir").number
    left = next(each for each in both.links() if each.rest == "merged")
    assert {number, left.number} == {7, 8}
    assert tasks(both) == [("merged", left.crm_id)]


def test_r13_a_survivor_whose_own_creation_was_refused_gets_the_link_of_the_merged_one(both: Both) -> None:
    first = both.linked(7, cvr="12345678")
    both.in_crm(both.new(id="heir", name="Nordhavn A/S"))
    (creation,) = both.said_only(WriteEconomicCustomer)
    both.in_crm(merged(first, "heir"), 2)
    assert both.of(first.id).number == 7, "it waits: the survivor may be about to have one of its own"
    both.refused(creation, 99)
    assert both.of("heir").number == 7
    assert tasks(both) == []


def test_r13_a_survivor_whose_own_creation_nobody_can_tell_about_leaves_the_merged_one_a_question(both: Both) -> None:
    first = both.linked(7, cvr="12345678")
    both.in_crm(both.new(id="heir", name="Sydhavn A/S"))
    (creation,) = both.said_only(WriteEconomicCustomer)
    both.hear(economic_answered(creation, refused(creation.parts[0].operation, "ambiguous")))
    both.in_crm(merged(first, "heir"), 2)
    assert sorted(both.pairs()) == sorted([(first.id, 7, "resting merged"), ("heir", None, "unlinked")])
    assert tasks(both) == sorted([("merged", first.id), ("unclear", "heir")])


def test_r13_a_survivor_made_a_link_by_the_clock_gets_the_number(both: Both) -> None:
    first = both.linked(7, cvr="12345678")
    both.in_crm(both.new(id="heir", name="Nordhavn A/S"))
    both.said()
    with both.engine.begin() as connection:
        connection.execute(sa.text("delete from sync.link where crm_id = 'heir'"))
        # as if the merge had been told to an older release, which only let it rest
        side = connection.execute(sa.text("delete from sync.crm_side where crm_id = 'heir' returning *")).one()
    both.in_crm(merged(first, "heir"), 2)
    assert both.of(first.id).number == 7
    with both.engine.begin() as connection:
        values = {"id": side.crm_id, "tenant": TENANT}
        connection.execute(
            sa.text("""
                insert into sync.crm_side (tenant, crm_id, epoch, number, state, seen, keys)
                values (:tenant, :id, :epoch, :number, cast(:body as jsonb), now(), :keys)
            """),
            values | {"epoch": side.epoch, "number": side.number, "body": json.dumps(side.state), "keys": side.keys},
        )
        connection.execute(sa.text("update sync.agreement set look_again = true"))
    clock.make_links(both.engine)
    clock.tell_again(both.engine, both.clocked)
    assert both.of("heir").number == 7
    assert both.said_only(WriteEconomicCustomer) == []


def test_r13_the_merge_and_its_survivor_told_at_the_same_time_end_linked_once(both: Both) -> None:
    first = both.linked(7, cvr="12345678")
    heir = both.new(id="heir", name="Nordhavn A/S")
    race(both, crm_changed(merged(first, "heir"), 2), crm_changed(heir, 1))
    assert both.of("heir").number == 7
    assert both.of(first.id).number is None
    assert tasks(both) == []


def test_r13_a_survivor_told_just_before_the_merge_is_created_and_the_merged_one_keeps_its_number(both: Both) -> None:
    first = both.linked(7, cvr="12345678")
    heir = both.new(id="heir", name="Nordhavn A/S")
    race(both, crm_changed(heir, 1), crm_changed(merged(first, "heir"), 2))
    assert sorted(both.pairs()) == sorted([("heir", None, "creating"), (first.id, 7, "resting merged")])


def test_r13_a_number_seen_again_after_the_move_is_the_survivors(both: Both) -> None:
    first = both.linked(7, cvr="12345678")
    both.in_crm(merged(first, "heir"), 2)
    heir = both.new(id="heir", name="Nordhavn A/S", cvr="12345678")
    both.in_crm(heir)
    both.in_economic(there(heir, 7, "v9", phone="99999999", contacts=()), 9)
    assert both.of("heir").customer.economic is not None
    assert both.pairs()[-1] == ("heir", 7, "linked")


def test_r13_a_survivor_waits_for_a_write_of_the_merged_one_and_does_not_take_it_for_an_edit(both: Both) -> None:
    first = both.linked(7, cvr="12345678", phone="11111111")
    edited = first.model_copy(update={"phone": "33333333"})
    both.in_crm(edited, 2)
    (write,) = both.said_only(WriteEconomicCustomer)
    both.in_crm(merged(edited, "heir"), 3)
    both.in_crm(both.new(id="heir", name=first.name, phone="11111111"))
    assert both.of(first.id).number == 7, "what it wrote is not answered yet"
    assert both.of("heir").candidates == (7,), "the survivor is not created beside it"
    assert both.said_only(WriteEconomicCustomer) == []
    landed = there(edited, 7, "v2", contacts=())
    both.hear(economic_answered(write, done(write.parts[0].operation), customer=landed, version=2))
    assert both.pairs()[-1] == ("heir", 7, "linked")
    written = [part.fields for one in both.said_only(WriteCustomer) for part in one.parts]
    assert all("phone" not in one for one in written), "nobody edited the phone in e-conomic"


def test_r13_r19_a_survivor_rests_when_the_number_was_given_to_another_company(both: Both) -> None:
    first = both.linked(7, cvr="12345678")
    both.in_economic(sydhavn(7), 2)
    assert both.of(first.id).rest == "other_identity"
    both.in_crm(merged(first, "heir"), 2)
    both.said()
    both.in_crm(both.new(id="heir", name="Nordhavn A/S"))
    assert both.pairs()[-1] == ("heir", 7, "resting other_identity")
    assert tasks(both) == [("other_identity", "heir")]
    assert both.said_only(WriteEconomicCustomer) == []


def test_r13_r19_a_survivor_rests_also_when_that_is_heard_of_after_the_merge(both: Both) -> None:
    first = both.linked(7, cvr="12345678")
    both.in_crm(merged(first, "heir"), 2)
    both.in_crm(both.new(id="heir", name="Fyns Frugt", cvr="40917788", city="Odense"))
    assert both.pairs()[-1] == ("heir", 7, "linked")
    both.in_economic(sydhavn(7), 3)
    assert both.pairs()[-1] == ("heir", 7, "resting other_identity")
