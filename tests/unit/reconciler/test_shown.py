"""What e-conomic alone holds is shown, and nothing follows from it: no write, no question, no other status."""

from typing import Any

import pytest

from economic_adapter.contract import Choice, EconomicContact, EconomicCustomer, Reference, Shown
from reconciler import similar
from reconciler.link import Heard, Link, LinkState, Status
from reconciler.person import Kept, Person
from reconciler.shown import named, shown
from reconciler.standing import standing
from tests.builders.reconciler import Case, linked

ANNE = Person(tenant="t", id="a", name="Anne Holm", role="user")
REFERENCE = Reference(
    groups=(Choice(number=1, name="Indland"),),
    zones=(Choice(number=2, name="EU"),),
    terms=(Choice(number=3, name="8 dage"),),
)
METTE = EconomicContact(number=4, object_version="a", name="Mette Holm", e_invoice_id="57-4")
BO = EconomicContact(number=5, object_version="a", name="Bo Lund", e_invoice_id="57-5", deleted=True)
WHOLE: dict[str, Any] = {
    "group": 1, "zone": 2, "terms": 3, "currency": "DKK", "contacts": (METTE, BO),
    "shown": Shown(invoice_recipient="faktura@nordhavn.example", credit_limit=25000.5, attention=4),
}  # fmt: skip


def customer(**given: Any) -> EconomicCustomer:
    return EconomicCustomer(**{"number": 7, "object_version": "v", **given})


def read(found: EconomicCustomer | None, reference: Reference | None = REFERENCE) -> list[tuple[str, str, str]]:
    return [(one.detail, one.value, one.person) for one in named(shown(found), reference)]


def test_each_is_named_as_the_agreement_names_it() -> None:
    assert read(customer(**WHOLE)) == [
        ("invoice_recipient", "faktura@nordhavn.example", ""),
        ("group", "Indland", ""),
        ("zone", "EU", ""),
        ("terms", "8 dage", ""),
        ("currency", "DKK", ""),
        ("credit_limit", "25000.5", ""),
        ("attention", "Mette Holm", ""),
        ("e_invoice_id", "57-4", "Mette Holm"),
    ]


def test_what_no_name_is_known_of_is_its_number() -> None:
    found = customer(group=8, zone=9, terms=10, shown=Shown(attention=11, credit_limit=5000))
    expected = [("group", "8"), ("zone", "9"), ("terms", "10"), ("credit_limit", "5000"), ("attention", "11")]
    assert [one[:2] for one in read(found)] == [one[:2] for one in read(found, None)] == expected


@pytest.mark.parametrize("found", [None, customer(), customer(shown=Shown())])
def test_what_was_not_told_is_not_shown(found: EconomicCustomer | None) -> None:
    assert read(found) == []


def still(link: Link) -> tuple[Any, ...]:
    """What of a link must not move."""
    return (link.customer.base, link.customer.economic and link.customer.economic.values, link.contacts, link.pending)


@pytest.mark.parametrize("changed", [{name: value} for name, value in WHOLE.items() if name != "contacts"])
def test_nothing_follows_from_a_change_of_it(changed: dict[str, Any]) -> None:
    case = linked()
    case.economic()
    before = still(case.link)
    case.economic_version += 1
    seen = case.economic_seen()
    assert seen.customer is not None
    moved = seen.customer.model_copy(update=changed)
    commands = case.hear(Heard(economic=type(seen)(version=seen.version, number=seen.number, customer=moved)))
    assert (commands, case.status, still(case.link)) == ((), Status(state="same"), before)
    assert similar.of_economic(moved) == similar.of_economic(seen.customer), "nobody is likelier to be that customer"


def badges(case: Case) -> tuple[str, ...]:
    return standing(case.link, case.rules, ANNE, Kept(), case.now).badges


@pytest.mark.parametrize(
    ("receives", "expected"),
    [(("invoices",), ("receives_invoices",)), (("e_invoices", "orders"), ("receives_invoices",)), (("orders",), ()), (None, ())],
)  # fmt: skip
def test_a_linked_customer_whose_contact_person_gets_copies_of_invoices_is_marked(
    receives: tuple[str, ...] | None, expected: tuple[str, ...]
) -> None:
    case = linked()
    case.economic_contacts[7] = {"name": "Mette Holm", "receives": receives}
    case.economic()
    assert badges(case) == expected
    del case.economic_contacts[7]
    case.economic()
    assert badges(case) == (), "they are there no more"


def test_of_one_that_is_not_linked_nothing_is_said() -> None:
    case = linked()
    case.economic_contacts[7] = {"name": "Mette Holm", "receives": ("invoices",)}
    case.economic()
    case.missing()
    assert case.link.state is not LinkState.LINKED
    assert badges(case) == ()
