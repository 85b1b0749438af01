"""How everything fares, on the page and as JSON: measured, not guessed; what is not known is said to be unknown."""

import re
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from crm_outbox.contract import WriteCustomer
from economic_adapter.contract import Figures, Reach, WriteEconomicCustomer
from reconciler import alive, clock, nightly, people
from reconciler.person import Role
from tests.builders.meeting import Both
from tests.builders.sync import (
    TENANT,
    agreement_seen,
    crm_answered,
    crm_changed,
    done,
    economic_answered,
    economic_seen,
    there,
)
from tests.integration.web.browsing import Browser, Pages


@pytest.fixture
def both(pages: Pages) -> Both:
    wire = Both(engine=pages.engine, time=pages.time)
    wire.switch_on()
    return wire


def arrive(pages: Pages, both: Both, role: Role = "admin") -> Browser:
    pages.time = both.time
    return pages.arrive(tenant=TENANT, sub=role, name="Mette Krogh", role=role)


def rows(text: str) -> dict[str, tuple[str, str]]:
    """Each thing of the page with its sentence and what to do."""
    found = re.findall(r'<th scope="row">(.*?)</th>\s*<td[^>]*>(.*?)</td>\s*<td[^>]*>(.*?)</td>', text, re.DOTALL)
    return {name: (_plain(sentence), _plain(step)) for name, sentence, step in found}


