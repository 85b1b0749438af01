"""The whole road, in real processes: what one side changes arrives on the other, and what cannot says so."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from crm_outbox import changes, customers
from crm_outbox.messaging.management import Management
from crm_outbox.messaging.settings import Broker
from deploy.local.demo.compare import Entered
from economic_adapter.sandbox import ui
from economic_adapter.sandbox.app import Running
from tests.builders.crm import a_customer
from tests.duties import AGREEMENT, GRANT, TENANT, Product, product
from tests.waiting import eventually

SKOVBO = {"name": "Skovbo VVS ApS", "cvr": "13748136", "country": "Danmark", "phone": "86 12 34 56"}


@pytest.fixture
def running(database: str, broker: Broker, sandbox: Running, tmp_path: Path) -> Iterator[Product]:
    with product(database, broker, sandbox, tmp_path) as started:
        started.connect()
        yield started


def test_a_customer_of_the_crm_with_its_person_is_created_in_economic_once(running: Product) -> None:
    customer = running.create({"name": "Anne Holm", "phone": "20 30 40 50"}, **SKOVBO, street="Skovvej 1\n2. tv")
    running.settles()
    there = running.there("13748136")
    assert there is not None
    assert (there["access"], there["address1"], there["address2"]) == (True, "Skovvej 1", "2. tv")
    assert list(running.persons_there(there["customerNumber"])) == ["Anne Holm"]
    eventually(lambda: running.status(customer)["state"] == "same")


def test_edits_flow_both_ways_and_never_touch_what_the_other_side_holds(running: Product) -> None:
    customer = running.create({"name": "Anne Holm"}, **SKOVBO)
    running.settles()
    there = running.there("13748136")
    assert there is not None
    number = there["customerNumber"]
    ui.edit_customer(
        running.sandbox.data, number, {"creditMaximum": 5000, "address1": "Havnegade 14"}, agreement=AGREEMENT
    )
    running.change(customer, phone="86 12 34 57")
    entered = Entered(customers={"13748136": {"phone": "86 12 34 57", "street": "Havnegade 14"}})
    running.settles(entered)
    after = running.there("13748136")
    assert after is not None
    assert after["creditMaximum"] == 5000
    assert after["access"] is True


def test_persons_added_and_changed_on_either_side_arrive(running: Product) -> None:
    customer = running.create({"name": "Anne Holm"}, **SKOVBO)
    running.settles()
    there = running.there("13748136")
    assert there is not None
    number = there["customerNumber"]
    ui.create_contact(running.sandbox.data, number, {"name": "Bjørn Kjær", "phone": "21 31 41 51"}, agreement=AGREEMENT)
    eventually(lambda: len(running.customer(customer).contacts) == 2, within=60)
    bjorn = next(one for one in running.customer(customer).contacts if one.name == "Bjørn Kjær")
    running.change(customer, customers.PersonEdit(id=bjorn.id, fields={"email": "bk@skovbo.example"}))
    running.settles()
    assert running.persons_there(number)["Bjørn Kjær"]["email"] == "bk@skovbo.example"


def test_a_rejected_customer_says_economics_reason_once_and_the_others_flow(running: Product) -> None:
    bad = running.create(**{**SKOVBO, "email": "not an address"})
    good = running.create(**{**SKOVBO, "cvr": "35204539", "name": "Fjordens El A/S"})
    eventually(lambda: running.status(bad).get("state") == "error", within=60)
    eventually(lambda: running.there("35204539"), within=60)
    assert running.status(bad)["reason"] == "CustomerInvalidEmail"
    assert running.status(bad)["message"]
    eventually(lambda: running.status(good)["state"] == "same", within=60)
    posts = [
        one
        for one in running.sandbox.data.recent
        if one["method"] == "POST" and one["path"].lower().endswith("customers")
    ]
    assert len(posts) == 2, "no retry storm: one refused, one created"
    running.change(bad, email="kontakt@skovbo.example")
    eventually(lambda: running.status(bad)["state"] == "same", within=60)


def test_access_that_is_revoked_waits_and_comes_back_by_itself_with_nothing_failed_per_customer(
    running: Product,
) -> None:
    customer = running.create(**SKOVBO)
    running.settles()
    running.sandbox.data.grants[GRANT].revoked = True
    running.change(customer, phone="86 12 34 57")
    eventually(lambda: running.status(customer)["state"] == "access_lost", within=60)
    running.sandbox.data.grants[GRANT].revoked = False
    running.settles()
    eventually(lambda: running.status(customer)["state"] == "same", within=60)


def test_an_unsendable_change_shows_as_an_error_and_the_next_one_heals_it(running: Product) -> None:
    customer = running.create(**SKOVBO)
    running.settles()
    broken = {**a_customer(id=customer).model_dump(), "city": "Aar\x00hus"}
    with running.engine.begin() as connection:
        changes.append(connection, changes.Change(tenant=TENANT, kind="changed", customer=broken))
    eventually(lambda: running.status(customer)["state"] == "error", within=60)
    assert running.status(customer)["reason"] == "unsendable"
    running.change(customer, city="Aarhus C")
    running.settles(Entered(customers={"13748136": {"city": "Aarhus C"}}))


def test_a_lost_webhook_is_found_by_polling(running: Product) -> None:
    customer = running.create(**SKOVBO)
    running.settles()
    there = running.there("13748136")
    assert there is not None
    running.sandbox.data.agreements[AGREEMENT].webhooks.clear()
    ui.edit_customer(running.sandbox.data, there["customerNumber"], {"city": "Kolding"}, agreement=AGREEMENT)
    eventually(lambda: running.customer(customer).city == "Kolding", within=60)


def test_queues_that_are_emptied_are_filled_again_from_the_outbox(
    running: Product, manager: Management, broker: Broker
) -> None:
    customer = running.create(**SKOVBO)
    running.settles()
    running.processes.kill("adapter")
    running.change(customer, phone="86 12 34 57")
    vhost = broker.vhost
    eventually(lambda: manager.depths().get("economic-adapter.inbound", 0) >= 1)
    manager.delete(f"queues/{vhost}/economic-adapter.inbound/contents")
    running.processes.start_group("adapter")
    running.command("crm_outbox", "outbox", "replay", "--subject", f"customer/{customer}", "--yes")
    running.settles(Entered(customers={"13748136": {"phone": "86 12 34 57"}}))


def test_switching_on_where_economic_has_customers_shows_them_first_and_creates_nothing(
    database: str, broker: Broker, sandbox: Running, tmp_path: Path
) -> None:
    ui.create_customer(sandbox.data, {"name": "Skovbo Murer ApS", "cvrNo": "13748136"}, None, agreement=AGREEMENT)
    with product(database, broker, sandbox, tmp_path) as started:
        customer = started.create(**SKOVBO)
        started.command("economic_adapter", "connect", "--tenant", TENANT, "--yes", given=GRANT)
        switch_on = ("switch-on", "--tenant", TENANT, "--transfer", "created", "--wait", "120")
        with pytest.raises(RuntimeError, match=r"linked by CVR no\. +1\n") as shown:
            started.command("reconciler", *switch_on, "--yes")
        confirmed = re.search(r"--confirm ([0-9,]+)", str(shown.value))
        assert confirmed is not None
        started.command("reconciler", *switch_on, "--yes", "--confirm", confirmed.group(1))
        eventually(lambda: started.status(customer).get("state") in {"same", "different"})
        assert len(started.books()["customers"]) == 1


def test_a_webhook_with_a_wrong_secret_is_answered_like_an_unknown_address(running: Product) -> None:
    (hook,) = eventually(lambda: list(running.sandbox.data.agreements[AGREEMENT].webhooks.values()))
    url = str(hook.values["url"])
    wrong = url[:-6] + "xxxxxx"
    unknown = running.environ["HOOKS_PUBLIC_URL"] + "/nothing/here"
    answers = [httpx.post(address, data={"old": "1", "new": "1"}, timeout=60) for address in (wrong, unknown)]
    assert [one.status_code for one in answers] == [404, 404]
    assert answers[0].content == answers[1].content
