"""An admin chooses: which steps are done, what is kept, and when is the adapter told?"""

import re
from html import unescape

import pytest
import sqlalchemy as sa
from markupsafe import escape

from economic_adapter.contract import ConfigureAgreement, Figures
from tests.builders.sync import AGREEMENT, TENANT, Wire, agreement_seen, installation_seen
from tests.integration.web.browsing import Pages
from tests.integration.web.companies import Admin, company
from tests.integration.web.setting_up import known, line, on, text


def chosen(shown: str) -> dict[str, str]:
    """The choice that is marked of each question."""
    return dict(re.findall(r'type="radio" name="(\w+)" value="(\w+)" checked', shown))


def ticked(shown: str) -> list[bool]:
    """Which of the five steps are done; none where they are not shown."""
    found = re.search(r"<ol>(.*?)</ol>", shown, re.DOTALL)
    return [] if found is None else ["Færdig" in one for one in found.group(1).split("<li")[1:]]


def lacking(shown: str) -> list[str]:
    """Where it leads to what a step still lacks."""
    found = re.search(r"Mangler endnu: (.*?)</small>", shown, re.DOTALL)
    return [] if found is None else re.findall(r'href="http://[^/]+(/[^"]+)"', found.group(1))


def first_buttons(shown: str) -> list[str]:
    """The links and buttons that stand out as what is to be done next."""
    found = re.findall(r'<(?:a|button)[^>]* class="(?:button )?main"[^>]*>(.*?)</(?:a|button)>', shown)
    return [one.partition(". ")[0] for one in found]


def test_five_steps_tick_themselves_and_each_leads_to_where_it_is_done(pages: Pages) -> None:
    nothing = text(pages)
    assert ticked(nothing) == [False] * 5
    for step in (
        "Adgang til e-conomic", "Standardværdier og regler", "Fra e-conomic til Clickmate",
        "Se, hvad der vil ske (intet gemmes endnu)", "Slå integrationen til",
    ):  # fmt: skip
        assert step in nothing
    admin = Admin(pages, company(pages))
    assert ticked(admin.text("/set-up")) == [False] * 5
    assert lacking(admin.text("/set-up")) == ["/set-up/details", "/set-up#transfer"], (
        "e-conomic offers the default values"
    )
    admin.press("/set-up/agreement", agreement=str(AGREEMENT), right="yes")
    admin.press("/set-up", receive="checks")
    assert ticked(admin.text("/set-up")) == [True, False, True, False, False]
    admin.text("/set-up/details")
    assert lacking(admin.text("/set-up")) == ["/set-up#transfer"]
    assert re.search(r'<li aria-current="step"><a href="[^"]+/set-up/new-customers">', admin.text("/set-up"))
    admin.press("/set-up", transfer="created")
    assert ticked(admin.text("/set-up")) == [True, True, True, False, False], "the same as it was, but chosen"
    assert re.search(r'<li aria-current="step"><a href="[^"]+/set-up/preview">', admin.text("/set-up"))
    admin.previewed()
    assert ticked(admin.text("/set-up")) == [True, True, True, False, False], "nobody was tried, nor left out"
    admin.press("/set-up/pilot/skip")
    assert ticked(admin.text("/set-up")) == [True, True, True, True, False]
    admin.confirm(admin.text("/set-up/switch-on"))
    admin.turn()
    admin.company.wire.switch(customers=4)
    admin.carry_out()
    assert ticked(admin.text("/set-up")) == []
    assert "Integrationen er slået til" in admin.text("/set-up")


def test_a_step_is_not_done_while_its_check_is_not_right(pages: Pages, wire: Wire) -> None:
    wire.hear(agreement_seen(wire.time, state="connected", webhooks="registered"))
    with pages.engine.begin() as connection:
        connection.execute(sa.text("update sync.agreement set confirmed = now(), defaults = '{}'"))
    assert ticked(text(pages)) == [True, False, False, False, False], "no webhook came yet"
    assert "Venter på den første ..." in text(pages)
    assert lacking(text(pages)) == ["/set-up/new-customers", "/set-up/details", "/set-up#transfer"]
    figures = Figures(at=wire.time, calls=0, most=45_000, hooked=wire.time)
    wire.hear(agreement_seen(wire.time, state="connected", webhooks="registered", figures=figures))
    assert ticked(text(pages)) == [True, False, True, False, False], "one came"
    wire.hear(agreement_seen(wire.time, state="access_lost", cause="access_lost", reference=None))
    assert ticked(text(pages)) == [False, False, True, False, False], "it came"


