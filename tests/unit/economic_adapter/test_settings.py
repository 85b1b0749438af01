"""Settings of the adapter: all that is wrong is named at once, and no other host ever gets a token."""

import base64
from typing import Any

import pytest

from crm_outbox.messaging.settings import SettingsError
from economic_adapter.settings import DUTIES, Settings

KEY = base64.b64encode(bytes(range(32))).decode()
GOOD = {
    "DATABASE_URL": "postgresql://sync:sesame-pw@db/sync",
    "BROKER_URL": "amqp://mq:5672",
    "BROKER_MANAGEMENT_URL": "http://mq:15672",
    "BROKER_PASSWORD_RELAY_ECONOMIC": "relay-password",
    "BROKER_PASSWORD_ECONOMIC_ADAPTER": "adapter-password",
    "BROKER_PASSWORD_ECONOMIC_JOBS": "jobs-password",
    "BROKER_PASSWORD_ATTENTION": "attention-password",
    "ECONOMIC_APP_SECRET": "an-app-secret-of-ours",
    "ECONOMIC_APP_PUBLIC": "app-public",
    "ECONOMIC_KEYS": f"k1:{KEY}",
    "HOOKS_PUBLIC_URL": "https://sync.example.com/",
}


def problems(**changed: Any) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        Settings.from_env({**GOOD, **changed}, DUTIES)
    return refused.value.problems


def test_good_settings_are_taken_and_show_no_secret() -> None:
    settings = Settings.from_env(GOOD, DUTIES)
    assert settings.public_url == "https://sync.example.com"
    assert settings.rest_url == "https://restapi.e-conomic.com"
    shown = repr(settings)
    for secret in (KEY, "an-app-secret-of-ours", "jobs-password", "sesame-pw"):
        assert secret not in shown


def test_everything_that_is_missing_is_named_at_once() -> None:
    with pytest.raises(SettingsError) as refused:
        Settings.from_env({}, DUTIES)
    named = "\n".join(refused.value.problems)
    for name in (
        "ECONOMIC_DATABASE_URL or DATABASE_URL",
        "BROKER_URL",
        "BROKER_PASSWORD_RELAY_ECONOMIC",
        "BROKER_PASSWORD_ECONOMIC_ADAPTER",
        "BROKER_PASSWORD_ECONOMIC_JOBS",
        "BROKER_PASSWORD_ATTENTION",
        "ECONOMIC_APP_SECRET",
        "ECONOMIC_KEYS",
        "HOOKS_PUBLIC_URL",
    ):
        assert name in named


def test_a_duty_needs_only_its_own_settings() -> None:
    needed = {key: GOOD[key] for key in ("DATABASE_URL", "ECONOMIC_KEYS", "HOOKS_PUBLIC_URL")}
    assert Settings.from_env(needed, ["hooks"]).app_secret == ""


@pytest.mark.parametrize("lacks", [(), ("ECONOMIC_APP_SECRET",), ("ECONOMIC_APP_PUBLIC", "CONNECT_KEY")])
def test_what_nobody_can_be_led_to_e_conomic_without_is_named(lacks: tuple[str, ...]) -> None:
    given = {**GOOD, "CONNECT_KEY": "k" * 32, **dict.fromkeys(lacks, " ")}
    assert Settings.from_env(given, ["hooks"]).lacks == lacks


@pytest.mark.parametrize(
    "address",
    [
        "http://restapi.e-conomic.com",
        "https://restapi.e-conomic.com.evil.example",
        "https://evil.example",
        "https://restapi.e-conomic.com@evil.example",
        "https://user:pw@restapi.e-conomic.com",
        "https://restapi.e-conomic.com:8443",
        "https://restapi.e-conomic.com/path",
        "https://restapi.e-conomic.com?x=1",
        "http://127.0.0.1:8080",
        "http://169.254.169.254",
        "ftp://restapi.e-conomic.com",
        "https://restapi.e-conomic.com:99999",
    ],
)
def test_another_host_than_e_conomic_is_refused(address: str) -> None:
    assert any("ECONOMIC_REST_URL" in problem for problem in problems(ECONOMIC_REST_URL=address))


def test_a_development_host_must_be_listed_with_its_port() -> None:
    listed = {"ECONOMIC_DEVELOPMENT_HOSTS": "127.0.0.1:8080"}
    sandbox = {**GOOD, **listed, "ECONOMIC_REST_URL": "http://127.0.0.1:8080"}
    assert Settings.from_env(sandbox, DUTIES).rest_url == "http://127.0.0.1:8080"
    assert problems(**listed, ECONOMIC_REST_URL="http://127.0.0.1:8081")
    assert problems(ECONOMIC_DEVELOPMENT_HOSTS="127.0.0.1")
    assert problems(ECONOMIC_DEVELOPMENT_HOSTS="apis.e-conomic.com:443")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ECONOMIC_APP_SECRET", "short"),
        ("ECONOMIC_KEYS", "k1:c2hvcnQ="),
        ("ECONOMIC_CUSTOMERSAPI", "v3.1.0/../v2"),
        ("HOOKS_PUBLIC_URL", "http://sync.example.com"),
        ("HOOKS_LISTEN", "8081"),
        ("WORKER_THREADS", "0"),
        ("POLL_SECONDS", "often"),
    ],
)
def test_a_wrong_setting_is_named_without_its_value(name: str, value: str) -> None:
    (problem,) = problems(**{name: value})
    assert name in problem
    assert "c2hvcnQ" not in problem
