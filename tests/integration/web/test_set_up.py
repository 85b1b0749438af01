"""An admin sets the integration up: is it the right agreement, what is checked and why not, what is chosen, off, disconnected."""

import re
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import sqlalchemy as sa

from crm_outbox.contract import Outcome, Result
from economic_adapter.contract import ConfigureAgreement, Figures, Reach, WriteEconomicCustomer
from reconciler import agreements, people
from reconciler.agreement import Agreement
from reconciler.person import Person
from reconciler.rules import Transfer
from tests.builders.meeting import Both
from tests.builders.sync import AGREEMENT, TENANT, Wire, agreement_seen
from tests.integration.web.browsing import CONNECT, CONNECT_KEY, Pages
from tests.integration.web.companies import Admin, company
from tests.integration.web.serving import served

NO = "Nordhavn Tømrer ApS"


@pytest.fixture
def wire(pages: Pages) -> Wire:
    return Wire(engine=pages.engine, time=pages.time)


@pytest.fixture
def admin(pages: Pages) -> Admin:
    return Admin(pages, company(pages))


def text(pages: Pages, path: str = "/set-up", language: str = "da") -> str:
    found = pages.arrive(tenant=TENANT, sub="m", name="Mette Krogh", role="admin").get(f"{path}?lang={language}")
    assert found.status_code == 200
    return found.text


def line(shown: str, name: str) -> str:
    """What the page says of one check, without its marks."""
    found = re.search(rf"<li><strong>{name}</strong>: (.*?)</li>", shown, re.DOTALL)
    assert found is not None, name
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", found.group(1))).strip()


def known(engine: sa.Engine) -> Agreement:
    with engine.connect() as connection:
        return agreements.of_tenant(connection, TENANT)[0]


def on(wire: Wire) -> None:
    """As after switching on, with nothing to link."""
    with wire.engine.begin() as connection:
        connection.execute(sa.text("update sync.agreement set state = 'on', since = now(), read_at = now()"))
    wire.said()


def chosen(shown: str) -> dict[str, str]:
    """The choice that is marked of each question."""
    return dict(re.findall(r'type="radio" name="(\w+)" value="(\w+)" checked', shown))


def test_nothing_connected_says_so_and_what_connecting_means(pages: Pages) -> None:
    shown = text(pages)
    assert "Integrationen med e-conomic er ikke sat op" in shown
    assert "Forbind til e-conomic. Du logger ind hos e-conomic og giver Clickmate adgang." in shown
    assert "Hvem må oprette i e-conomic?" in shown
    assert "Overfør nye kunder til e-conomic" not in shown
    assert 'href="/set-up" aria-current="page">Opsætning' in shown.replace(pages.url, "")


def test_connecting_leads_to_the_adapter_with_an_invitation_of_this_tenant(pages: Pages, wire: Wire) -> None:
    for lost, words in ((False, "Forbind til e-conomic"), (True, "Forbind igen")):
        if lost:
            wire.hear(agreement_seen(wire.time, state="access_lost", cause="access_lost"))
        found = re.search(rf'<a class="button main" href="([^"]+)">{words}</a>', text(pages))
        assert found is not None
        address = urlsplit(found.group(1))
        assert f"{address.scheme}://{address.netloc}{address.path}" == CONNECT
        held = jwt.decode(
            parse_qs(address.query)["attempt"][0],
            CONNECT_KEY,
            ["HS256"],
            audience="connect",
            options={"verify_exp": False},
        )
        assert (held["tenant"], held["lang"], held["back"]) == (TENANT, "da", f"{pages.url}/set-up")
        assert held["exp"] == int(pages.time.timestamp()) + 1800


@pytest.mark.parametrize(
    ("given", "named"),
    [({"has_app": False}, "ECONOMIC_APP_PUBLIC"), ({"connect_url": ""}, "HOOKS_PUBLIC_URL, CONNECT_KEY")],
)
@pytest.mark.parametrize("lost", [False, True])
def test_without_our_keys_it_is_said_who_has_to_do_what(
    pages: Pages, wire: Wire, given: dict[str, Any], named: str, lost: bool
) -> None:
    if lost:
        wire.hear(agreement_seen(wire.time, state="access_lost", cause="access_lost"))
    with served(pages.engine, **given) as there:
        shown = there.arrive(tenant=TENANT, sub="m", role="admin").get("/set-up").text
    assert "Serveren mangler vores nøgler til e-conomic. Den, der driver serveren, skal angive dem." in shown
    assert f"Teknisk: {named}" in shown
    assert "Prøv igen" in shown
    assert "attempt=" not in shown


