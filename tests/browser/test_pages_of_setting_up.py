"""Is every page of setting up, of a run and of how everything fares flawless in each of its states and in both languages?"""

import re
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from economic_adapter.contract import Figures
from reconciler import clock, pressing, suggesting
from reconciler.pressing import Press
from tests.browser.screens import NARROW, WIDE, Screens
from tests.browser.test_pages import ADMIN, everything_open
from tests.builders.sync import AGREEMENT, Wire, agreement_seen, installation_seen
from tests.integration.web.browsing import Pages
from tests.integration.web.companies import Admin, company
from tests.integration.web.shop import Shop
from tests.integration.web.test_flow_for_many import ANNE
from tests.integration.web.test_suggestions import pair
from tests.integration.web.test_trial_page import tried


@pytest.fixture
def admin(pages: Pages) -> Admin:
    return Admin(pages, company(pages))


@pytest.fixture
def switched_on(admin: Admin) -> Admin:
    admin.switch_on()
    with admin.pages.engine.begin() as connection:  # what switching on reads afterwards has been read
        connection.execute(sa.text("update sync.run set state = 'done', ended = started where ended is null"))
    return admin


def lists(page: str) -> list[str]:
    """The addresses of the lists that the numbers of a page open."""
    return re.findall(r'href="[^"]*(/runs/[^"]+/list\?of=[^"]+)">', page)


def test_before_anything_is_connected(screens: Screens) -> None:
    screens.look("preview-not-set-up", "/set-up/preview", **ADMIN)
    screens.look("health-not-set-up", "/health", **ADMIN)


def test_before_our_keys_are_there(screens: Screens, pages: Pages) -> None:
    screens.look("set-up-unheard", "/set-up", **ADMIN)
    lacks = ("ECONOMIC_APP_SECRET", "ECONOMIC_APP_PUBLIC")
    Wire(engine=pages.engine, time=pages.time).hear(installation_seen(pages.time, *lacks))
    screens.look("set-up-no-keys", "/set-up", **ADMIN)


def test_setting_up(screens: Screens, pages: Pages) -> None:
    Wire(engine=pages.engine, time=pages.time).hear(installation_seen(pages.time))
    screens.look("set-up-not-connected", "/set-up", **ADMIN)
    admin = Admin(pages, company(pages))
    wire = admin.company.wire
    screens.look("set-up-asks", "/set-up", **ADMIN)
    admin.press("/set-up/agreement", agreement=str(AGREEMENT), right="yes")
    figures = Figures(at=wire.time, calls=2880, most=45_000, hooked=wire.time)
    wire.hear(agreement_seen(wire.time, state="connected", webhooks="registered", figures=figures))
    screens.look("set-up", "/set-up", also=True, **ADMIN)
    screens.look("set-up-webhook", "/set-up/webhook", **ADMIN)
    refused = "webhook:WebhookAlreadyExistsForEventType"
    wire.later(seconds=1)
    wire.hear(agreement_seen(wire.time, state="connected", webhooks="refused", cause=refused))
    screens.look("set-up-no-webhooks", "/set-up", **ADMIN)
    wire.later(seconds=1)
    wire.hear(agreement_seen(wire.time, state="access_lost", cause="AccessDeniedAgreementMissingModules"))
    screens.look("set-up-access-lost", "/set-up", **ADMIN)
    wire.later(seconds=1)
    wire.hear(agreement_seen(wire.time, state="connected", webhooks="registered"))
    admin.switch_on()
    screens.look("set-up-on", "/set-up", **ADMIN)
    screens.look("details", "/set-up/details", **ADMIN)
    screens.look("details-change", "/set-up/details/change?preset=invoices", **ADMIN)
    screens.look("new-customers", "/set-up/new-customers", **ADMIN)
    screens.look("pause", "/set-up/pause", **ADMIN)
    admin.press("/set-up/pause", to="both", ends="open")
    screens.look("pause-on", "/set-up/pause", **ADMIN)
    admin.press("/set-up/pause/resume", to="both")
    screens.look("disconnect", "/set-up/disconnect", **ADMIN)
    admin.press("/set-up/disconnect", agreement=str(AGREEMENT))
    screens.look("set-up-disconnecting", "/set-up", **ADMIN)
    wire.later(seconds=1)
    wire.hear(agreement_seen(wire.time, state="disconnected"))
    screens.look("set-up-disconnected", "/set-up", **ADMIN)


