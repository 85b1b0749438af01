"""Five thousand customers share one CVR number: messages stay small, and no twin slips in. On real PostgreSQL."""

import pytest
import sqlalchemy as sa

from crm_outbox.contract import MOST_NAMED, WriteCustomer, many
from crm_outbox.messaging.envelope import encode
from economic_adapter.contract import CustomerObserved, EconomicCustomer, WriteEconomicCustomer
from reconciler import deciding, joining, store
from reconciler.decided import Saved
from reconciler.decisions import Decision
from reconciler.link import Create
from reconciler.rules import System, Transfer
from reconciler.stepping import take_step
from reconciler.tasks import tasks
from tests.builders.meeting import Both
from tests.builders.sync import AGREEMENT, TENANT, envelope, refused

pytestmark = pytest.mark.slow

CVR = "13748136"
NUMBERS = range(1000, 6000)


@pytest.fixture
def both(both: Both) -> Both:
    """Both sides hold five thousand customers with one CVR number, linked pair by pair."""
    fill(both, linked=True)
    return both


def fill(both: Both, *, linked: bool) -> None:
    values = {"tenant": TENANT, "agreement": AGREEMENT, "cvr": CVR, "first": NUMBERS[0], "last": NUMBERS[-1]}
    with both.engine.begin() as connection:
        connection.execute(
            sa.text("""
                insert into sync.economic_side (agreement, number, tenant, epoch, counter, state, seen, keys)
                select :agreement, n, :tenant, 1, 1,
                       jsonb_build_object('number', n, 'object_version', 'v', 'name', 'Afdeling ' || n,
                                          'cvr', cast(:cvr as text)),
                       now(), array['keys:1', 'cvr:' || cast(:cvr as text), 'name:afdeling ' || n]
                from generate_series(cast(:first as integer), cast(:last as integer)) n
            """),
            values,
        )
        connection.execute(
            sa.text("""
                insert into sync.crm_side (tenant, crm_id, epoch, number, state, seen, keys)
                select :tenant, 'c' || n, 1, 1,
                       jsonb_build_object('customer', jsonb_build_object(
                           'id', 'c' || n, 'created', '2026-01-01T00:00:00Z', 'name', 'Afdeling ' || n,
                           'cvr', cast(:cvr as text))),
                       now(), array['keys:1', 'cvr:' || cast(:cvr as text), 'name:afdeling ' || n]
                from generate_series(cast(:first as integer), cast(:last as integer)) n
            """),
            values,
        )
        if linked:
            connection.execute(
                sa.text("""
                    insert into sync.link (id, tenant, agreement, crm_id, state, number, flows)
                    select gen_random_uuid(), :tenant, :agreement, 'c' || n, 'linked', n, true
                    from generate_series(cast(:first as integer), cast(:last as integer)) n
                """),
                values,
            )


def test_a_customer_more_is_created_beside_five_thousand_that_are_linked_elsewhere(both: Both) -> None:
    both.in_crm(both.new(id="new", name="Afdeling Nord", cvr=CVR))
    (told,) = [one for one in both.said() if isinstance(one.data, WriteEconomicCustomer)]
    assert isinstance(told.data, WriteEconomicCustomer)
    part = told.data.parts[0]
    assert (part.seen, part.seen_many) == ((), many(str(one) for one in NUMBERS))
    assert len(encode(told)) < 3000
    with both.engine.connect() as connection:
        stored = connection.execute(sa.text("select octet_length(body::text) from sync.operation")).scalar_one()
    assert stored < 3000


def test_one_of_them_that_nobody_has_stops_it_and_the_person_who_creates_it_anyway_rules_out_all(both: Both) -> None:
    with both.engine.begin() as connection:
        connection.execute(sa.text("delete from sync.link where number = 5999"))
    both.in_crm(both.new(id="new", name="Afdeling Nord", cvr=CVR))
    assert both.said_only(WriteEconomicCustomer) == []
    assert 5999 in both.of("new").candidates
    saved = create_anyway(both, "new")
    assert saved.state != "refused", saved
    (command,) = both.said_only(WriteEconomicCustomer)
    assert command.parts[0].seen_many == many(str(one) for one in NUMBERS)


