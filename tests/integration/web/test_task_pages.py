"""A question that is not about two values has a page: it says what it is, takes each answer once, and refuses a stale one."""

import re
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from crm_outbox.contract import Customer, Stage, WriteCustomer
from economic_adapter.contract import WriteEconomicCustomer
from reconciler import clock, people, questions
from reconciler.rules import Transfer
from tests.builders.crm import a_person
from tests.builders.meeting import Both, by_hand, sydhavn
from tests.builders.sync import TENANT, economic_answered, refused, there
from tests.integration.web.browsing import Browser, Pages


@pytest.fixture
def both(pages: Pages) -> Both:
    wire = Both(engine=pages.engine, time=pages.time)
    wire.switch_on(Transfer.CREATED)
    return wire


def arrive(pages: Pages, both: Both, **given: Any) -> Browser:
    pages.time = both.time
    return pages.arrive(tenant=TENANT, **given)


def only(pages: Pages, kind: str) -> UUID:
    """The one open question."""
    with pages.engine.connect() as connection:
        (found,) = questions.listed(connection, TENANT)
    assert found.kind == kind
    return found.id


def forms(browser: Browser, task: UUID, button: str = "") -> list[dict[str, str]]:
    """The fields of each form of a question's page; only of those whose button says so."""
    return [fields for said, fields in pressable(browser, task) if button in {"", said}]


def pressable(browser: Browser, task: UUID) -> list[tuple[str, dict[str, str]]]:
    """The forms of a question's page: the words on the button of each, and its fields."""
    text = browser.get(f"/tasks/{task}").text
    found = []
    for form in re.findall(r'<form method="post" action="[^"]*/tasks/[^"]*">(.*?)</form>', text, re.DOTALL):
        fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form))
        said = re.sub(r"<[^>]+>", "", re.findall(r"<button[^>]*>(.*?)</button>", form, re.DOTALL)[0]).strip()
        found.append((said, fields))
    return found


def press(browser: Browser, task: UUID, button: str, **more: str) -> str:
    """Press a button of a question's page; what the page says then."""
    (found,) = forms(browser, task, button)
    answer = browser.post(f"/tasks/{task}", {**found, **more})
    assert answer.status_code == 303, answer.text
    return browser.get(answer.headers["location"]).text


def buttons(browser: Browser, task: UUID) -> list[str]:
    return [said for said, _ in pressable(browser, task)]


def decided(pages: Pages) -> list[tuple[str, str, str]]:
    """Who decided what, and how it stands."""
    with pages.engine.connect() as connection:
        rows = connection.execute(sa.text("select who, means, state from sync.decision order by at, id"))
        return [(row.who, row.means, row.state) for row in rows]


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
    ids = []
    for nth in (1, 2):
        customer = both.new(cvr="87654321", name=f"Sydhavn afdeling {nth}")
        both.in_crm(customer)
        ids.append(customer.id)
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


def doubtful(both: Both) -> Customer:
    """Two persons of one name, one on each side, of whom nobody knows whether they are one."""
    customer = both.linked(7, cvr="12345678")
    both.set(paused='["crm", "economic"]')
    with_person = customer.model_copy(update={"contacts": (a_person(name="Mette Holm"),)})
    both.in_crm(with_person, 2)
    seen = there(
        customer.model_copy(update={"contacts": (a_person(name="Mette Holm", email="mh@n.example"),)}), 7, "v2"
    )
    both.in_economic(seen, 2)
    both.set(paused="[]")
    both.in_crm(with_person, 3)
    both.said()
    return with_person


@pytest.mark.parametrize("button", ["Den samme", "En anden"])
def test_contact_persons_are_one_or_two(pages: Pages, both: Both, button: str) -> None:
    customer = doubtful(both)
    browser = arrive(pages, both)
    with pages.engine.connect() as connection:
        found = [one for one in questions.listed(connection, TENANT) if one.kind == "contact"]
    shown = browser.get(f"/tasks/{found[0].id}").text
    assert "Er Mette Holm og Mette Holm den samme kontaktperson?" in shown
    assert "mh@n.example" in shown
    press(browser, found[0].id, button)
    persons = both.of(customer.id).contacts
    assert len(persons) == (1 if button == "Den samme" else 2)
    with pages.engine.connect() as connection:
        assert [one for one in questions.listed(connection, TENANT) if one.kind == "contact"] == []