def test_the_preview_and_its_lists(screens: Screens, admin: Admin) -> None:
    screens.look("preview-none", "/set-up/preview", **ADMIN)
    admin.press("/set-up/preview")
    screens.look("preview-reading", "/set-up/preview", **ADMIN)
    admin.turn()
    screens.look("preview", "/set-up/preview", also=True, **ADMIN)
    shown = {address.partition("of=")[2]: address for address in lists(admin.text("/set-up/preview"))}
    for name in ("filled.phone", "economic", "barred"):
        found = next(address for of, address in shown.items() if of.startswith(name))
        screens.look(f"list-{name.replace('.', '-')}", found, **ADMIN)
    screens.look("switch-on-confirm", "/set-up/switch-on", **ADMIN)


def test_a_trial_with_one_customer(screens: Screens, admin: Admin) -> None:
    screens.look("trial-found", "/set-up/pilot?q=alfa", **ADMIN)
    admin.previewed("/set-up/pilot", customer="only")
    screens.look("trial-no-match", "/set-up/pilot", **ADMIN)
    tried(admin)
    admin.company.here(admin.company.crm["alike"].model_copy(update={"website": "alfa.example"}))
    admin.company.wire.later(seconds=2)
    admin.company.work()
    admin.company.here(admin.company.crm["alike"].model_copy(update={"email": "post@alfa.example"}))
    screens.look("trial", "/set-up/pilot", **ADMIN)
    admin.company.work()
    admin.press("/set-up/pilot/end", answer="keep")
    screens.look("trial-over", "/set-up/pilot", **ADMIN)


def test_switching_on_and_taking_it_back(screens: Screens, admin: Admin) -> None:
    admin.previewed()
    admin.confirm(admin.text("/set-up/switch-on"))
    admin.turn()
    screens.look("switch-on-under-way", "/set-up/switch-on", **ADMIN)
    admin.company.wire.switch(customers=4)
    screens.look("switch-on-running", "/set-up/switch-on", **ADMIN)
    admin.carry_out()
    screens.look("switch-on-done", "/set-up/switch-on", **ADMIN, then=everything_open)
    edited = admin.company.crm["alike"].model_copy(update={"phone": "99999999"})
    admin.company.here(edited)
    admin.company.work()
    run = admin.newest().id
    screens.look("switch-on-undo", f"/runs/{run}/undo", **ADMIN)
    undo = admin.press(f"/runs/{run}/undo")
    admin.carry_out()
    screens.look("switch-on-undone", undo, **ADMIN)


def test_transferring_all(screens: Screens, switched_on: Admin) -> None:
    admin = switched_on
    screens.look("transfer-ask", "/transfer", **ADMIN)
    shown = admin.previewed("/transfer")
    screens.look("transfer", "/transfer", also=True, **ADMIN)
    admin.confirm(shown)
    admin.turn()
    screens.look("transfer-running", "/transfer", **ADMIN)
    run = admin.newest("transfer").id
    admin.press(f"/runs/{run}/steer", action="pause", back="/transfer")
    screens.look("transfer-paused", "/transfer", **ADMIN)
    admin.press(f"/runs/{run}/steer", action="resume", back="/transfer")
    admin.carry_out()
    screens.look("transfer-done", "/transfer", **ADMIN)
    screens.look("transfer-undo", f"/runs/{run}/undo", **ADMIN)
    undo = admin.press(f"/runs/{run}/undo")
    admin.carry_out()
    screens.look("transfer-undone", undo, **ADMIN)


def test_a_pass_that_stopped(screens: Screens, switched_on: Admin) -> None:
    run = braked(switched_on)
    screens.look("run-stopped", f"/runs/{run}", **ADMIN)


