"""Customers that meet, in real processes: created on either side, on both at once, renumbered; each ends once on each side."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from crm_outbox import customers
from crm_outbox.contract import Customer
from crm_outbox.messaging.settings import Broker
from economic_adapter.sandbox import ui
from economic_adapter.sandbox.app import Running
from tests.duties import AGREEMENT, TENANT, Product, product
from tests.waiting import eventually

SKOVBO = {"name": "Skovbo VVS ApS", "cvr": "13748136", "country": "Danmark", "phone": "86 12 34 56"}
MURER = {"name": "Havnens Murer ApS", "cvrNo": "35204539", "phone": "86 99 88 77", "city": "Odense"}


@pytest.fixture
def running(database: str, broker: Broker, sandbox: Running, tmp_path: Path) -> Iterator[Product]:
    with product(database, broker, sandbox, tmp_path) as started:
        started.connect()
        yield started


def here(running: Product, cvr: str) -> list[Customer]:
    """The customers with that CVR number in the CRM."""
    with running.engine.connect() as connection:
        return [one for one in customers.all_of(connection, TENANT).values() if one.cvr == cvr]


def created_in(running: Product) -> int:
    """How many customers were posted to e-conomic."""
    return sum(
        one["method"] == "POST" and one["path"].lower().endswith("customers") for one in running.sandbox.data.recent
    )


def test_a_customer_created_in_e_conomic_is_created_in_the_crm_once_with_its_person(running: Product) -> None:
    made = ui.create_customer(running.sandbox.data, MURER, 50, agreement=AGREEMENT)
    ui.create_contact(running.sandbox.data, made.number, {"name": "Birthe Lund"}, agreement=AGREEMENT)
    (customer,) = eventually(lambda: here(running, "35204539"), within=60)
    assert (customer.stage, customer.name, customer.city) == ("active", "Havnens Murer ApS", "Odense")
    eventually(lambda: [one.name for one in running.customer(customer.id).contacts] == ["Birthe Lund"], within=60)
    eventually(lambda: running.status(customer.id).get("state") == "same", within=60)
    running.change(customer.id, phone="86 99 88 78")
    running.settles()
    ui.edit_customer(running.sandbox.data, made.number, {"city": "Kolding"}, agreement=AGREEMENT)
    eventually(lambda: running.customer(customer.id).city == "Kolding", within=60)
    running.settles()
    assert (len(here(running, "35204539")), created_in(running)) == (1, 0)


def test_a_customer_created_on_both_sides_at_once_ends_once_on_each(running: Product) -> None:
    ui.create_customer(running.sandbox.data, {"name": "Skovbo VVS", "cvrNo": "13748136"}, 50, agreement=AGREEMENT)
    customer = running.create(**SKOVBO)

    def known() -> str:
        found = str(running.status(customer).get("state") or "")
        return "" if found in {"creating", "perhaps"} else found

    assert eventually(known) in {"choice", "sending", "same"}
    assert running.there("13748136") is not None
    assert len(here(running, "13748136")) == 1


def test_a_renumbered_customer_keeps_its_link(running: Product) -> None:
    customer = running.create(**SKOVBO)
    eventually(lambda: running.status(customer).get("state") == "same", within=60)
    there = running.there("13748136")
    assert there is not None
    ui.renumber_customer(running.sandbox.data, there["customerNumber"], 777, agreement=AGREEMENT)
    ui.edit_customer(running.sandbox.data, 777, {"city": "Kolding"}, agreement=AGREEMENT)
    eventually(lambda: running.customer(customer).city == "Kolding", within=60)
    running.change(customer, phone="86 12 34 57")
    running.settles()
    assert (len(here(running, "13748136")), created_in(running)) == (1, 1)
    assert running.there("13748136") is not None


def test_a_customer_renumbered_while_its_creation_is_answered_is_found_again(running: Product) -> None:
    customer = running.create(**SKOVBO)
    there = eventually(lambda: running.there("13748136"), within=60)
    assert there is not None
    ui.renumber_customer(running.sandbox.data, there["customerNumber"], 777, agreement=AGREEMENT)
    ui.edit_customer(running.sandbox.data, 777, {"city": "Kolding"}, agreement=AGREEMENT)
    eventually(lambda: running.customer(customer).city == "Kolding", within=90)
    eventually(lambda: running.status(customer).get("state") == "same", within=60)
    assert (len(here(running, "13748136")), len(running.books()["customers"])) == (1, 1)


def test_a_renumbering_nobody_told_of_makes_no_second_customer(running: Product) -> None:
    customer = running.create(**SKOVBO)
    eventually(lambda: running.status(customer).get("state") == "same", within=60)
    there = running.there("13748136")
    assert there is not None
    running.sandbox.data.agreements[AGREEMENT].webhooks.clear()
    ui.renumber_customer(running.sandbox.data, there["customerNumber"], 777, agreement=AGREEMENT)
    ui.edit_customer(running.sandbox.data, 777, {"city": "Kolding"}, agreement=AGREEMENT)

    def noticed() -> bool:
        with running.engine.connect() as connection:
            found = connection.execute(sa.text("select crm_id, number, candidates from sync.link")).all()
        return found == [(customer, there["customerNumber"], [777])]

    eventually(noticed, within=90)  # its old number is looked at; that it is gone is believed later, seen missing twice
    assert (len(here(running, "13748136")), created_in(running)) == (1, 1)
