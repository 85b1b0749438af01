"""What does e-conomic do? Bodies under numbers, one ``objectVersion`` each, keys that repeat an answer, and its own refusals.

It answers the adapter's own request values as the real one would; it knows nothing of the product beyond them.
"""

import json
import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

from economic_adapter import mapping
from economic_adapter.contract import hold
from economic_adapter.mapping import Body
from economic_adapter.protocol import (
    Answer,
    Fault,
    Head,
    NotFound,
    Rejected,
    Request,
    Surface,
    VersionConflict,
)
from tests.simulation.books import Person, There
from tests.simulation.truth import Truth

_GOOD = Head(status=200)


class Economic:
    """The accounting system. ``hooks`` are those it has not sent yet: (new number, old number)."""

    def __init__(self, truth: Truth) -> None:
        self.truth = truth
        self.rows: dict[int, There] = {}
        self.hooks: list[tuple[int | None, int | None]] = []
        self.answers: dict[UUID, Answer] = {}
        self.strict: set[tuple[str, str]] = set()
        self.searched: dict[str, int] = {}
        """When each CVR or EAN number was last searched for, by the ticks of ``made``."""
        self.made = 0
        self.everyone: dict[int, Person] = {}
        """Every contact person that ever was."""
        self.touched: Callable[[int], None] = lambda _number: None
        """Told of every number that somebody changed."""
        self.companies: Callable[[str], str] = lambda key: key
        """Which real company a record of the CRM is, by its name in the truth."""
        self.below = 5000
        """Its window proposes numbers below that one."""
        self.wrong: list[str] = []
        self.whose: dict[str, str] = {}
        """Which real company a record is of, by its name in the truth when it came."""
        self.last: dict[int, str] = {}
        """Who had a number last."""

    # ---- what people do in its window

    def create(self, key: str, who: str, values: dict[str, str], number: int | None = None) -> int:
        """A bookkeeper creates a customer."""
        number = number or self.free()
        body: Body = {"customerNumber": number, "access": True, "objectVersion": self.version()}
        self.whose[key] = who
        self.rows[number] = There(key=key, who=who, body=body, made_by="person", born=self.tick())
        for name, value in values.items():
            self.set(number, name, value)
        self.hooks.append((number, None))
        return number

    def set(self, number: int, name: str, value: str) -> str:
        """A bookkeeper types a value; its window keeps what it can. What it now holds."""
        row = self.rows[number]
        row.body["objectVersion"] = self.version()
        self.touched(number)
        self._put("customer", row.body, name, value)
        kept = row.values[name]
        self.truth.edited("economic", row.key, name, kept)
        return kept

    def set_person(self, number: int, person: int, name: str, value: str) -> str:
        """The same of a contact person."""
        row = self.rows[number].persons[person]
        self.touched(number)
        self._put("contact", row.body, name, value)
        row.body["objectVersion"] = self.version()
        kept = mapping.contact_values(row.body)[name]
        self.truth.edited("economic", row.key, name, kept)
        return kept

    def add_person(self, number: int, key: str, values: dict[str, str]) -> int:
        """A bookkeeper adds a contact person."""
        one = self.tick()
        body: Body = {"customerNumber": number, "number": one, "objectVersion": self.version()}
        self.rows[number].persons[one] = self.everyone[one] = Person(key=key, body=body, made_by="person")
        for name, value in values.items():
            self.set_person(number, one, name, value)
        return one

    def renumber(self, number: int, new: int) -> None:
        """A bookkeeper gives a customer another number."""
        row = self.rows.pop(number)
        self.last[number] = row.key
        self.touched(number)
        self.touched(new)
        row.body |= {"customerNumber": new, "objectVersion": self.version()}
        for one in row.persons.values():
            one.body["customerNumber"] = new
        self.rows[new] = row
        self.hooks.append((new, number))

    def remove(self, number: int) -> None:
        """A bookkeeper deletes a customer without bookings."""
        self.last[number] = self.rows.pop(number).key
        self.touched(number)
        self.hooks.append((None, number))

    def free(self) -> int:
        """The next number its window proposes."""
        return max((one for one in (*self.rows, *self.last) if one < self.below), default=1000) + 1

    def version(self) -> str:
        """A new ``objectVersion``."""
        return f"v{self.tick()}"

    def tick(self) -> int:
        """A number nobody had before."""
        self.made += 1
        return self.made

    def number_of(self, key: str) -> int | None:
        """Under which number that record stands now."""
        return next((number for number, row in self.rows.items() if row.key == key), None)

    # ---- what the adapter asks

    def serve(self, request: Request) -> Answer:
        """The answer to one call, or one of the refusals."""
        if request.key is not None and request.key in self.answers:
            return self.answers[request.key]  # the same key again: the same answer, nothing is done
        match request.method, request.surface, request.path:
            case "GET", Surface.CUSTOMERS, "/Contacts":
                return self._persons(request)
            case "GET", Surface.CUSTOMERS, path:
                row = self.rows.get(int(path.rpartition("/")[2]))
                if row is None:
                    raise NotFound("not_found", Head(status=404))
                self.truth.shown(row.body["objectVersion"], row.key)
                return Answer(head=_GOOD, body=dict(row.body))
            case "GET", Surface.REST, _:
                return self._search(dict(request.query)["filter"])
            case "POST", _, "/Customers":
                answer = self._create(request)
            case "POST", _, "/Contacts":
                answer = self._create_person(request)
            case "PUT", _, "/Contacts":
                answer = self._replace_person(request)
            case "DELETE", Surface.CUSTOMERS, path:
                answer = self._remove_person(request, int(path.rpartition("/")[2]))
            case "PUT", _, path:
                answer = self._replace(request, int(path.rpartition("/")[2]))
            case _:
                raise AssertionError(f"e-conomic was asked {request.method} {request.path}")
        assert request.key is not None
        self.answers[request.key] = answer
        return answer

    def _persons(self, request: Request) -> Answer:
        number = int(dict(request.query)["filter"].rpartition(":")[2])
        row = self.rows.get(number)
        persons = [] if row is None else list(row.persons.values())
        for one in persons:
            one.shown = str(one.body["objectVersion"])
            self.truth.shown(one.body["objectVersion"], one.key)
        items = [dict(one.body) for one in persons]
        return Answer(head=_GOOD, body={"items": items})

    def _search(self, text: str) -> Answer:
        found = []
        for clause in text.split("$or:"):
            name, _, value = clause.partition("$eq:")
            wanted = re.sub(r"\$([$()*,])", r"\1", value)
            field_of = "cvr" if name == "corporateIdentificationNumber" else "ean"
            self.searched[wanted] = self.tick()
            found += [number for number, row in self.rows.items() if row.values[field_of] == wanted]
        return Answer(head=_GOOD, body={"collection": [{"customerNumber": one} for one in sorted(set(found))]})

    def _create(self, request: Request) -> Answer:
        body = self._read(request)
        number = mapping.customer_number(body)
        self._refuse(mapping.customer_values(body))
        if number in self.rows:
            raise _rejected("CustomerAlreadyExists", "customerNumber")
        operation = self.truth.leaving[request.key]
        key = self.truth.keys[operation]
        self._twin(operation, key, mapping.customer_values(body))
        who = self.companies(key)
        row = There(key=key, who=who, body=body, made_by="product", born=self.tick())
        body["objectVersion"] = self.version()
        self.rows[number] = row
        self.truth.created("customer", "economic", "crm", key, row.values, operation)
        self.hooks.append((number, None))
        return Answer(head=Head(status=201), body={"customerNumber": number})

    def _replace(self, request: Request, number: int) -> Answer:
        body, row = self._read(request), self.rows.get(number)
        if row is None:
            raise NotFound("not_found", Head(status=404))
        if body.get("objectVersion") != row.body["objectVersion"]:
            raise VersionConflict("version", Head(status=409))
        now = mapping.customer_values(body)
        self._refuse(now)
        self._written("customer", row.key, row.values, now, request)
        row.body = body | {"objectVersion": self.version()}
        self.hooks.append((number, None))
        return Answer(head=Head(status=204))

    def _create_person(self, request: Request) -> Answer:
        body = self._read(request)
        row = self.rows.get(mapping.customer_number(body))
        if row is None:
            raise _rejected("CustomerNotFound", "customerNumber")
        values = mapping.contact_values(body)
        if any(mapping.contact_values(one.body)["name"] == values["name"] for one in row.persons.values()):
            raise _rejected("CustomerContactNameAlreadyExists", "name")
        self._refuse(values)
        operation = self.truth.leaving[request.key]
        key, number = self.truth.keys[operation], self.tick()
        made = Person(key=key, body=body | {"number": number}, made_by="product")
        row.persons[number] = self.everyone[number] = made
        made.body["objectVersion"] = self.version()
        self.truth.created("contact", "economic", "crm", key, values, operation)
        return Answer(head=Head(status=201), body={"number": number})

    def _replace_person(self, request: Request) -> Answer:
        body = self._read(request)
        row = self.rows.get(mapping.customer_number(body))
        person = None if row is None else row.persons.get(mapping.contact_number(body))
        if row is None or person is None:
            raise NotFound("not_found", Head(status=404))
        if body.get("objectVersion") != person.body["objectVersion"]:
            raise VersionConflict("version", Head(status=409))
        before, now = mapping.contact_values(person.body), mapping.contact_values(body)
        self._refuse(now)
        self._written("contact", person.key, before, now, request)
        person.body = body | {"objectVersion": self.version()}
        return Answer(head=Head(status=204))

    def _remove_person(self, request: Request, number: int) -> Answer:
        """Under no version; every fourth one is used on a document, and stays."""
        row = next((one for one in self.rows.values() if number in one.persons), None)
        if row is None:
            raise NotFound("not_found", Head(status=404))
        if number % 4 == 0:
            raise _rejected("CustomerContactIsInUse", "number")
        person, operation = row.persons[number], self.truth.leaving[request.key]
        if operation not in self.truth.removing:
            self.wrong.append(f"{person.key} was removed in e-conomic without anybody's choice")
        elif person.shown != self.truth.removing[operation]:
            self.wrong.append(f"{person.key} was removed in e-conomic, though it was seen to have been edited")
        del row.persons[number]
        return Answer(head=Head(status=204))

    def _written(self, kind: Any, key: str, before: dict[str, str], now: dict[str, str], request: Request) -> None:
        operation = self.truth.leaving[request.key]
        for name, value in now.items():
            if value != before[name]:
                strict = (kind, name) in self.strict
                self.truth.written(kind, "economic", "crm", key, name, value, operation, strict=strict)

    def _twin(self, operation: UUID, key: str, values: dict[str, str]) -> None:
        """One creation makes one customer, and none beside one that the search before it must have shown."""
        if any(row.key == key for row in self.rows.values()):
            self.wrong.append(f"{key} was created a second time in e-conomic")
        for name in ("cvr", "ean"):
            if not (wanted := _bare(values[name])):
                continue
            searched = {spelled: at for spelled, at in self.searched.items() if _bare(spelled) == wanted}
            if not searched:
                self.wrong.append(f"{key} was created in e-conomic without a search for its {name}")
            seen = self.truth.seen_apart.get(operation, frozenset())
            for number, row in self.rows.items():
                if row.born < searched.get(row.values[name], 0) and number not in seen:
                    self.wrong.append(f"{key} was created in e-conomic beside {number}, which has its {name}")

    def _refuse(self, values: dict[str, str]) -> None:
        if "bad" in values["email"]:
            raise _rejected("CustomerInvalidEmail", "email")

    def _read(self, request: Request) -> Body:
        found: Body = json.loads(request.body or b"{}")
        return found

    def _put(self, kind: Any, body: Body, name: str, value: str) -> None:
        mapping._put(kind, body, name, hold(kind, name, value))


def _rejected(code: str, name: str) -> Rejected:
    return Rejected(Head(status=400), (Fault(code=code, property=name, message=code),))


def _bare(value: str) -> str:
    return re.sub(r"[^0-9]", "", value)
