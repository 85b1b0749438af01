"""Does the sandbox guard its door as e-conomic does: tokens, roles, the bucket, idempotency keys?"""

import json

import pytest

from economic_adapter.sandbox.data import APP_SECRET, GRANT
from tests.builders.sandbox import CUSTOMERS, WEBHOOKS, Caller, codes, customer


@pytest.fixture
def economic() -> Caller:
    return Caller()


@pytest.mark.parametrize("path", [CUSTOMERS, WEBHOOKS, "/self"])
def test_a_wrong_app_a_wrong_grant_and_one_taken_back_answer_401(economic: Caller, path: str) -> None:
    assert Caller(economic.data, grant="wrong").ask("GET", path).status == 401
    assert Caller(economic.data, app="wrong").ask("GET", path).status == 401
    assert Caller(economic.data, grant="demo").ask("GET", path).status == 401
    economic.data.grants[GRANT].revoked = True
    assert economic.ask("GET", path).status == 401


def test_the_demo_tokens_only_read(economic: Caller) -> None:
    demo = Caller(economic.data, grant="demo", app="demo")
    assert demo.get("/self")["agreementNumber"] == 1
    assert demo.ask("POST", CUSTOMERS, customer()).status == 403


def test_the_role_sales_does_not_reach_webhooks(economic: Caller) -> None:
    economic.data.grants[GRANT].role = "Sales"
    assert economic.ask("GET", CUSTOMERS).status == 200
    assert economic.ask("GET", WEBHOOKS).status == 403


def test_a_missing_module_is_named(economic: Caller) -> None:
    economic.data.grants[GRANT].missing_modules = ["Salg"]
    answered = economic.ask("GET", CUSTOMERS)
    assert (answered.status, codes(answered)) == (403, ["AccessDeniedAgreementMissingModules"])
    assert json.loads(answered.body)["title"] == "Missing modules: Salg"


def test_two_agreements_have_nothing_in_common(economic: Caller) -> None:
    economic.data.add_agreement(2222, "Fjordbyg A/S", "other-grant")
    other = Caller(economic.data, grant="other-grant")
    economic.made(1001)
    assert other.get(f"{CUSTOMERS}/count") == 0
    assert other.get("/self")["agreementNumber"] == 2222


def test_every_answer_says_its_cost_and_what_was_used(economic: Caller) -> None:
    economic.data.settings.change({"bucket_refill": "window"})  # else some is back after milliseconds
    for answered, used in (
        (economic.ask("GET", "/self"), 1),
        (economic.ask("GET", CUSTOMERS), 4),
        (economic.ask("POST", CUSTOMERS, {}), 7),
        (economic.ask("GET", f"{CUSTOMERS}/7"), 8),
    ):
        assert answered.headers["X-RateLimiting"] == f"token-limit-10000-per-60-seconds: {used}/10000"
        assert answered.headers["X-CallCost"] in {"1", "3"}
        assert answered.headers["X-RequestId"]


def test_an_empty_bucket_answers_429_and_says_when_to_come_again(economic: Caller) -> None:
    economic.data.settings.change({"bucket_limit": 6, "bucket_window": 60})
    assert [economic.ask("GET", CUSTOMERS).status for _ in range(3)] == [200, 200, 429]
    refused = economic.ask("GET", CUSTOMERS)
    wait = int(refused.headers["Retry-After"])
    assert refused.headers["X-RateLimiting"] == "token-limit-6-per-60-seconds: 6/6"
    economic.data.advance(wait)
    assert economic.ask("GET", CUSTOMERS).status == 200


def test_the_bucket_can_be_a_fixed_window(economic: Caller) -> None:
    economic.data.settings.change({"bucket_limit": 3, "bucket_window": 60, "bucket_refill": "window"})
    assert [economic.ask("GET", CUSTOMERS).status for _ in range(2)] == [200, 429]
    economic.data.advance(30)
    assert economic.ask("GET", CUSTOMERS).status == 429
    economic.data.advance(31)
    assert economic.ask("GET", CUSTOMERS).status == 200


def test_the_bucket_is_one_for_both_hosts_and_its_own_per_agreement(economic: Caller) -> None:
    economic.data.add_agreement(2222, "Fjordbyg A/S", "other-grant")
    economic.data.settings.change({"bucket_limit": 3})
    assert economic.ask("GET", "/customers").status == 200
    assert economic.ask("GET", CUSTOMERS).status == 429
    assert Caller(economic.data, grant="other-grant").ask("GET", CUSTOMERS).status == 200


def test_a_legacy_429_has_the_legacy_shape_and_the_same_headers(economic: Caller) -> None:
    economic.data.settings.change({"bucket_limit": 1})
    economic.ask("GET", "/self")
    refused = economic.ask("GET", "/self")
    assert (refused.status, json.loads(refused.body)["httpStatusCode"]) == (429, 429)
    assert "Retry-After" in refused.headers


def test_the_same_key_gives_the_first_answer_again_and_works_once(economic: Caller) -> None:
    first = economic.ask("POST", CUSTOMERS, customer(), idempotency_key="k1")
    again = economic.ask("POST", CUSTOMERS, customer(), idempotency_key="k1")
    assert (first.status, again.status, again.body) == (201, 201, first.body)
    assert "X-ResultFromCache" not in first.headers
    assert again.headers["X-ResultFromCache"] == "true"
    assert economic.get(f"{CUSTOMERS}/count") == 1


def test_a_key_is_forgotten_after_an_hour(economic: Caller) -> None:
    economic.ask("POST", CUSTOMERS, customer(), idempotency_key="k1")
    economic.data.advance(3601)
    answered = economic.ask("POST", CUSTOMERS, customer(), idempotency_key="k1")
    assert codes(answered) == ["CustomerAlreadyExists"]


@pytest.mark.parametrize(("mode", "status", "count"), [("first", 201, 1), ("refuse", 400, 1), ("run", 201, 2)])
def test_the_same_key_with_another_body_is_a_switch(economic: Caller, mode: str, status: int, count: int) -> None:
    economic.data.settings.change({"idempotency_mismatch": mode})
    economic.ask("POST", CUSTOMERS, customer(1), idempotency_key="k1")
    assert economic.ask("POST", CUSTOMERS, customer(2), idempotency_key="k1").status == status
    assert economic.get(f"{CUSTOMERS}/count") == count


@pytest.mark.parametrize("kept", [False, True])
def test_whether_refusals_are_kept_under_a_key_is_a_switch(economic: Caller, kept: bool) -> None:
    economic.data.settings.change({"idempotency_errors": kept})
    assert economic.ask("POST", CUSTOMERS, customer(name=""), idempotency_key="k1").status == 400
    again = economic.ask("POST", CUSTOMERS, customer(name=""), idempotency_key="k1")
    assert ("X-ResultFromCache" in again.headers) == kept


def test_a_key_belongs_to_one_agreement(economic: Caller) -> None:
    economic.data.add_agreement(2222, "Fjordbyg A/S", "other-grant")
    economic.ask("POST", CUSTOMERS, customer(), idempotency_key="k1")
    other = Caller(economic.data, grant="other-grant")
    assert "X-ResultFromCache" not in other.ask("POST", CUSTOMERS, customer(), idempotency_key="k1").headers


def test_calls_are_counted_by_method_and_route(economic: Caller) -> None:
    economic.made(1001)
    economic.made(1002)
    counted = economic.data.calls
    assert counted["POST /customersapi/v3.1.0/customers"] == 2
    assert counted["GET /customersapi/v3.1.0/customers/{number}"] == 2
    assert APP_SECRET not in str(list(economic.data.recent))
