"""Is it kept that a customer of e-conomic came without its contact persons? On real PostgreSQL, linked before and after."""

import pytest
import sqlalchemy as sa

from crm_outbox.contract import Customer, NotSent, WriteCustomer
from economic_adapter.contract import EconomicContact, EconomicCustomer, WriteEconomicCustomer
from reconciler import joining, sides
from reconciler.link import Link
from reconciler.rules import Transfer
from tests.builders.crm import a_person
from tests.builders.meeting import Both
from tests.builders.sync import AGREEMENT, TENANT

pytestmark = pytest.mark.slow

WHY = NotSent(reason="too_large", detail="contacts.notes")
PEOPLE = [(f"Person {nth}", f"p{nth}@nordhavn.example") for nth in range(300)]


@pytest.fixture
def both(engine: sa.Engine) -> Both:
    wire = Both(engine=engine)
    wire.switch_on(Transfer.HAND)
    return wire


def here(both: Both) -> Customer:
    """A customer of the CRM with three hundred persons."""
    persons = tuple(a_person(name=name, email=email) for name, email in PEOPLE)
    return both.new(id="c1", name="Nordhavn Tømrer ApS", cvr="13748136", contacts=persons)


def there(**given: object) -> EconomicCustomer:
    """The same one in e-conomic, too large for a message."""
    words = {
        "number": 7,
        "object_version": "v1",
        "name": "Nordhavn Tømrer ApS",
        "cvr": "13748136",
        "country": "Danmark",
    }
    return EconomicCustomer.model_validate({**words, **given})


def whole() -> EconomicCustomer:
    people = tuple(
        EconomicContact(number=nth, object_version="a", name=name, email=email)
        for nth, (name, email) in enumerate(PEOPLE, 1)
    )
    return there(contacts=people, object_version="v9")


def created(both: Both) -> list[str]:
    """The contact persons that were to be created since the last question, on either side."""
    said = [one.data for one in both.said() if isinstance(one.data, WriteEconomicCustomer | WriteCustomer)]
    return [part.fields["name"] for one in said for part in one.parts if part.action == "create"]


def removed(link: Link) -> list[str]:
    return [one.rest for one in link.contacts if one.rest]


def test_linked_on_what_was_recorded_without_them_nobody_is_created_a_second_time(both: Both) -> None:
    customer = here(both)
    both.in_crm(customer)
    both.in_economic(there(), why="import", unsendable=WHY)
    with both.engine.begin() as connection:
        recorded = sides.economic(connection, TENANT, AGREEMENT, 7)
        assert recorded is not None
        assert recorded.unsendable == WHY
        joining.link(both.clocked, connection, TENANT, AGREEMENT, "c1", 7, by="person")
    assert created(both) == []
    assert both.of("c1").unsendable == "economic_too_large contacts.notes"
    both.in_crm(customer.model_copy(update={"phone": "22222222"}), 2)
    both.in_economic(there(object_version="v2", phone="33333333"), 2, unsendable=WHY)
    assert (created(both), removed(both.of("c1"))) == ([], [])
    both.in_economic(whole(), 3)
    link = both.of("c1")
    assert (created(both), removed(link), len(link.contacts)) == ([], [], 300)
    assert all(one.crm and one.economic for one in link.contacts)


def test_a_linked_customer_that_grows_too_large_keeps_its_persons_through_edits_and_looks(both: Both) -> None:
    customer = here(both)
    both.in_crm(customer)
    both.in_economic(whole(), why="import")
    with both.engine.begin() as connection:
        joining.link(both.clocked, connection, TENANT, AGREEMENT, "c1", 7, by="person")
    assert created(both) == []
    both.in_economic(there(object_version="v10"), 2, unsendable=WHY)
    both.in_crm(customer.model_copy(update={"phone": "22222222"}), 2)
    both.in_economic(there(object_version="v11"), 3, unsendable=WHY)
    link = both.of("c1")
    assert (created(both), removed(link), len(link.contacts)) == ([], [], 300)


def test_a_renumbered_one_whose_new_number_was_recorded_without_them_keeps_them(both: Both) -> None:
    both.in_crm(here(both))
    both.in_economic(whole(), why="import")
    with both.engine.begin() as connection:
        joining.link(both.clocked, connection, TENANT, AGREEMENT, "c1", 7, by="person")
    both.said()
    both.in_economic(there(number=70), 1, why="import", unsendable=WHY)
    both.in_economic(there(number=70, object_version="v2"), 2, unsendable=WHY, old_numbers=(7,))
    link = both.of("c1")
    assert (created(both), removed(link), len(link.contacts)) == ([], [], 300)


def test_it_is_forgotten_with_the_first_look_that_shows_them(both: Both) -> None:
    both.in_economic(there(), why="import", unsendable=WHY)
    both.in_economic(whole(), 2, why="import")
    with both.engine.connect() as connection:
        recorded = sides.economic(connection, TENANT, AGREEMENT, 7)
    assert recorded is not None
    assert recorded.customer is not None
    assert (recorded.unsendable, len(recorded.customer.contacts)) == (None, 300)