def test_what_a_creation_lacks_is_given_for_this_customer(pages: Pages, both: Both) -> None:
    both.in_crm(both.new(country=""))
    browser, task = arrive(pages, both), only(pages, "missing")
    assert "Landet mangler. Vi ved ikke, hvilken momszone kunden skal have." in browser.get("/errors").text
    press(browser, task, "Opret i e-conomic", area="eu", group="", terms="", zone="", currency="")
    (command,) = both.said_only(WriteEconomicCustomer)
    assert command.parts[0].defaults is not None
    assert command.parts[0].defaults.zone == 2
    assert decided(pages) == [("Anne Holm", "supply", "done")]


@pytest.mark.parametrize(
    ("button", "value"), [("Hent værdien tilbage", "a@n.example"), ("Lad den være tom i begge", "")]
)
def test_a_cleared_detail_is_brought_back_or_left_empty(pages: Pages, both: Both, button: str, value: str) -> None:
    customer = both.linked(7, cvr="12345678", email="a@n.example")
    both.in_crm(customer.model_copy(update={"email": ""}), 2)
    both.said()
    browser, task = arrive(pages, both), only(pages, "empty")
    assert "E-mail er slettet i Clickmate." in browser.get(f"/tasks/{task}").text
    press(browser, task, button)
    said = both.said()
    written = [one.data.parts[0].fields for one in said if isinstance(one.data, WriteCustomer | WriteEconomicCustomer)]
    assert written == [{"email": value}]


def test_a_creation_nobody_can_tell_the_end_of_is_linked_to_what_was_found(pages: Pages, both: Both) -> None:
    customer = both.new(cvr="12345678")
    both.in_crm(customer)
    (command,) = both.said_only(WriteEconomicCustomer)
    both.hear(economic_answered(command, refused(command.parts[0].operation, "ambiguous")))
    browser, task = arrive(pages, both), only(pages, "unclear")
    assert (
        "Vi ved ikke, om rettelsen nåede frem til e-conomic. Se i e-conomic, og vælg."
        in browser.get(f"/tasks/{task}").text
    )
    assert "Skriv et kundenr." in press(browser, task, "Tilknyt")
    press(browser, task, "Tilknyt", number="60")
    assert both.of(customer.id).number == 60


def test_values_lead_to_the_customer(pages: Pages, both: Both) -> None:
    customer = both.linked(7, cvr="12345678")
    both.set(paused='["crm", "economic"]')
    both.in_economic(there(customer, 7, "v2", name="B", contacts=()), 2)
    both.in_crm(customer.model_copy(update={"name": "A"}), 2)
    both.set(paused="[]")
    both.in_crm(customer.model_copy(update={"name": "A"}), 3)
    browser = arrive(pages, both)
    answer = browser.get(f"/tasks/{only(pages, 'values')}")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/customers/{customer.id}?from=list")


