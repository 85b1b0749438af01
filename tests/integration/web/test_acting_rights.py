"""Who may press a customer's buttons? Nobody else sees one, and what no form of ours sends changes nothing."""

import pytest

from reconciler import people
from reconciler.person import Person
from tests.builders.meeting import Both
from tests.builders.sync import TENANT
from tests.integration.web.acting import Door, Opens, decisions, differing
from tests.integration.web.browsing import Pages


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
