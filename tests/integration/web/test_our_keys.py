"""Does the server have our keys to e-conomic? The adapter says so, before anything is connected; the pages ask nobody else."""

import re
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from reconciler import clock, installation, ordering, reconcile
from tests.builders.crm import a_customer
from tests.builders.sync import TENANT, Wire, agreement_seen, crm_changed, installation_seen
from tests.integration.web.browsing import Pages, ask
from tests.integration.web.serving import served
from tests.integration.web.setting_up import text
from tests.integration.web.test_set_up_choices import first_buttons
from tests.integration.web.test_set_up_webhook import key

SECRET, PUBLIC = "ECONOMIC_APP_SECRET", "ECONOMIC_APP_PUBLIC"
MISSING = "Serveren mangler vores nøgler til e-conomic. Den, der driver serveren, skal angive dem."
UNHEARD = (
    "Vi har endnu ikke hørt fra den del af serveren, der taler med e-conomic, så vi ved ikke, om den har vores nøgler. "
    "Når den kører, hører vi fra den hvert minut. Sig det ellers til den, der driver serveren."
)
SILENT = re.compile(
    r"Vi har siden kl\. \d\d\.\d\d ikke hørt fra den del af serveren, der taler med e-conomic, "
    r"så vi ved ikke, om den har vores nøgler\. "
)


def access(pages: Pages, url: str = "") -> dict[str, Any]:
    answer = ask("GET", f"{url or pages.url}/api/v1/set-up", headers=key(pages))
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()["access"]
    return found


def invites(pages: Pages) -> int:
    return ask("POST", f"{pages.url}/api/v1/set-up/connect-link", headers=key(pages)).status_code


@pytest.fixture(params=[False, True], ids=["nothing connected", "access lost"])
def lost(wire: Wire, request: pytest.FixtureRequest) -> bool:
    """Both times at which a person is led to e-conomic."""
    if request.param:
        wire.hear(agreement_seen(wire.time, state="access_lost", cause="access_lost"))
    return bool(request.param)


def test_what_the_adapter_lacks_is_said_with_who_has_to_do_what(pages: Pages, wire: Wire, lost: bool) -> None:
    wire.hear(installation_seen(wire.time, SECRET, PUBLIC))
    shown = text(pages)
    assert MISSING in shown
    assert f"Teknisk: {SECRET}, {PUBLIC}" in shown
    assert "The server lacks our keys to e-conomic. Whoever runs the server must enter them." in text(
        pages, language="en"
    )
    assert first_buttons(shown)[:1] == ["Prøv igen"]
    assert "attempt=" not in shown
    told = access(pages)
    assert (told["our_keys"], told["lacking_settings"]) == ("missing", [SECRET, PUBLIC])
    assert invites(pages) == 409
    wire.later(seconds=1)
    wire.hear(installation_seen(wire.time))
    shown = text(pages)
    assert MISSING not in shown
    assert first_buttons(shown)[:1] == ["Forbind igen" if lost else "Forbind til e-conomic"]
    assert "data-again" not in shown
    assert (access(pages)["our_keys"], invites(pages)) == ("there", 201)


@pytest.mark.parametrize("given", [{"hooks_url": ""}, {"connect_key": b""}], ids=["HOOKS_PUBLIC_URL", "CONNECT_KEY"])
@pytest.mark.parametrize("heard", [False, True])
def test_what_the_pages_lack_themselves_is_missing_whatever_the_adapter_says(
    pages: Pages, wire: Wire, lost: bool, given: dict[str, Any], heard: bool, request: pytest.FixtureRequest
) -> None:
    if heard:
        wire.hear(installation_seen(wire.time))
    (name,) = [one for one in ("HOOKS_PUBLIC_URL", "CONNECT_KEY") if one in request.node.callspec.id]
    with served(pages.engine, **given) as there:
        shown = there.arrive(tenant=TENANT, sub="m", role="admin").get("/set-up").text
        told = access(pages, there.url)
    assert MISSING in shown
    assert f"Teknisk: {name}" in shown
    assert "attempt=" not in shown
    assert (told["our_keys"], told["lacking_settings"]) == ("missing", [name])