def test_it_is_asked_again_now_and_the_page_follows(pages: Pages, wire: Wire) -> None:
    wire.hear(agreement_seen(wire.time, state="connected"))
    browser = pages.arrive(tenant=TENANT, sub="m", role="admin")
    fields = {"form_token": browser.token("/set-up"), "agreement": str(AGREEMENT)}
    for _ in range(2):
        assert browser.post("/set-up/check", fields).status_code == 303
    (asked,) = wire.said_only(ConfigureAgreement)
    assert (asked.on, asked.check, asked.disconnect) == (False, True, False)
    shown = browser.get("/set-up").text
    assert "Spørger e-conomic ..." in shown
    assert 'data-again="2"' in shown
    assert '<noscript><meta http-equiv="refresh"' in shown
    pages.later(seconds=31)
    assert "Spørger e-conomic ..." not in browser.get("/set-up").text
    assert (
        "e-conomic svarer ikke lige nu. Vi prøver igen af os selv. Du kan lukke siden." in browser.get("/set-up").text
    )
    wire.later(seconds=40)
    answer = Outcome(operation=asked.operation, result=Result.UNCHANGED)
    wire.hear(agreement_seen(wire.time, state="connected", outcome=answer, customers=7))
    shown = browser.get("/set-up").text
    assert "data-again" not in shown
    assert "e-conomic svarer ikke" not in shown
    assert known(pages.engine).state == "connected"


@pytest.mark.parametrize(("column", "works"), [("pilot", True), ("busy", True), (None, False)])
def test_asking_again_stops_no_trial_and_no_run(pages: Pages, wire: Wire, column: str | None, works: bool) -> None:
    wire.hear(agreement_seen(wire.time, state="connected"))
    if column is not None:
        value = "gen_random_uuid()" if column == "busy" else "'48211'"
        with pages.engine.begin() as connection:
            connection.execute(sa.text(f"update sync.agreement set {column} = {value}"))
    browser = pages.arrive(tenant=TENANT, sub="m", role="admin")
    browser.post("/set-up/check", {"form_token": browser.token("/set-up"), "agreement": str(AGREEMENT)})
    assert [(one.on, one.check) for one in wire.said_only(ConfigureAgreement)] == [(works, True)]


def test_the_right_agreement_is_asked_about_once(pages: Pages, wire: Wire) -> None:
    wire.hear(agreement_seen(wire.time, state="connected"))
    shown = text(pages)
    assert f"I er forbundet med {NO}, aftale {AGREEMENT}. Er det den rigtige?" in shown
    browser = pages.arrive(tenant=TENANT, sub="m", role="admin")
    fields = {"form_token": browser.token("/set-up"), "agreement": str(AGREEMENT), "right": "yes"}
    for _ in range(2):
        assert browser.post("/set-up/agreement", fields).status_code == 303
    shown = text(pages)
    assert "Er det den rigtige?" not in shown
    assert f"I er forbundet med {NO}, aftale {AGREEMENT}." in shown
    assert wire.said_only(ConfigureAgreement) == []
    answer = browser.post("/set-up/agreement", {**fields, "right": "no"})
    assert answer.headers["location"] == "/set-up?why=over"
    assert "Det er allerede slut. Intet er ændret." in browser.get("/set-up?why=over").text
    assert wire.said_only(ConfigureAgreement) == []


def test_the_wrong_agreement_is_given_up_again(pages: Pages, wire: Wire) -> None:
    wire.hear(agreement_seen(wire.time, state="connected"))
    browser = pages.arrive(tenant=TENANT, sub="m", role="admin")
    fields = {"form_token": browser.token("/set-up"), "agreement": str(AGREEMENT), "right": "no"}
    assert browser.post("/set-up/agreement", fields).status_code == 303
    (asked,) = wire.said_only(ConfigureAgreement)
    assert (asked.disconnect, asked.on) == (True, False)
    assert "bliver afbrudt" in text(pages)
    wire.read = 0
    wire.later(seconds=1)
    wire.hear(agreement_seen(wire.time, state="disconnected", name=NO))
    assert "Forbind til e-conomic." in text(pages)


