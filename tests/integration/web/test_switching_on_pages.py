"""An admin switches on at the pages: read, shown so that everything adds up, confirmed by its counts, carried out, taken back."""

import re

import pytest

from crm_outbox.contract import WriteCustomer
from economic_adapter.contract import ConfigureAgreement, WriteEconomicCustomer
from reconciler import acts, agreements, steering
from tests.builders.sync import AGREEMENT, TENANT
from tests.integration.web.browsing import Pages
from tests.integration.web.companies import Admin, asked_to_read


def test_before_anything_is_connected_the_pages_say_so(pages: Pages) -> None:
    browser = pages.arrive(role="admin")
    for path in ("/set-up/preview", "/set-up/pilot", "/set-up/switch-on", "/transfer"):
        shown = browser.get(path)
        assert (shown.status_code, "Integrationen med e-conomic er ikke sat op" in shown.text) == (200, True)
    answer = browser.post("/set-up/preview", {"form_token": browser.token()})
    assert answer.status_code == 404


def test_reading_shows_how_far_it_is_also_after_a_reload_and_asks_once(admin: Admin) -> None:
    assert "Læs begge systemer" in admin.text("/set-up/preview")
    assert admin.press("/set-up/preview") == "/set-up/preview"
    admin.press("/set-up/preview")
    assert len(asked_to_read(admin.company)) == 1
    for _ in range(2):
        shown = admin.text("/set-up/preview")
        assert "Læser begge systemer: 0 af 0 kunder" in shown
        assert 'data-again="2"' in shown
        assert '<noscript><a href="">Genindlæs</a></noscript>' in shown, (
            "asked for by hand, never taken away under somebody's hands"
        )
        assert "Slå til:" not in shown
    said = [one.data for one in admin.company.wire.said()]
    assert not [one for one in said if isinstance(one, ConfigureAgreement | WriteCustomer | WriteEconomicCustomer)]


def test_a_reading_is_paused_and_goes_on_from_the_page(admin: Admin) -> None:
    admin.press("/set-up/preview")
    run = re.search(r"/runs/([0-9a-f-]{36})/steer", admin.text("/set-up/preview"))
    assert run is not None
    assert admin.press(f"/runs/{run.group(1)}/steer", action="pause", back="/set-up/preview") == "/set-up/preview"
    shown = admin.text("/set-up/preview")
    assert "Genoptag" in shown
    admin.press(f"/runs/{run.group(1)}/steer", action="resume", back="/set-up/preview")
    assert "Sæt på pause" in admin.text("/set-up/preview")


def test_the_preview_adds_up_and_every_number_opens_as_a_list_and_as_a_file(admin: Admin) -> None:
    shown = admin.previewed()
    for text in (
        "e-conomic (4)", "Clickmate (5)", "Tilknyttes ved CVR-nr. (2)", "Forslag, som skal godkendes (1)",
        "Kun i e-conomic (1)", "Kun i Clickmate (1)", "Emner (1)", "heraf spærrede (1)", "1 oplysning udfyldes",
        "1 oplysning er forskellig", "0 kunder oprettes i e-conomic", "Samme navn og postnr. (1)",
    ):  # fmt: skip
        assert text in shown, text
    numbers = re.findall(r'href="[^"]*(/runs/[^"]+/list\?of=[^"]+)">[^<]*?\(?(\d+)[^<]*</a>', shown)
    assert len(numbers) >= 10
    for path, n in numbers:
        page = admin.text(path)
        assert re.search(rf"<h1>.* \({n}\)</h1>", page), (path, n)
        assert page.count("<tbody>") == int(n)
        answer = admin.browser.get(path.replace("/list?", "/list.csv?"))
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert len(answer.text.strip().splitlines()) == int(n) + 1
    filled = admin.text(f"/runs/{admin.newest().id}/list?of=filled.phone")
    assert "22222222" in filled
    assert "Alfa ApS" in filled


def test_ticked_boxes_are_another_preview_with_its_own_counts(admin: Admin) -> None:
    assert 'name="create_there" value="yes">' in admin.previewed(), "unticked"
    admin.previewed(create_there="yes", group="name_postcode")
    shown = admin.text("/set-up/preview")
    assert "1 kunde oprettes i e-conomic" in shown
    assert 'name="create_there" value="yes" checked' in shown
    button = "Slå til: 3 tilknyttes, 1 oplysning udfyldes, 1 oprettes i e-conomic"
    assert button in admin.text("/set-up/switch-on")


