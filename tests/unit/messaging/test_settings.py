"""Settings: everything wrong is named at once, and no secret shows."""

import ast
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_outbox.messaging import settings
from crm_outbox.messaging.settings import Environment, Secret, SettingsError

ROOT = Path(__file__).parents[3]
GOOD = {
    "BROKER_URL": "amqp://broker:5672",
    "BROKER_VHOST": "t3-sync",
    "BROKER_MANAGEMENT_URL": "http://broker:15672/",
    "BROKER_PASSWORD_RELAY_CRM": "canary/secret@1",
}


def test_all_that_is_missing_or_wrong_is_named_at_once_and_no_value_of_a_secret() -> None:
    environment = Environment(
        {
            "COUNT": "many",
            "WAIT": "-1",
            "ON": "perhaps",
            "KEY": "canary",
            "ADDRESS": "ftp://somewhere",
            "LISTEN": "8081",
            "MODE": "odd",
            "EMPTY": "  ",
            "INSIDE": "http://user:canary-password@host",
        }
    )
    environment.integer("COUNT", least=1, most=9)
    environment.seconds("WAIT")
    environment.flag("ON")
    environment.secret("KEY", least=16)
    environment.url("ADDRESS")
    environment.listen("LISTEN")
    environment.text("MODE", choices=("a", "b"))
    environment.text("EMPTY")
    environment.url("INSIDE", credentials=False)
    settings.broker(environment, "relay-crm", "operator")
    settings.database_url(environment, "CRM")
    with pytest.raises(SettingsError) as raised:
        environment.done()
    named = [problem.partition(" ")[0] for problem in raised.value.problems]
    assert named == [
        "COUNT", "WAIT", "ON", "KEY", "ADDRESS", "LISTEN", "MODE", "EMPTY", "INSIDE", "BROKER_URL",
        "BROKER_MANAGEMENT_URL", "BROKER_PASSWORD_RELAY_CRM", "BROKER_PASSWORD_OPERATOR", "CRM_DATABASE_URL",
    ]  # fmt: skip
    assert "canary" not in str(raised.value)


def test_what_is_right_is_read() -> None:
    environment = Environment(
        {"COUNT": "7", "WAIT": "0.5", "ON": "Yes", "LISTEN": "[::1]:80", "DATABASE_URL": "postgresql://h/d"}
    )
    assert environment.integer("COUNT") == 7
    assert environment.seconds("WAIT") == 0.5
    assert environment.flag("ON") is True
    assert environment.flag("OFF", default=False) is False
    assert environment.listen("LISTEN") == ("::1", 80)
    assert environment.text("NAME", default="x") == "x"
    assert settings.database_url(environment, "SYNC") == "postgresql://h/d"
    environment.done()


def test_a_database_of_its_own_goes_before_the_shared_one() -> None:
    environment = Environment({"DATABASE_URL": "postgresql://h/shared", "CRM_DATABASE_URL": "postgresql://h/own"})
    assert settings.database_url(environment, "CRM") == "postgresql://h/own"


def test_the_broker_gives_each_user_its_address_and_shows_no_password() -> None:
    environment = Environment(GOOD)
    broker = settings.broker(environment, "relay-crm")
    environment.done()
    assert broker.url("relay-crm") == "amqp://relay-crm:canary%2Fsecret%401@broker:5672/t3-sync"
    assert broker.url("relay-crm", jobs=True).endswith("/t3-sync-jobs")
    assert broker.management_url == "http://broker:15672"
    assert "canary" not in repr(broker) + repr(environment.secrets) + f"{broker!r}"


@pytest.mark.parametrize(
    "url", ["amqp://user:pass@host", "amqp://host/vhost", "http://host", "host:5672", "amqp://host:70000"]
)
def test_a_broker_url_is_host_and_port_only(url: str) -> None:
    environment = Environment(GOOD | {"BROKER_URL": url})
    settings.broker(environment)
    with pytest.raises(SettingsError, match="BROKER_URL"):
        environment.done()


@given(st.text(max_size=50))
def test_no_text_makes_reading_raise_anything_but_settings_errors(value: str) -> None:
    environment = Environment({"X": value})
    environment.integer("X", default=1)
    environment.seconds("X", default=1.0)
    environment.flag("X", default=True)
    environment.url("X", default="")
    environment.listen("X", default="h:1")
    environment.secret("X", default="")
    assert all(problem.startswith("X ") for problem in environment.problems)


def test_a_secret_is_text_that_does_not_show_itself() -> None:
    secret = Secret("canary")
    assert secret == "canary"
    assert "canary" not in repr(secret) + repr([secret]) + repr({"a": secret})


def test_the_example_names_every_setting_of_every_package_once_with_a_comment() -> None:
    lines = (ROOT / "deploy" / "env.example").read_text("utf-8").splitlines()
    named = [match[1] for line in lines if (match := re.fullmatch(r"#? ?([A-Z][A-Z0-9_]+)=.*", line))]
    assert len(named) == len(set(named))
    for at, line in enumerate(lines):
        if re.fullmatch(r"#? ?[A-Z][A-Z0-9_]+=.*", line):
            assert re.match(r"# \S+ ", lines[at - 1]), f"{line} has no comment above it"
    assert set(named) == _settings_in_the_code()


def _settings_in_the_code() -> set[str]:
    """Every text in the settings code that has the form of a setting's name, and the password of each broker user."""
    files = [*ROOT.glob("*/settings.py"), *(ROOT / "crm_outbox" / "messaging").glob("*.py")]
    texts = [
        node.value
        for path in files
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    names = {text for text in texts if re.fullmatch(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+", text)}
    names |= {f"{owner}_DATABASE_URL" for owner in ("CRM", "ECONOMIC", "SYNC")}
    definitions = json.loads((ROOT / "deploy" / "rabbitmq" / "definitions.json").read_text("utf-8"))
    return names | {settings.password_name(user["name"]) for user in definitions["users"]}
