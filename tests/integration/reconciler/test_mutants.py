"""Which safeties of the reconciler's flows would be missed on a real PostgreSQL? Each is taken away, and harm follows."""

from dataclasses import replace
from datetime import datetime

import pytest
import sqlalchemy as sa

from crm_outbox.contract import WriteCustomer
from crm_outbox.messaging.envelope import Envelope
from economic_adapter.contract import EconomicCustomer, WriteEconomicCustomer
from reconciler import agreements, reconcile, stepping
from reconciler.agreements import Agreement
from reconciler.link import Heard, Link, Message, Step
from reconciler.rules import Rules
from reconciler.step import step
from tests.builders.meeting import Both
from tests.builders.sync import crm_changed, done, economic_answered, economic_seen, there
from tests.integration.reconciler.test_meeting_races import blocked, meanwhile

SYDHAVN = {"name": "Sydhavn Maler A/S", "cvr": "87654321"}
WITH_AND_WITHOUT = pytest.mark.parametrize("missing", [False, True], ids=["with it", "without it"])


def race(both: Both, first: Envelope, second: Envelope, *, waits: bool) -> None:
    """The second is heard while the first, already dealt with, is not committed yet."""
    with both.engine.connect() as connection, connection.begin():
        reconcile.handle(both.clocked, connection, first)
        join = meanwhile(both, lambda other: reconcile.handle(both.clocked, other, second))
        if waits:
            blocked(both)
        else:
            join()
    if waits:
        join()


@WITH_AND_WITHOUT
def test_without_the_agreements_lock_one_company_is_created_on_both_sides(
    both: Both, monkeypatch: pytest.MonkeyPatch, missing: bool
) -> None:
    if missing:

        def read(connection: sa.Connection, tenant: str, agreement: int) -> Agreement | None:
            return next(one for one in agreements.of_tenant(connection, tenant) if one.agreement == agreement)

        monkeypatch.setattr(agreements, "hold", lambda *_: None)
        monkeypatch.setattr(agreements, "lock", read)
    customer = both.new(**SYDHAVN)
    seen = EconomicCustomer(number=50, object_version="v1", **SYDHAVN)
    race(both, crm_changed(customer, 1), economic_seen(seen, 1), waits=not missing)
    said = both.said()
    here = [one for one in said if isinstance(one.data, WriteCustomer)]
    written = [one for one in said if isinstance(one.data, WriteEconomicCustomer)]
    assert (len(here), len(written)) == ((1, 1) if missing else (0, 1))


@WITH_AND_WITHOUT
def test_without_its_origin_a_customer_of_ours_is_created_back(both: Both, missing: bool) -> None:
    both.in_economic(EconomicCustomer(number=50, object_version="v1", name="Kim Bo", country="Danmark"))
    (command,) = both.creations()
    made = both.made(command, "c9", country="Danmark")
    both.in_crm(made.model_copy(update={"origin": None}) if missing else made)  # before the answer to its creation
    back = both.said_only(WriteEconomicCustomer)
    assert len(back) == (1 if missing else 0)
    if not missing:
        both.answered(command, made)
        assert both.pairs() == [("c9", 50, "linked")]


@WITH_AND_WITHOUT
def test_an_outcome_behind_the_version_gate_leaves_a_write_unanswered(
    both: Both, monkeypatch: pytest.MonkeyPatch, missing: bool
) -> None:
    customer = both.linked(7, name="Nordhavn", cvr="12345678")
    if missing:

        def gated(link: Link, message: Message, rules: Rules, now: datetime) -> Step:
            if isinstance(message, Heard) and message.economic is not None and link.economic_version is not None:
                news = message.economic.version > link.economic_version
                message = message if news else replace(message, outcomes=())
            return step(link, message, rules, now)

        monkeypatch.setattr(stepping, "step", gated)
    edited = customer.model_copy(update={"phone": "11111111"})
    both.in_crm(edited, 2)
    (command,) = both.said_only(WriteEconomicCustomer)
    landed = there(edited, 7, "v2", contacts=())
    both.in_economic(landed, 9)  # looked at once more before the answer came
    both.hear(economic_answered(command, done(command.parts[0].operation), customer=landed, version=8))
    assert bool(both.of(customer.id).pending) is missing
