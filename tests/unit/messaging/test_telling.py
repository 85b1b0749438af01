"""A message as a person reads it: what is new since the one before, in one line that no terminal obeys."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from crm_outbox.messaging.telling import LONGEST, Teller, customer_of


def body(data: Any, **given: Any) -> bytes:
    document = {
        "specversion": "1.0", "id": "x", "type": "crm.customer.changed.v1", "subject": "customer/48211",
        "time": "2026-11-24T13:05:09.000000Z", "customerid": "48211", "version": "1.17", "data": data,
    }  # fmt: skip
    return json.dumps({**document, **given}).encode()


def test_the_first_of_a_subject_says_who_it_is() -> None:
    line = Teller().line(body({"customer": {"name": "Birk & Søn ApS", "phone": "86123456", "street": "Havnegade 1"}}))
    assert line == (
        "14.05.09  crm.customer.changed.v1                 customer 48211 v1.17  name Birk & Søn ApS · phone 86123456"
    )


def test_the_next_says_what_changed() -> None:
    teller = Teller()
    teller.line(body({"customer": {"name": "Birk", "phone": "86123456"}, "contacts": [{"name": "Åse"}]}))
    line = teller.line(body({"customer": {"name": "Birk", "phone": "86123457"}, "contacts": [], "time": "x"}))
    assert line.endswith("v1.17  customer.phone 86123456 → 86123457 · contacts 1.name Åse → (empty)")
    assert teller.line(body({"customer": {"name": "Birk", "phone": "86123457"}})).endswith("customer 48211 v1.17")


def test_another_type_and_another_subject_are_compared_with_their_own() -> None:
    teller = Teller()
    teller.line(body({"name": "Birk"}))
    assert teller.line(body({"name": "Birk"}, subject="customer/2")).endswith("name Birk")
    assert teller.line(body({"name": "Birk"}, type="crm.customer.written.v1")).endswith("name Birk")


def test_many_changes_are_counted() -> None:
    teller = Teller()
    teller.line(body({f"d{n}": "a" for n in range(9)}))
    assert teller.line(body({f"d{n}": "b" for n in range(9)})).endswith("· and 3 more")


def test_what_is_no_message_of_ours_is_told_by_its_size() -> None:
    assert Teller().line(b"secret").strip() == "a message that is none of ours, 6 bytes"
    assert customer_of(b"secret") == ("", "")


def test_a_customer_is_found_by_both_names() -> None:
    assert customer_of(body({}, customernumber="10042")) == ("48211", "10042")


@given(st.text(), st.text())
def test_a_line_is_one_line_and_holds_nothing_a_terminal_obeys(name: str, subject: str) -> None:
    teller = Teller()
    for data in ({"name": name}, {"name": f"{name}x"}):
        line = teller.line(body(data, subject=subject, customerid=name, type="t"))
        assert line.isprintable()
        assert len(line) < 4 * LONGEST + 60


@given(st.binary())
def test_anything_is_told(given: bytes) -> None:
    assert Teller().line(given)
