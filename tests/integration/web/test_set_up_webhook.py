"""A person makes the webhook in e-conomic by hand: what to enter, to copy; whether one came, and what was wrong with it."""

from datetime import timedelta

import pytest

from economic_adapter import handmade
from economic_adapter.contract import Figures, RefusedHook
from reconciler import people
from reconciler.person import Role
from tests.builders.sync import AGREEMENT, TENANT, Wire, agreement_seen, installation_seen
from tests.integration.web.browsing import CONNECT, CONNECT_KEY, Pages, ask
from tests.integration.web.serving import served

URL = CONNECT.removesuffix("/connect/economic") + handmade.path(CONNECT_KEY, TENANT, AGREEMENT)


def shown(pages: Pages, language: str = "da") -> str:
    admin = pages.arrive(tenant=TENANT, sub="m", name="Mette Krogh", role="admin")
    answer = admin.get(f"/set-up/webhook?lang={language}")
    assert answer.status_code == 200
    return answer.text


def key(pages: Pages, role: Role = "admin", tenant: str = TENANT) -> dict[str, str]:
    with pages.engine.begin() as connection:
        return {"authorization": f"Bearer {people.make_key(connection, tenant, 'crm', role, pages.time)[1]}"}


def test_what_to_enter_is_said_in_e_conomics_own_words_and_can_be_copied(pages: Pages, wire: Wire) -> None:
    wire.hear(agreement_seen(wire.time, state="connected"))
    said = shown(pages)
    assert "Sådan gør du i e-conomic: Alle indstillinger, Udvidelser, Webhooks, Nyt webhook" in said
    for name, value in (
        ("Type", "Kunde opdateret"),
        ("URL", URL),
        ("Sendte data", "old=[OLDNUMBER]&amp;new=[NEWNUMBER]"),
        ("Content-type", "application/x-www-form-urlencoded"),
    ):
        assert f'<label>{name}<br><input type="text" readonly value="{value}"></label>' in said
        assert f'data-copy="{value}" data-copied="Kopieret" hidden>Kopiér' in said
    assert "/static/copy." in said
    assert "Venter på den første ..." in said
    assert 'data-again="3"' in said
    assert '<noscript><a href="">Genindlæs</a></noscript>' in said, (
        "asked for by hand, never taken away under somebody's hands"
    )


def test_the_first_arrival_is_said_and_the_check_is_right(pages: Pages, wire: Wire) -> None:
    figures = Figures(at=wire.time, calls=0, most=45_000, by_hand=wire.time, hooked=wire.time)
    wire.hear(
        agreement_seen(wire.time, webhooks="refused", cause="webhook:WebhookAlreadyExistsForEventType", figures=figures)
    )
    said = shown(pages)
    assert "Modtaget i dag kl. " in said
    assert "data-again" not in said
    set_up = pages.arrive(tenant=TENANT, sub="m", role="admin").get("/set-up").text
    assert "<strong>Webhooks</strong>: I orden" in set_up
    assert "som vi ikke kan se" not in set_up


@pytest.mark.parametrize(
    ("refused", "danish", "english"),
    [
        (
            {"why": "secret"}, "Der kom en webhook med forkert hemmelighed. Kopiér adressen igen.",
            "A webhook came with the wrong secret. Copy the address again.",
        ),
        (
            {"why": "content_type", "given": "application/json"},
            "Der kom en webhook med forkert Content-type (application/json). Vælg application/x-www-form-urlencoded.",
            "A webhook came with the wrong Content-type (application/json). Choose application/x-www-form-urlencoded.",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_until_one_comes_right(
    pages: Pages, wire: Wire, refused: dict[str, str], danish: str, english: str
) -> None:
    wrong = RefusedHook.model_validate({"at": wire.time, **refused})
    earlier = wire.time - timedelta(minutes=5)
    figures = Figures(at=wire.time, calls=0, most=45_000, by_hand=earlier, refused=wrong)
    wire.hear(agreement_seen(wire.time, state="connected", figures=figures))
    assert danish in shown(pages)
    assert english in shown(pages, "en")
    assert 'data-again="3"' in shown(pages)
    told = ask("GET", f"{pages.url}/api/v1/set-up/webhook", headers=key(pages)).json()
    assert (told["why"], told["sentence"]) == (refused["why"], english)
    wire.later(seconds=10)
    right = figures.model_copy(update={"at": wire.time, "by_hand": wire.time})
    wire.hear(agreement_seen(wire.time, state="connected", figures=right))
    assert danish not in shown(pages)


def test_a_service_is_told_the_same_and_nobody_else(pages: Pages, wire: Wire) -> None:
    where = f"{pages.url}/api/v1/set-up/webhook"
    assert ask("GET", where, headers=key(pages)).status_code == 404
    wire.hear(agreement_seen(wire.time, state="connected"))
    told = ask("GET", where, headers=key(pages)).json()
    assert told == {
        "agreement": AGREEMENT, "kind": "Kunde opdateret", "url": URL, "data": "old=[OLDNUMBER]&new=[NEWNUMBER]",
        "content_type": "application/x-www-form-urlencoded", "received": None, "refused": None, "why": "", "given": "",
        "sentence": "",
    }  # fmt: skip
    assert ask("GET", where, headers=key(pages, "user")).status_code == 403
    assert ask("GET", where, headers=key(pages, tenant="other")).status_code == 404
    with served(pages.engine, hooks_url="") as there:
        assert ask("GET", f"{there.url}/api/v1/set-up/webhook", headers=key(pages)).status_code == 409
    wire.hear(installation_seen(wire.time, "ECONOMIC_APP_PUBLIC"))
    assert ask("GET", where, headers=key(pages)).status_code == 200, "that is no part of it"
    wire.later(seconds=1)
    wire.hear(installation_seen(wire.time, "CONNECT_KEY"))
    assert ask("GET", where, headers=key(pages)).status_code == 409, "the adapter would answer 404 to what comes there"


@pytest.mark.parametrize("role", ["reader", "user"])
def test_only_an_admin_sees_the_address(pages: Pages, wire: Wire, role: str) -> None:
    wire.hear(agreement_seen(wire.time, state="connected"))
    answer = pages.arrive(tenant=TENANT, sub="u", role=role).get("/set-up/webhook")
    assert (answer.status_code, URL in answer.text) == (403, False)
    stranger = pages.arrive(tenant="other", role="admin").get("/set-up/webhook").text
    assert "/hooks/economic/" not in stranger
    assert "Integrationen med e-conomic er ikke sat op" in stranger
