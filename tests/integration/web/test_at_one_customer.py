"""Several people at one customer: who else is at it, who is to choose, and what was filled in while a session ended."""

import re

import pytest
import sqlalchemy as sa

from reconciler import people, presence
from tests.builders.meeting import Both
from tests.integration.web.browsing import Pages
from tests.integration.web.test_decisions_json import Service
from tests.integration.web.test_settling import arrive, choice, contested, decisions, form


def test_who_else_is_at_it_is_said_for_five_minutes_and_blocks_nobody(pages: Pages, both: Both) -> None:
    customer = contested(both, pages)
    anne, marie = arrive(pages), arrive(pages, sub="u2", name="Marie Krogh")
    page = f"/customers/{customer.id}"
    assert "er i gang" not in marie.get(page).text
    shown = anne.get(page).text
    assert "Marie Krogh er i gang" in shown
    assert "Anne Holm er i gang" not in shown, "nobody is told of themselves"
    pages.later(minutes=6)
    assert "er i gang" not in anne.get(page).text
    with pages.engine.begin() as connection:
        assert presence.forget(connection, pages.time) == 1


def test_whoever_only_looks_and_whoever_has_saved_is_not_at_it(pages: Pages, both: Both) -> None:
    customer = contested(both, pages, email="old@nordhavn.example")
    page = f"/customers/{customer.id}"
    reader, anne, marie = (
        arrive(pages, sub="u9", role="reader"),
        arrive(pages),
        arrive(pages, sub="u2", name="Marie Krogh"),
    )
    reader.get(page)
    fields = form(marie, customer)
    marie.post(page, {**fields, choice(fields, "name"): "different"})
    assert "er i gang" not in anne.get(page).text


def test_handed_to_a_colleague_the_page_says_who_is_to_choose_and_anybody_still_may(pages: Pages, both: Both) -> None:
    customer = contested(both, pages)
    arrive(pages, sub="u2", name="Birthe Lund")
    arrive(pages, sub="u9", name="Læser", role="reader")
    anne = arrive(pages)
    page = f"/customers/{customer.id}"
    shown = anne.get(page).text
    assert '<option value="u2">Birthe Lund</option>' in shown
    assert '<option value="u9">' not in shown, "who may not settle is not asked"
    answer = anne.post(f"{page}/handover", {"form_token": anne.token(), "to": "u2"})
    assert answer.status_code == 303
    assert "Birthe Lund skal vælge" in anne.get(page).text
    fields = form(anne, customer)
    anne.post(page, {**fields, choice(fields, "name"): "different"})
    assert "Birthe Lund skal vælge" not in anne.get(page).text, "nothing is asked any more"
    assert decisions(pages) == [("Anne Holm", "done")]


def test_two_of_one_name_are_told_apart_wherever_one_is_chosen(pages: Pages, both: Both) -> None:
    customer = contested(both, pages)
    arrive(pages, sub="u2", name="Birthe Lund", mail="birthe@firma.example")
    arrive(pages, sub="u3", name="Birthe Lund")
    anne = arrive(pages, role="admin")
    for page in (f"/customers/{customer.id}", "/history"):
        shown = anne.get(page).text
        assert '<option value="u2">Birthe Lund (birthe@firma.example)</option>' in shown
        assert '<option value="u3">Birthe Lund (u3)</option>' in shown
        assert '<option value="u1">Anne Holm</option>' in shown
    assert "Birthe Lund (birthe@firma.example), Bruger" in anne.get("/set-up/mail").text


def test_handed_back_nobody_is_named(pages: Pages, both: Both) -> None:
    customer = contested(both, pages)
    anne = arrive(pages)
    for to in ("u1", ""):
        anne.post(f"/customers/{customer.id}/handover", {"form_token": anne.token(), "to": to})
    assert "Anne Holm skal vælge" not in anne.get(f"/customers/{customer.id}").text


@pytest.mark.parametrize(("to", "status"), [("nobody", 400), ("u9", 400), ("stranger", 400)])
def test_only_to_a_colleague_who_may_settle(pages: Pages, both: Both, to: str, status: int) -> None:
    customer = contested(both, pages)
    arrive(pages, sub="u9", name="Læser", role="reader")
    pages.arrive(sub="stranger", tenant="other")
    anne = arrive(pages)
    answer = anne.post(f"/customers/{customer.id}/handover", {"form_token": anne.token(), "to": to})
    assert answer.status_code == status
    assert anne.post(f"/customers/{customer.id}/handover", {"form_token": anne.token()}).status_code == 400