def braked(admin: Admin) -> UUID:
    """Two customers that were edited while nothing might be written, and a limit of one."""
    with admin.pages.engine.begin() as connection:
        connection.execute(sa.text("update sync.agreement set brake_customers = 1, brake_percent = 100"))
        connection.execute(sa.text("""update sync.agreement set paused = '["crm", "economic"]'"""))
    for crm_id in ("alike", "spelled"):
        admin.company.here(admin.company.crm[crm_id].model_copy(update={"website": "new.example"}))
    with admin.pages.engine.begin() as connection:
        connection.execute(sa.text("update sync.agreement set paused = '[]'"))
        connection.execute(sa.text("update sync.link set look_again = true"))
    wire = admin.company.wire
    while clock.make_links(wire.engine) + clock.tell_again(wire.engine, wire.clocked):
        pass
    clock.follow_runs(wire.engine, wire.clocked)
    admin.company.work()
    return admin.newest("pass").id


def test_how_everything_fares(screens: Screens, switched_on: Admin, pages: Pages) -> None:
    wire = switched_on.company.wire
    figures = Figures(at=wire.time, calls=412, most=45_000)
    wire.hear(agreement_seen(wire.time, reference=None, webhooks="registered", figures=figures))
    pages.time = wire.time + timedelta(seconds=20)
    screens.look("health", "/health", **ADMIN)


def test_many_differences_at_once(screens: Screens, pages: Pages) -> None:
    shop = Shop(pages)
    for number in (101, 102, 103):
        elsewhere: dict[str, object] = {"phone": f"2222{number:04}", "name": f"Anders {number}"}
        shop.linked(number, elsewhere=elsewhere, phone=f"1111{number:04}")
    screens.look("differences", "/differences", also=True, **ADMIN)


def test_suggested_links(screens: Screens, pages: Pages) -> None:
    shop = Shop(pages)
    shop.both.set(state="off")
    screens.look("suggestions-none", "/suggestions", **ADMIN)
    for nth, way in enumerate(("cvr", "name_postcode", "phone", "email")):
        pair(shop, nth, way)
    mine = shop.arrive("admin", sub="u2", name="Mette")
    mine.open("/suggestions").press("Find forslag")
    screens.look("suggestions-looking", "/suggestions", **ADMIN)
    assert suggesting.carry_on(pages.engine, shop.both.clocked) == 1
    screens.look("suggestions", "/suggestions", also=True, **ADMIN)


def test_many_begin_to_flow_at_once(screens: Screens, pages: Pages) -> None:
    shop = Shop(pages)
    for number in (101, 102, 103):
        shop.linked(number, website="w.example")
        press = Press(person=ANNE, customer=f"c{number}", id=uuid4())
        with pages.engine.begin() as connection:
            pressing.still(shop.both.clocked, connection, press)
    shop.company.here(shop.company.crm["c101"].model_copy(update={"website": "new.example"}))
    screens.look("customers-left-out", "/customers?list=left_out")
    mine = shop.arrive()
    mine.open("/customers?list=left_out").press("Lad de markerede flyde automatisk (0)", customer=["c101", "c103"])
    screens.look("flow-seen", mine.at)
    mine.press("Slå til")
    shop.carry_out()
    screens.look("flow-done", mine.at)


@pytest.mark.parametrize(
    ("width", "alike"), [(WIDE, ["direction", "decides"]), (NARROW, ["direction", "decides", "empty"])]
)
def test_choices_beside_or_under_each_other_are_equally_wide(
    screens: Screens, admin: Admin, width: int, alike: list[str]
) -> None:
    mine = screens.arrive(**ADMIN, window={"viewport": {"width": width, "height": 700}})
    mine.go("/set-up/details")
    widths = set()
    for name in alike:
        found = mine.page.locator(f'select[name^="{name}."]')
        assert found.count() > 10
        widths |= set(found.evaluate_all("all => all.map(one => one.offsetWidth)"))
    assert len(widths) == 1, widths
    mine.fits()
