"""What is told of the last writes: what went to e-conomic for a minute, what came from it as long as nothing came after."""

from datetime import UTC, datetime, timedelta
from typing import Any

from reconciler.lately import JUST_NOW, Done, Fetched, Landed, Lately, lately
from reconciler.rules import System

NOW = datetime(2026, 11, 24, 13, 5, tzinfo=UTC)


def wrote(system: System, *fields: str, ago: float = 10, **given: Any) -> Landed:
    said = {"action": "change", "record": "customer", "number": 7, "by": "flow", **given}
    return Landed(at=NOW - timedelta(seconds=ago), system=system, fields=fields, **said)


def test_nothing_was_written() -> None:
    assert lately([], NOW) == Lately()


def test_a_transfer_is_told_for_a_minute() -> None:
    one = wrote(System.ECONOMIC, "phone")
    assert lately([one], NOW) == Lately(done=Done(at=one.at, created=None))
    assert lately([wrote(System.ECONOMIC, "phone", ago=JUST_NOW.total_seconds())], NOW) == Lately()


def test_a_creation_says_its_number_also_when_its_persons_followed() -> None:
    made = wrote(System.ECONOMIC, "name", action="create", number=10482, ago=20)
    person = wrote(System.ECONOMIC, "name", action="create", record="contact", number=10482)
    assert lately([person, made], NOW).done == Done(at=person.at, created=10482)


def test_an_edit_of_e_conomics_is_told_by_its_details_until_something_else_is_written() -> None:
    street, phone = wrote(System.CRM, "street", "city", ago=900), wrote(System.CRM, "phone", record="contact", ago=900)
    assert lately([street, phone], NOW) == Lately(fetched=Fetched(at=street.at, details=("address", "contact.phone")))
    assert lately([wrote(System.ECONOMIC, "email", ago=600), street, phone], NOW) == Lately()


def test_what_a_rule_put_back_or_a_person_chose_is_nobodys_edit_in_e_conomic() -> None:
    for by in ("rule", "person"):
        assert lately([wrote(System.CRM, "phone", by=by)], NOW) == Lately()
    assert lately([wrote(System.CRM, "stage", action="create")], NOW) == Lately()
