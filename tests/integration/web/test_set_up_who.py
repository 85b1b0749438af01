"""Who comes to set-up, from where, and for which agreement?"""

import re
from typing import Any

import pytest

from economic_adapter.contract import ConfigureAgreement
from reconciler import people
from reconciler.person import Person
from reconciler.rules import Transfer
from tests.builders.meeting import Both
from tests.builders.sync import AGREEMENT, TENANT, Wire, agreement_seen
from tests.integration.web.browsing import Pages
from tests.integration.web.setting_up import NO, known, on


@pytest.mark.parametrize("path", ["/set-up/off", "/set-up/disconnect", "/set-up/agreement", "/set-up/check"])
@pytest.mark.parametrize(("agreement", "status"), [("", 400), ("x", 400), ("99", 404), (None, 400)])
def test_a_button_names_the_agreement_it_was_shown_for(
    pages: Pages, wire: Wire, path: str, agreement: str | None, status: int
) -> None:
    wire.hear(agreement_seen(wire.time, state="connected"))
    on(wire)
    browser = pages.arrive(tenant=TENANT, sub="m", role="admin")
    fields: dict[str, Any] = {"form_token": browser.token("/set-up")}
    if path.endswith("agreement"):
        fields["right"] = "no"
    answer = browser.post(path, fields if agreement is None else {**fields, "agreement": agreement})
    assert answer.status_code == status
    assert known(pages.engine).state == "on"
    assert wire.said_only(ConfigureAgreement) == []


@pytest.mark.parametrize("role", ["reader", "user"])
def test_only_admins_come_here(pages: Pages, wire: Wire, role: str) -> None:
    wire.hear(agreement_seen(wire.time, state="connected"))
    before = known(pages.engine)
    pages.arrive(tenant=TENANT, sub="m", name="Mette Krogh", role="admin")
    other = pages.arrive(tenant=TENANT, sub="u", role=role)
    token = other.token()
    for path in ("/set-up", "/set-up/disconnect"):
        assert other.get(path).status_code == 403
        assert "Det kan en administrator: Mette Krogh" in other.get(path).text
    fields = {"form_token": token, "agreement": str(AGREEMENT), "right": "no", "transfer": "hand"}
    for path in ("/set-up", "/set-up/off", "/set-up/agreement", "/set-up/disconnect", "/set-up/check"):
        assert other.post(path, fields).status_code == 403
    assert ">Opsætning<" not in other.get("/").text
    assert known(pages.engine) == before


def test_another_tenants_agreement_is_none(pages: Pages, wire: Wire) -> None:
    wire.hear(agreement_seen(wire.time, state="connected"))
    stranger = pages.arrive(tenant="other", role="admin")
    assert NO not in stranger.get("/set-up").text
    token, number = stranger.token(), {"agreement": str(AGREEMENT)}
    for path, fields in (
        ("/set-up", {"transfer": "hand"}), ("/set-up/off", number), ("/set-up/agreement", {**number, "right": "yes"}),
        ("/set-up/disconnect", number), ("/set-up/check", number),
    ):  # fmt: skip
        assert stranger.post(path, {"form_token": token, **fields}).status_code == 404
    assert known(pages.engine).transfer == "created"


@pytest.mark.parametrize(("state", "button"), [("off", "Opsætning"), ("access_lost", "Forbind igen")])
def test_a_customer_that_waits_for_set_up_leads_here(pages: Pages, state: str, button: str) -> None:
    both = Both(engine=pages.engine, time=pages.time)
    both.switch_on(Transfer.CREATED)
    customer = both.linked(7, id="48211", cvr="12345678")
    both.set(state=state)
    link = f'<a class="button" href="{pages.url}/set-up">{button}</a>'
    admin = pages.arrive(tenant=TENANT, sub="m", name="Mette Krogh", role="admin")
    assert link in admin.get(f"/customers/{customer.id}").text
    other = pages.arrive(tenant=TENANT, sub="u", role="user")
    assert link not in other.get(f"/customers/{customer.id}").text


def test_the_box_beside_a_customer_leads_here_too_or_names_who_can(pages: Pages) -> None:
    at = int(pages.time.timestamp())
    given = {"aud": "widget", "iat": at, "exp": at + 600, "tenant": TENANT, "customer": "48211"}
    mine = pages.browser().get(f"/widget?pass={pages.launch(**given, role='admin')}").text
    assert re.search(r'href="[^"]+/economic/launch\?to=%2Fset-up" target="_top">Opsætning</a>', mine)
    with pages.engine.begin() as connection:
        people.meet(connection, Person(tenant=TENANT, id="m", name="Mette Krogh", role="admin"), pages.time)
    theirs = pages.browser().get(f"/widget?pass={pages.launch(**given, role='user')}").text
    assert "Bed Mette Krogh om at sætte den op" in theirs
    assert "Opsætning</a>" not in theirs