def test_a_service_hands_over_too_and_a_reader_or_another_tenant_does_not(pages: Pages, both: Both) -> None:
    customer = contested(both, pages)
    arrive(pages, sub="u2", name="Birthe Lund")
    service, path = Service(pages), f"/customers/{customer.id}/handover"
    assert [one["id"] for one in service.get("/colleagues").json()] == ["u2"]
    assert service.post(path, {"to": "u2"}).json() == {"holder": {"id": "u2", "name": "Birthe Lund", "role": "user"}}
    assert service.post(path, {"to": None}).json() == {"holder": None}
    assert service.post(path, {"to": "x"}).status_code == 400
    assert service.post(path, {"to": ""}).status_code == 422
    assert Service(pages, "reader").post(path, {"to": "u2"}).status_code == 403
    stranger = Service(pages, "admin", "other")
    assert stranger.post(path, {"to": None}).status_code == 404
    assert stranger.get("/colleagues").json() == []


def test_what_was_chosen_while_the_session_ended_is_filled_in_after_signing_in_again(pages: Pages, both: Both) -> None:
    customer = contested(both, pages, email="old@nordhavn.example")
    page, anne = f"/customers/{customer.id}", arrive(pages)
    fields = form(anne, customer)
    name, email = choice(fields, "name"), choice(fields, "email")
    text = f"text.{name.removeprefix('choice.')}.name"
    sent = {**fields, name: "text", text: "Birk <og> Søn A/S", email: "economic"}
    pages.later(minutes=31)
    late = anne.post(page, sent)
    assert late.status_code == 401
    assert "Dine valg er gemt i 30 minutter." in late.text
    assert decisions(pages) == []
    other = arrive(pages, sub="u2", name="Birthe Lund")
    assert " checked" not in other.get(page).text, "they are of one person"
    again = arrive(pages)
    shown = again.get(page).text
    assert "er sat ind" in shown
    assert "Birk &lt;og&gt; Søn A/S</textarea>" in shown
    assert len(re.findall(r'value="(?:text|economic)" form="save" checked', shown)) == 2
    fields = form(again, customer)
    assert again.post(page, {**fields, email: "economic"}).status_code == 303
    assert "er sat ind" not in again.get(page).text, "it was saved"


def test_after_half_an_hour_or_where_the_values_moved_nothing_is_filled_in(pages: Pages, both: Both) -> None:
    customer = contested(both, pages)
    page, anne = f"/customers/{customer.id}", arrive(pages)
    fields = form(anne, customer)
    pages.later(minutes=31)
    anne.post(page, {**fields, choice(fields, "name"): "crm"})
    both.in_crm(customer.model_copy(update={"name": "Somebody else's"}), 3)
    assert "er sat ind" not in arrive(pages).get(page).text
    pages.later(minutes=31)
    with pages.engine.begin() as connection:
        assert people.forget(connection, pages.time) >= 1
        assert connection.execute(sa.text("select count(*) from sync.kept_form")).scalar() == 0


@pytest.mark.parametrize("forged", ["token", "origin", "signed out", "nobody"])
def test_a_form_that_is_not_of_that_session_is_not_kept(pages: Pages, both: Both, forged: str) -> None:
    customer = contested(both, pages)
    page, anne = f"/customers/{customer.id}", arrive(pages)
    fields = form(anne, customer)
    sent = {**fields, choice(fields, "name"): "crm"}
    headers = {}
    match forged:
        case "token":
            sent["form_token"] = "0" * 64
        case "origin":
            headers = {"sec-fetch-site": "cross-site"}
        case "signed out":
            anne.post("/sign-out", {"form_token": fields["form_token"]})
        case _:
            anne.client.cookies.clear()
    pages.later(minutes=31)
    assert anne.post(page, sent, **headers).status_code == 401
    with pages.engine.begin() as connection:
        assert connection.execute(sa.text("select count(*) from sync.kept_form")).scalar() == 0


def test_a_session_that_is_over_opens_nothing_although_it_is_remembered(pages: Pages, both: Both) -> None:
    customer = contested(both, pages)
    anne = arrive(pages)
    pages.later(minutes=31)
    with pages.engine.begin() as connection:
        people.forget(connection, pages.time)
    assert anne.get(f"/customers/{customer.id}").status_code == 401
