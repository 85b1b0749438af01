"""Does a pass let in exactly whom the CRM vouched for, where and when it said, and nobody else?"""

import json
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as some

from reconciler import passes
from reconciler.passes import Refused, keys_of, read, sign
from reconciler.person import Kept, Person, Right, Role, may

NOW = datetime(2026, 11, 24, 13, 5, tzinfo=UTC)
KEY = bytes(range(32))
KEYS = {"one": KEY, "two": bytes(range(32, 64))}
ROOT = Path(__file__).resolve().parents[3]
GOLDEN = ROOT / "tests" / "golden" / "passes.json"


def claims(**given: Any) -> dict[str, Any]:
    """What a CRM says for a widget; only what the test names matters."""
    at = int(NOW.timestamp())
    said = {
        "aud": "widget", "jti": "a-pass-of-its-own", "iat": at, "exp": at + 600, "tenant": "t", "sub": "u1",
        "name": "Anne Holm", "role": "user", "customer": "48211",
    }  # fmt: skip
    return {name: value for name, value in {**said, **given}.items() if value is not None}


def refused(text: str, wanted: str = "widget", now: datetime = NOW) -> str:
    with pytest.raises(Refused) as why:
        read(KEYS, text, wanted, now)  # type: ignore[arg-type]
    return str(why.value)


def test_a_pass_says_who_it_is_and_of_which_customer() -> None:
    found = read(KEYS, sign("one", KEY, claims(mail="anne@clickmate.example", lang="en")), "widget", NOW)
    assert found.person == Person(tenant="t", id="u1", name="Anne Holm", role="user", mail="anne@clickmate.example")
    assert (found.customer, found.lang) == ("48211", "en")


def test_the_known_passes_say_what_they_are_made_of() -> None:
    for one in json.loads(GOLDEN.read_text("utf-8")):
        found = read({one["kid"]: bytes.fromhex(one["key"])}, one["pass"], one["claims"]["aud"], NOW)
        assert json.loads(found.model_dump_json(include=set(one["claims"]) - {"iat", "exp"})) == {
            name: value for name, value in one["claims"].items() if name not in {"iat", "exp"}
        }


def test_the_python_of_the_page_for_a_crm_makes_the_known_passes() -> None:
    made = subprocess.run(
        [sys.executable, ROOT / "docs" / "crm" / "sign.py", GOLDEN], capture_output=True, text=True, check=True
    )
    assert made.stdout.split() == [one["pass"] for one in json.loads(GOLDEN.read_text("utf-8"))]


def test_the_page_for_a_crm_names_every_claim_and_the_lives_that_are_taken() -> None:
    page = (ROOT / "docs" / "crm.md").read_text("utf-8")
    named = {name for row in re.findall(r"^\| (`.*?) \|", page, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}
    assert named == set(passes.Pass.model_fields)
    widget, launch = (int(passes.LIVES[one].total_seconds() // 60) for one in ("widget", "launch"))
    assert (
        f"a widget's may live {widget} minutes, a launch's {launch}; clocks may differ by {passes.LEEWAY.seconds} s"
        in page
    )


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"aud": "launch"}, "for something else"),
        ({"exp": int(NOW.timestamp()) - 31}, "too old"),
        ({"iat": int(NOW.timestamp()) + 60, "exp": int(NOW.timestamp()) + 120}, "from the future"),
        ({"exp": int(NOW.timestamp()) + 601}, "too long a life"),
        ({"customer": None}, "ValidationError"),
        ({"tenant": ""}, "ValidationError"),
        ({"role": "owner"}, "ValidationError"),
        ({"name": "x\n"  "y"}, "ValidationError"),
        ({"jti": None}, "ValidationError"),
        ({"exp": None}, "ValidationError"),
        ({"exp": "soon"}, "ValidationError"),
    ],
)  # fmt: skip
def test_what_is_not_right_is_refused(given: dict[str, Any], why: str) -> None:
    assert refused(sign("one", KEY, claims(**given))) == why


def test_another_key_no_signature_and_another_algorithm_are_refused() -> None:
    good = sign("one", KEY, claims())
    assert refused(sign("two", KEY, claims())) == "InvalidSignatureError"
    assert refused(sign("three", KEY, claims())) == "unknown key"
    head, body, _ = good.split(".")
    assert refused(f"{head}.{body}.") == "InvalidSignatureError"
    assert refused(jwt.encode(claims(), "", algorithm="none", headers={"kid": "one"})) == "InvalidAlgorithmError"
    assert refused(good, "launch") == "for something else"
    assert refused(good + "x" * passes._LONGEST) == refused("") == "no pass"


@given(some.text(max_size=300) | some.binary(max_size=100).map(lambda one: one.hex()))
def test_no_text_is_a_mistake(text: str) -> None:
    assert refused(text)


def test_a_launch_lives_for_a_minute_and_clocks_may_differ_a_little() -> None:
    at = int(NOW.timestamp())
    launch = sign("one", KEY, claims(aud="launch", exp=at + 60, customer=None))
    assert read(KEYS, launch, "launch", NOW + timedelta(seconds=89)).customer is None
    assert refused(launch, "launch", NOW + timedelta(seconds=90)) == "too old"
    assert read(KEYS, launch, "launch", NOW - timedelta(seconds=30))


def test_keys_are_named_and_long_enough() -> None:
    assert keys_of(f" one={KEY.hex()}, two={KEY.hex()},") == {"one": KEY, "two": KEY}
    for wrong, says in (
        ("one=zz", "one is not hexadecimal"), ("one=00ff", "has 2 bytes"), (f"a b={KEY.hex()}", "letters"),
        (f"one={KEY.hex()},one={KEY.hex()}", "twice"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=says):
            keys_of(wrong)


@pytest.mark.parametrize(
    ("role", "rights"),
    [
        ("reader", {"see"}),
        ("user", {"see", "settle", "create", "bulk", "undo_others"}),
        ("admin", {"see", "settle", "create", "bulk", "undo_others", "administer"}),
    ],
)
def test_roles_have_their_rights(role: Role, rights: set[str]) -> None:
    everything = get_args(Right)
    assert {one for one in everything if may(role, one)} == rights
    kept = {one for one in everything if may(role, one, Kept(create=True, bulk=True))}
    assert kept == (rights if role == "admin" else rights & {"see", "settle"})
