"""The buttons of a status: what they would do is shown first, one press does it once, in the widget's frame and on our own page."""

import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest
import sqlalchemy as sa

from crm_outbox.contract import Customer, Stage, WriteCustomer
from crm_outbox.messaging.envelope import Envelope
from economic_adapter.contract import WriteEconomicCustomer
from reconciler import people
from reconciler.passes import sign
from reconciler.person import Person
from reconciler.rules import Transfer
from tests.builders.meeting import Both, sydhavn
from tests.builders.sync import TENANT, crm_answered, done, economic_answered, refused, there
from tests.integration.web.browsing import KEY, Browser, Pages


@pytest.fixture
def both(pages: Pages) -> Both:
    wire = Both(engine=pages.engine, time=pages.time)
    wire.switch_on(Transfer.CREATED)
    return wire


class Door:
    """One way to a customer's buttons: a session on our own page, or the widget's pass."""

    def __init__(self, pages: Pages, customer: str, *, framed: bool, **given: Any) -> None:
        self.framed = framed
        self.customer = customer
        if framed:
            self.browser: Browser = pages.browser()
            at = int(pages.time.timestamp())
            claims = {
                "aud": "widget", "jti": uuid4().hex, "iat": at, "exp": at + 600, "tenant": TENANT, "sub": "u1",
                "name": "Anne Holm", "role": "user", "customer": customer, **given,
            }  # fmt: skip
            self.query = f"pass={sign('one', KEY, claims)}&version=1.1"
        else:
            self.browser = pages.arrive(**{"tenant": TENANT, **given})
            self.query = ""

    def status(self) -> str:
        return self.get("").text

    def get(self, name: str) -> httpx.Response:
        path = f"/widget{name}?{self.query}" if self.framed else f"/customers/{self.customer}{name}"
        return self.browser.get(path)

    def press(self, name: str, **changed: Any) -> httpx.Response:
        """Open the panel and press its button."""
        return self.send(name, {**self.form(self.get(f"/{name}").text), **changed})

    def press_at_once(self, name: str) -> httpx.Response:
        """Press a button that stands in the status itself."""
        (form,) = re.findall(rf'<form method="post" action="[^"]*/{name}".*?</form>', self.status(), re.DOTALL)
        return self.send(name, self.form(form))

    def send(self, name: str, fields: dict[str, Any]) -> httpx.Response:
        path = f"/widget/{name}" if self.framed else f"/customers/{self.customer}/{name}"
        return self.browser.post(path, fields)

    def form(self, text: str) -> dict[str, Any]:
        (found,) = re.findall(r'<form method="post"[^>]*class="(?:press|act)">.*?</form>', text, re.DOTALL)
        return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', found))

    def after(self, answer: httpx.Response) -> str:
        """The page that a press leads to."""
        assert answer.status_code == 303, answer.text
        return self.browser.get(answer.headers["location"]).text


Opens = Callable[..., Door]


@pytest.fixture(params=["widget", "page"])
def door(request: pytest.FixtureRequest, pages: Pages) -> Opens:
    framed = request.param == "widget"

    def open_(customer: Customer, **given: Any) -> Door:
        return Door(pages, customer.id, framed=framed, **given)

    return open_


def differing(both: Both, pages: Pages) -> Customer:
    """One that does not flow: the phone was changed in the CRM, the e-mail in e-conomic, the name in both."""
    customer = both.linked(7, cvr="12345678", phone="12345678", email="a@nordhavn.example")
    still(both)
    both.in_economic(there(customer, 7, "v2", contacts=(), name="Nordhavn B", email="b@nordhavn.example"), 2)
    both.in_crm(customer.model_copy(update={"name": "Nordhavn A", "phone": "87654321"}), 2)
    both.said()
    pages.time = both.time
    return customer


def still(both: Both) -> None:
    with both.engine.begin() as connection:
        connection.execute(sa.text("update sync.link set flows = false, revision = revision + 1"))


def written_here(command: WriteCustomer, customer: Customer, version: int) -> Envelope:
    """The CRM wrote what that command says, and holds this now."""
    return crm_answered(command, done(command.parts[0].operation), customer=customer, version=version)


def decisions(pages: Pages) -> list[tuple[str, ...]]:
    with pages.engine.connect() as connection:
        found = connection.execute(sa.text("select means, who, who_id, state from sync.decision order by at, id"))
        return [tuple(row) for row in found]


def test_update_names_what_it_overwrites_with_both_values_and_leaves_alone_what_only_e_conomic_changed(
    pages: Pages, both: Both, door: Opens
) -> None:
    customer = differing(both, pages)
    shown = door(customer).get("/update").text
    assert "Opdater i e-conomic: navn, telefon overskrives dér." in shown
    assert "E-mail er rettet i e-conomic og røres ikke." in shown
    for value in ("Nordhavn A", "Nordhavn B", "87 65 43 21", "12 34 56 78"):
        assert value in shown
    assert "b@nordhavn.example" not in shown
    assert "<h1>Opdater i e-conomic</h1>" in shown


