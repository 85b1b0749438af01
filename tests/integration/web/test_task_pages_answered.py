"""A question takes each answer once, from whom it may, and refuses a stale one in words."""

from uuid import uuid4

import pytest
import sqlalchemy as sa

from economic_adapter.contract import WriteEconomicCustomer
from reconciler import clock, questions
from tests.builders.meeting import Both
from tests.builders.sync import TENANT
from tests.integration.web.asking import arrive, decided, forms, only
from tests.integration.web.browsing import Pages


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