def _plain(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def told(both: Both, **given: Any) -> None:
    """The adapter tells how it fares."""
    words: dict[str, Any] = {"at": both.time, "calls": 412, "most": 45_000, **given}
    both.hear(agreement_seen(both.time, reference=None, webhooks="registered", figures=Figures(**words)))


def as_json(pages: Pages, role: Role = "reader") -> dict[str, Any]:
    with pages.engine.begin() as connection:
        key = people.make_key(connection, TENANT, role, role, pages.time)[1]
    answer = pages.browser().get("/api/v1/health", authorization=f"Bearer {key}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_who_has_no_integration_is_told_what_can_be_done(pages: Pages) -> None:
    found = rows(pages.arrive(tenant=TENANT, role="admin").get("/health").text)
    assert found["Integrationen"] == (
        "Integrationen med e-conomic er ikke sat op",
        "En administrator kan sætte den op.",
    )
    assert found["Kald"][0] == "Vides ikke endnu; det meldes inden for et minut."


def test_how_long_edits_took_is_measured_from_their_cause_to_their_answer(pages: Pages, both: Both) -> None:
    customer = both.linked(7)
    edited = customer.model_copy(update={"phone": "33333333"})
    both.hear(crm_changed(edited, 2, caused=both.time - timedelta(seconds=1)))
    (command,) = both.said_only(WriteEconomicCustomer)
    both.later(seconds=2)
    both.hear(economic_answered(command, done(command.parts[0].operation), customer=there(edited, 7, "v2"), version=2))
    heard = both.time - timedelta(seconds=4)
    moved = there(edited, 7, "v3", phone="44444444")
    both.hear(economic_seen(moved, 3, caused=heard))
    (back,) = both.said_only(WriteCustomer)
    both.later(seconds=8)
    now = edited.model_copy(update={"phone": "44444444"})
    both.hear(crm_answered(back, done(back.parts[0].operation), customer=now, version=3))
    found = rows(arrive(pages, both).get("/health").text)
    assert found["Fra Clickmate til e-conomic"][0] == "Halvdelen inden 3 s, 95 % inden 3 s (af 1 rettelse)."
    assert found["Fra e-conomic til Clickmate"][0] == "Halvdelen inden 12 s, 95 % inden 12 s (af 1 rettelse)."
    told(both)
    found = rows(arrive(pages, both).get("/health").text)
    assert found["Fra e-conomic til Clickmate"] == (
        "Halvdelen inden 12 s, 95 % inden 12 s (af 1 rettelse); lovet er 10 s.",
        "Se nedenfor, hvad der venter.",
    )
    json = as_json(pages)
    assert json["to_economic"] == {"half_within_seconds": 3.0, "most_within_seconds": 3.0, "edits": 1}
    assert json["to_clickmate"]["most_within_seconds"] == 12.0


def test_what_the_adapter_told_of_itself_is_shown_and_its_silence_too(pages: Pages, both: Both) -> None:
    told(both, missed=2, connected=both.time - timedelta(days=3), hooked=both.time, checked=both.time)
    found = rows(arrive(pages, both).get("/health").text)
    assert found["Kald"][0] == "Kald til e-conomic i dag: 412 af 45.000. 44.588 er tilbage."
    assert found["Webhooks"][0].startswith("Seneste webhook i dag kl.")
    assert "2 ændringer er kommet uden webhook siden" in found["Webhooks"][0]
    assert found["Forbindelsen til e-conomic"][1] == "Intet at gøre."
    both.later(minutes=4)
    found = rows(arrive(pages, both).get("/health").text)
    assert found["Forbindelsen til e-conomic"][1] == "Sig det til den, der driver serveren."


def test_older_figures_do_not_replace_newer_ones(pages: Pages, both: Both) -> None:
    told(both, calls=500)
    told(both, calls=499, at=both.time - timedelta(seconds=1))
    pages.time = both.time
    assert as_json(pages)["calls"]["today"] == 500


def test_an_operators_pause_is_told_as_ours(pages: Pages, both: Both) -> None:
    both.hear(agreement_seen(both.time, reach=Reach(at=both.time, paused_since=both.time)))
    found = rows(arrive(pages, both).get("/health").text)
    assert found["Adgang"][0].startswith("Den, der driver serveren, har stoppet alle kald siden kl.")
    assert found["Adgang"][1] == "Sig det til den, der driver serveren."


def test_each_night_everything_is_compared_once_and_a_difference_nobody_saw_is_named(pages: Pages, both: Both) -> None:
    both.linked(7, id="seen", cvr="11111118", phone="11111111")
    both.linked(8, id="unseen", cvr="22222226", phone="22222222")
    assert nightly.carry_on(both.engine, both.clocked) == 0

    def swept() -> None:
        with both.engine.begin() as connection:
            connection.execute(
                sa.text("""
                    insert into sync.run (id, tenant, agreement, kind, state, started, ended, found, found_crm)
                    select gen_random_uuid(), tenant, agreement, 'sweep', 'done', :now, :now, 2, 1 from sync.agreement
                """),
                {"now": both.time},
            )

    swept()
    assert nightly.carry_on(both.engine, both.clocked) == 1
    assert nightly.carry_on(both.engine, both.clocked) == 0
    found = rows(arrive(pages, both).get("/health").text)
    assert found["Ens i begge systemer"][0].startswith("Forskelle, ingen har set: 0. 2 kunder blev sammenlignet i dag")
    assert found["Den natlige kontrol"][0].startswith("Fundet af den natlige kontrol: 3. Den sluttede i dag")
    with both.engine.begin() as connection:
        connection.execute(sa.text("update sync.crm_side set number = number + 1 where crm_id = 'unseen'"))
    both.later(days=1)
    swept()
    assert nightly.carry_on(both.engine, both.clocked) == 1
    text = arrive(pages, both).get("/health").text
    assert rows(text)["Ens i begge systemer"][0].startswith("Forskelle, ingen har set: 1. 2 kunder")
    assert 'customers/unseen"' in text
    assert as_json(pages)["nightly"]["customers"] == ["unseen"]


def test_duties_that_turn_live_and_others_do_not(pages: Pages, both: Both) -> None:
    assert alive.write(pages.engine, ("relay", "reconcile"), "host/1", lambda: both.time) == 2
    both.later(seconds=30)
    assert alive.write(pages.engine, ("relay",), "host/2", lambda: both.time) == 1
    both.later(seconds=45)
    found = rows(arrive(pages, both).get("/health").text)
    assert found["Afsendelse af beskeder"][0] == "Kører."
    assert re.fullmatch(r"Kører ikke siden kl\. \d\d\.\d\d\.", found["Sammenligning"][0])
    assert found["Uret"] == ("Kører ikke.", "Sig det til den, der driver serveren.")
    with pages.engine.begin() as connection:
        assert alive.forget(connection, both.time + timedelta(days=8)) == 3


def test_questions_are_counted_with_the_oldest_and_lead_to_where_they_are_settled(pages: Pages, both: Both) -> None:
    customer = both.linked(7)
    both.in_economic(there(customer, 7, "v2", name="Delta A/S"), 2)
    both.set(paused='["crm", "economic"]')
    text = arrive(pages, both).get("/health").text
    assert rows(text)["Kræver dit valg"] == ("Intet venter på dig.", "Intet at gøre.")
    both.set(paused="[]")
    other = both.linked(8, id="other", cvr="22222226", phone="22222222")
    both.set(paused='["crm", "economic"]')
    both.in_economic(there(other, 8, "v2", name="Beta ApS"), 2)
    both.in_crm(other.model_copy(update={"name": "Gamma ApS"}), 2)
    found = rows(arrive(pages, both).get("/health").text)["Kræver dit valg"]
    assert found[0].startswith("1 spørgsmål venter på et valg, siden kl.")
    assert found[1] == "Vælg de rigtige oplysninger"


def test_who_must_reconnect_is_led_to_where_that_is_done(pages: Pages, both: Both) -> None:
    both.later(seconds=1)
    both.hear(agreement_seen(both.time, state="access_lost", cause="access_lost"))
    text = arrive(pages, both).get("/health").text
    for thing in ("Integrationen", "Adgang"):
        assert rows(text)[thing][0].startswith("e-conomic afviser vores adgang siden")
        assert rows(text)[thing][1] == "En administrator skal forbinde igen."
    assert f'href="{pages.url}/set-up"' in text


@pytest.mark.parametrize("role", ["reader", "user", "admin"])
def test_everybody_sees_it_and_only_admins_are_led_to_the_set_up(pages: Pages, both: Both, role: Role) -> None:
    text = arrive(pages, both, role).get("/health").text
    assert rows(text)["Mail"] == ("Ingen får besked. Angiv en e-mailadresse.", "En administrator angiver en adresse.")
    assert ('href="' + pages.url + '/set-up/mail"' in text) is (role == "admin")
    assert 'aria-current="page">Driftsstatus</a>' in text


def test_another_tenant_sees_nothing_of_it(pages: Pages, both: Both) -> None:
    told(both)
    found = rows(pages.arrive(tenant="other", role="admin").get("/health").text)
    assert found["Integrationen"][0] == "Integrationen med e-conomic er ikke sat op"
    assert found["Kald"][0] == "Vides ikke endnu; det meldes inden for et minut."


def test_it_is_told_in_english_too(pages: Pages, both: Both) -> None:
    told(both)
    text = arrive(pages, both).get("/health?lang=en").text
    assert rows(text)["Calls"][0] == "Calls to e-conomic today: 412 of 45,000. 44,588 are left."


def test_what_is_old_is_forgotten_by_the_clock(pages: Pages, both: Both) -> None:
    with both.engine.begin() as connection:
        connection.execute(
            sa.text("""
                insert into sync.comparison (tenant, agreement, at, run, standing)
                select tenant, agreement, now() - interval '91 days', gen_random_uuid(), '{}' from sync.agreement
            """)
        )
    assert clock.retain(both.engine) >= 1
    with both.engine.connect() as connection:
        assert connection.scalar(sa.text("select count(*) from sync.comparison")) == 0


def test_what_lies_of_ours_is_told_here_and_under_every_status(pages: Pages, both: Both) -> None:
    customer = both.linked(7)
    browser = arrive(pages, both)
    with pages.engine.begin() as connection:
        key = people.make_key(connection, TENANT, "crm", "user", pages.time)[1]

    def freshness() -> str:
        head = {"authorization": f"Bearer {key}"}
        path = f"/api/v1/customers/{customer.id}/status?version=1.1&look=false"
        return str(pages.browser().get(path, **head).json()["freshness"])

    def lies(seconds: int) -> None:
        with pages.engine.begin() as connection:
            connection.execute(
                sa.text("""
                    insert into sync.outbox_pending (lane, id, day, since)
                    values ('live', :id, current_date, now() - make_interval(secs => :id))
                """),
                {"id": seconds},
            )

    assert rows(browser.get("/health").text)["Beskeder"][0] == "Ingen beskeder venter."
    assert freshness() == "fresh"
    pages.later(minutes=1)
    assert freshness() == "known"
    lies(70)
    assert freshness() == "delayed"
    assert rows(browser.get("/health").text)["Beskeder"][0].startswith("Beskeder har ventet siden kl.")
    both.relay()
    assert freshness() == "known"
    both.hear(agreement_seen(both.time, reach=Reach(at=both.time, paused_since=both.time)))
    assert freshness() == "delayed"
