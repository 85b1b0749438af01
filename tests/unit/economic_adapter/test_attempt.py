"""An attempt at connecting: ours, unaltered and not over."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from economic_adapter import attempt as attempts
from economic_adapter.attempt import Attempt, Ending
from economic_adapter.sealing import KeyRing

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
KEYS = KeyRing(keys={"k1": bytes(range(32))})
OURS = Attempt(tenant="t1", locale="da", nonce="n1", expires=NOW + attempts.LIFETIME)


@given(st.text(min_size=1, max_size=80), st.sampled_from(["da", "en"]), st.text(alphabet="abc012", min_size=8))
def test_an_attempt_comes_back_as_it_was_issued(tenant: str, locale: attempts.Locale, nonce: str) -> None:
    attempt = Attempt(tenant=tenant, locale=locale, nonce=nonce, expires=NOW + timedelta(seconds=60))
    assert attempts.read(KEYS, attempts.issue(KEYS, attempt), NOW) == attempt


def test_an_attempt_that_is_over_altered_or_not_ours_is_none() -> None:
    text = attempts.issue(KEYS, OURS)
    body, _, signature = text.partition(".")
    other = attempts.issue(KEYS, Attempt(tenant="t2", locale="da", nonce="n1", expires=OURS.expires)).partition(".")[0]
    assert attempts.read(KEYS, text, NOW + attempts.LIFETIME) is None
    assert attempts.read(KEYS, f"{other}.{signature}", NOW) is None
    assert attempts.read(KEYS, body, NOW) is None
    assert attempts.read(KEYS, "", NOW) is None
    assert attempts.read(KEYS, text + "x" * 5000, NOW) is None
    assert attempts.read(KeyRing(keys={"k2": bytes(range(1, 33))}), text, NOW) is None


def test_a_form_belongs_to_its_attempt() -> None:
    token = attempts.form_token(KEYS, OURS)
    other = Attempt(tenant="t1", locale="da", nonce="n2", expires=OURS.expires)
    assert attempts.form_token_holds(KEYS, OURS, token)
    assert not attempts.form_token_holds(KEYS, other, token)
    assert not attempts.form_token_holds(KEYS, OURS, "")


def test_an_ending_is_kept_for_its_attempt_only() -> None:
    ending = Ending(sentence="connected", names={"company": "Nordhavn Tømrer ApS", "number": "123456"})
    text = attempts.keep(KEYS, OURS, ending)
    assert attempts.kept(KEYS, OURS, text) == ending
    assert attempts.kept(KEYS, Attempt(tenant="t2", locale="da", nonce="n2", expires=NOW), text) is None
