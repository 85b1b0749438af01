"""An admin gives it up: off writes nothing, disconnecting deletes nothing, and neither happens in the middle of a run."""

import pytest
import sqlalchemy as sa

from economic_adapter.contract import ConfigureAgreement, WriteEconomicCustomer
from tests.builders.sync import AGREEMENT, TENANT, Wire, agreement_seen
from tests.integration.web.browsing import Pages
from tests.integration.web.companies import Admin
from tests.integration.web.setting_up import NO, known, text


def test_off_writes_nothing_and_stays_off(admin: Admin) -> None:
    admin.switch_on()
    admin.press("/set-up/off", agreement=str(AGREEMENT))
    assert [one.on for one in admin.company.wire.said_only(ConfigureAgreement)] == [False]
    shown = admin.text("/set-up")
    assert "Integrationen er slået fra" in shown
    assert "Se, hvad der vil ske (intet gemmes endnu)" in shown
    admin.press("/set-up/off", agreement=str(AGREEMENT))
    assert admin.company.wire.said_only(ConfigureAgreement) == []
    edited = admin.company.crm["alike"].model_copy(update={"website": "alfa.example"})
    admin.company.here(edited)
    assert admin.company.wire.said_only(WriteEconomicCustomer) == []


def test_disconnecting_says_what_it_does_and_keeps_the_links(admin: Admin) -> None:
    admin.switch_on()
    shown = admin.text("/set-up/disconnect")
    assert "Tilknytninger gemmes i 30 dage. Intet slettes i Clickmate eller e-conomic." in shown
    links = "select count(*) from sync.link where state = 'linked'"
    with admin.pages.engine.connect() as connection:
        before = connection.scalar(sa.text(links))
    for _ in range(2):
        admin.press("/set-up/disconnect", agreement=str(AGREEMENT))
    wire = admin.company.wire
    (asked,) = wire.said_only(ConfigureAgreement)
    assert (asked.on, asked.disconnect) == (False, True)
    shown = admin.text("/set-up")
    assert "Det, der er sendt, gøres færdigt først." in shown
    wire.later(seconds=1)
    wire.hear(agreement_seen(wire.time, state="disconnected"))
    shown = admin.text("/set-up")
    assert f"Forbindelsen til {NO}, aftale {AGREEMENT}, er afbrudt." in shown
    assert "Afbryd forbindelsen" not in shown
    with admin.pages.engine.connect() as connection:
        assert connection.scalar(sa.text(links)) == before
    wire.later(seconds=1)
    wire.hear(agreement_seen(wire.time, state="connected"))
    shown = admin.text("/set-up")
    assert "Er det den rigtige?" not in shown, "it was in use before"
    assert known(admin.pages.engine).state == "off"


@pytest.mark.parametrize(("column", "why"), [("busy", "busy"), ("pilot", "trial")])
def test_nothing_is_disconnected_in_the_middle_of_a_run(pages: Pages, wire: Wire, column: str, why: str) -> None:
    wire.hear(agreement_seen(wire.time, state="connected"))
    value = "gen_random_uuid()" if column == "busy" else "'48211'"
    with pages.engine.begin() as connection:
        connection.execute(sa.text(f"update sync.agreement set {column} = {value}"))
    shown = text(pages, "/set-up/disconnect")
    assert 'action="' + pages.url + '/set-up/disconnect"' not in shown
    browser = pages.arrive(tenant=TENANT, sub="m", role="admin")
    fields = {"form_token": browser.token("/set-up"), "agreement": str(AGREEMENT)}
    assert browser.post("/set-up/disconnect", fields).headers["location"] == f"/set-up?why={why}"
    assert wire.said_only(ConfigureAgreement) == []
