"""The buttons of a customer that e-conomic has not, or has no longer: created once, unlinked, or left as it is."""

import re

import sqlalchemy as sa

from crm_outbox.contract import Stage
from economic_adapter.contract import WriteEconomicCustomer
from tests.builders.meeting import Both, sydhavn
from tests.integration.web.acting import Opens, decisions, deleted
from tests.integration.web.browsing import Pages


def offered(both: Both) -> None:
    both.set(
        reference='{"groups": [{"number": 1, "name": "Danske kunder"}], "terms": [{"number": 2, "name": "Netto 8 dage"}],'
        ' "zones": [{"number": 1, "name": "Indland"}], "currencies": ["DKK"]}'
    )


def test_create_shows_the_defaults_it_will_use_and_creates_once_however_often_it_is_pressed(
    pages: Pages, both: Both, door: Opens
) -> None:
    both.set(transfer="hand")
    offered(both)
    customer = both.new(cvr="12345678")
    both.in_crm(customer)
    pages.time = both.time
    here = door(customer)
    assert "Ikke oprettet i e-conomic" in here.status()
    shown = here.get("/create").text
    assert re.search(
        r"Opret i e-conomic med kundegruppe .+, momszone Indland, betalingsbetingelse .+, valuta DKK", shown
    )
    fields = here.form(shown)
    after = here.after(here.send("create", fields))
    assert "Oprettes i e-conomic ..." in after
    here.send("create", fields)
    here.press("create")
    (command,) = both.said_only(WriteEconomicCustomer)
    assert command.parts[0].action == "create"
    both.created(command, customer, 10482)
    here.send("create", fields)
    assert both.said_only(WriteEconomicCustomer) == []
    assert "Kundenr. 10482" in here.status()
    assert [one[3] for one in sorted(decisions(pages))] == ["done", "refused"], "a second panel created nothing"


def test_a_lead_is_asked_about_before_it_is_created(pages: Pages, both: Both, door: Opens) -> None:
    customer = both.new(cvr="12345678").model_copy(update={"stage": Stage.LEAD})
    both.set(transfer="active")
    both.in_crm(customer)
    pages.time = both.time
    here = door(customer)
    shown = here.get("/create").text
    assert "Det er et emne. Vil du oprette det i e-conomic nu?" in shown
    fields = here.form(shown)
    here.send("create", {name: value for name, value in fields.items() if name != "lead"})
    assert both.said_only(WriteEconomicCustomer) == []
    here.send("create", fields)
    assert len(both.said_only(WriteEconomicCustomer)) == 1


def test_possible_twins_are_shown_and_only_those_shown_are_ruled_out(pages: Pages, both: Both, door: Opens) -> None:
    both.set(transfer="hand")
    customer = both.new(name="Sydhavn Maler A/S", cvr="87654321")
    both.in_economic(sydhavn(), why="import")
    both.in_crm(customer)
    pages.time = both.time
    here = door(customer)
    shown = here.get("/create").text
    assert "Findes kunden allerede?" in shown
    assert "Kundenr. 50 · Sydhavn Maler A/S · CVR-nr. 87654321 · Odense" in shown
    assert "Opret alligevel" in shown
    assert "Vælg kunde" in shown
    fields = here.form(shown)
    both.in_economic(sydhavn(number=51), why="import")
    after = here.after(here.send("create", fields))
    assert both.said_only(WriteEconomicCustomer) == [], "another one came since"
    assert "Kundenr. 51" in after
    here.send("create", {**here.form(after), "not": ["50", "51"]})
    (command,) = both.said_only(WriteEconomicCustomer)
    assert set(command.parts[0].seen) == {50, 51}


def test_what_a_creation_lacks_is_said_instead_of_a_button(pages: Pages, both: Both, door: Opens) -> None:
    customer = both.new(cvr="12345678", country="Utopia")
    both.in_crm(customer)
    pages.time = both.time
    shown = door(customer).get("/create").text
    assert "Landet mangler. Vi ved ikke, hvilken momszone kunden skal have." in shown
    assert "<button" not in shown.partition("<h1>")[2]


def test_a_customer_deleted_in_e_conomic_is_created_again(pages: Pages, both: Both, door: Opens) -> None:
    customer = deleted(both, pages)
    here = door(customer)
    assert "Slettet i e-conomic" in here.status()
    assert "venter også på dit valg" not in here.status(), "the same question is not said twice"
    assert "Kunden flyder automatisk" not in here.status(), "it is linked no longer"
    assert "Oprettes i e-conomic ..." in here.after(here.press("create"))
    (command,) = both.said_only(WriteEconomicCustomer)
    assert command.parts[0].action == "create"


def test_or_unlinked_where_nothing_is_written(pages: Pages, both: Both, door: Opens) -> None:
    customer = deleted(both, pages)
    here = door(customer)
    shown = here.get("/unlink").text
    fields = here.form(shown)
    here.send("unlink", {**fields, "number": "8"})
    assert decisions(pages) == [], "it was shown with another number"
    here.send("unlink", fields)
    assert both.said_only(WriteEconomicCustomer) == []
    assert both.of(customer.id).number is None
    assert decisions(pages) == [("unlink", "Anne Holm", "u1", "done")]


def test_or_left_as_it_is_and_not_asked_again(pages: Pages, both: Both, door: Opens) -> None:
    customer = deleted(both, pages)
    here = door(customer)
    after = here.after(here.press_at_once("leave"))
    assert "Lad være" not in after
    assert "Slettet i e-conomic" in after
    assert decisions(pages) == [("leave", "Anne Holm", "u1", "done")]
    with pages.engine.connect() as connection:
        assert connection.execute(sa.text("select count(*) from sync.task where closed is null")).scalar() == 0