def test_a_webhook_is_chosen_before_it_is_made(pages: Pages) -> None:
    admin = Admin(pages, company(pages))
    admin.press("/set-up/agreement", agreement=str(AGREEMENT), right="yes")
    admin.text("/set-up/details")
    admin.press("/set-up", transfer="created")
    shown = admin.text("/set-up")
    assert ticked(shown) == [True, True, False, False, False], "nobody said how changes come"
    assert re.search(r'<li aria-current="step"><a href="[^"]+/set-up#receive">', shown)
    assert lacking(shown) == ["/set-up#receive"]
    assert "Hvordan ændringer kommer til Clickmate" in shown
    admin.press("/set-up", receive="webhooks")
    shown = admin.text("/set-up")
    assert ticked(shown) == [True, True, True, False, False], "the same as it was, but chosen"
    assert line(shown, "Webhooks") == "Oprettes, når integrationen bliver slået til."
    assert re.search(r'<li aria-current="step"><a href="[^"]+/set-up/preview">', shown)


def test_one_thing_alone_stands_out_as_the_next(pages: Pages) -> None:
    Wire(engine=pages.engine, time=pages.time).hear(installation_seen(pages.time))
    assert first_buttons(text(pages)) == ["Forbind til e-conomic"]
    admin = Admin(pages, company(pages))
    assert first_buttons(admin.text("/set-up")) == ["Ja"]
    admin.press("/set-up/agreement", agreement=str(AGREEMENT), right="yes")
    assert first_buttons(admin.text("/set-up")) == ["Gem"]
    admin.text("/set-up/details")
    admin.press("/set-up", transfer="created", receive="checks")
    assert first_buttons(admin.text("/set-up")) == ["Se, hvad der vil ske (intet gemmes endnu)"]
    admin.previewed()
    admin.press("/set-up/pilot/skip")
    assert first_buttons(admin.text("/set-up")) == ["Slå integrationen til"]
    wire = admin.company.wire
    wire.hear(agreement_seen(wire.time, state="access_lost", cause="access_lost", reference=None))
    assert first_buttons(admin.text("/set-up")) == ["Forbind igen"]
    wire.later(seconds=1)
    wire.hear(
        agreement_seen(wire.time, state="access_lost", cause="AccessDeniedAgreementMissingModules", reference=None)
    )
    assert first_buttons(admin.text("/set-up")) == ["Prøv igen"]


def test_what_is_chosen_is_kept_and_shown(pages: Pages, wire: Wire) -> None:
    wire.hear(agreement_seen(wire.time, state="connected"))
    usual = {"transfer": "created", "receive": "webhooks", "flows": "yes", "may_create": "users", "may_bulk": "users"}
    assert chosen(text(pages)) == usual
    browser = pages.arrive(tenant=TENANT, sub="m", role="admin")
    wanted = {"transfer": "active", "receive": "nothing", "may_create": "admins", "number_from": "10000"}
    wanted |= {"flows": "no", "may_bulk": "admins", "number_to": "19999"}
    answer = browser.post("/set-up", {"form_token": browser.token("/set-up"), **wanted})
    assert (answer.status_code, answer.headers["location"]) == (303, "/set-up?saved=yes")
    shown = browser.get("/set-up?saved=yes").text
    assert "Gemt" in shown
    assert chosen(shown) == {name: value for name, value in wanted.items() if not name.startswith("number")}
    assert 'name="number_to" inputmode="numeric" maxlength="20" value="19999"' in shown
    assert 'name="number_from" inputmode="numeric" maxlength="20" value="10000"' in shown
    stored = known(pages.engine)
    assert (stored.transfer, stored.receive, stored.hooks, stored.number_from) == ("active", False, True, 10000)
    assert wire.said_only(ConfigureAgreement) == [], "off: the adapter is told when it is switched on"
    user = pages.arrive(tenant=TENANT, sub="u", role="user")
    assert user.get("/customers/x/create").status_code == 403
    browser.post("/set-up", {"form_token": browser.token("/set-up"), "number_from": ""})
    assert known(pages.engine).number_from is None


def test_while_it_is_on_the_adapter_is_told_of_webhooks_and_numbers(pages: Pages, wire: Wire) -> None:
    wire.hear(agreement_seen(wire.time, state="connected"))
    on(wire)
    browser = pages.arrive(tenant=TENANT, sub="m", role="admin")
    browser.post("/set-up", {"form_token": browser.token("/set-up"), "receive": "checks", "number_from": "500"})
    (told,) = wire.said_only(ConfigureAgreement)
    assert (told.on, told.webhooks, told.polling, told.number_from) == (True, False, True, 500)
    assert "Bruges ikke: I har valgt jævnlig kontrol." in line(text(pages), "Webhooks")
    browser.post("/set-up", {"form_token": browser.token("/set-up"), "receive": "checks", "number_from": "500"})
    assert wire.said_only(ConfigureAgreement) == []
    assert known(pages.engine).state == "on"