def test_what_is_ticked_stands_before_the_button_it_changes_and_its_counts_follow(admin: Admin) -> None:
    shown = admin.previewed()
    button = '<button class="main" name="to" value="switch-on">Slå integrationen til</button>'
    assert -1 < shown.index('name="group"') < shown.index('name="create_there"') < shown.index(button)
    assert shown.count('class="main"') + shown.count('class="button main"') == 1
    first = admin.newest().id
    assert admin.press("/set-up/preview", to="switch-on") == "/set-up/switch-on"
    assert admin.newest().id == first, "nothing else was ticked"
    assert "0 oprettes i e-conomic" in admin.text("/set-up/switch-on")
    assert admin.press("/set-up/preview", to="switch-on", create_there="yes") == "/set-up/switch-on"
    assert "Laver listen ..." in admin.text("/set-up/switch-on")
    admin.turn()
    assert "Slå til: 2 tilknyttes, 1 oplysning udfyldes, 1 oprettes i e-conomic" in admin.text("/set-up/switch-on")
    second = admin.newest().id
    assert second != first
    assert admin.press("/set-up/preview", to="switch-on", create_there="yes") == "/set-up/switch-on"
    assert admin.newest().id == second
    admin.press("/set-up/preview", to="switch-on", create_there="yes", group="name_postcode")
    admin.turn()
    assert "Slå til: 3 tilknyttes, 1 oplysning udfyldes, 1 oprettes i e-conomic" in admin.text("/set-up/switch-on")
    assert admin.company.wire.said_only(ConfigureAgreement) == [], "nothing is on before the counts are confirmed"


def test_only_what_the_page_leads_to_is_led_to(admin: Admin) -> None:
    admin.previewed()
    answer = admin.browser.post("/set-up/preview", {"form_token": admin.browser.token("/"), "to": "health"})
    assert answer.status_code == 400


def test_confirmed_by_its_counts_it_is_switched_on_once_and_says_what_was_done(admin: Admin) -> None:
    admin.previewed()
    page = admin.text("/set-up/switch-on")
    assert "Slå til: 2 tilknyttes, 1 oplysning udfyldes, 0 oprettes i e-conomic" in page
    first = admin.confirm(page)
    assert admin.confirm(page) == first
    admin.turn()
    assert admin.confirm(page) == first
    assert "Integrationen er ved at blive slået til" in admin.text("/set-up/switch-on")
    (asked,) = admin.company.wire.said_only(ConfigureAgreement)
    assert asked.on
    admin.company.wire.read = 0
    admin.company.wire.switch(customers=4)
    assert "0 af 2 kunder" in admin.text("/set-up/switch-on")
    admin.carry_out()
    shown = admin.text("/set-up/switch-on")
    assert "Integrationen er slået til" in shown
    assert "2 udført" in shown
    assert admin.company.crm["alike"].phone == "22222222"
    assert len(admin.company.economic) == 4


def test_a_set_that_moved_is_shown_anew_and_nothing_is_switched_on(admin: Admin) -> None:
    admin.previewed()
    page = admin.text("/set-up/switch-on")
    admin.company.here(admin.company.crm["alike"].model_copy(update={"mobile": ""}))
    there = admin.confirm(page)
    admin.turn()
    answer = admin.browser.get(there)
    assert answer.status_code == 303, "the run that was replaced leads to the new one"
    shown = admin.text(answer.headers["location"])
    assert "Noget er rettet, siden listen blev lavet. Se den nye liste." in shown
    assert "Slå til: 2 tilknyttes, 2 oplysninger udfyldes" in shown
    assert admin.company.wire.said_only(ConfigureAgreement) == []


@pytest.mark.parametrize(
    "given", [{"count.linked": "2"}, {"count.linked": "x", "count.filled": "1", "count.created": "0"}, {}]
)
def test_other_counts_than_were_shown_switch_nothing_on(admin: Admin, given: dict[str, str]) -> None:
    admin.previewed()
    run = admin.newest()
    answer = admin.browser.post(f"/runs/{run.id}/confirm", {"form_token": admin.browser.token(), **given})
    assert answer.status_code in {303, 400}
    admin.turn()
    assert admin.newest().state == "previewed"


