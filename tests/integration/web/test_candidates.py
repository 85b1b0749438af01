"""Whom of e-conomic a customer may be: told beside it, chosen on its page, linked or told apart; never a dead end."""

import re
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from crm_outbox.contract import Customer, Stage
from economic_adapter.contract import LookAtCustomer, WriteEconomicCustomer
from reconciler import clock, joining, listing, pressing, suggesting, suggestions, undoing, views
from reconciler.person import Person
from tests.builders.crm import a_customer
from tests.builders.meeting import Both
from tests.builders.sync import AGREEMENT, TENANT, there
from tests.integration.web.acting import Door, decisions
from tests.integration.web.browsing import Pages
from tests.integration.web.looking import Watching
from tests.integration.web.statements import sent_by
from tests.integration.web.test_acting_json import Service
from tests.integration.web.test_polling import Standing

ALIKE = {"name": "Beta Tømrer", "postcode": "8000", "city": "Aarhus", "phone": "12345678"}


@pytest.fixture
def both(both: Both) -> Both:
    """Nothing is created by itself."""
    both.set(transfer="hand")
    return both


def in_economic(both: Both, *numbers: int, **given: str) -> None:
    for number in numbers:
        both.in_economic(there(a_customer(**{**ALIKE, **given}), number, "v1", contacts=()), why="import")


def in_crm(both: Both, pages: Pages, stage: Stage = Stage.ACTIVE, **given: str) -> Customer:
    customer = both.new(**{**ALIKE, **given}).model_copy(update={"stage": stage})
    both.in_crm(customer)
    both.said()
    pages.time = both.time
    return customer


def lead(both: Both, pages: Pages) -> Customer:
    return in_crm(both, pages, Stage.LEAD)


def looked(both: Both) -> None:
    while clock.tell_again(both.engine, both.clocked):
        pass


def suggested(both: Both) -> None:
    """Pairs are looked for over the whole of both systems."""
    with both.engine.begin() as connection:
        suggestions.ask(connection, TENANT, AGREEMENT, both.time)
    assert suggesting.carry_on(both.engine, both.clocked) == 1
    looked(both)


def section(page: str) -> str:
    return page.partition('id="may-be"')[2].partition("Opret alligevel")[0]


