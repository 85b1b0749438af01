"""What comes back when a person's linking is undone? What it filled, where nobody edited since; then the link is gone."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from crm_outbox.contract import Customer
from economic_adapter.contract import EconomicCustomer
from reconciler import asking, decided, deciding, store, undoing
from reconciler.decided import Saved
from reconciler.decisions import Decision
from tests.builders.company import Company
from tests.builders.crm import a_customer, a_person
from tests.builders.sync import AGREEMENT, TENANT, there

pytestmark = pytest.mark.slow


@pytest.fixture
def on(company: Company) -> Company:
    """The integration is on, by hand; a customer on each side, with blanks that the other can fill."""
    switch_on(company)
    mine = a_customer(id="one", name="Nordhavn", cvr="", phone="", website="one.dk")
    company.here(mine)
    company.there(there(mine.model_copy(update={"phone": "22222222", "website": ""}), 1, "a"))
    company.work()
    return company


def switch_on(company: Company) -> None:
    with company.wire.engine.begin() as connection:
        connection.execute(
            sa.text("""
                update sync.agreement set state = 'on', transfer = 'hand', read_at = :now, since = :now
            """),
            {"now": company.wire.time},
        )


def decide(on: Company, means: str, **given: Any) -> Saved:
    with on.wire.engine.begin() as connection:
        (stored,) = store.of_customer(connection, "one", TENANT, AGREEMENT)
        words = {"id": uuid4(), "tenant": TENANT, "agreement": AGREEMENT, "who": "Marie", "at": on.wire.time}
        return deciding.save(
            on.wire.clocked, connection, Decision(**{**words, "link": stored.link.id, "means": means, **given})
        )


def linked(on: Company) -> Saved:
    saved = decide(on, "link", number=1)
    assert saved.state == "done"
    on.work()
    assert (on.crm["one"].phone, on.economic[1].website) == ("22222222", "one.dk")
    return saved


def undo(on: Company, decision: UUID) -> Saved:
    with on.wire.engine.begin() as connection:
        return deciding.undo(on.wire.clocked, connection, TENANT, decision, "Marie", uuid4())


def carried_out(on: Company) -> None:
    for _ in range(6):
        undoing.undo(on.wire.engine, on.wire.clocked)
        on.work()
        on.wire.later(seconds=2)


def stands(on: Company, decision: UUID) -> tuple[str, list[tuple[str, str, str]]]:
    with on.wire.engine.connect() as connection:
        found = decided.get(connection, decision)
    assert found is not None
    return found.state, [(one.detail, one.result, one.reason) for one in found.outcome]


def number(on: Company) -> int | None:
    with on.wire.engine.connect() as connection:
        (stored,) = store.of_customer(connection, "one", TENANT, AGREEMENT)
    return stored.link.number


def test_what_the_linking_filled_is_blank_again_on_both_sides_and_then_it_is_unlinked(on: Company) -> None:
    saved = linked(on)
    undone = undo(on, saved.decision.id)
    assert undone.state == "open"
    assert number(on) == 1, "not before what it filled is back"
    carried_out(on)
    assert (on.crm["one"].phone, on.crm["one"].website) == ("", "one.dk")
    assert (on.economic[1].website, on.economic[1].phone) == ("", "22222222")
    assert number(on) is None
    assert stands(on, undone.decision.id) == ("done", [("", "done", "")])


def edit_here(on: Company) -> None:
    on.here(on.crm["one"].model_copy(update={"phone": "33333333"}))


def edit_there(on: Company) -> None:
    seen: EconomicCustomer = on.economic[1]
    on.there(seen.model_copy(update={"phone": "33333333", "object_version": "edited"}))


@pytest.mark.parametrize("edit", [edit_here, edit_there])
def test_what_somebody_edited_since_stays_and_is_said(on: Company, edit: Callable[[Company], None]) -> None:
    saved = linked(on)
    edit(on)
    on.work()
    undone = undo(on, saved.decision.id)
    carried_out(on)
    customer: Customer = on.crm["one"]
    assert customer.phone == "33333333"
    assert on.economic[1].website == "", "the rest is put back"
    assert number(on) is None
    state, parts = stands(on, undone.decision.id)
    assert (state, set(parts)) == ("partly", {("phone", "refused", "edited"), ("", "done", "")})
    with on.wire.engine.connect() as connection:
        found = decided.get(connection, undone.decision.id)
    assert found is not None
    assert "  phone refused edited" in asking.parts(found)


def test_what_flowed_after_the_linking_is_none_of_it(on: Company) -> None:
    saved = linked(on)
    on.here(on.crm["one"].model_copy(update={"city": "Odense"}))
    on.work()
    assert on.economic[1].city == "Odense"
    undone = undo(on, saved.decision.id)
    carried_out(on)
    assert on.economic[1].city == "Odense"
    assert (on.crm["one"].phone, on.economic[1].website) == ("", "")
    assert stands(on, undone.decision.id)[0] == "done"


def test_fills_that_are_still_on_their_way_are_waited_for_and_put_back(on: Company) -> None:
    saved = decide(on, "link", number=1)
    undone = undo(on, saved.decision.id)
    assert undone.state == "open"
    carried_out(on)
    assert (on.crm["one"].phone, on.economic[1].website, number(on)) == ("", "", None)
    assert stands(on, undone.decision.id) == ("done", [("", "done", "")])


def test_undone_twice_it_is_undone_once(on: Company) -> None:
    saved = linked(on)
    first = undo(on, saved.decision.id)
    again = undo(on, saved.decision.id)
    assert [(one.result, one.reason) for one in again.outcome] == [("refused", "under_way")]
    carried_out(on)
    assert stands(on, first.decision.id)[0] == "done"


def test_while_the_integration_is_off_it_is_unlinked_and_said_that_the_rest_stays(on: Company) -> None:
    saved = linked(on)
    with on.wire.engine.begin() as connection:
        connection.execute(sa.text("update sync.agreement set state = 'off'"))
    undone = undo(on, saved.decision.id)
    assert [(one.result, one.reason) for one in undone.outcome] == [("done", "filled_stays")]
    assert number(on) is None
    carried_out(on)
    assert on.crm["one"].phone == "22222222"


def test_a_link_that_went_on_since_is_left(on: Company) -> None:
    saved = linked(on)
    undone = undo(on, saved.decision.id)
    assert decide(on, "unlink").state == "done"
    carried_out(on)
    assert stands(on, undone.decision.id) == ("refused", [("", "refused", "moved")])
    assert on.crm["one"].phone == "22222222"


def test_contact_persons_that_were_created_for_the_two_stay_and_that_is_said(on: Company) -> None:
    on.here(on.crm["one"].model_copy(update={"contacts": (a_person(name="Mette Holm"),)}))
    saved = linked(on)
    assert [one.name for one in on.economic[1].contacts] == ["Mette Holm"]
    undone = undo(on, saved.decision.id)
    carried_out(on)
    assert stands(on, undone.decision.id) == ("done", [("", "done", "persons")])
    assert [one.name for one in on.economic[1].contacts] == ["Mette Holm"], "nothing is deleted"
    assert (on.crm["one"].phone, number(on)) == ("", None)