def test_switching_on_is_taken_back_in_two_clicks_with_what_it_leaves(admin: Admin) -> None:
    admin.switch_on()
    edited = admin.company.crm["alike"].model_copy(update={"phone": "99999999"})
    admin.company.here(edited)
    admin.company.work()
    page = admin.text("/set-up/switch-on")
    first = re.search(r'href="[^"]*(/runs/[^/"]+/undo)"', page)
    assert first is not None
    shown = admin.text(first.group(1))
    assert "2 tilknytninger fjernes, 1 udfyldt oplysning føres tilbage, ingen kunder slettes" in shown
    assert "Det bliver stående, som det er (1)" in shown
    assert "nogen har rettet den siden" in shown
    undo = admin.press(first.group(1))
    assert admin.press(first.group(1)) == undo
    admin.carry_out()
    done = admin.text(undo)
    assert "1 blev ikke ført tilbage, fordi nogen har rettet dem" in done
    assert "Integrationen er slået fra" in admin.text("/set-up/switch-on")
    assert (len(admin.company.crm), len(admin.company.economic)) == (5, 4)
    assert admin.company.crm["alike"].phone == "99999999"


def test_on_again_shows_what_drifted_as_a_preview(admin: Admin, pages: Pages) -> None:
    admin.switch_on()
    with pages.engine.begin() as connection:
        known = agreements.lock(connection, TENANT, AGREEMENT)
        assert known is not None
        steering.switch_off(connection, known, admin.company.wire.clocked, acts.operator(TENANT))
    admin.company.here(admin.company.crm["spelled"].model_copy(update={"website": "zeta.example"}))
    admin.company.work()
    shown = admin.previewed()
    assert "Allerede tilknyttet (2)" in shown
    assert "1 kunde bringes på plads" in shown
    assert admin.company.economic[2].website == ""
    admin.confirm(admin.text("/set-up/switch-on"))
    admin.turn()
    admin.company.wire.switch(customers=4)
    admin.carry_out()
    assert admin.company.economic[2].website == "zeta.example"


@pytest.mark.parametrize("role", ["reader", "user"])
def test_only_admins_come_here(admin: Admin, pages: Pages, role: str) -> None:
    admin.previewed()
    run = admin.newest().id
    other = pages.arrive(tenant=TENANT, sub="u", role=role)
    token = other.token()
    for path in (
        "/set-up/preview", "/set-up/pilot", "/set-up/switch-on", "/transfer", f"/runs/{run}", f"/runs/{run}/undo",
        f"/runs/{run}/list?of=crm", f"/runs/{run}/list.csv?of=crm",
    ):  # fmt: skip
        assert other.get(path).status_code == 403, path
    for path in (
        "/set-up/preview", "/set-up/pilot", "/set-up/pilot/end", "/set-up/pilot/skip", "/transfer",
        f"/runs/{run}/confirm", f"/runs/{run}/steer", f"/runs/{run}/undo",
    ):  # fmt: skip
        fields = {"form_token": token, "action": "stop", "answer": "stop", "customer": "alike"}
        assert other.post(path, fields).status_code == 403, path
    assert admin.newest().state == "previewed"
    assert "Overfør alle kunder" not in other.get("/").text


def test_another_tenants_run_does_not_exist(admin: Admin, pages: Pages) -> None:
    admin.previewed()
    run = admin.newest().id
    stranger = pages.arrive(tenant="other", role="admin")
    token = stranger.token()
    for known in (str(run), "1", "' or 1=1 --", "00000000-0000-0000-0000-000000000000"):
        for path in ("", "/undo", "/list?of=crm", "/list.csv?of=crm"):
            assert stranger.get(f"/runs/{known}{path}").status_code == 404
        for path, fields in (("confirm", {"count.linked": "2"}), ("steer", {"action": "stop"}), ("undo", {})):
            assert stranger.post(f"/runs/{known}/{path}", {"form_token": token, **fields}).status_code == 404
    assert admin.newest().state == "previewed"
    assert admin.browser.get(f"/runs/{run}/list?of=nonsense").status_code == 404


def test_what_no_page_sends_changes_nothing(admin: Admin) -> None:
    admin.previewed()
    run = admin.newest().id
    token = admin.browser.token()
    for path, fields in (
        ("/set-up/preview", {"group": "shoe_size"}), (f"/runs/{run}/steer", {"action": "explode"}),
        ("/transfer", {"differing": "mine"}),
        ("/set-up/pilot", {"customer": ""}), ("/set-up/pilot", {"customer": "alike", "number": "-1"}),
        ("/set-up/pilot/end", {"answer": "x"}),
    ):  # fmt: skip
        assert admin.browser.post(path, {"form_token": token, **fields}).status_code == 400, path
        assert admin.browser.post(path, fields).status_code == 403
    assert admin.newest().state == "previewed"


def test_names_are_text_and_nothing_else(admin: Admin) -> None:
    admin.previewed()
    shown = admin.text(f"/runs/{admin.newest().id}/list?of=crm")
    assert "Gamma &lt;b&gt;" in shown
    assert "Gamma <b>" not in shown
