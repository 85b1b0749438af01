"""An admin gives access: is it the right agreement, what is checked, and why is something not right?"""

import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import sqlalchemy as sa

from crm_outbox.contract import Outcome, Result
from economic_adapter.contract import ConfigureAgreement, Figures, Reach
from reconciler import agreements
from tests.builders.sync import AGREEMENT, TENANT, Wire, agreement_seen, installation_seen
from tests.integration.web.browsing import CONNECT, CONNECT_KEY, Pages
from tests.integration.web.setting_up import NO, known, line, on, text


def test_nothing_connected_says_so_and_what_connecting_means(pages: Pages, wire: Wire) -> None:
    wire.hear(installation_seen(wire.time))
    shown = text(pages)
    assert "Integrationen med e-conomic er ikke sat op" in shown
    assert "Forbind til e-conomic. Du logger ind hos e-conomic og giver Clickmate adgang." in shown
    assert "Hvem må oprette i e-conomic?" in shown
    assert "Overfør nye kunder til e-conomic" not in shown
    assert 'href="/set-up" aria-current="page">Opsætning' in shown.replace(pages.url, "")


def test_connecting_leads_to_the_adapter_with_an_invitation_of_this_tenant(pages: Pages, wire: Wire) -> None:
    wire.hear(installation_seen(wire.time))
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
    assert '<noscript><a href="">Genindlæs</a></noscript>' in shown, (
        "asked for by hand, never taken away under somebody's hands"
    )
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
