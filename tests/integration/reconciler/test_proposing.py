"""Does a run that is asked for on a page come as far as its person let it, and no further, whoever is killed on the way?"""

from dataclasses import replace
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from crm_outbox.contract import WriteCustomer
from economic_adapter.contract import ConfigureAgreement, LookAtCustomer, RunImport, WriteEconomicCustomer
from reconciler import agreements, items, listed, proposing, running, runs, trying
from reconciler.agreements import Agreement
from reconciler.person import Person
from reconciler.previewed import SUMMARY, Asked, Summary
from reconciler.proposing import NotProposed
from reconciler.runs import Run
from tests.builders.company import Company
from tests.builders.crm import a_customer
from tests.builders.sync import AGREEMENT, TENANT
from tests.integration.reconciler.test_switching_on import carried_out, filled

METTE = Person(tenant=TENANT, id="m", name="Mette", role="admin")


@pytest.fixture
def company(company: Company) -> Company:
    filled(company)
    return company


def asked(**given: object) -> Asked:
    return replace(Asked(tenant=TENANT, agreement=AGREEMENT, run=uuid4()), **given)  # type: ignore[arg-type]


def ask(company: Company, **given: object) -> UUID:
    with company.wire.engine.begin() as connection:
        return proposing.ask(connection, agreement(connection), asked(**given), company.wire.clocked, by=METTE)


def agreement(connection: sa.Connection) -> Agreement:
    known = agreements.lock(connection, TENANT, AGREEMENT)
    assert known is not None
    return known


def look(company: Company) -> int:
    """What the clock does of it."""
    return proposing.carry_on(company.wire.engine, company.wire.clocked)


def run_of(company: Company, run: UUID) -> Run:
    with company.wire.engine.connect() as connection:
        found = runs.find(connection, run)
    assert found is not None
    return found


def shown(company: Company, **given: object) -> Run:
    """A preview as a person has it before them."""
    run = ask(company, **given)
    if company.wire.said_only(RunImport):
        company.wire.read = 0
        company.read()
    look(company)
    found = run_of(company, run)
    assert found.state == "previewed"
    return found


def summary(run: Run) -> Summary:
    return SUMMARY.validate_python(run.summary)


def confirm(company: Company, run: Run) -> UUID:
    with company.wire.engine.begin() as connection:
        return proposing.confirm(connection, run.id, summary(run).counts, company.wire.clocked, by=METTE)


def test_both_sides_are_read_before_the_preview_is_made(company: Company) -> None:
    run = ask(company)
    assert len(company.wire.said_only(RunImport)) == 1
    assert (look(company), run_of(company, run).state) == (0, "asked")
    company.wire.read = 0
    company.read()
    assert (look(company), run_of(company, run).state) == (1, "previewed")
    assert look(company) == 0


def test_asked_twice_it_is_read_and_shown_once(company: Company) -> None:
    assert ask(company) == ask(company)
    assert len(company.wire.said_only(RunImport)) == 1


def test_a_reading_that_fails_ends_what_waited_for_it(company: Company) -> None:
    run = ask(company)
    with company.wire.engine.begin() as connection:
        connection.execute(
            sa.text("update sync.run set state = 'failed', reason = 'no', ended = now() where kind = 'read'")
        )
    look(company)
    assert (run_of(company, run).state, run_of(company, run).reason) == ("stopped", "no")


def test_every_number_of_a_preview_opens_as_a_list_as_long_as_it_says(company: Company) -> None:
    run = shown(company, groups=frozenset({"name_postcode"}), create_there=True)
    told = summary(run)
    assert (sum(told.crm.values()), sum(told.economic.values())) == (5, 4)
    with company.wire.engine.connect() as connection:

        def lines(kind: listed.Kind, about: str = "") -> int:
            found = list(listed.rows(connection, run.id, kind, about))
            assert listed.count(connection, run.id, kind, about) == len(found)
            return len(found)

        for label, count in told.crm.items():
            assert lines("crm", label) == count
        for label, count in told.economic.items():
            assert lines("economic", label) == count
        assert lines("crm") == 5
        assert lines("barred") == sum(told.barred.values()) == 1
        assert {action: lines("action", action) for action in told.actions} == dict(told.actions)
        numbers = {"filled": told.filled, "overwritten": told.overwritten, "differs": told.differing}
        for kind, counts in numbers.items():
            assert {about: lines(kind, about) for about in counts} == dict(counts)  # type: ignore[arg-type]
        assert told.filled == {"phone": 1, "address": 1} or told.filled["phone"] == 1
        (phone,) = listed.rows(connection, run.id, "filled", "phone")
        assert (phone.crm_id, phone.number, phone.system, phone.after) == ("alike", 1, "crm", "22222222")
        pair = {(one.crm_id, one.number, one.barred) for one in listed.rows(connection, run.id, "economic", "cvr")}
        assert pair == {("alike", 1, False), ("spelled", 2, False)}
        assert [one.crm_id for one in listed.rows(connection, run.id, "crm", limit=2, skip=4)] == ["spelled"]


