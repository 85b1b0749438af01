"""What stands in rows of an older release once the migrations have moved it, and what that release makes of it while it runs on."""

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from reconciler import agreements, ruleset
from reconciler.rules import Decides, Direction, Rule
from tests.older import Older, left_at

TENANT = "acme"
OF_EMAIL = {"direction": "economic", "decides": "crm", "may_be_empty": True}
OF_NAME = {"direction": "both", "decides": "economic", "may_be_empty": False}
STORED: dict[int, Any] = {
    1: {},
    2: {"customer": {"email": OF_EMAIL}, "contact": {"name": OF_NAME}},
    3: {"customer": {}, "contact": {"name": OF_NAME, "email": OF_EMAIL}},
    4: {"contact": {"email": OF_EMAIL, "invoice_email": OF_NAME}},
}
"""Rules by agreement: none chosen, none of a contact person's e-mail, one of it, and one of both (a release that went ahead)."""
GIVE_RULES = sa.text("""
    update sync.agreement set rules = cast(:rules as jsonb) where tenant = :tenant and agreement = :agreement
""")
"""As the release before the migration stores what an admin chose."""


@pytest.fixture
def older(server_addresses: dict[str, str]) -> Iterator[Older]:
    """The release before a contact person's e-mail with copies of invoices had a rule of its own."""
    with left_at(server_addresses, "sync", "sync_0029") as made:
        insert = sa.text("""
            insert into sync.agreement (tenant, agreement, state, rules) values (:tenant, :agreement, :state, :rules)
        """).bindparams(sa.bindparam("rules", type_=sa.JSON))
        with made.engine.begin() as connection:
            for agreement, rules in STORED.items():
                state = "on" if agreement == 3 else "connected"
                values = {"tenant": TENANT, "agreement": agreement, "state": state, "rules": rules}
                connection.execute(insert, values)
        yield made


def stored(older: Older) -> dict[int, Any]:
    """The rules of every agreement, as they stand in its row."""
    with older.engine.connect() as connection:
        rows = connection.execute(sa.text("select agreement, rules from sync.agreement"))
        return {row.agreement: row.rules for row in rows}


def rule(older: Older, agreement: int, detail: str) -> Rule:
    """The rule that holds for a detail, as today's release reads it."""
    with older.engine.connect() as connection:
        return ruleset.rule(agreements.current(connection, TENANT, agreement).chosen, detail)


def test_the_email_with_copies_of_invoices_gets_the_rule_chosen_for_the_email_and_may_not_be_empty(
    older: Older,
) -> None:
    older.upgrade("sync_0030")
    added = {"invoice_email": {**OF_EMAIL, "may_be_empty": False}}
    assert stored(older) == {**STORED, 3: {**STORED[3], "contact": {**STORED[3]["contact"], **added}}}


def test_todays_release_reads_what_was_chosen_before(older: Older) -> None:
    older.upgrade()
    given = Rule(direction=Direction.ONLY_ECONOMIC, decides=Decides.CRM, may_be_empty=False)
    assert rule(older, 3, "contact.invoice_email") == given
    assert rule(older, 3, "contact.email") == Rule(direction=Direction.ONLY_ECONOMIC, decides=Decides.CRM)
    assert rule(older, 4, "contact.invoice_email") == Rule(decides=Decides.ECONOMIC, may_be_empty=False)
    for agreement in (1, 2):
        assert rule(older, agreement, "contact.invoice_email") == Rule(decides=Decides.ASK, may_be_empty=False)


def test_rules_that_the_release_before_stores_afterwards_are_read_as_they_are(older: Older) -> None:
    older.upgrade()
    with older.engine.begin() as connection:
        values = {"tenant": TENANT, "agreement": 3, "rules": '{"contact": {"email": {"decides": "economic"}}}'}
        assert connection.execute(GIVE_RULES, values).rowcount == 1
    assert rule(older, 3, "contact.email") == Rule(decides=Decides.ECONOMIC)
    assert rule(older, 3, "contact.invoice_email") == Rule(decides=Decides.ASK, may_be_empty=False)