def test_update_writes_what_was_shown_once_also_for_a_customer_that_does_not_flow(
    pages: Pages, both: Both, door: Opens
) -> None:
    customer = differing(both, pages)
    here = door(customer)
    fields = here.form(here.get("/update").text)
    answers = [here.send("update", fields) for _ in range(2)]
    (command,) = both.said_only(WriteEconomicCustomer)
    assert command.parts[0].fields == {"name": "Nordhavn A", "phone": "87654321"}
    assert both.said_only(WriteCustomer) == []
    assert "Sender din rettelse til e-conomic ..." in here.after(answers[0])
    written = there(customer, 7, "v3", contacts=(), name="Nordhavn A", phone="87654321", email="b@nordhavn.example")
    both.hear(economic_answered(command, done(command.parts[0].operation), customer=written, version=3))
    assert decisions(pages) == [("settle", "Anne Holm", "u1", "done")]
    assert here.send("update", fields).status_code == 303
    assert both.said_only(WriteEconomicCustomer) == [], "the same form after it was carried out is the same decision"


def test_a_detail_that_moved_is_left_out_and_named_and_the_others_are_written(
    pages: Pages, both: Both, door: Opens
) -> None:
    customer = differing(both, pages)
    here = door(customer)
    fields = here.form(here.get("/update").text)
    both.in_economic(there(customer, 7, "v3", contacts=(), name="Nordhavn C", email="b@nordhavn.example"), 3)
    after = here.after(here.send("update", fields))
    (command,) = both.said_only(WriteEconomicCustomer)
    assert command.parts[0].fields == {"phone": "87654321"}
    assert "Navn er blevet rettet, efter at du åbnede siden. Se den nye værdi, og vælg igen." in after
    assert "Nordhavn C" in after


def test_where_everything_moved_nothing_is_decided(pages: Pages, both: Both, door: Opens) -> None:
    customer = differing(both, pages)
    here = door(customer)
    fields = here.form(here.get("/update").text)
    both.in_crm(customer, 3)
    after = here.after(here.send("update", fields))
    assert both.said_only(WriteEconomicCustomer) == []
    assert decisions(pages) == []
    assert "er blevet rettet" in after


def test_a_detail_that_may_only_be_changed_in_e_conomic_is_named_and_not_overwritten(
    pages: Pages, both: Both, door: Opens
) -> None:
    customer = differing(both, pages)
    both.set(rules='{"customer": {"name": {"direction": "economic", "decides": "ask", "may_be_empty": false}}}')
    here = door(customer)
    shown = here.get("/update").text
    assert "Navn må kun rettes i e-conomic og røres ikke." in shown
    here.send("update", here.form(shown))
    (command,) = both.said_only(WriteEconomicCustomer)
    assert command.parts[0].fields == {"phone": "87654321"}


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


def deleted(both: Both, pages: Pages) -> Customer:
    customer = both.linked(7, cvr="12345678")
    both.gone(7, 2)
    both.said()
    pages.time = both.time
    return customer


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


def test_what_was_refused_is_tried_again(pages: Pages, both: Both, door: Opens) -> None:
    customer = both.linked(7, cvr="12345678", phone="12345678")
    both.in_crm(customer.model_copy(update={"phone": "87654321"}), 2)
    (command,) = both.said_only(WriteEconomicCustomer)
    both.hear(economic_answered(command, refused(command.parts[0].operation, "CustomerInvalidPriceGroup")))
    pages.time = both.time
    here = door(customer)
    assert "Prøv igen" in here.status()
    after = here.after(here.press_at_once("retry"))
    (command,) = both.said_only(WriteEconomicCustomer)
    assert command.parts[0].fields == {"phone": "87654321"}
    assert "Sender din rettelse til e-conomic ..." in after
    assert decisions(pages) == [("retry", "Anne Holm", "u1", "done")]


def test_it_stops_flowing_at_once_and_flows_again_once_what_that_writes_was_shown(
    pages: Pages, both: Both, door: Opens
) -> None:
    customer = both.linked(7, cvr="12345678", phone="12345678")
    pages.time = both.time
    here = door(customer)
    assert "Kunden flyder automatisk" in here.status()
    after = here.after(here.press_at_once("still"))
    assert "Flyder ikke: rettelser sendes ikke" in after
    pages.later(seconds=5)
    both.in_crm(customer.model_copy(update={"phone": "87654321"}), 2)
    assert both.said_only(WriteEconomicCustomer) == []
    shown = here.get("/flow").text
    assert "Det her vil blive skrevet:" in shown
    assert "87 65 43 21" in shown
    old = here.form(shown)
    both.in_crm(customer.model_copy(update={"phone": "11223344"}), 3)
    moved = here.after(here.send("flow", old))
    assert "Kunden er rettet, efter at du åbnede siden" in moved
    assert "11 22 33 44" in moved
    assert both.said_only(WriteEconomicCustomer) == []
    here.send("flow", here.form(moved))
    (command,) = both.said_only(WriteEconomicCustomer)
    assert command.parts[0].fields == {"phone": "11223344"}
    assert [(one[0], one[3]) for one in decisions(pages)] == [("still", "done"), ("flow", "done")]