def forms(page: str, to: str) -> list[dict[str, str]]:
    found = re.findall(rf'<form method="post" action="[^"]*/{to}".*?</form>', section(page), re.DOTALL)
    return [dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', one)) for one in found]


def linked(both: Both) -> dict[str, int]:
    return {one.crm_id: one.number for one in both.links() if one.crm_id and one.number and one.state == "linked"}


def test_the_box_of_a_lead_says_perhaps_and_choose_customer_leads_to_them(pages: Pages, both: Both) -> None:
    in_economic(both, 5, 6)
    customer = lead(both, pages)
    box = Door(pages, customer.id, framed=True).status()
    assert "Findes måske i e-conomic (2 forslag)" in box
    assert "Vælg kunde" in box
    assert f"to=%2Fcustomers%2F{customer.id}" in box
    page = Door(pages, customer.id, framed=False).status()
    assert "Findes måske i e-conomic (2 forslag)" in page
    assert [one["number"] for one in forms(page, "link")] == ["5", "6"]
    assert [one["number"] for one in forms(page, "not-the-same")] == ["5", "6"]
    assert "Findes måske allerede: Beta Tømrer, samme" in page
    assert not [one for one in both.said() if isinstance(one.data, LookAtCustomer | WriteEconomicCustomer)]


def test_it_is_linked_by_one_press_however_often_that_is_sent_and_undone(pages: Pages, both: Both) -> None:
    in_economic(both, 5, 6)
    customer = lead(both, pages)
    here = Door(pages, customer.id, framed=False)
    (first, _) = forms(here.status(), "link")
    answer = here.send("link", first)
    after = here.after(answer)
    here.send("link", first)
    assert linked(both) == {customer.id: 5}
    assert [one[0] for one in decisions(pages)] == ["link"]
    assert "Kundenr. 5" in after
    assert section(after) == ""
    (undo,) = re.findall(r'action="[^"]*(/decisions/[^"]+/undo)"', after)
    here.browser.post(undo, {"form_token": first["form_token"], "decision": str(uuid4())})
    while undoing.undo(both.engine, both.clocked):
        both.later(seconds=2)
    assert linked(both) == {}
    pages.time = both.time
    assert "Findes måske i e-conomic (2 forslag)" in here.status()


def test_who_is_not_the_same_is_gone_from_there_for_good(pages: Pages, both: Both) -> None:
    in_economic(both, 5, 6)
    customer = in_crm(both, pages)
    here = Door(pages, customer.id, framed=False)
    (first, _) = forms(here.status(), "not-the-same")
    after = here.after(here.send("not-the-same", first))
    assert "Findes måske i e-conomic (1 forslag)" in after
    (second,) = forms(after, "not-the-same")
    assert second["number"] == "6"
    after = here.after(here.send("not-the-same", second))
    assert "Ikke oprettet i e-conomic" in after
    assert "Opret i e-conomic" in after
    assert section(after) == ""
    suggested(both)
    assert "Ikke oprettet i e-conomic" in here.status()
    assert both.said_only(WriteEconomicCustomer) == []


def test_one_that_another_got_meanwhile_is_refused_in_words(pages: Pages, both: Both) -> None:
    in_economic(both, 5)
    customer, another = in_crm(both, pages), in_crm(both, pages, name="En helt anden", phone="")
    here = Door(pages, customer.id, framed=False)
    (form,) = forms(here.status(), "link")
    with pages.engine.begin() as connection:
        joining.link(both.clocked, connection, TENANT, AGREEMENT, another.id, 5, by="person")
    after = here.after(here.send("link", form))
    assert "Kundenr. 5 er tilknyttet en anden kunde i Clickmate." in after
    assert section(after) == ""
    after = here.after(here.send("link", {**form, "decision": str(uuid4())}))
    assert "Kunden blev ændret" in after or "Kunden er ændret" in after or "rettet, efter" in after
    assert linked(both) == {another.id: 5}


def test_who_may_only_look_sees_them_and_no_button(pages: Pages, both: Both) -> None:
    in_economic(both, 5)
    customer = lead(both, pages)
    page = Door(pages, customer.id, framed=False, role="reader").status()
    assert "Kundenr. 5" in section(page + "Opret alligevel")
    assert "<form" not in section(page + "Opret alligevel").partition("</section>")[0]


def test_a_question_about_candidates_is_answered_on_its_own_page(pages: Pages, both: Both) -> None:
    both.set(transfer="created")
    in_economic(both, 5)
    customer = in_crm(both, pages)
    page = Door(pages, customer.id, framed=False).status()
    assert "/tasks/" in page
    assert section(page) == ""


def test_a_service_is_told_the_same_and_answers_the_same(pages: Pages, both: Both) -> None:
    in_economic(both, 5, 6)
    customer = lead(both, pages)
    service = Service(pages, customer)
    assert service.get("candidates")["candidates"] == [], "nobody has opened it"
    status = service.get("status?version=1.1")
    assert (status["state"], status["choices"]) == ("perhaps", 2)
    assert [(one["name"], one["allowed"]) for one in status["actions"]] == [("choose_customer", True)]
    told = service.get("candidates")
    assert [one["customer_number"] for one in told["candidates"]] == [5, 6]
    assert told["candidates"][0]["same"] == ["name", "postcode", "city", "phone"]
    assert service.post("not-the-same", number=6)["state"] == "done"
    assert service.get("status?version=1.1")["choices"] == 1
    assert service.post("link", number=7)["moved"] is True
    said: dict[str, Any] = {"number": 5, "decision": str(uuid4())}
    assert [service.post("link", **said)["state"] for _ in range(2)] == ["done", "done"]
    assert service.get("status?version=1.1")["state"] != "perhaps"
    assert service.get("candidates")["candidates"] == []
    assert linked(both) == {customer.id: 5}


def test_the_lists_count_it_once_and_add_up(pages: Pages, both: Both) -> None:
    in_economic(both, 5)
    customer, other = in_crm(both, pages), in_crm(both, pages, name="En helt anden", phone="", postcode="", city="")
    both.linked_by_hand(7, name="Forbundet", phone="")

    def counted() -> dict[str, int]:
        with pages.engine.connect() as connection:
            known = views.customer(connection, TENANT, customer.id).agreement
            return {name: many for name, many in listing.counts(connection, TENANT, known).items() if many}

    before = counted()
    suggested(both)
    after = counted()
    assert after == {**before, "left_out": before["left_out"] - 1, "choice": 1}
    browser = pages.arrive(tenant=TENANT)
    shown = browser.get("/customers?list=choice").text
    assert f"/customers/{customer.id}" in shown
    assert f"/customers/{other.id}" not in shown


def test_an_open_page_hears_that_it_is_perhaps_and_that_it_is_not_any_more(watching: Watching) -> None:
    both = watching.both
    both.set(transfer="hand")
    customer = in_crm(both, watching.pages)
    page = Standing(watching, customer)
    in_economic(both, 5)
    suggested(both)
    told = page.told()
    assert (page.shows["state"], told["state"], told["choices"]) == ("not_there", "perhaps", 1)
    page = Standing(watching, customer)
    in_economic(both, 6)
    watching.open(customer.id)
    assert page.told()["choices"] == 2, "another opened it"
    page = Standing(watching, customer)
    with watching.pages.engine.begin() as connection:
        joining.tell_apart(both.clocked, connection, TENANT, AGREEMENT, customer.id, [5])
    assert page.told()["choices"] == 1


class Ours:
    """Our own page of a customer, which stands open and asks again."""

    def __init__(self, pages: Pages, crm_id: str, language: str = "da") -> None:
        self._browser = pages.arrive(tenant=TENANT, sub="m", role="admin")
        self.shown = self._browser.get(f"/customers/{crm_id}?lang={language}").text
        (asks,) = re.findall(r'data-ask="http://[^/]+([^"]+)"', self.shown)
        self._asks = unescape(asks)

    def told(self) -> str:
        """What it is told when it asks again."""
        answer = self._browser.get(self._asks)
        assert answer.status_code == 200
        return answer.text


MOVED = "Forslagene er ændret, efter at du åbnede siden"


def test_an_open_page_of_ours_says_that_those_it_may_be_have_changed(watching: Watching) -> None:
    both = watching.both
    both.set(transfer="hand")
    customer = in_crm(both, watching.pages)
    nobody = Ours(watching.pages, customer.id)
    in_economic(both, 5)
    assert MOVED not in nobody.told(), "nobody was found yet"
    one = Ours(watching.pages, customer.id)
    assert 'id="may-be"' in one.shown
    assert MOVED not in one.told()
    assert MOVED in nobody.told(), "another opened it"
    in_economic(both, 6)
    two, english = Ours(watching.pages, customer.id), Ours(watching.pages, customer.id, "en")
    assert MOVED in one.told()
    assert MOVED not in two.told()
    both.in_economic(there(a_customer(**{**ALIKE, "street": "Havnegade 1"}), 6, "v2", contacts=()), 2, why="hook")
    assert MOVED in two.told(), "what stands beside it is old"
    assert "The suggestions changed after you opened this page" in english.told()
    assert "data-reload" in two.told()
    fresh = Ours(watching.pages, customer.id)
    with watching.pages.engine.begin() as connection:
        joining.tell_apart(both.clocked, connection, TENANT, AGREEMENT, customer.id, [5])
    assert MOVED in fresh.told()


def test_an_open_page_says_first_that_the_customer_itself_was_changed(watching: Watching) -> None:
    both = watching.both
    both.set(transfer="hand")
    customer = in_crm(both, watching.pages)
    in_economic(both, 5)
    ours = Ours(watching.pages, customer.id)
    both.in_crm(customer.model_copy(update={"cvr": "12345674", "name": "En helt anden"}), 2)
    in_economic(both, 6)
    told = ours.told()
    assert ("Kunden er rettet, efter at du åbnede siden" in told, MOVED in told) == (True, False)


def test_opening_costs_a_handful_of_statements_however_many_it_may_be_and_a_poll_one(
    watching: Watching,
) -> None:
    both = watching.both
    both.set(transfer="hand")
    customer = in_crm(both, watching.pages)

    def asked(look: str) -> int:
        with sent_by(watching.pages.engine) as statements:
            watching.open(customer.id, look=look)
        return len(statements)

    asked("true")
    few = asked("true")
    in_economic(both, 5, 6)
    assert watching.open(customer.id)["choices"] == 2
    assert asked("true") == few
    asked("false")
    assert asked("false") < few < 20


def test_a_press_over_what_was_not_shown_decides_nothing(pages: Pages, both: Both) -> None:
    in_economic(both, 5)
    customer = in_crm(both, pages, name="En helt anden", phone="")
    press = pressing.Press(
        person=Person(tenant=TENANT, id="u1", name="Anne", role="user"), customer=customer.id, id=uuid4()
    )
    with pages.engine.begin() as connection:
        assert pressing.link(both.clocked, connection, press, 5).moved
        assert pressing.apart(both.clocked, connection, press, 5).moved
        assert connection.scalar(sa.text("select count(*) from sync.decision")) == 0
