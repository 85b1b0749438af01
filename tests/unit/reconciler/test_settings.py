"""Settings of mail: a server, who it is from; a password is not shown, and what is missing or wrong is named."""

from typing import Any, ClassVar

import pytest

from crm_outbox.messaging.settings import SettingsError
from reconciler.settings import DUTIES, MailServer, Settings

GOOD = {
    "DATABASE_URL": "postgresql://sync:sesame@db/sync", "BROKER_URL": "amqp://mq:5672",
    "BROKER_MANAGEMENT_URL": "http://mq:15672", "BROKER_PASSWORD_ATTENTION": "attention-password",
    "CRM_ORIGIN": "https://crm.example.com", "MAIL_FROM": "Clickmate <sync@example.com>",
}  # fmt: skip


def mail(**given: str) -> MailServer | None:
    return Settings.from_env({**GOOD, **given}, ["clock"]).mail


def test_without_a_server_nobody_is_told_and_nothing_else_is_needed() -> None:
    without = {name: value for name, value in GOOD.items() if name not in {"CRM_ORIGIN", "MAIL_FROM"}}
    assert Settings.from_env(without, ["clock"]).mail is None


@pytest.mark.parametrize(
    ("address", "port", "encrypted", "plain"),
    [
        ("smtp://mail.example.com", 587, False, False),
        ("smtps://mail.example.com", 465, True, False),
        ("smtp://mail.example.com:25", 25, False, False),
        ("smtp://127.0.0.1:2525", 2525, False, True),
    ],
)
def test_a_server_is_spoken_to_in_clear_on_this_machine_alone(
    address: str, port: int, encrypted: bool, plain: bool
) -> None:
    found = mail(MAIL_SERVER=address)
    assert found is not None
    assert (found.port, found.encrypted, found.plain) == (port, encrypted, plain)


def test_user_and_password_stand_in_the_address_and_are_not_shown() -> None:
    settings = Settings.from_env(
        {**GOOD, "MAIL_SERVER": "smtps://sync%40example.com:p%2Fw-sesame@mail.example.com"}, ["clock"]
    )
    assert settings.mail is not None
    assert (settings.mail.user, settings.mail.password) == ("sync@example.com", "p/w-sesame")
    assert "sesame" not in repr(settings)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"MAIL_SERVER": "mail.example.com"}, "MAIL_SERVER must be an address that starts with smtp:// or smtps://"),
        ({"MAIL_SERVER": "smtp://mail.example.com", "MAIL_FROM": ""}, "MAIL_FROM is missing"),
        ({"MAIL_SERVER": "smtp://mail.example.com", "MAIL_FROM": "Clickmate"}, "MAIL_FROM must be of the form"),
        ({"MAIL_SERVER": "smtp://mail.example.com", "CRM_ORIGIN": ""}, "CRM_ORIGIN is missing"),
    ],
)
def test_what_is_missing_or_wrong_is_named(given: dict[str, str], named: str) -> None:
    with pytest.raises(SettingsError) as refused:
        mail(**given)
    assert any(one.startswith(named) for one in refused.value.problems)


WEB = {
    "DATABASE_URL": "postgresql://sync:sesame@db/sync", "WEB_PUBLIC_URL": "https://sync.example.com",
    "CRM_ORIGIN": "https://crm.example.com", "CRM_KEYS": f"one={'ab' * 32}",
}  # fmt: skip
PASSWORDS = ("BROKER_PASSWORD_RELAY_SYNC", "BROKER_PASSWORD_RECONCILER", "BROKER_PASSWORD_ATTENTION")


def test_a_customers_page_in_the_crm_is_known_where_it_is_named() -> None:
    named = Settings.from_env({**WEB, "CRM_CUSTOMER_URL": "https://crm.example.com/c?id={id}"}, ["web"])
    assert named.pages is not None
    assert named.pages.crm_customer == "https://crm.example.com/c?id={id}"
    without = Settings.from_env(WEB, ["web"])
    assert without.pages is not None
    assert without.pages.crm_customer == ""


@pytest.mark.parametrize("address", ["https://elsewhere.example/{id}", "https://crm.example.com/customers/"])
def test_it_is_a_page_of_that_crm_for_each_customer(address: str) -> None:
    with pytest.raises(SettingsError) as refused:
        Settings.from_env({**WEB, "CRM_CUSTOMER_URL": address}, ["web"])
    assert any(one.startswith("CRM_CUSTOMER_URL must be a page of CRM_ORIGIN") for one in refused.value.problems)


def test_no_duty_of_the_reconciler_reads_a_token_of_e_conomic() -> None:
    """They are the adapter's, which tells whether it has them; here their absence would say nothing, and their presence less."""

    class Read(dict[str, str]):
        asked: ClassVar[set[str]] = set()

        def get(self, name: str, default: Any = None) -> Any:
            self.asked.add(name)
            return super().get(name, default)

    Settings.from_env(Read({**GOOD, **WEB, **dict.fromkeys(PASSWORDS, "a-password")}), DUTIES)
    assert {"WEB_PUBLIC_URL", "CONNECT_KEY", "BROKER_URL"} <= Read.asked, "it is seen what is read"
    assert {name for name in Read.asked if name.startswith("ECONOMIC_")} == set()
