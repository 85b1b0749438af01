"""Is an unlinked customer in e-conomic? Perhaps, as long as somebody there may be it by what is recorded; and no longer."""

from dataclasses import replace

import pytest
import sqlalchemy as sa

from crm_outbox.contract import Customer, Stage
from economic_adapter.contract import LookAtCustomer, WriteEconomicCustomer
from reconciler import clock, joining, opening, store, suggesting, suggestions
from reconciler.contract import StatusChanged
from reconciler.link import Link
from tests.builders.crm import a_customer
from tests.builders.meeting import Both
from tests.builders.sync import AGREEMENT, TENANT, there

ALIKE = {"name": "Beta Tømrer", "postcode": "8000", "city": "Aarhus"}


@pytest.fixture
def both(both: Both) -> Both:
    """Nothing is created by itself."""
    both.set(transfer="hand")
    return both


def looked(both: Both) -> None:
    """The clock looks for pairs where somebody waits, and at everybody who is to be looked at."""
    suggesting.carry_on(both.engine, both.clocked)
    while clock.tell_again(both.engine, both.clocked):
        pass


def looked_for(both: Both) -> None:
    with both.engine.begin() as connection:
        suggestions.ask(connection, TENANT, AGREEMENT, both.time)
    looked(both)


def pair(both: Both, number: int = 5, **given: str) -> Customer:
    """A customer of each system that may be one; the pair was suggested over the whole of both."""
    customer = both.new(**{**ALIKE, **given})
    both.in_crm(customer)
    both.in_economic(there(a_customer(**{**ALIKE, **given}), number, "v1", contacts=()), why="import")
    looked_for(both)
    assert told(both, customer) == ("perhaps", "choice")
    return customer


def link(both: Both, customer: Customer) -> Link:
    return next(one for one in both.links() if one.crm_id == customer.id)


def told(both: Both, customer: Customer) -> tuple[str, str]:
    """How it stands, as it was told last, and in which list."""
    with both.engine.connect() as connection:
        row = connection.execute(
            sa.text("select status, category from sync.link where crm_id = :id"), {"id": customer.id}
        ).one()
    return row.status, row.category


def opened(both: Both, customer: Customer) -> Link:
    """Somebody opens it; what was found is kept."""
    with both.engine.begin() as connection:
        (stored,) = store.of_customer(connection, customer.id, TENANT, AGREEMENT)
        found = opening.resembled(connection, stored).link
    looked(both)
    assert link(both, customer).suggested == found.suggested
    return found


def test_a_suggestion_is_told_as_perhaps_and_stands_among_what_needs_a_choice(both: Both) -> None:
    customer = pair(both)
    assert told(both, customer) == ("perhaps", "choice")
    assert link(both, customer).may_be == (5,)
    changed = [one.state for one in both.said_only(StatusChanged) if one.customer == customer.id]
    assert changed[-1] == "perhaps"
    assert both.said_only(WriteEconomicCustomer) == []


def test_who_is_told_apart_is_suggested_never_again(both: Both) -> None:
    customer = pair(both)
    with both.engine.begin() as connection:
        joining.tell_apart(both.clocked, connection, TENANT, AGREEMENT, customer.id, [5])
    assert told(both, customer) == ("not_there", "left_out")
    looked_for(both)
    assert opened(both, customer).may_be == ()
    assert told(both, customer) == ("not_there", "left_out")


def test_a_number_that_another_gets_is_nobodys_suggestion_any_more(both: Both) -> None:
    customer, another = pair(both), both.new(name="En helt anden")
    both.in_crm(another)
    with both.engine.begin() as connection:
        assert joining.link(both.clocked, connection, TENANT, AGREEMENT, another.id, 5, by="person").step is not None
    looked(both)
    assert (told(both, customer), link(both, customer).suggested) == (("not_there", "left_out"), ())


def test_what_is_edited_in_the_crm_so_that_nothing_speaks_for_it_any_more(both: Both) -> None:
    customer = pair(both)
    both.in_crm(customer.model_copy(update={"name": "Gamma Maler", "postcode": "9000", "city": "Aalborg"}), 2)
    assert (told(both, customer), link(both, customer).suggested) == (("not_there", "left_out"), ())


