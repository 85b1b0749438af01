"""Customers of the CRM for tests, with everything filled in that a test does not name."""

from datetime import UTC, datetime
from itertools import count
from typing import Any

from crm_outbox.contract import ContactPerson, Customer

_ids = count(1)


def a_person(**given: Any) -> ContactPerson:
    """A contact person; only what the test names matters."""
    return ContactPerson(**{"id": f"person-{next(_ids)}", "name": "Mette Holm", **given})


def a_customer(**given: Any) -> Customer:
    """A customer of the CRM; only what the test names matters."""
    return Customer(
        **{
            "id": f"customer-{next(_ids)}",
            "created": datetime(2026, 11, 24, 8, 0, tzinfo=UTC),
            "active_since": datetime(2026, 11, 24, 8, 0, tzinfo=UTC),
            "name": "Nordhavn Tømrer ApS",
            "country": "Danmark",
            **given,
        }
    )