@pytest.mark.parametrize("name", ["update", "create", "flow", "unlink", "retry", "leave", "still"])
def test_who_may_only_look_sees_who_can_and_no_dead_button(pages: Pages, both: Both, door: Opens, name: str) -> None:
    customer = differing(both, pages)
    with pages.engine.begin() as connection:
        people.meet(connection, Person(tenant=TENANT, id="m", name="Mette Krogh", role="admin"), pages.time)
    reader = door(customer, role="reader", sub="u9")
    status = reader.status()
    assert "Det kan en administrator: Mette Krogh" in status or not reader.framed
    assert "/update" not in status
    assert "Slå til" not in status
    fields = door(customer).form(door(customer).get("/update").text)
    token = {"form_token": reader.browser.token()} if not reader.framed else {"pass": reader.query[5:].split("&")[0]}
    answer = reader.send(name, {**fields, **token})
    assert answer.status_code == 403
    assert "Det kan en administrator: Mette Krogh" in answer.text
    assert decisions(pages) == []


def test_an_admin_may_keep_creating_for_admins(pages: Pages, both: Both, door: Opens) -> None:
    both.set(transfer="hand")
    customer = both.new(cvr="12345678")
    both.in_crm(customer)
    pages.time = both.time
    with pages.engine.begin() as connection:
        people.choose(connection, TENANT, "keep_create", True)
    assert door(customer).get("/create").status_code == 403
    assert door(customer, role="admin").get("/create").status_code == 200


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"decision": "x"}, 400),
        ({"decision": ""}, 400),
        ({"mark.x.name": "0"}, 400),
        ({"pass": "x", "form_token": "x"}, None),
    ],
)
def test_what_no_form_of_ours_sends_changes_nothing(
    pages: Pages, both: Both, door: Opens, given: dict[str, str], status: int | None
) -> None:
    customer = differing(both, pages)
    here = door(customer)
    fields = {**here.form(here.get("/update").text), **given}
    answer = here.send("update", fields)
    assert answer.status_code == (status or (401 if here.framed else 403))
    assert decisions(pages) == []


def test_another_tenants_customer_is_not_there(pages: Pages, both: Both, door: Opens) -> None:
    customer = differing(both, pages)
    stranger = door(customer, tenant="other", role="admin")
    for name in ("update", "create", "flow", "unlink"):
        assert stranger.get(f"/{name}").status_code == 404


def test_an_id_that_no_database_holds_is_not_there(pages: Pages) -> None:
    assert pages.arrive(tenant=TENANT).get("/customers/%00/update").status_code == 404


def test_what_stands_in_the_frame_may_be_framed_by_the_crm_also_when_it_says_no(pages: Pages, both: Both) -> None:
    customer = differing(both, pages)
    here = Door(pages, customer.id, framed=True, role="reader")
    for answer in (here.get("/update"), here.get("/unlink"), pages.browser().get("/widget/update?pass=x")):
        assert answer.status_code in {401, 403}
        assert "frame-ancestors 'none'" not in answer.headers["content-security-policy"]
        assert "set-cookie" not in answer.headers


def test_a_creation_says_its_number_for_a_minute_and_an_edit_of_e_conomics_when_it_was_fetched(
    pages: Pages, both: Both, door: Opens
) -> None:
    customer = both.linked(10482, cvr="12345678")
    pages.time = both.time
    here = door(customer)
    assert "Oprettet i e-conomic som kundenr. 10482" in here.status()
    pages.later(minutes=2)
    assert "Oprettet i e-conomic" not in here.status()
    both.in_economic(there(customer, 10482, "v2", contacts=(), phone="11223344"), 2)
    (command,) = both.said_only(WriteCustomer)
    both.hear(written_here(command, customer.model_copy(update={"phone": "11223344"}), 2))
    assert re.search(r"Telefon blev rettet i e-conomic, hentet (i g.r )?kl\. \d\d\.\d\d", here.status())


def test_an_edit_that_was_put_back_says_so_until_that_detail_is_edited(pages: Pages, both: Both, door: Opens) -> None:
    both.set(rules='{"customer": {"phone": {"direction": "economic", "decides": "economic", "may_be_empty": true}}}')
    customer = both.linked(7, cvr="12345678", phone="12345678")
    both.in_crm(customer.model_copy(update={"phone": "87654321"}), 2)
    (command,) = both.said_only(WriteCustomer)
    both.hear(written_here(command, customer, 3))
    pages.time = both.time
    here = door(customer)
    told = "Telefon må kun rettes i e-conomic. Din rettelse er ført tilbage."
    assert told in here.status()
    both.in_economic(there(customer, 7, "v2", contacts=(), phone="11223344"), 2)
    assert told not in here.status()