def test_what_is_edited_in_e_conomic_so_that_nothing_speaks_for_it_any_more(both: Both) -> None:
    customer = pair(both)
    other = there(a_customer(name="Gamma Maler", postcode="9000", city="Aalborg"), 5, "v2", contacts=())
    both.in_economic(other, 2, why="import")
    looked(both)
    assert (told(both, customer), link(both, customer).suggested) == (("not_there", "left_out"), ())


def test_one_that_e_conomic_has_no_longer_is_none(both: Both) -> None:
    customer = pair(both)
    both.gone(5, 2)
    looked(both)
    assert (told(both, customer), link(both, customer).suggested) == (("not_there", "left_out"), ())


def test_a_customer_that_is_deleted_or_merged_may_be_nobody(both: Both) -> None:
    for number, changes in ((5, {"deleted": True}), (6, {"merged_into": "another"})):
        words = {"name": f"Delta {number}", "postcode": f"800{number}"}
        customer = pair(both, number, **words)
        both.in_crm(customer.model_copy(update=changes), 2)
        assert link(both, customer).may_be == ()
        assert told(both, customer)[1] == ""


def test_linked_it_is_what_it_is_and_when_that_is_undone_perhaps_again(both: Both) -> None:
    customer = pair(both)
    with both.engine.begin() as connection:
        joining.link(both.clocked, connection, TENANT, AGREEMENT, customer.id, 5, by="person")
    assert (link(both, customer).suggested, told(both, customer)[0]) == ((), "same")
    with both.engine.begin() as connection:
        joining.unlink(both.clocked, connection, TENANT, AGREEMENT, customer.id, by="undo")
    assert (link(both, customer).suggested, told(both, customer)[0]) == ((5,), "perhaps")


def test_a_lead_that_somebody_opens_is_searched_for_in_what_is_recorded_without_a_call(both: Both) -> None:
    both.in_economic(there(a_customer(**ALIKE), 5, "v1", contacts=()), why="import")
    lead = both.new(**ALIKE).model_copy(update={"stage": Stage.LEAD})
    both.in_crm(lead)
    looked(both)
    assert told(both, lead)[0] == "not_there", "nobody has looked yet"
    assert opened(both, lead).may_be == (5,)
    assert told(both, lead) == ("perhaps", "left_out"), "a lead is left out, whatever it is"
    assert not [one for one in both.said() if isinstance(one.data, LookAtCustomer | WriteEconomicCustomer)]


def test_opened_again_it_is_searched_for_anew(both: Both) -> None:
    customer = both.new(**ALIKE)
    both.in_crm(customer)
    assert opened(both, customer).may_be == ()
    for number in (5, 6):
        both.in_economic(there(a_customer(**ALIKE), number, "v1", contacts=()), why="import")
    assert opened(both, customer).may_be == (5, 6)
    assert told(both, customer) == ("perhaps", "choice")
    with both.engine.begin() as connection:
        joining.tell_apart(both.clocked, connection, TENANT, AGREEMENT, customer.id, [5])
    assert opened(both, customer).may_be == (6,)


def test_whoever_opens_it_waits_for_no_step_on_it(both: Both) -> None:
    customer = both.new(**ALIKE)
    both.in_crm(customer)
    both.in_economic(there(a_customer(**ALIKE), 5, "v1", contacts=()), why="import")
    with both.engine.begin() as stepping, both.engine.begin() as connection:
        held = store.lock(stepping, TENANT, AGREEMENT, customer.id)
        assert held is not None
        connection.execute(sa.text("set local lock_timeout = '1ms'"))
        assert opening.resembled(connection, held).link.may_be == (5,)
    assert link(both, customer).suggested == (), "found, and not kept: the next one who opens it finds it again"
    assert opened(both, customer).may_be == (5,)


def test_an_undone_telling_apart_is_perhaps_again(both: Both) -> None:
    customer = pair(both)
    with both.engine.begin() as connection:
        stored = joining.tell_apart(both.clocked, connection, TENANT, AGREEMENT, customer.id, [5]).step
        assert stored is not None
        found = joining.locked(connection, TENANT, AGREEMENT, customer.id, None)
        together = replace(found[0].link, apart=())
        joining.prepared(both.clocked, connection, found[0], None, together)
    assert told(both, customer) == ("perhaps", "choice")