def test_before_the_adapter_is_heard_of_neither_is_said_and_nobody_is_held_up(
    pages: Pages, wire: Wire, lost: bool
) -> None:
    """An adapter of the release before never says so: a person is led there as before."""
    shown = text(pages)
    assert UNHEARD in shown
    assert MISSING not in shown
    assert first_buttons(shown)[:1] == ["Prøv igen"]
    assert re.search(r'<a class="button" href="[^"]+attempt=', shown), "led there, without a word that it works"
    assert 'data-again="10"' in shown, "what is not known yet is looked for"
    told = access(pages)
    assert (told["our_keys"], told["adapter_heard"], told["lacking_settings"]) == ("unheard", None, [])
    assert invites(pages) == 201


def test_an_adapter_that_is_heard_no_more_holds_nothing_that_it_said(pages: Pages, wire: Wire, lost: bool) -> None:
    for said in ((), (SECRET,)):
        wire.hear(installation_seen(wire.time, *said))
        pages.time = wire.time + timedelta(seconds=179)
        shown = text(pages)
        assert SILENT.search(shown) is None
        assert (MISSING in shown) is bool(said)
        wire.later(minutes=3)
        pages.time = wire.time
        shown = text(pages)
        assert SILENT.search(shown) is not None
        assert "We have not heard since " in text(pages, language="en")
        assert MISSING not in shown
        assert (access(pages)["our_keys"], invites(pages)) == ("silent", 201)


def test_what_is_connected_says_nothing_of_keys(pages: Pages, wire: Wire) -> None:
    wire.hear(agreement_seen(wire.time, state="connected"))
    assert "nøgler" not in text(pages)
    wire.hear(installation_seen(wire.time, SECRET))
    assert "nøgler" not in text(pages), "nobody is led to e-conomic from here"
    assert access(pages)["our_keys"] == "missing"


def test_every_tenant_is_told(pages: Pages, wire: Wire) -> None:
    wire.hear(installation_seen(wire.time, SECRET))
    for tenant in (TENANT, "other"):
        assert MISSING in pages.arrive(tenant=tenant, sub="m", role="admin").get("/set-up").text


def test_what_came_late_is_not_the_last(pages: Pages, wire: Wire) -> None:
    wire.hear(installation_seen(wire.time))
    wire.hear(installation_seen(wire.time - timedelta(seconds=60), SECRET))
    assert access(pages)["our_keys"] == "there"


def test_it_comes_with_other_messages_in_a_batch(wire: Wire) -> None:
    batch = [crm_changed(a_customer(), 1), installation_seen(wire.time, SECRET), installation_seen(wire.time)]
    with wire.engine.begin() as connection:
        ordering.prepare(connection, batch, ())
        for one in batch:
            reconcile.handle(wire.clocked, connection, one)
    with wire.engine.connect() as connection:
        assert connection.scalar(sa.text("select count(*) from sync.installation")) == 2


def test_what_is_old_is_forgotten_but_for_the_last(wire: Wire) -> None:
    for days in (30, 29, 2):
        wire.hear(installation_seen(wire.time - timedelta(days=days), SECRET))
    clock.retain(wire.engine)
    with wire.engine.connect() as connection:
        told = installation.last(connection)
        assert connection.scalar(sa.text("select count(*) from sync.installation")) == 1
    assert told is not None
    assert told.at == wire.time - timedelta(days=2)


def test_the_health_page_says_it_to_whoever_looks(pages: Pages, wire: Wire) -> None:
    def adapter() -> tuple[str, str]:
        found = ask("GET", f"{pages.url}/api/v1/health", headers=key(pages)).json()["things"]
        (one,) = [one for one in found if one["name"] == "adapter"]
        return one["stands"], one["sentence"]

    assert adapter()[0] == "unknown"
    wire.hear(installation_seen(wire.time, SECRET))
    assert adapter() == ("act", "The server lacks our keys to e-conomic. Whoever runs the server must enter them.")
    wire.later(seconds=1)
    wire.hear(installation_seen(wire.time))
    assert adapter()[0] == "well"
    pages.later(minutes=4)
    assert adapter()[0] == "act"
