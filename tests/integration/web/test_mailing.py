"""An admin sees who is told by mail and sets addresses; nobody else does, and what is no address changes nothing."""

import httpx
import pytest
import structlog

from reconciler import mailbox, people
from reconciler.person import Role
from tests.integration.web.browsing import TENANT, Browser, Pages, ask


@pytest.fixture
def admin(pages: Pages) -> Browser:
    pages.arrive(sub="u2", name="Birthe Lund", mail="")
    pages.arrive(sub="u3", name="Lars Bak", role="reader")
    return pages.arrive(sub="u1", name="Mette Krogh", role="admin", mail="mette@firma.example", to="/set-up/mail")


def save(admin: Browser, **fields: str) -> httpx.Response:
    token = admin.token("/set-up/mail")
    return admin.post(
        "/set-up/mail", {"form_token": token, **{name.replace("_of_", "of."): one for name, one in fields.items()}}
    )


def test_who_can_act_is_shown_with_their_address_and_that_nobody_is_told_without_a_server(admin: Browser) -> None:
    shown = admin.get("/set-up/mail").text
    assert "Ingen får besked. Angiv en e-mailadresse." in shown
    assert "Serveren mangler en mailserver." in shown
    assert 'name="of.u1" value="mette@firma.example"' in shown
    assert 'name="of.u2" value=""' in shown
    assert "Lars Bak" not in shown


def test_addresses_are_kept(pages: Pages, admin: Browser) -> None:
    answer = save(
        admin, _of_u2="birthe@firma.example", letter_to="bogholder@firma.example\r\n\r\nbogholder@firma.example"
    )
    assert answer.status_code == 303
    with pages.engine.connect() as connection:
        assert {one.id: one.address for one in mailbox.everybody(connection, TENANT)} == {
            "u1": "mette@firma.example", "u2": "birthe@firma.example",
        }  # fmt: skip
        assert people.settings(connection, TENANT, ["letter_to"]) == {"letter_to": ["bogholder@firma.example"]}


def test_the_language_of_the_letter_is_that_of_whoever_chose_none(pages: Pages, admin: Browser) -> None:
    assert save(admin, language="kl").status_code == 400
    assert save(admin, language="en").status_code == 303
    assert '<option value="en" lang="en" selected>' in admin.get("/set-up/mail").text
    assert pages.arrive(sub="u4", name="Ole Dam").get("/").headers["content-language"] == "en"
    assert pages.arrive(sub="u5", name="Ida Dam", lang="da").get("/").headers["content-language"] == "da"
    with pages.engine.connect() as connection:
        assert people.settings(connection, TENANT, ["language"]) == {"language": "en"}


def test_whom_a_senseless_form_named_is_not_in_the_log(admin: Browser) -> None:
    with structlog.testing.capture_logs() as logs:
        assert save(admin, **{"of.ida@firma.example": "ida@firma.example"}).status_code == 400
    (line,) = [one for one in logs if one["event"] == "page.senseless_form"]
    assert line["why"] == "nobody is known as {v}"
    assert "ida" not in str(logs)


@pytest.mark.parametrize("wrong", ["x", "a@b@c", "a b@firma.example", "a@firma.example\x00", "ø@firma.example", "a@-"])
def test_what_is_no_address_is_said_and_changes_nothing(pages: Pages, admin: Browser, wrong: str) -> None:
    answer = save(admin, _of_u1="new@firma.example", letter_to=wrong)
    assert answer.status_code == 400
    assert "er ikke en e-mailadresse, vi kan skrive til. Intet er ændret." in answer.text
    assert 'value="new@firma.example"' in answer.text
    with pages.engine.connect() as connection:
        assert mailbox.everybody(connection, TENANT)[1].address == "mette@firma.example"


def test_somebody_who_is_not_known_has_no_address(pages: Pages, admin: Browser) -> None:
    assert save(admin, _of_u9="x@firma.example").status_code == 400
    assert save(admin, _of_u3="lars@firma.example").status_code == 400


@pytest.mark.parametrize("role", ["reader", "user"])
def test_only_an_admin_sees_and_sets_it(pages: Pages, admin: Browser, role: Role) -> None:
    other = pages.arrive(sub="u4", name="Bo", role=role)
    assert other.get("/set-up/mail").status_code == 403
    assert "Det kan en administrator: Mette Krogh" in other.get("/set-up/mail").text
    answer = other.post("/set-up/mail", {"form_token": other.token("/"), "letter_to": "bo@firma.example"})
    assert answer.status_code == 403


def test_a_service_sees_and_sets_the_same(pages: Pages, admin: Browser) -> None:
    with pages.engine.begin() as connection:
        _, key = people.make_key(connection, TENANT, "crm", "admin", pages.time)
        _, low = people.make_key(connection, TENANT, "crm", "user", pages.time)
    where = f"{pages.url}/api/v1/set-up/mail"
    held = {"authorization": f"Bearer {key}"}
    changed = ask("PATCH", where, json={"addresses": {"u2": "b@firma.example"}}, headers=held)
    assert changed.json()["people"][0] == {
        "id": "u2",
        "name": "Birthe Lund",
        "role": "user",
        "address": "b@firma.example",
    }
    assert ask("GET", where, headers=held).json() == changed.json()
    for body, status in (
        ({"letter_to": ["x"]}, 400),
        ({"addresses": {"u9": "b@firma.example"}}, 400),
        ({"letter_to": ["a@firma.example"] * 21}, 422),
        ({"more": 1}, 422),
    ):
        answer = ask("PATCH", where, json=body, headers=held)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert ask("GET", where, headers={"authorization": f"Bearer {low}"}).status_code == 403
