"""What is read of an agreement as a whole: its identity, what an admin may choose from, and its webhook."""

import json
from contextlib import suppress
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from economic_adapter import account
from economic_adapter.checking import look_over
from economic_adapter.contract import Choice
from economic_adapter.protocol import Ambiguous, Answer, Failed, Forbidden, Head, Request

HEAD = Head(status=200)
SELF = {
    "agreementNumber": 123456,
    "company": {"name": "Nordhavn\u0000 Tømrer ApS"},
    "settings": {"baseCurrency": "DKK", "defaultPaymentTerm": "Netto 14 dage"},
    "modules": [{"moduleNumber": 1, "name": "API"}],
    "application": {"requiredRoles": [{"roleNumber": 1, "name": "Sales"}]},
}
BODIES: dict[str, Any] = {
    "/self": SELF,
    "/Customers/count": 12,
    "/Setup": {"defaultCustomerGroupNumber": 2},
    "/customer-groups": {"collection": [{"customerGroupNumber": 1, "name": "A"}, {"customerGroupNumber": 2, "name": "B"}]},
    "/payment-terms": {"collection": [{"paymentTermsNumber": 7, "name": "Netto 14 dage"}]},
    "/vat-zones": {
        "collection": [
            {"vatZoneNumber": 1, "name": "Domestic", "enabledForCustomer": True},
            {"vatZoneNumber": 9, "name": "Suppliers", "enabledForCustomer": False},
        ]
    },
    "/currencies": {"collection": [{"code": "DKK"}, {"code": "EUR"}, {"code": "<b>"}]},
}  # fmt: skip


def answer(body: Any) -> Answer:
    return Answer(head=HEAD, body=body)


class Given:
    """Answers by path, one of them another."""

    def __init__(self, instead: dict[str, Any]) -> None:
        self._instead = instead

    def send(self, request: Request) -> Answer:
        body = self._instead.get(request.path.strip("/").replace("-", "_"), BODIES[request.path])
        if isinstance(body, Failed):
            raise body
        return answer(body)


def calls(**instead: Any) -> Any:
    return Given(instead)


def test_an_agreement_is_read_whole_with_its_own_defaults() -> None:
    found = look_over(calls())
    assert (found.account.number, found.account.company, found.customers) == (123456, "Nordhavn  Tømrer ApS", 12)
    assert found.reference.groups == (Choice(number=1, name="A"), Choice(number=2, name="B"))
    assert found.reference.zones == (Choice(number=1, name="Domestic"),)
    assert found.reference.currencies == ("DKK", "EUR")
    assert (found.reference.default_group, found.reference.default_terms) == (2, 7)
    assert found.reference.base_currency == "DKK"


def test_a_catalogue_that_is_forbidden_stays_empty_and_stops_nothing() -> None:
    found = look_over(calls(payment_terms=Forbidden("role", HEAD), Setup=Forbidden("role", HEAD)))
    assert found.reference.terms == ()
    assert (found.reference.default_group, found.reference.default_terms) == (None, None)


def test_a_default_that_is_not_on_offer_is_none() -> None:
    assert look_over(calls(Setup={"defaultCustomerGroupNumber": 3})).reference.default_group is None


@pytest.mark.parametrize(
    "body", [None, [], {}, {"agreementNumber": "1"}, {"agreementNumber": True}, {"agreementNumber": 0}]
)
def test_an_answer_that_names_no_agreement_changes_nothing(body: Any) -> None:
    with pytest.raises(Ambiguous):
        account.read_account(answer(body))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*SELF, "name"]), inner, max_size=4),
    max_leaves=10,
)


@pytest.mark.slow
@given(json_values)
def test_strange_answers_are_ambiguous_or_empty_and_never_a_crash(body: Any) -> None:
    for read in (account.read_account, account.read_count):
        with suppress(Ambiguous):
            read(answer(body))
    account.read_template(answer(body))
    account.read_default_group(answer(body))
    account.read_webhook(answer(body))


@pytest.mark.parametrize(
    ("fields", "data"),
    [
        (["NEWNUMBER", "OLDNUMBER"], "old=[OLDNUMBER]&new=[NEWNUMBER]"),
        (["[NEWNUMBER]", "[OLDNUMBER]"], "old=[OLDNUMBER]&new=[NEWNUMBER]"),
        (["NewCustomerNumber", "OldCustomerNumber", "Name"], "old=[OldCustomerNumber]&new=[NewCustomerNumber]"),
        (["CUSTOMERNUMBER"], "new=[CUSTOMERNUMBER]"),
        (["&evil=", "OLDNUMBER"], "old=[OLDNUMBER]"),
        ([], ""),
    ],
)
def test_what_is_sent_is_made_from_the_merge_fields_that_are_offered(fields: list[str], data: str) -> None:
    kinds = [
        {"name": "INVOICE_BOOKED", "mergeFields": [{"fieldName": "INVOICENO"}]},
        {"name": "CUSTOMER_UPDATED", "mergeFields": [{"fieldName": field} for field in fields]},
    ]
    template = account.read_template(answer(kinds))
    assert template is not None
    assert template.data == data


def test_without_an_event_type_for_customers_there_is_no_webhook() -> None:
    assert account.read_template(answer([{"name": "INVOICE_BOOKED"}])) is None


def test_a_webhook_is_made_and_renewed_under_keys() -> None:
    template = account.Template(data="new=[NEWNUMBER]")
    made = account.register(template, "https://sync.example.com/hooks", UUID(int=1))
    assert (made.method, made.path) == ("POST", "/webhooks")
    assert made.body is not None
    assert json.loads(made.body) == {
        "eventType": "CUSTOMER_UPDATED",
        "name": "Clickmate CRM",
        "url": "https://sync.example.com/hooks",
        "contentType": "application/x-www-form-urlencoded",
        "postData": "new=[NEWNUMBER]",
        "isDisabled": False,
    }
    renewed = account.renew(template, "https://sync.example.com/hooks", "7", UUID(int=2))
    assert renewed.method == "PUT"
    assert renewed.body is not None
    assert json.loads(renewed.body)["objectVersion"] == "7"


def test_failures_are_told_apart_by_their_code() -> None:
    assert account.lacks_module(Forbidden("AccessDeniedAgreementMissingModules", HEAD))
    assert not account.lacks_module(Forbidden("AccessDenied", HEAD))
    assert account.is_closed(Forbidden("AgreementIsClosed", HEAD))
