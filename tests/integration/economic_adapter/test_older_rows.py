"""What stands in rows of an older release once the migrations have moved it, and what that release makes of it while it runs on."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from economic_adapter import records
from tests.older import Older, left_at

AGREEMENT = 123456
HELD: dict[int, list[dict[str, Any]]] = {
    1: [],
    2: [{"customerContactNumber": 1, "name": "Anne"}],
    3: [{"customerContactNumber": 2, "name": "Bo", "receiveInvoices": False, "receiveEInvoices": None}],
    4: [{"customerContactNumber": 3, "name": "Cid", "receiveOrders": True}],
    5: [{"customerContactNumber": 4, "name": "Dan", "receiveInvoices": True}],
    6: [{"customerContactNumber": 5, "name": "Eva"}, {"customerContactNumber": 6, "receiveEInvoices": True}],
}
"""Contact persons by customer number, as they were read and kept."""
TOLD_AGAIN = {5, 6}
KEEP = sa.text("""
    insert into economic.mirror (agreement, number, epoch, counter, body, object_version, contacts, absent, missing_since,
                                 seen_at, kept)
    values (:agreement, :number, 1, (select coalesce(max(counter), 0) + 1 from economic.mirror
                                     where agreement = :agreement and number = :number),
            cast(:body as jsonb), :version, cast(:contacts as jsonb), :absent, null, now(), nextval('economic.mirror_kept'))
    on conflict (agreement, number) do update set
        epoch = excluded.epoch, counter = greatest(excluded.counter, mirror.counter + 1), body = excluded.body,
        object_version = excluded.object_version, contacts = excluded.contacts, absent = excluded.absent,
        missing_since = excluded.missing_since, seen_at = excluded.seen_at, kept = excluded.kept
""")
"""As the release before the migration keeps what it saw."""


def keep(older: Older, number: int, contacts: list[dict[str, Any]], *, absent: bool = False, **more: Any) -> None:
    body = None if absent else json.dumps({"customerNumber": number, **more})
    values = {"agreement": AGREEMENT, "number": number, "version": "v1", "body": body, "absent": absent}
    with older.engine.begin() as connection:
        connection.execute(KEEP, {**values, "contacts": json.dumps(contacts)})


def told_again(older: Older) -> set[int]:
    """The customers that the next pass of today's release tells once more."""
    with older.engine.connect() as connection:
        return {number for number, one in records.held_of(connection, AGREEMENT, range(1, 20)).items() if one.retell}


@pytest.fixture
def older(server_addresses: dict[str, str]) -> Iterator[Older]:
    """The release before it was told which documents a contact person gets."""
    with left_at(server_addresses, "economic", "economic_0008") as made:
        for number, contacts in HELD.items():
            keep(made, number, contacts)
        keep(made, 7, [], absent=True)
        yield made


def test_whoever_has_contact_persons_that_get_copies_of_invoices_is_told_once_more(older: Older) -> None:
    older.upgrade("economic_0009")
    with older.engine.connect() as connection:
        rows = connection.execute(sa.text("select number, contacts, retell from economic.mirror")).all()
    assert {row.number for row in rows if row.retell} == TOLD_AGAIN
    assert {row.number: row.contacts for row in rows} == {**HELD, 7: []}


def test_what_the_release_before_keeps_afterwards_is_still_told_once_more(older: Older) -> None:
    older.upgrade()
    assert told_again(older) == TOLD_AGAIN
    keep(older, 5, HELD[5])
    keep(older, 8, HELD[2])
    assert told_again(older) == TOLD_AGAIN
    with older.engine.connect() as connection:
        assert set(records.held_of(connection, AGREEMENT, [5, 8])) == {5, 8}


READABLE: dict[int, dict[str, Any]] = {
    1: {"defaultInvoiceRecipient": "faktura@nordhavn.example"},
    2: {"creditMaximum": 0},
    3: {"defaultAttention": 4},
    4: {"defaultInvoiceRecipient": "", "creditMaximum": None, "bankAccount": "1234"},
    5: {},
    6: {},
}
"""What was kept of customers that nobody was told of."""


def test_whoever_has_more_to_be_read_than_was_told_is_told_once_more(server_addresses: dict[str, str]) -> None:
    with left_at(server_addresses, "economic", "economic_0010") as older:
        for number, body in READABLE.items():
            keep(older, number, [{"number": 4, "eInvoiceId": "57-4" if number == 5 else ""}], **body)
        keep(older, 7, [], absent=True)
        older.upgrade("economic_0011")
        assert told_again(older) == {1, 2, 3, 5}