def test_what_was_chosen_before_switching_on_holds_when_it_is(admin: Admin) -> None:
    fields = {"transfer": "hand", "receive": "checks", "number_from": "700"}
    assert admin.press("/set-up", **fields) == "/set-up?saved=yes"
    admin.previewed()
    admin.confirm(admin.text("/set-up/switch-on"))
    admin.turn()
    (asked,) = admin.company.wire.said_only(ConfigureAgreement)
    assert (asked.on, asked.webhooks, asked.number_from) == (True, False, 700)
    assert known(admin.pages.engine).transfer == "hand"
    assert "Integrationen er ved at blive slået til" in admin.text("/set-up")


def test_switching_the_transfer_lets_customers_be_looked_at_again(admin: Admin) -> None:
    admin.switch_on()
    assert "Integrationen er slået til" in admin.text("/set-up")
    admin.press("/set-up", transfer="active")
    with admin.pages.engine.connect() as connection:
        assert connection.scalar(sa.text("select count(*) from sync.link where look_again")) > 0


@pytest.mark.parametrize(
    "given",
    [
        {"transfer": "sometimes"}, {"receive": "x"}, {"may_create": "reader"}, {"number_from": "0"},
        {"flows": "perhaps"}, {"may_bulk": "reader"}, {"number_to": "x"}, {"number_from": "10", "number_to": "9"},
        {"number_from": "-1"}, {"number_from": "1e3"}, {"number_from": "9999999999"}, {},
        {"transfer": "active", "number_from": "x"},
    ],
)  # fmt: skip
def test_what_no_page_sends_changes_nothing(pages: Pages, wire: Wire, given: dict[str, str]) -> None:
    wire.hear(agreement_seen(wire.time, state="connected"))
    before = known(pages.engine)
    browser = pages.arrive(tenant=TENANT, sub="m", role="admin")
    assert browser.post("/set-up", {"form_token": browser.token("/set-up"), **given}).status_code == 400
    assert known(pages.engine) == before


def test_numbers_are_taken_as_people_write_them(pages: Pages, wire: Wire) -> None:
    wire.hear(agreement_seen(wire.time, state="connected"))
    browser = pages.arrive(tenant=TENANT, sub="m", role="admin")
    wanted = {"number_from": "10.000", "number_to": "19 999"}
    assert browser.post("/set-up", {"form_token": browser.token("/set-up"), **wanted}).status_code == 303
    assert (known(pages.engine).number_from, known(pages.engine).number_to) == (10_000, 19_999)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"number_from": "ti"}, {"number_from": '"ti" er ikke et kundenummer. Skriv kun cifre, f.eks. 10000 eller 10.000.'}),
        ({"number_from": "0"}, {"number_from": "Skriv et tal mellem 1 og 999.999.999."}),
        ({"number_to": "9.999"}, {"number_to": "Det højeste nummer må ikke være mindre end det laveste."}),
        (
            {"number_from": "<b>", "number_to": "1.000.000.000"},
            {
                "number_from": '"<b>" er ikke et kundenummer. Skriv kun cifre, f.eks. 10000 eller 10.000.',
                "number_to": "Skriv et tal mellem 1 og 999.999.999.",
            },
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_number_stands_at_its_field_and_all_that_was_chosen_is_kept(
    pages: Pages, wire: Wire, typed: dict[str, str], said: dict[str, str]
) -> None:
    wire.hear(agreement_seen(wire.time, state="connected"))
    before = known(pages.engine)
    browser = pages.arrive(tenant=TENANT, sub="m", role="admin")
    wanted = {"transfer": "active", "receive": "nothing", "flows": "no", "may_create": "admins", "may_bulk": "admins"}
    fields = {**wanted, "number_from": "10.000", "number_to": "", **typed}
    answer = browser.post("/set-up", {"form_token": browser.token("/set-up"), **fields})
    assert (answer.status_code, answer.headers["content-language"]) == (400, "da")
    shown = answer.text
    assert chosen(shown) == wanted
    for name in ("number_from", "number_to"):
        (field,) = re.findall(rf'<input id="{name}"[^>]*>', shown)
        assert f'value="{escape(fields[name])}"' in field
        assert (f'aria-invalid="true" aria-describedby="wrong.{name}"' in field) is (name in said)
        at_field = re.findall(rf'<span id="wrong.{name}" class="bad">(.*?)</span>', shown)
        assert [unescape(one) for one in at_field] == [said[name] for _ in at_field]
        assert (len(at_field) == 1) is (name in said)
    assert "Intet er gemt" in shown
    assert "data-again" not in shown, "what was typed is not loaded away"
    assert known(pages.engine) == before
