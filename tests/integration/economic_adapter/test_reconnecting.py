"""Access that was given up and is given again: the same agreement goes on where it was, another one only when it may."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from crm_outbox.contract import Result
from economic_adapter import access, tables
from economic_adapter.contract import CustomerObserved, LookAtCustomer
from economic_adapter.sandbox import ui
from economic_adapter.sandbox.app import Running
from tests.integration.economic_adapter.parts import AGREEMENT, GRANT, TENANT, Parts, configure, environ

OTHER = 200002


@pytest.fixture
def parts(database: str, engine: sa.Engine, sandbox: Running) -> Iterator[Parts]:
    """A customer was looked at; then access was given up."""
    made = Parts(environ(database, None, sandbox), engine)
    made.switch_on(number_from=5000)
    sandbox.data.add_agreement(OTHER, "Vestre Malerforretning", "other-grant")
    yield made
    made.close()


def given_up(parts: Parts) -> None:
    parts.receive(configure(on=False, disconnect=True))
    parts.work()
    assert (parts.agreement().state, parts.agreement().has_grant) == ("disconnected", False)


def seen(parts: Parts, number: int) -> CustomerObserved:
    """What a look at that number tells."""
    before = len(parts.told())
    parts.receive(LookAtCustomer(agreement=AGREEMENT, number=number))
    parts.work()
    (told,) = [one.data for one in parts.told()[before:] if isinstance(one.data, CustomerObserved)]
    return told


def test_the_same_agreement_goes_on_with_its_settings_and_with_higher_versions(parts: Parts, sandbox: Running) -> None:
    number = ui.create_customer(sandbox.data, {"name": "Nordhavn"}).number
    first = seen(parts, number)
    given_up(parts)
    ui.edit_customer(sandbox.data, number, {"city": "Odense"})
    assert parts.connect().sentence == "connected"
    assert parts.agreements_told()[-1].state == "connected"
    answer = parts.switch_on()
    told = parts.agreements_told()[-1]
    assert told.outcome is not None
    assert (told.outcome.operation, told.outcome.result, told.state) == (answer.operation, Result.WRITTEN, "on")
    assert len(sandbox.data.agreement().webhooks) > 0
    again = seen(parts, number)
    assert again.economic is not None
    assert again.economic.city == "Odense"
    assert [tuple(map(int, str(one.version).split("."))) for one in (first, again)] == [(1, 1), (1, 2)]


def test_another_agreement_than_the_pinned_one_is_refused_also_after_access_was_given_up(parts: Parts) -> None:
    given_up(parts)
    told = len(parts.agreements_told())
    ending = access.connect(parts.access, TENANT, "other-grant", expected=AGREEMENT)
    assert ending.sentence == "wrong_agreement"
    assert ending.names == {
        "new": str(OTHER),
        "new_company": "Vestre Malerforretning",
        "number": str(AGREEMENT),
        "company": "Nordhavn Tømrer ApS",
    }
    assert len(parts.agreements_told()) == told
    with parts.engine.connect() as connection:
        grants = connection.execute(sa.select(tables.agreement.c.number, tables.agreement.c.grant_sealed)).all()
    assert [tuple(one) for one in grants] == [(AGREEMENT, None)]
    assert access.connect(parts.access, TENANT, GRANT, expected=AGREEMENT).sentence == "connected"


def test_another_agreement_is_used_once_the_first_was_given_up_and_the_first_stays_as_it_was(parts: Parts) -> None:
    assert parts.connect("other-grant").sentence == "wrong_agreement"
    given_up(parts)
    assert parts.connect("other-grant").sentence == "connected"
    assert [(one.agreement, one.state) for one in parts.agreements_told()[-1:]] == [(OTHER, "connected")]
    assert parts.connect().sentence == "wrong_agreement"
    assert parts.agreement().state == "disconnected"
