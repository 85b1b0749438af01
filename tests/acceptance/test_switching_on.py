"""A real company: 1,200 customers on both sides, 400 of them without a common key, switched on with nothing ticked."""

import re
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from crm_outbox import customers
from crm_outbox.messaging.settings import Broker
from economic_adapter.sandbox.app import Running
from economic_adapter.sandbox.seeding import seed
from tests.duties import GRANT, TENANT, Product, product
from tests.waiting import eventually

KEYED, UNKEYED = 800, 400
ON = ("switch-on", "--tenant", TENANT, "--transfer", "created", "--wait", "40")


def _details(nth: int) -> dict[str, str]:
    """What both systems hold of the company of that number."""
    return {
        "name": f"Kunde {nth} ApS",
        "cvr": f"{10_000_000 + nth}" if nth < KEYED else "",
        "street": f"Industrivej {nth}",
        "postcode": f"{1000 + nth % 8000}",
        "city": "Aarhus C",
        "country": "Danmark",
        "phone": f"{70_000_000 + nth}",
        "email": f"kontakt{nth}@kunde{nth}.example",
    }


def _fill(database: str, sandbox: Running) -> None:
    """Of the keyed, every tenth lacks its phone there, every eleventh its e-mail here, every seventh has another phone."""
    engine = sa.create_engine(database)
    with engine.begin() as connection:
        for nth in range(KEYED + UNKEYED):
            details = _details(nth)
            if nth < KEYED and nth % 11 == 0:
                details["email"] = ""
            customers.create(connection, TENANT, customers.Edit(fields=details))
    engine.dispose()
    records = []
    for nth in range(KEYED + UNKEYED):
        details = _details(nth)
        if nth < KEYED and nth % 10 == 0:
            details["phone"] = ""
        elif nth < KEYED and nth % 7 == 0:
            details["phone"] = f"{20_000_000 + nth}"
        if nth >= KEYED:
            # the same companies, as somebody else wrote them down
            details |= {"name": f"KUNDE {nth} A/S", "street": "", "phone": "", "email": ""}
        records.append(
            {
                "customerNumber": 5000 + nth,
                "name": details["name"],
                "cvrNo": details["cvr"],
                "address1": details["street"],
                "postCode": details["postcode"],
                "city": details["city"],
                "country": details["country"],
                "phone": details["phone"],
                "email": details["email"],
            }
        )
    seed(sandbox.data, records=records)


def _previewed(running: Product) -> str:
    """What the preview prints; nothing while both sides are still being read."""
    try:
        return running.command("reconciler", *ON, "--preview")
    except RuntimeError as still:
        if "it goes on" not in str(still):
            raise
        return ""


def _books(running: Product) -> dict[int, dict[str, Any]]:
    return {one["customerNumber"]: one for one in running.books()["customers"]}


def _crm(running: Product) -> dict[str, dict[str, Any]]:
    with running.engine.connect() as connection:
        return {key: one.model_dump() for key, one in customers.all_of(connection, TENANT).items()}


def _overwritten(before: dict[Any, dict[str, Any]], after: dict[Any, dict[str, Any]]) -> list[tuple[Any, str]]:
    """Every value that was there and is another now."""
    beside = {"objectVersion", "lastUpdated", "active_since", "created"}
    return [
        (key, name)
        for key, values in before.items()
        for name, value in values.items()
        if value not in {"", None, ()} and name not in beside and after[key].get(name) != value
    ]


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_company_with_unkeyed_customers_is_switched_on_without_a_creation_or_an_overwrite(
    database: str, broker: Broker, sandbox: Running, tmp_path: Path
) -> None:
    _fill(database, sandbox)
    with product(database, broker, sandbox, tmp_path) as running:
        running.command("economic_adapter", "connect", "--tenant", TENANT, "--yes", given=GRANT)
        crm, books = _crm(running), _books(running)
        printed = eventually(lambda: _previewed(running), within=600)
        assert "e-conomic (1200)" in printed
        assert "Clickmate (1200)" in printed
        assert len(re.findall(rf"linked by CVR no\. +{KEYED}\n", printed)) == 2
        assert re.search(r"customers created in e-conomic +0\n", printed)
        confirmed = re.search(r"--confirm (\d+,\d+,0)", printed)
        assert confirmed is not None
        calls = Counter(sandbox.data.calls)
        with suppress(RuntimeError):  # it may go on for longer than the command waits
            running.command("reconciler", *ON, "--yes", "--confirm", confirmed.group(1))

        def quiet() -> bool:
            with running.engine.connect() as connection:
                states = Counter(connection.execute(sa.text("select state from sync.link")).scalars())
                waiting = connection.scalar(sa.text("select count(*) from sync.operation where settled is null"))
            assert states["linked"] == KEYED
            assert waiting == 0
            return True

        eventually(quiet, within=480)
        posts = {
            route: count - calls[route]
            for route, count in sandbox.data.calls.items()
            if route.startswith("POST") and "ustomer" in route and count > calls[route]
        }
        assert posts == {}
        assert _overwritten(books, _books(running)) == []
        assert _overwritten(crm, _crm(running)) == []
        assert len(_books(running)) == len(_crm(running)) == KEYED + UNKEYED
        assert "silent differences: 0" in running.command("reconciler", "compare", "--tenant", TENANT)
        phones = [
            number for number, one in _books(running).items() if one.get("phone") and not books[number].get("phone")
        ]
        assert len(phones) == KEYED // 10