def test_each_check_says_what_was_seen(pages: Pages, wire: Wire) -> None:
    wire.hear(agreement_seen(wire.time, state="connected", webhooks="registered", calls_today=1250))
    shown = text(pages)
    assert [line(shown, name) for name in ("Adgang", "Aftale", "API-modul", "Rolle", "Webhooks")] == ["I orden"] * 5
    assert line(shown, "Grænser") == "I orden Kald til e-conomic i dag: 1.250 af 45.000"


def test_the_figures_of_the_adapter_are_shown_when_it_tells_them(pages: Pages, wire: Wire) -> None:
    figures = Figures(at=wire.time, calls=2880, most=45_000, hooked=wire.time, every=60.0)
    wire.hear(agreement_seen(wire.time, webhooks="registered", figures=figures))
    shown = text(pages)
    assert line(shown, "Grænser") == "I orden Kald til e-conomic i dag: 2.880 af 45.000"
    assert (
        "Vi kontrollerer hvert 60. sekund: 2.880 kald om dagen af 45.000. Kontaktpersoner har ingen webhook." in shown
    )
    assert line(shown, "Webhooks").startswith("I orden Seneste webhook i dag kl. ")


def test_a_stop_by_whoever_runs_the_server_is_no_refusal(pages: Pages, wire: Wire) -> None:
    stopped = Reach(at=wire.time, paused_since=wire.time)
    wire.hear(agreement_seen(wire.time, state="connected", reach=stopped))
    assert "Den, der driver serveren, har standset alle kald siden kl. " in line(text(pages), "Adgang")


def test_before_anything_is_told_nothing_is_said_to_be_right(pages: Pages, wire: Wire) -> None:
    with pages.engine.begin() as connection:
        agreements.insert(connection, TENANT, AGREEMENT)
    shown = text(pages)
    for name in ("Adgang", "Aftale", "API-modul", "Rolle", "Webhooks", "Grænser"):
        assert line(shown, name) == "Kendes ikke endnu"


@pytest.mark.parametrize(
    ("cause", "check", "sentence", "english", "step"),
    [
        (
            "access_lost", "Adgang",
            "e-conomic afviser vores adgang siden {tid}. Intet er gået tabt. En administrator skal forbinde igen.",
            "e-conomic has refused our access since", "reconnect",
        ),
        (
            "AccessDeniedAgreementMissingModules", "API-modul",
            "Jeres e-conomic-abonnement giver ikke adgang til API&#39;et. Tilføj det i e-conomic under Alle indstillinger, "
            "og prøv igen.",
            "Your e-conomic subscription has no API access.", "try_again",
        ),
        (
            "AccessDeniedMissingRole", "Rolle",
            "Den adgang, I har givet, må ikke rette kunder. Giv adgang igen som en bruger, der må.",
            "The access you gave may not change customers.", "reconnect",
        ),
        (
            "AgreementIsClosed", "Aftale",
            "Aftale 123456 er lukket hos e-conomic. Kontakt e-conomic, og forbind igen.",
            "Agreement 123456 is closed at e-conomic.", "reconnect",
        ),
        (
            "other_agreement", "Aftale",
            "Adgangen gælder en anden aftale end 123456. Intet bliver sendt. En administrator skal forbinde igen.",
            "The access is for another agreement than 123456.", "reconnect",
        ),
    ],
)  # fmt: skip
@pytest.mark.parametrize("before", ["connected", "on"])
def test_lost_access_is_told_with_its_own_cause(
    pages: Pages, wire: Wire, cause: str, check: str, sentence: str, english: str, step: str, before: str
) -> None:
    wire.hear(agreement_seen(wire.time, state="connected"))
    if before == "on":
        on(wire)
    wire.hear(agreement_seen(wire.time, state="access_lost", cause=cause))
    shown = text(pages)
    told = line(shown, check)
    assert re.fullmatch(re.escape(sentence).replace(re.escape("{tid}"), r"kl\. \d\d\.\d\d") + ".*", told), told
    assert english in text(pages, language="en")
    others = {"Adgang", "Aftale", "API-modul", "Rolle", "Webhooks", "Grænser"} - {check, "Adgang"}
    assert {line(shown, one).partition(" Kald")[0] for one in others} == {"Kendes ikke endnu"}
    assert "I orden" not in shown
    if check != "Adgang":
        why = line(shown, "Adgang")
        assert re.fullmatch(r"e-conomic afviser vores adgang siden kl\. \d\d\.\d\d\. Intet er gået tabt\.", why), why
    wire.later(seconds=1)
    wire.hear(agreement_seen(wire.time, state="on" if before == "on" else "connected"))
    assert line(text(pages), "Adgang") == "I orden"


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (
            "AccessDeniedMissingRole",
            "Den adgang, I har givet, må ikke oprette webhooks (kræver superbruger). Alt andet virker. Vi kontrollerer i "
            "stedet e-conomic hvert minut.",
        ),
        (
            "WebhookAlreadyExistsForEventType",
            "Der findes allerede en webhook for kunder i e-conomic, som vi ikke kan se. Brug den manuelle vejledning, "
            "eller lad os kontrollere hvert minut.",
        ),
        (
            "WebhookInvalidUrl",
            "e-conomic ville ikke oprette vores webhook. Vi kontrollerer i stedet hvert minut. Teknisk: WebhookInvalidUrl",
        ),
    ],
)
def test_a_refused_webhook_says_why_and_the_rest_is_right(pages: Pages, wire: Wire, code: str, sentence: str) -> None:
    wire.hear(agreement_seen(wire.time, state="on", webhooks="refused", cause=f"webhook:{code}"))
    shown = text(pages)
    assert line(shown, "Webhooks").startswith(sentence)
    assert [line(shown, name) for name in ("Adgang", "Aftale", "API-modul", "Rolle")] == ["I orden"] * 4


