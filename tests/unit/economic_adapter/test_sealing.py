"""Sealing: opens at its own place only, under any key of the ring, and never shows a key."""

import base64
import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from economic_adapter.sealing import KeyRing, Place, Unreadable, key_id

OLD, NEW = bytes(range(32)), bytes(range(32, 64))
HERE = Place(tenant="t1", agreement=123456, column="grant")
RING = KeyRing(keys={"k1": OLD})


def encoded(key: bytes) -> str:
    return base64.b64encode(key).decode()


@given(st.text(max_size=600), st.binary(min_size=12, max_size=12))
def test_what_was_sealed_opens_at_its_place(text: str, nonce: bytes) -> None:
    assert RING.open(RING.seal(text, HERE, nonce), HERE) == text


@pytest.mark.parametrize(
    "elsewhere",
    [
        Place(tenant="t2", agreement=123456, column="grant"),
        Place(tenant="t1", agreement=123457, column="grant"),
        Place(tenant="t1", agreement=123456, column="secret"),
        Place(tenant="t1123456", agreement=0, column="grant"),
    ],
)
def test_what_was_moved_to_another_row_or_column_does_not_open(elsewhere: Place) -> None:
    sealed = RING.seal("a grant", HERE, secrets.token_bytes(12))
    with pytest.raises(Unreadable):
        RING.open(sealed, elsewhere)


@given(st.integers(min_value=0, max_value=200), st.sampled_from("Aa0_-.é"))
def test_a_damaged_text_does_not_open(position: int, letter: str) -> None:
    sealed = RING.seal("a grant", HERE, bytes(12))
    damaged = sealed[: position % len(sealed)] + letter + sealed[position % len(sealed) + 1 :]
    if damaged == sealed:
        return
    try:
        opened = RING.open(damaged, HERE)
    except Unreadable:
        return
    # the last letter of a base64 text holds bits that stand for nothing
    assert opened == "a grant"


def test_the_first_key_seals_and_every_key_opens() -> None:
    before = RING.seal("a grant", HERE, bytes(12))
    ring = KeyRing(keys={"k2": NEW, "k1": OLD})
    assert ring.open(before, HERE) == "a grant"
    assert key_id(ring.seal("a grant", HERE, bytes(12))) == "k2"
    with pytest.raises(Unreadable, match="not in the ring"):
        KeyRing(keys={"k2": NEW}).open(before, HERE)


def test_a_ring_is_read_in_order_in_both_alphabets() -> None:
    odd = b"\xfb\xef\xff" * 8 + bytes(range(8))
    ring = KeyRing.parse(f"k2:{encoded(NEW)}, k1:{base64.urlsafe_b64encode(odd).decode()}")
    assert ring.keys == {"k2": NEW, "k1": odd}
    assert ring.first == "k2"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "at least one key"),
        ("k1", "not written id:base64"),
        ("k 1:" + encoded(OLD), "not written id:base64"),
        ("k1:!!!", "not base64"),
        ("k1:" + encoded(OLD[:16]), "16 bytes"),
        ("k1:" + encoded(bytes(32)), "not random"),
        (f"k1:{encoded(OLD)},k1:{encoded(NEW)}", "twice"),
    ],
)
def test_a_wrong_ring_is_refused_without_showing_a_key(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint) as refused:
        KeyRing.parse(text)
    assert encoded(OLD) not in str(refused.value)


def test_a_ring_does_not_show_its_keys() -> None:
    assert "x00" not in repr(RING)
    assert encoded(OLD) not in repr(RING)


def test_a_signature_holds_for_its_purpose_and_text_only() -> None:
    signature = RING.sign("form", "tenant")
    assert KeyRing(keys={"k2": NEW, "k1": OLD}).signed("form", "tenant", signature)
    assert not RING.signed("attempt", "tenant", signature)
    assert not RING.signed("form", "tenant2", signature)
    assert not RING.signed("form", "tenant", "é")
