"""What does the demo see in "e-conomic"? The sandbox's side door, as a bookkeeper would use it."""

import json
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from deploy.local.demo.compare import DETAILS
from deploy.local.invented import Company

AGREEMENT = 123456


@dataclass(frozen=True, slots=True)
class Books:
    """The sandbox at an address, seen and edited through its own door (no part of e-conomic's API)."""

    url: str

    def snapshot(self) -> dict[str, Any]:
        """Everything the sandbox holds of the demo's agreement."""
        whole: dict[str, dict[str, Any]] = self._call("GET", f"/_sandbox/snapshot?agreement={AGREEMENT}")
        return whole[str(AGREEMENT)]

    def enter(self, companies: Sequence[Company], first: int) -> None:
        """Enter customers with their persons, numbered from ``first`` on, as they stood before anybody connected anything."""
        records = [_record(number, company) for number, company in enumerate(companies, first)]
        self._call("POST", f"/_sandbox/seed?agreement={AGREEMENT}", {"records": records})

    def renumber(self, number: int, new: int) -> None:
        """Give a customer another number, as a person would."""
        self._call("POST", f"/_sandbox/ui/customers/{number}/renumber", {"number": new})

    def lose_an_answer(self, method: str, path: str) -> None:
        """Let the next such call do its work and its answer be lost."""
        self._call("POST", "/_sandbox/faults", {"kind": "drop", "method": method, "path": path, "when": "after"})

    def lose_a_webhook(self) -> None:
        """Let the next webhook be lost for good."""
        self._call("POST", "/_sandbox/faults", {"kind": "hook_lost"})

    def edit(self, number: int, fields: dict[str, Any]) -> None:
        """Edit a customer's details, as a person would on e-conomic's own page."""
        self._call("POST", f"/_sandbox/ui/customers/{number}", fields)

    def edit_contact(self, contact: int, fields: dict[str, Any]) -> None:
        """Edit a contact person's details, as a person would."""
        self._call("POST", f"/_sandbox/ui/contacts/{contact}", fields)

    def add_contact(self, customer: int, fields: dict[str, Any]) -> None:
        """Add a contact person to a customer, as a person would."""
        self._call("POST", f"/_sandbox/ui/customers/{customer}/contacts", fields)

    def take_away(self, seconds: float) -> None:
        """Let every call of the API fail for that long."""
        self._call("POST", "/_sandbox/away", {"seconds": seconds})

    def calls(self, *methods: str) -> int:
        """How many calls of the API were made so far; only those by these methods, if any are named."""
        routes: dict[str, int] = self._call("GET", "/_sandbox/calls")["routes"]
        return sum(count for route, count in routes.items() if not methods or route.partition(" ")[0] in methods)

    def answers(self) -> bool:
        """Whether the sandbox is up."""
        try:
            self._call("GET", "/_sandbox/calls")
        except (OSError, ValueError):
            return False
        return True

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        request = urllib.request.Request(  # noqa: S310 - the sandbox's own address on loopback
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"content-type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
                return json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as error:
            raise ValueError(f"the sandbox answered {error.code} to {method} {path}: {error.read()[:200]!r}") from error


def _record(number: int, company: Company) -> dict[str, Any]:
    first, _, second = company.fields["street"].partition("\n")
    theirs = {theirs: company.fields[ours] for ours, theirs in DETAILS.items() if company.fields.get(ours)}
    address = {"address1": first, "address2": second} if second else {"address1": first}
    return {"customerNumber": number, **theirs, **address, "contacts": list(company.persons)}
