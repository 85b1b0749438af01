"""The questions about who is who: linked, told apart, created or left, each answer once and by name."""

import pytest

from crm_outbox.contract import Customer, Stage, WriteCustomer
from economic_adapter.contract import WriteEconomicCustomer
from reconciler import people, questions
from tests.builders.meeting import Both, by_hand, departments, sydhavn
from tests.builders.sync import TENANT, there
from tests.integration.web.asking import arrive, buttons, decided, forms, only, press
from tests.integration.web.browsing import Pages


def perhaps(both: Both) -> Customer:
    """A customer of the CRM that e-conomic may have as number 50."""
    both.in_economic(sydhavn(cvr="", postcode="5000"), why="import")
    customer = both.new(name="Sydhavn Maler A/S", postcode="5000", city="Odense")
    both.in_crm(customer)
    both.said()
    return customer


def test_candidates_stand_beside_it_with_what_agrees_and_are_linked(pages: Pages, both: Both) -> None:
    customer = perhaps(both)
    browser, task = arrive(pages, both), only(pages, "candidates")
    assert f"/tasks/{task}" in browser.get().text
    shown = browser.get(f"/tasks/{task}").text
    assert "Findes måske allerede: Sydhavn Maler A/S, samme navn, postnr." in shown
    assert buttons(browser, task) == ["Tilknyt", "Ikke den samme kunde", "Opret alligevel"]
    assert "Dit svar er udført." in press(browser, task, "Tilknyt")
    assert both.of(customer.id).number == 50
    assert decided(pages) == [("Anne Holm", "link", "done")]
    assert "Spørgsmålet er afsluttet." in browser.get(f"/tasks/{task}").text


def test_candidates_that_are_not_the_same_are_told_apart_and_it_is_created(pages: Pages, both: Both) -> None:
    customer = perhaps(both)
    browser, task = arrive(pages, both), only(pages, "candidates")
    press(browser, task, "Ikke den samme kunde")
    assert both.of(customer.id).apart == (50,)
    (command,) = both.said_only(WriteEconomicCustomer)
    assert command.parts[0].action == "create"


def test_created_anyway_it_rules_all_of_them_out_and_needs_the_right(pages: Pages, both: Both) -> None:
    perhaps(both)
    with pages.engine.begin() as connection:
        people.choose(connection, TENANT, "keep_create", True)
    browser, task = arrive(pages, both), only(pages, "candidates")
    assert buttons(browser, task) == ["Tilknyt", "Ikke den samme kunde"]
    admin = arrive(pages, both, sub="u2", name="Mette", role="admin")
    fields = forms(admin, task, "Opret alligevel")[0]
    assert browser.post(f"/tasks/{task}", {**fields, "form_token": browser.token()}).status_code == 403
    assert "bliver udført" in press(admin, task, "Opret alligevel")
    (command,) = both.said_only(WriteEconomicCustomer)
    assert command.parts[0].seen == (50,)


def test_one_that_only_e_conomic_has_is_linked_with_the_one_that_is_named(pages: Pages, both: Both) -> None:
    by_hand(both)
    ids = departments(both)
    both.in_economic(sydhavn())
    browser, task = arrive(pages, both), only(pages, "candidates")
    known = forms(browser, task, "Tilknyt")
    assert {one["customer"] for one in known} == set(ids)
    chosen = next(one for one in known if one["customer"] == ids[1])
    browser.post(f"/tasks/{task}", chosen)
    assert both.of(ids[1]).number == 50


def test_deleted_in_e_conomic_each_answer_does_what_it_says(pages: Pages, both: Both) -> None:
    customer = both.linked(7, cvr="12345678")
    both.gone(7, 2)
    both.said()
    browser, task = arrive(pages, both), only(pages, "deleted_there")
    assert buttons(browser, task) == ["Opret igen", "Fjern tilknytning", "Gør inaktiv i Clickmate", "Lad være"]
    assert "Slettet i e-conomic" in browser.get(f"/tasks/{task}").text
    press(browser, task, "Gør inaktiv i Clickmate")
    (command,) = both.said_only(WriteCustomer)
    assert command.parts[0].stage is Stage.INACTIVE
    press(browser, task, "Lad være")
    assert "Intet venter på dig." in browser.get().text
    assert both.of(customer.id).state == "resting"


