"""One of everything that can be asked about: a question, an error, a rule's write, a kept difference, a decision, a run."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from crm_outbox.contract import Customer
from economic_adapter.contract import WriteEconomicCustomer
from reconciler import people, proposing
from reconciler.rules import Transfer
from tests.builders.meeting import Both
from tests.builders.sync import TENANT, done, economic_answered, refused, there
from tests.integration.web.browsing import Pages, ask


@dataclass(frozen=True)
class Everything:
    """An admin's key, and under each name an address takes the ids that there are."""

    key: str
    ids: dict[str, list[Any]]


def _told(pages: Pages, key: str, method: str, path: str, body: Any = None) -> Any:
    headers = {"authorization": f"Bearer {key}"}
    answer = ask(method, f"{pages.url}/api/v1{path}", headers=headers, json=body)
    assert answer.is_success, answer.text
    return answer.json()


def _apart(
    both: Both, customer: Customer, number: int, here: dict[str, str], there_: dict[str, str], version: int = 2
) -> Customer:
    """Both sides are edited while nothing flows."""
    both.set(paused='["crm", "economic"]')
    both.in_economic(there(customer, number, f"v{version}", contacts=(), **there_), version)
    edited = customer.model_copy(update=here)
    both.in_crm(edited, version)
    both.set(paused="[]")
    return edited


def everything(pages: Pages) -> Everything:
    """A tenant in which there is one of everything."""
    both = Both(engine=pages.engine, time=pages.time)
    both.switch_on(Transfer.CREATED)
    asked = both.linked(7, id="48211", cvr="12345678")
    gone = both.linked(8, id="gone", cvr="11111119", name="Østhavn")
    failing = both.linked(9, id="failing", cvr="87654321", name="Sydhavn")
    ruled = both.linked(10, id="ruled", cvr="13748136", name="Vesthavn", phone="11111111")
    both.gone(8, 2)
    both.in_crm(failing.model_copy(update={"email": "odd"}), 2)
    (command,) = both.said_only(WriteEconomicCustomer)
    outcome = refused(command.parts[0].operation, "CustomerInvalidEmail", detail="email", message="Invalid.")
    both.hear(economic_answered(command, outcome, customer=there(failing, 9, "v1", contacts=()), version=2))
    ruled = _apart(both, ruled, 10, {"phone": "22222222"}, {"phone": "33333333"})
    both.in_crm(ruled, 3)
    (command,) = both.said_only(WriteEconomicCustomer)
    seen = there(ruled, 10, "v3", contacts=())
    both.hear(economic_answered(command, done(command.parts[0].operation), customer=seen, version=3))
    _apart(
        both,
        asked,
        7,
        {"name": "Birk & Søn ApS", "email": "birk@firma.example"},
        {"name": "Birk og Søn ApS", "email": "post@firma.example"},
    )
    both.said()
    pages.time = both.time

    with pages.engine.begin() as connection:
        key = people.make_key(connection, TENANT, "A service", "admin", pages.time)[1]
    rows = {row["detail"]: row for row in _told(pages, key, "GET", "/customers/48211/details")["rows"]}
    wish = {name: rows["name"][name] for name in ("record", "detail", "mark")}
    decision = _told(
        pages,
        key,
        "POST",
        "/customers/48211/decisions",
        {"id": str(uuid4()), "wishes": [{**wish, "take": "different"}]},
    )["decision"]
    (kept,) = _told(pages, key, "GET", "/kept")["kept"]
    retry = _told(pages, key, "POST", "/errors/retries", {"id": str(uuid4()), "shown": pages.time.isoformat()})
    run = _told(pages, key, "POST", "/runs", {"kind": "transfer"})
    proposing.carry_on(both.engine, both.clocked)
    assert _told(pages, key, "GET", f"/runs/{run['id']}")["state"] == "previewed"
    changed = _told(pages, key, "PATCH", "/set-up/details", {"rules": {"website": {"who_decides": "ask"}}})
    bulk = _told(pages, key, "POST", "/differences", {"id": str(uuid4()), "take": "crm"})
    found: dict[str, list[Any]] = {
        "bulk": [bulk["id"]],
        "change": [one["id"] for one in changed["changes"]],
        "crm_id": ["48211", gone.id, failing.id, ruled.id],
        "task": [one["id"] for one in _told(pages, key, "GET", "/tasks")["tasks"]]
        + [one["task"]["id"] for one in _told(pages, key, "GET", "/errors")["errors"]],
        "decision": [decision["id"]],
        "link": [kept["link"]],
        "record": [kept["record"]],
        "detail": [kept["detail"]],
        "retry": [retry["id"]],
        "run": [run["id"]],
        "write": [one["id"] for one in _told(pages, key, "GET", "/settled")["settled"]],
    }
    assert all(found.values()), found
    return Everything(key=key, ids=found)
