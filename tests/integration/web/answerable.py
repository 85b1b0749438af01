"""Requests that do something, of the operations whose turn chance misses: it would have to name a run that stopped, and its list.

A schemathesis process that finds them in ``ANSWERABLE`` sends each once, in place of what it made up for that operation.
"""

import json
import os
from typing import Any
from uuid import uuid4

import schemathesis

from economic_adapter.contract import WriteEconomicCustomer
from reconciler import bulking, clock, proposing, running
from tests.builders.company import Company
from tests.builders.meeting import Both, sydhavn
from tests.builders.sync import economic_answered, refused, there
from tests.integration.web.browsing import Pages, ask
from tests.integration.web.everything import Everything

Request = dict[str, Any]
_left: dict[str, list[Request]] = json.loads(os.environ.get("ANSWERABLE", "{}"))


@schemathesis.hook
def before_call(_context: Any, case: Any, **_given: Any) -> None:
    """Send what there is for that operation, as long as there is some, in place of what would be right by its description."""
    label = f"{case.method.upper()} {case.path}"
    if not _left.get(label) or case.meta is None or str(case.meta.generation.mode) != "positive":
        return
    given = _left[label].pop(0)
    case.path_parameters.update(given["path"])
    if "body" in given:
        case.body = given["body"]


def answerable(pages: Pages, tenant: Everything) -> dict[str, list[Request]]:
    """A request or more of each such operation, by operation; what they are about is made here, beside ``everything``."""
    both = Both(engine=pages.engine, time=pages.time)
    company = Company(wire=both)
    service = Service(pages, tenant.key)
    ids = tenant.ids
    both.said()
    failing = [_failing(both, number) for number in (21, 22, 23, 24)]
    braked = _stopped(service, both)
    run, other = (_transferred(service, both, company, number) for number in (50, 51))
    shown = _previewed(service, both)
    both.set(brake_customers=20, brake_percent=100)
    done = service.bulk(both)
    stopped = service.get(f"/runs/{braked}")
    assert stopped["state"] == "braked"
    ids["run"][:] = [run, other, shown["id"], braked]
    errors = {one["task"]["crm_id"]: one["task"]["id"] for one in service.get("/errors")["errors"]}
    pages.time = both.time
    return {
        "POST /api/v1/errors/{task}/retry": [{"path": {"task": errors[failing[0]]}, "body": {"id": str(uuid4())}}],
        "POST /api/v1/errors/retries": [
            {"path": {}, "body": {"id": str(uuid4()), "shown": both.time.isoformat()}},
        ],
        "POST /api/v1/runs/{run}/brake": [
            {"path": {"run": stopped["id"]}, "body": {"answer": "stop", "seen": stopped["seen"]}}
        ],
        "POST /api/v1/runs/{run}/confirm": [
            {"path": {"run": shown["id"]}, "body": {"counts": shown["preview"]["confirm"]}}
        ],
        "POST /api/v1/runs/{run}/steer": [{"path": {"run": shown["id"]}, "body": {"action": "stop"}}],
        "GET /api/v1/runs/{run}/undo": [{"path": {"run": other}}] * 3,
        "POST /api/v1/runs/{run}/undo": [{"path": {"run": run}}] * 2,
        "POST /api/v1/bulk/{bulk}/undo": [{"path": {"bulk": done}, "body": {"id": str(uuid4())}}],
        "POST /api/v1/kept/{link}/{record}/{detail}/undo": [
            {"path": {name: ids[name][0] for name in ("link", "record", "detail")}}
        ],
        "POST /api/v1/history/{write}/{detail}/undo": [{"path": {"write": ids["write"][0], "detail": "phone"}}],
    }


class Service:
    """A service with an admin's key."""

    def __init__(self, pages: Pages, key: str) -> None:
        self._url, self._headers = f"{pages.url}/api/v1", {"authorization": f"Bearer {key}"}

    def get(self, path: str) -> Any:
        return self._told("GET", path)

    def post(self, path: str, **body: Any) -> Any:
        return self._told("POST", path, body)

    def bulk(self, both: Both) -> str:
        """A decision about many that was carried out."""
        bulk = self.post("/differences", id=str(uuid4()), take="different")["id"]
        self.post(f"/bulk/{bulk}/confirm")
        while bulking.carry_on(both.engine, both.clocked):
            pass
        assert self.get(f"/bulk/{bulk}")["done"]
        return str(bulk)

    def _told(self, method: str, path: str, body: Any = None) -> Any:
        answer = ask(method, self._url + path, headers=self._headers, json=body or None)
        assert answer.is_success, answer.text
        return answer.json()


def _failing(both: Both, number: int) -> str:
    """A customer whose e-mail address e-conomic refused."""
    customer = both.linked(number, id=f"failing-{number}", name=f"Firma {number}", cvr=f"200000{number}")
    both.in_crm(customer.model_copy(update={"email": "odd"}), 2)
    (command,) = [one for one in both.said_only(WriteEconomicCustomer) if one.customer == customer.id]
    no = refused(command.parts[0].operation, "CustomerInvalidEmail", detail="email", message="Invalid.")
    both.hear(economic_answered(command, no, customer=there(customer, number, "v1", contacts=()), version=2))
    return customer.id


def _stopped(service: Service, both: Both) -> str:
    """A pass that stopped: three customers would be written, one may be."""
    customers = [both.linked(number, id=f"braked-{number}", cvr=f"300000{number}") for number in (31, 32, 33)]
    both.set(brake_customers=1, brake_percent=100, paused='["crm", "economic"]')
    for one in customers:
        both.in_crm(one.model_copy(update={"phone": "22334455"}), 2)
    both.set(paused="[]")
    both.look_again()
    while clock.tell_again(both.engine, both.clocked):
        pass
    (found,) = [one for one in service.get("/runs")["runs"] if one["state"] == "braked"]
    return str(found["id"])


def _transferred(service: Service, both: Both, company: Company, number: int) -> str:
    """A transfer that was carried out, of a customer that only e-conomic had."""
    both.said()
    both.in_economic(sydhavn(number, name=f"Kun derovre {number}", cvr=f"400000{number}"), why="import")
    run = _previewed(service, both)
    service.post(f"/runs/{run['id']}/confirm", counts=run["preview"]["confirm"])
    proposing.carry_on(both.engine, both.clocked)
    while running.carry_out(both.engine, both.clocked) + clock.follow_runs(both.engine, both.clocked):
        company.work()
        both.later(seconds=2)
    assert service.get(f"/runs/{run['id']}")["state"] == "done"
    return str(run["id"])


def _previewed(service: Service, both: Both) -> Any:
    run = service.post("/runs", kind="transfer")["id"]
    proposing.carry_on(both.engine, both.clocked)
    found = service.get(f"/runs/{run}")
    assert found["state"] == "previewed", found
    return found
