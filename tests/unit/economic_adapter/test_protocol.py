"""What an answer means: every status and every bad body has its class, and nothing of a body ends in a message."""

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from economic_adapter import calls, protocol
from economic_adapter.protocol import (
    AccessLost,
    Ambiguous,
    Answer,
    Failed,
    Forbidden,
    Head,
    Misuse,
    NotFound,
    Rate,
    Rejected,
    Request,
    Surface,
    Throttled,
    Transient,
    VersionConflict,
    decipher,
)

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
PROBLEM = {
    "title": "Bad request.",
    "status": 400,
    "detail": "Check the errors array for more details.",
    "errors": [{"message": "CustomerInvalidEmail", "errorCode": "CustomerInvalidEmail", "property": "Email"}],
    "traceId": "a3c1-CPH",
    "errorCode": "ValidationFailed",
}
LEGACY = {
    "message": "Validation failed. 2 errors found.",
    "errorCode": "E04300",
    "httpStatusCode": 400,
    "errors": {
        "paymentTerms": {
            "errors": [{"propertyName": "paymentTerms", "errorMessage": "4711 not found.", "errorCode": "E07080"}]
        },
        "lines": {
            "items": [{"arrayIndex": 0, "name": {"errors": [{"errorMessage": "missing", "errorCode": "E04042"}]}}]
        },
    },
}


def body(value: Any) -> bytes:
    return json.dumps(value).encode()


@pytest.mark.parametrize("status", [200, 201, 204])
@pytest.mark.parametrize(
    ("given_body", "read"), [(b"", None), (b" \n", None), (b'{"customerNumber":7}', {"customerNumber": 7})]
)
def test_every_success_is_taken_with_and_without_a_body(status: int, given_body: bytes, read: Any) -> None:
    assert decipher(status, {}, given_body).body == read


@pytest.mark.parametrize("bad", [b"<html>Login</html>", b'{"customerNumber":', b"\xff\xfe", b"[" * 100_000])
def test_a_success_that_cannot_be_read_settles_nothing(bad: bytes) -> None:
    with pytest.raises(Ambiguous):
        decipher(200, {}, bad)


@pytest.mark.parametrize(
    ("status", "answer", "kind"),
    [
        (400, body(PROBLEM), Rejected),
        (400, body(LEGACY), Rejected),
        (422, body({}) + b" ", Transient),
        (400, b"<html>blocked by a proxy</html>", Transient),
        (401, b"", AccessLost),
        (401, b"<html>", AccessLost),
        (403, body({"errorCode": "AccessDeniedAgreementMissingModules"}), Forbidden),
        (404, body({"status": 404, "errorCode": "ResourceNotFound"}), NotFound),
        (404, body({"httpStatusCode": 404, "errorCode": "E06000"}), NotFound),
        (404, b"<html>no such site</html>", Transient),
        (404, b"", Transient),
        (405, b"", Misuse),
        (409, b"", VersionConflict),
        (409, body({"message": "old shape", "property": "version"}), VersionConflict),
        (415, b"", Misuse),
        (429, b"", Throttled),
        (301, b"", Transient),
        (500, body(PROBLEM), Transient),
        (502, b"<html>", Transient),
        (503, b"", Transient),
        (504, b"", Transient),
        (100, b"", Transient),
        (999, b"", Transient),
    ],
)
def test_each_status_has_its_class(status: int, answer: bytes, kind: type[Failed]) -> None:
    with pytest.raises(Failed) as caught:
        decipher(status, {"x-requestid": "abc"}, answer, NOW)
    assert type(caught.value) is kind
    assert caught.value.head is not None
    assert caught.value.head.request_id == "abc"


def test_the_faults_of_the_new_surface_name_code_property_and_words() -> None:
    with pytest.raises(Rejected) as caught:
        decipher(400, {}, body(PROBLEM))
    first, last = caught.value.faults
    assert (first.code, first.property, first.message) == ("CustomerInvalidEmail", "Email", "CustomerInvalidEmail")
    assert last.code == caught.value.faults[-1].code == "ValidationFailed"
    assert caught.value.code == "CustomerInvalidEmail"


def test_the_faults_of_the_legacy_surface_are_found_at_any_depth() -> None:
    with pytest.raises(Rejected) as caught:
        decipher(400, {}, body(LEGACY))
    assert [(one.code, one.property) for one in caught.value.faults] == [
        ("E07080", "paymentTerms"), ("E04042", "name"), ("E04300", ""),
    ]  # fmt: skip


def test_errors_that_are_only_texts_get_the_code_around_them() -> None:
    with pytest.raises(Rejected) as caught:
        decipher(400, {}, body({"errorCode": "E04810", "errors": ["Pagesize too large"]}))
    assert caught.value.faults[0] == protocol.Fault(code="E04810", message="Pagesize too large")