def test_a_pass_that_stopped_goes_or_stops_as_an_admin_says_once(pages: Pages, both: Both) -> None:
    customers = [both.linked(number, cvr=f"1234{number:04}", name=f"Kunde {number}") for number in (7, 8, 9)]
    both.set(brake_customers=1, brake_percent=100, paused='["crm", "economic"]')
    for one in customers:
        both.in_crm(one.model_copy(update={"phone": "22222222"}), 2)
    both.set(paused="[]")
    with pages.engine.begin() as connection:
        connection.execute(sa.text("update sync.link set look_again = true"))
    while clock.tell_again(pages.engine, both.clocked):
        pass
    assert len(both.said_only(WriteEconomicCustomer)) == 1
    task = only(pages, "brake")
    browser, admin = arrive(pages, both), arrive(pages, both, sub="u2", name="Mette", role="admin")
    shown = admin.get(f"/tasks/{task}").text
    stopped = "Vi stoppede: 3 kunder ville blive rettet, du har godkendt 1. Se listen."
    assert stopped in shown
    with pages.engine.connect() as connection:
        (run,) = [one.run for one in questions.listed(connection, TENANT)]
    assert stopped in admin.get(f"/runs/{run}").text, "the page of the run says the same"
    assert shown.count("22 22 22 22") == 2
    assert 'name="answer"' not in browser.get(f"/tasks/{task}").text
    fields = forms(admin, task, "Godkend netop disse (2)")[0]
    post = f"/tasks/{task}/brake"
    assert browser.post(post, {**fields, "form_token": browser.token()}).status_code == 403
    assert admin.post(post, {**fields, "seen": "x"}).headers["location"].endswith("refused=moved")
    assert both.said_only(WriteEconomicCustomer) == []
    answer = admin.post(post, fields)
    assert "2 kunder er behandlet, som du valgte." in admin.get(answer.headers["location"]).text
    assert len(both.said_only(WriteEconomicCustomer)) == 2
    assert admin.post(post, fields).headers["location"].endswith("refused=moved"), "once"
    assert "Mette har allerede valgt" in admin.get(f"/tasks/{task}").text


def test_an_answer_sent_twice_is_one_and_a_stale_one_is_refused_in_words(pages: Pages, both: Both) -> None:
    customer = both.linked(7, cvr="12345678")
    both.gone(7, 2)
    browser, task = arrive(pages, both), only(pages, "deleted_there")
    first = forms(browser, task, "Lad være")[0]
    stale = forms(browser, task, "Fjern tilknytning")[0]
    both.in_crm(customer.model_copy(update={"phone": "99999999"}), 2)
    refused_ = browser.post(f"/tasks/{task}", stale)
    assert "Spørgsmålet" in browser.get(refused_.headers["location"]).text
    assert decided(pages) == []
    with pages.engine.connect() as connection:
        (found,) = questions.listed(connection, TENANT)
    (first,) = forms(browser, found.id, "Lad være")
    one, two = (browser.post(f"/tasks/{found.id}", first).headers["location"] for _ in range(2))
    assert one == two
    assert decided(pages) == [("Anne Holm", "leave", "done")]


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"answer": "nonsense"}, 400), ({"answer": "bar"}, 400), ({"number": "x"}, 400), ({"record": "x"}, 400),
        ({"decision": "x"}, 404), ({"form_token": "x"}, 403), ({"seen": "x"}, 303),
    ],
)  # fmt: skip
def test_what_no_page_of_ours_sends_changes_nothing(
    pages: Pages, both: Both, given: dict[str, str], status: int
) -> None:
    both.linked(7, cvr="12345678")
    both.gone(7, 2)
    browser, task = arrive(pages, both), only(pages, "deleted_there")
    fields = forms(browser, task, "Lad være")[0]
    assert browser.post(f"/tasks/{task}", {**fields, **given}).status_code == status
    assert decided(pages) == []


def test_another_tenants_question_does_not_exist_and_a_reader_only_looks(pages: Pages, both: Both) -> None:
    both.linked(7, cvr="12345678")
    both.gone(7, 2)
    browser, task = arrive(pages, both), only(pages, "deleted_there")
    fields = forms(browser, task)[-1]
    stranger, reader = pages.arrive(tenant="other", role="admin"), arrive(pages, both, sub="u9", role="reader")
    assert stranger.get(f"/tasks/{task}").status_code == 404
    assert stranger.post(f"/tasks/{task}", {**fields, "form_token": stranger.token()}).status_code == 404
    stop = {"answer": "stop", "seen": fields["seen"], "form_token": stranger.token()}
    assert stranger.post(f"/tasks/{task}/brake", stop).status_code == 404
    assert forms(reader, task) == []
    assert reader.post(f"/tasks/{task}", {**fields, "form_token": reader.token()}).status_code == 403
    for text in (str(uuid4()), "1", "'"):
        assert browser.get(f"/tasks/{text}").status_code == 404