def test_confirmed_by_its_counts_it_begins_at_the_next_look_and_once(company: Company) -> None:
    run = shown(company)
    assert confirm(company, run) == confirm(company, run) == run.id
    assert company.wire.said_only(ConfigureAgreement) == []
    look(company)
    assert run_of(company, run.id).state == "running"
    assert confirm(company, run) == run.id
    carried_out(company)
    company.work()
    assert run_of(company, run.id).state == "done"
    assert company.crm["alike"].phone == "22222222"
    with company.wire.engine.connect() as connection:
        planned = [write for item in items.listed(connection, run.id) for write in item.writes]
    assert sorted(company.written, key=repr) == sorted(planned, key=repr)


def test_other_counts_than_were_shown_confirm_nothing(company: Company) -> None:
    run = shown(company)
    with company.wire.engine.begin() as connection, pytest.raises(NotProposed, match="counts"):
        proposing.confirm(connection, run.id, {"linked": 2, "filled": 0, "created": 0}, company.wire.clocked, by=METTE)
    look(company)
    assert run_of(company, run.id).state == "previewed"


def test_a_set_that_moved_is_shown_anew_instead_of_beginning(company: Company) -> None:
    run = shown(company)
    company.here(company.crm["alike"].model_copy(update={"mobile": ""}))
    confirm(company, run)
    look(company)
    assert run_of(company, run.id).state == "replaced"
    assert company.wire.said_only(ConfigureAgreement) == []
    with company.wire.engine.connect() as connection:
        anew = runs.newest(connection, TENANT, AGREEMENT, "switch_on")
    assert anew is not None
    assert (anew.state, anew.reason, summary(anew).counts["filled"]) == ("previewed", "moved", 2)


def test_what_was_read_long_ago_is_read_again_before_anything_begins(company: Company) -> None:
    run = shown(company)
    company.wire.said()
    company.wire.later(hours=2)
    anew = confirm(company, run)
    assert anew != run.id
    assert len(company.wire.said_only(RunImport)) == 1
    assert (run_of(company, run.id).state, run_of(company, anew).reason) == ("replaced", "old")


def test_of_two_previews_the_newer_stands_and_a_trial_is_another(company: Company) -> None:
    first = shown(company)
    second = shown(company, create_there=True)
    trial = shown(company, only="alike")
    states = [run_of(company, one.id).state for one in (first, second, trial)]
    assert states == ["replaced", "previewed", "previewed"]
    with company.wire.engine.begin() as connection:
        runs.forget(connection, company.wire.time)
        kept = connection.execute(sa.text("select distinct run from sync.run_placed")).scalars()
        assert set(kept) == {second.id, trial.id}


def test_while_another_run_goes_on_nothing_is_proposed(company: Company) -> None:
    run = shown(company)
    confirm(company, run)
    with pytest.raises(NotProposed, match="busy"):
        ask(company, create_there=True)
    look(company)
    with pytest.raises(NotProposed, match="on"):
        ask(company)
    with pytest.raises(NotProposed, match="off"):
        ask(company, kind="transfer")


def tried(company: Company) -> Run:
    run = shown(company, only="alike")
    confirm(company, run)
    look(company)
    company.wire.switch(customers=4)
    for _ in range(2):
        running.carry_out(company.wire.engine, company.wire.clocked)
    company.work()
    return run_of(company, run.id)


def test_one_customer_is_tried_looked_at_every_five_seconds_and_its_edits_are_followed(company: Company) -> None:
    run = tried(company)
    assert run.state == "done"
    look_ = [trying.look(company.wire.engine, company.wire.clocked) for _ in range(2)]
    company.wire.later(seconds=6)
    look_.append(trying.look(company.wire.engine, company.wire.clocked))
    assert look_ == [1, 0, 1]
    assert [one.number for one in company.wire.said_only(LookAtCustomer)] == [1, 1]
    company.here(company.crm["alike"].model_copy(update={"website": "alike.dk"}))
    with company.wire.engine.connect() as connection:
        known = next(iter(agreements.of_tenant(connection, TENANT)))
        sent = trying.arrivals(connection, known, run)[0]
    assert (sent.system, sent.fields, sent.arrived) == ("economic", ("website",), None)
    company.work()
    with company.wire.engine.connect() as connection:
        arrived = trying.arrivals(connection, known, run)[0]
    assert arrived.arrived is not None
    with company.wire.engine.begin() as connection:
        assert trying.end(connection, agreement(connection), company.wire.clocked, undo=False, by=METTE) is None
    company.wire.later(seconds=6)
    assert trying.look(company.wire.engine, company.wire.clocked) == 0
    company.here(a_customer(id="more", cvr="13748136"))
    said = [one.data for one in company.wire.said()]
    assert not [one for one in said if isinstance(one, WriteCustomer | WriteEconomicCustomer)]