def test_words_of_the_other_side_are_cut_and_cleaned() -> None:
    with pytest.raises(Rejected) as caught:
        decipher(400, {}, body({"errorCode": "X", "message": "<b>\x00\n" + "a" * 1_000_000}))
    assert len(caught.value.faults[0].message) == protocol.MESSAGE_LENGTH
    assert "\x00" not in caught.value.faults[0].message


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7.0), ("0", 0.0), ("31536000", 3600.0), ("1.5", 1.5), ("", None), ("soon", None), ("-4", None),
        ("Tue, 24 Nov 2026 08:00:30 GMT", 30.0), ("Tue, 24 Nov 2026 07:00:00 GMT", 0.0),
        ("Tue, 24 Nov 2099 08:00:00 GMT", 3600.0), ("9" * 400, None),
    ],
)  # fmt: skip
def test_retry_after_is_read_in_seconds_or_as_a_date_and_never_believed_beyond_an_hour(
    text: str, seconds: float | None
) -> None:
    with pytest.raises(Throttled) as caught:
        decipher(429, {"Retry-After": text}, b"", NOW)
    assert caught.value.retry_after == seconds


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("token-limit-10000-per-60-seconds: 147/10000", Rate(limit=10000, window=60, used=147)),
        ("token-limit-2000-per-30-seconds:1 / 2000", Rate(limit=2000, window=30, used=1)),
        ("L", None), ("", None), ("token-limit-0-per-60-seconds: 0/0", None), ("token-limit-x-per-60-seconds: 1/1", None),
    ],
)  # fmt: skip
def test_the_bucket_is_read_from_its_header_where_it_can_be(text: str, rate: Rate | None) -> None:
    assert decipher(200, {"X-RateLimiting": text}, b"").head.rate == rate


def test_an_answer_from_the_cache_says_so() -> None:
    assert decipher(201, {"x-resultfromcache": "True"}, b"").head.from_cache


def test_what_no_database_can_hold_is_gone_from_an_answer() -> None:
    answer = decipher(200, {}, b'{"name":"a\\u0000b\\ud800c","\\u0000":["\\uDfff","\\ud83d\\ude00"]}')
    assert answer.body == {"name": "abc", "": ["", "😀"]}


@given(st.integers(100, 599), st.binary(max_size=200), st.dictionaries(st.text(max_size=20), st.text(max_size=40)))
def test_whatever_comes_is_an_answer_or_a_failure(status: int, content: bytes, headers: dict[str, str]) -> None:
    with suppress(Failed):
        assert decipher(status, headers, content, NOW).head.status == status


@given(
    st.recursive(
        st.none() | st.booleans() | st.text() | st.integers(),
        lambda one: (
            st.lists(one) | st.dictionaries(st.sampled_from(["errors", "errorCode", "message", "items", "a"]), one)
        ),
        max_leaves=20,
    )
)
def test_any_error_document_becomes_faults_with_codes(errors: Any) -> None:
    with pytest.raises(Failed) as caught:
        decipher(400, {}, body({"errors": errors, "errorCode": errors if isinstance(errors, str) else "E1"}))
    if isinstance(caught.value, Rejected):
        assert all(one.code for one in caught.value.faults)


def test_a_request_is_encoded_whole_and_keeps_its_key_apart_from_reading() -> None:
    found = calls.twins("DK$12*,34", "")
    assert found is not None
    assert "filter=corporateIdentificationNumber%24eq%3ADK%24%2412%24%2A%24%2C34" in found.target
    with pytest.raises(ValueError, match="idempotency"):
        Request(method="GET", surface=Surface.REST, path="/self", key=uuid4())
    with pytest.raises(ValueError, match="idempotency"):
        Request(method="PUT", surface=Surface.REST, path="/self")
    with pytest.raises(ValueError, match="path"):
        Request(method="GET", surface=Surface.REST, path="//foreign.example/self")


def test_both_identities_are_searched_in_one_call() -> None:
    found = calls.twins("13748136", "5790000000005")
    assert found is not None
    assert dict(found.query)["filter"].split("$or:") == [
        "corporateIdentificationNumber$eq:13748136",
        "corporateIdentificationNumber$eq:DK13748136",
        "corporateIdentificationNumber$eq:13 74 81 36",
        "ean$eq:5790000000005",
    ]
    assert calls.twins("", "") is None


@pytest.mark.parametrize("spelling", ["13748136", "DK13748136", "dk 13 74 81 36", "13.74.81-36"])
def test_a_cvr_number_is_searched_the_same_however_it_is_spelled(spelling: str) -> None:
    assert calls.twins(spelling, "") == calls.twins("13748136", "")


def test_a_number_that_is_no_danish_cvr_is_searched_as_it_is() -> None:
    found = calls.twins("SE556036079301", "")
    assert found is not None
    assert dict(found.query)["filter"] == "corporateIdentificationNumber$eq:SE556036079301"


@pytest.mark.parametrize("text", [b'{"items": [{"creditMaximum": NaN}]}', b'{"a": -Infinity}'])
def test_numbers_that_json_does_not_have_make_an_answer_unreadable(text: bytes) -> None:
    with pytest.raises(Ambiguous):
        decipher(200, {}, text)


def test_a_contact_person_is_replaced_at_the_collection() -> None:
    assert calls.replace_contact(b"{}", uuid4()).path == "/Contacts"


def page(content: Any) -> Answer:
    return Answer(head=Head(status=200), body=content)


def test_a_cursor_page_gives_records_and_the_next_cursor() -> None:
    assert protocol.items(page({"items": [{"number": 1}], "cursor": "17"})) == ([{"number": 1}], "17")
    assert protocol.items(page({"items": []})) == ([], None)


@pytest.mark.parametrize("content", [None, [], {}, {"items": {}}, {"items": [1]}, {"items": [], "cursor": "c" * 51}])
def test_a_page_that_is_none_settles_nothing(content: Any) -> None:
    with pytest.raises(Ambiguous):
        protocol.items(page(content))


def test_a_legacy_page_says_whether_there_is_another_and_its_link_is_not_kept() -> None:
    foreign = {"collection": [{"a": 1}], "pagination": {"nextPage": "https://foreign.example/steal"}}
    assert protocol.collection(page(foreign)) == ([{"a": 1}], True)
    assert protocol.collection(page({"collection": [], "pagination": foreign["pagination"]})) == ([], False)