def test_what_e_conomic_found_as_a_whole_is_what_the_person_rules_out(engine: sa.Engine) -> None:
    both = Both(engine=engine)
    both.switch_on(Transfer.CREATED)
    both.in_crm(both.new(id="new", name="Afdeling Nord", cvr=CVR))
    (command,) = both.said_only(WriteEconomicCustomer)
    outcome = refused(command.parts[0].operation, "candidates")
    answer = CustomerObserved(
        agreement=AGREEMENT,
        why="write",
        customer="new",
        outcomes=(outcome,),
        candidates=tuple(NUMBERS)[:MOST_NAMED],
        candidates_many=many(str(one) for one in NUMBERS),
    )
    both.hear(envelope(answer, customer="new", agreement=AGREEMENT))
    fill(both, linked=False)
    assert create_anyway(both, "new").state != "refused"
    (again,) = both.said_only(WriteEconomicCustomer)
    assert (again.parts[0].seen, again.parts[0].seen_many) == ((), many(str(one) for one in NUMBERS))


def test_an_answer_to_a_question_about_fewer_rules_out_only_what_it_showed(both: Both) -> None:
    both.in_crm(both.new(id="new", name="Afdeling Nord", cvr=CVR))
    (command,) = both.said_only(WriteEconomicCustomer)
    answer = CustomerObserved(
        agreement=AGREEMENT,
        why="write",
        customer="new",
        outcomes=(refused(command.parts[0].operation, "candidates"),),
        candidates=(7000,),
    )
    both.hear(envelope(answer, customer="new", agreement=AGREEMENT))
    create_anyway(both, "new")
    (again,) = both.said_only(WriteEconomicCustomer)
    # e-conomic finds five thousand and one, which are not these: it refuses once more, with all of them
    assert again.parts[0].seen_many == many(str(one) for one in NUMBERS)


def test_a_new_customer_of_e_conomic_is_created_in_the_crm_beside_five_thousand(both: Both) -> None:
    both.in_economic(EconomicCustomer(number=70, object_version="v1", name="Helt Andet ApS", cvr=CVR))
    with both.engine.begin() as connection:
        stored = joining.stranger(connection, TENANT, AGREEMENT, 70)
        if not stored.link.pending:
            joining.create_in_crm(both.clocked, connection, TENANT, AGREEMENT, 70)
    told = [one for one in both.said() if isinstance(one.data, WriteCustomer)]
    assert len(told) == 1
    assert isinstance(told[0].data, WriteCustomer)
    assert told[0].data.ruled_out_many == many(f"c{one}" for one in NUMBERS)
    assert len(encode(told[0])) < 3000


def test_a_run_rules_out_what_is_linked_elsewhere_too(both: Both) -> None:
    both.set(transfer="hand")
    both.in_crm(both.new(id="new", name="Afdeling Nord", cvr=CVR))
    with both.engine.begin() as connection:
        (stored,) = joining.locked(connection, TENANT, AGREEMENT, "new", None)
        run = stored.link.id
        words = Create(system=System.ECONOMIC, run=run)
        take_step(both.clocked, connection, stored, words)
    (command,) = both.said_only(WriteEconomicCustomer)
    assert command.parts[0].seen_many == many(str(one) for one in NUMBERS)


def create_anyway(both: Both, crm_id: str) -> Saved:
    with both.engine.begin() as connection:
        (stored,) = store.of_customer(connection, crm_id, TENANT, AGREEMENT)
        link = stored.link
        rules = stored.agreement.rules_for(link, both.resend)
        (task,) = tasks(link, rules, both.time)
        decision = Decision(
            id=link.customer.id,
            tenant=TENANT,
            agreement=AGREEMENT,
            link=link.id,
            means="create",
            who="Marie",
            at=both.time,
            task=task.fingerprint,
            ids=tuple(str(one) for one in task.candidates),
        )
        return deciding.save(both.clocked, connection, decision)