def test_deleted_in_e_conomic_it_is_created_again_or_unlinked(pages: Pages, both: Both) -> None:
    first, second = both.linked(7, cvr="12345678"), both.linked(8, cvr="87654321", name="Sydhavn")
    both.gone(7, 2)
    both.gone(8, 2)
    both.said()
    browser = arrive(pages, both)
    with pages.engine.connect() as connection:
        tasks = {one.customer: one.id for one in questions.listed(connection, TENANT)}
    press(browser, tasks[first.id], "Opret igen")
    (command,) = both.said_only(WriteEconomicCustomer)
    assert command.parts[0].action == "create"
    press(browser, tasks[second.id], "Fjern tilknytning")
    assert both.of(second.id).state == "unlinked"


def test_deleted_in_the_crm_it_is_barred_in_e_conomic(pages: Pages, both: Both) -> None:
    customer = both.linked(7, cvr="12345678")
    both.in_crm(customer.model_copy(update={"deleted": True}), 2)
    both.said()
    browser, task = arrive(pages, both), only(pages, "deleted_here")
    assert "Kunden er slettet i Clickmate. Den står urørt i e-conomic." in browser.get(f"/tasks/{task}").text
    assert buttons(browser, task) == ["Spær kunden i e-conomic", "Lad være"]
    press(browser, task, "Spær kunden i e-conomic")
    (command,) = both.said_only(WriteEconomicCustomer)
    assert [part.action for part in command.parts] == ["bar"]


def test_deleted_on_one_side_and_edited_on_the_other_says_so(pages: Pages, both: Both) -> None:
    customer = both.linked(7, cvr="12345678")
    both.set(paused='["crm", "economic"]')
    both.in_crm(customer.model_copy(update={"phone": "99999999"}), 2)
    both.gone(7, 2)
    browser, task = arrive(pages, both), only(pages, "deleted_edited")
    assert "Kunden er slettet i e-conomic og rettet i Clickmate." in browser.get(f"/tasks/{task}").text
    assert "99 99 99 99" in browser.get(f"/tasks/{task}").text
    assert "Opret igen" in buttons(browser, task)


def test_renumbered_it_is_the_same_or_not(pages: Pages, both: Both) -> None:
    customer = both.linked(7, name="Nordhavn Tømrer", phone="87654321")
    both.gone(7, 2)
    both.in_economic(there(customer, 9, "v9"))
    both.said()
    browser, task = arrive(pages, both), only(pages, "renumbered")
    assert "Kundenr. 7 findes ikke længere. Er det nu kundenr. 9?" in browser.get(f"/tasks/{task}").text
    assert buttons(browser, task) == ["Ja, det er den samme", "Nej"]
    press(browser, task, "Ja, det er den samme")
    assert both.of(customer.id).number == 9


def test_another_identity_is_unlinked_or_the_same(pages: Pages, both: Both) -> None:
    customer = both.linked(7, cvr="12345678", city="Odense")
    both.in_economic(there(customer, 7, "v2", contacts=(), name="Sydhavn VVS", cvr="87654321"), 2)
    both.said()
    browser, task = arrive(pages, both), only(pages, "other_identity")
    shown = browser.get(f"/tasks/{task}").text
    assert "Kundenr. 7 er nu en anden kunde i e-conomic: Sydhavn VVS. Intet flyder." in shown
    assert buttons(browser, task) == ["Fjern tilknytning", "Det er den samme kunde"]
    press(browser, task, "Det er den samme kunde")
    assert both.of(customer.id).state == "linked"


@pytest.mark.parametrize(("button", "number"), [("Kundenr. 8", 8), ("Kundenr. 7", 7)])
def test_merged_a_person_says_which_stays_linked(pages: Pages, both: Both, button: str, number: int) -> None:
    merged, heir = both.linked(7, name="A"), both.linked(8, name="B")
    both.in_crm(merged.model_copy(update={"merged_into": heir.id}), 2)
    both.said()
    browser, task = arrive(pages, both), only(pages, "merged")
    assert "Hvilken kunde i e-conomic skal den være tilknyttet?" in browser.get(f"/tasks/{task}").text
    press(browser, task, button)
    assert both.of(heir.id).number == number
    assert both.of(merged.id).number is None
    assert {who for who, _, _ in decided(pages)} == {"Anne Holm"}