def test_e_conomic_away_and_full_are_waits_not_refusals(pages: Pages, wire: Wire) -> None:
    away = Reach(at=wire.time, down_since=wire.time)
    wire.hear(agreement_seen(wire.time, state="connected", reach=away))
    expected = "e-conomic svarer ikke lige nu. Vi prøver igen af os selv. Du kan lukke siden."
    assert line(text(pages), "Adgang") == expected
    wire.later(seconds=1)
    full = Reach(at=wire.time, next_call=wire.time + timedelta(hours=1))
    wire.hear(agreement_seen(wire.time, state="connected", reach=full))
    shown = text(pages)
    assert line(shown, "Adgang") == "I orden"
    assert "e-conomic tager ikke imod flere kald før kl. " in line(shown, "Grænser")


def ticked(shown: str) -> list[bool]:
    """Which of the five steps are done; none where they are not shown."""
    found = re.search(r"<ol>(.*?)</ol>", shown, re.DOTALL)
    return [] if found is None else ["Færdig" in one for one in found.group(1).split("<li")[1:]]


def test_five_steps_tick_themselves_and_each_leads_to_where_it_is_done(pages: Pages) -> None:
    nothing = text(pages)
    assert ticked(nothing) == [False] * 5
    for step in (
        "Adgang til e-conomic", "Standardværdier og regler", "Fra e-conomic til Clickmate",
        "Se, hvad der vil ske (intet gemmes endnu)", "Slå integrationen til",
    ):  # fmt: skip
        assert step in nothing
    admin = Admin(pages, company(pages))
    assert ticked(admin.text("/set-up")) == [False, True, False, False, False], "defaults are offered by e-conomic"
    admin.press("/set-up/agreement", agreement=str(AGREEMENT), right="yes")
    admin.press("/set-up", receive="checks")
    assert ticked(admin.text("/set-up")) == [True, True, True, False, False]
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
    assert ticked(text(pages)) == [True, False, True, False, False]
    wire.hear(agreement_seen(wire.time, state="access_lost", cause="access_lost", reference=None))
    assert ticked(text(pages)) == [False, False, False, False, False]


def test_what_is_chosen_is_kept_and_shown(pages: Pages, wire: Wire) -> None:
    wire.hear(agreement_seen(wire.time, state="connected"))
    assert chosen(text(pages)) == {"transfer": "created", "receive": "webhooks", "may_create": "users"}
    browser = pages.arrive(tenant=TENANT, sub="m", role="admin")
    wanted = {"transfer": "active", "receive": "nothing", "may_create": "admins", "number_from": "10000"}
    answer = browser.post("/set-up", {"form_token": browser.token("/set-up"), **wanted})
    assert (answer.status_code, answer.headers["location"]) == (303, "/set-up?saved=yes")
    shown = browser.get("/set-up?saved=yes").text
    assert "Gemt" in shown
    assert chosen(shown) == {"transfer": "active", "receive": "nothing", "may_create": "admins"}
    assert 'name="number_from" inputmode="numeric" maxlength="9" value="10000"' in shown
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
