"""Does a person's "create" stay open until it is answered, through restarts, and can it be seen? On real PostgreSQL."""

from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from crm_outbox.contract import WriteCustomer
from economic_adapter.contract import EconomicCustomer, WriteEconomicCustomer
from reconciler import asking, decided, deciding, joining, store
from reconciler.decided import Saved
from reconciler.decisions import Decision, NotDecided
from reconciler.link import Link
from reconciler.rules import Transfer
from tests.builders.meeting import Both
from tests.builders.sync import AGREEMENT, TENANT

pytestmark = pytest.mark.slow


@pytest.fixture
def both(engine: sa.Engine) -> Both:
    wire = Both(engine=engine)
    wire.switch_on(Transfer.HAND)
    return wire


def decide(both: Both, link: Link, means: str, **given: Any) -> Saved:
    words = {"id": uuid4(), "tenant": TENANT, "agreement": AGREEMENT, "link": link.id, "who": "Marie", "at": both.time}
    with both.engine.begin() as connection:
        return deciding.save(both.clocked, connection, Decision(**{**words, "means": means, **given}))


def saved(both: Both, decision: UUID) -> tuple[str, list[tuple[str, str]]]:
    """How a decision stands, and how its parts ended."""
    with both.engine.connect() as connection:
        found = decided.get(connection, decision)
    assert found is not None
    return found.state, [(one.result, one.reason) for one in found.outcome]


def pressed(both: Both) -> tuple[Any, UUID, WriteEconomicCustomer]:
    customer = both.new(name="Sydhavn Maler A/S")
    both.in_crm(customer)
    both.said()
    made = decide(both, both.of(customer.id), "create")
    assert (made.state, made.outcome) == ("open", ())
    (command,) = both.said_only(WriteEconomicCustomer)
    return customer, made.decision.id, command


def test_create_is_open_until_e_conomic_answers_and_then_written(both: Both) -> None:
    customer, decision, command = pressed(both)
    with both.engine.begin() as connection, pytest.raises(NotDecided, match="not carried out yet"):
        deciding.undo(both.clocked, connection, TENANT, decision, "Marie", uuid4())
    both.created(command, customer, 7)
    assert saved(both, decision) == ("done", [("written", "")])
    with both.engine.connect() as connection:
        rows = connection.execute(sa.text("select by, decision from sync.audit where action = 'create'")).all()
    assert rows == [("person", decision)]


def test_create_that_e_conomic_refuses_ends_refused_with_its_reason(both: Both) -> None:
    _, decision, command = pressed(both)
    both.refused(command, 60)
    assert saved(both, decision) == ("refused", [("refused", "candidates")])


def test_create_goes_on_after_a_refusal_that_names_nobody(both: Both) -> None:
    customer, decision, command = pressed(both)
    both.refused(command)
    assert saved(both, decision) == ("open", [])
    (again,) = both.said_only(WriteEconomicCustomer)
    both.created(again, customer, 7)
    assert saved(both, decision) == ("done", [("written", "")])


def test_create_where_it_may_be_already_is_refused_at_once(both: Both) -> None:
    customer = both.new(cvr="13748136")
    both.in_economic(EconomicCustomer(number=60, object_version="v", name="N", cvr="13748136"), why="import")
    both.in_crm(customer)
    made = decide(both, both.of(customer.id), "create")
    assert (made.state, [one.reason for one in made.outcome]) == ("refused", ["candidates"])


def test_create_in_the_crm_ends_with_the_crm_s_answer_also_when_the_customer_is_seen_first(both: Both) -> None:
    both.set(transfer="created")
    for number, first in ((50, False), (51, True)):
        both.in_economic(EconomicCustomer(number=number, object_version="v", name=f"K {number}"), why="import")
        with both.engine.begin() as connection:
            link = joining.stranger(connection, TENANT, AGREEMENT, number).link
        made = decide(both, link, "create")
        assert made.state == "open"
        (command,) = both.said_only(WriteCustomer)
        customer = both.made(command, f"c{number}")
        if first:
            both.in_crm(customer)
        else:
            both.answered(command, customer)
        assert saved(both, made.decision.id) == ("done", [("written", "")])


def test_what_is_open_and_how_it_ended_can_be_asked(both: Both, capsys: pytest.CaptureFixture[str]) -> None:
    customer, decision, command = pressed(both)
    with both.engine.connect() as connection:
        found = decided.of_tenant(connection, TENANT)
    assert asking.parts(found[0]) == ["  on its way"]
    both.refused(command, 60)
    with both.engine.connect() as connection:
        (ended,) = decided.of_tenant(connection, TENANT)
    assert asking.parts(ended) == ["  refused candidates"]
    assert (ended.decision.id, ended.state) == (decision, "refused")
    assert customer.id


def test_linking_telling_apart_and_unlinking_are_done_when_they_stand(both: Both) -> None:
    customer = both.new(name="Sydhavn")
    both.in_crm(customer)
    both.in_economic(EconomicCustomer(number=50, object_version="v", name="Sydhavn"), why="import")
    assert decide(both, both.of(customer.id), "not_the_same", number=50).state == "done"
    assert both.of(customer.id).apart == (50,)
    assert decide(both, both.of(customer.id), "link", number=50).state == "done"
    assert (both.of(customer.id).number, both.of(customer.id).apart) == (50, ())
    assert decide(both, both.of(customer.id), "unlink").state == "done"
    assert both.of(customer.id).number is None
    with both.engine.connect() as connection:
        assert store.find(connection, both.of(customer.id).id) is not None
