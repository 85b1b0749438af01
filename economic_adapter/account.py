"""What is asked of an agreement as a whole, and what do the answers say? Identity, rights, choices, webhook. Values only."""

import json
import re
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

from economic_adapter.contract import Choice, Reference, refusal
from economic_adapter.protocol import PAGE, Ambiguous, Answer, Failed, Forbidden, Request, Surface

SELF = Request(method="GET", surface=Surface.REST, path="/self")
COUNT = Request(method="GET", surface=Surface.CUSTOMERS, path="/Customers/count")
SETUP = Request(method="GET", surface=Surface.CUSTOMERS, path="/Setup")
EVENT_TYPES = Request(method="GET", surface=Surface.WEBHOOKS, path="/EventTypes")
EVENT = "CUSTOMER_UPDATED"
WEBHOOK = Request(method="GET", surface=Surface.WEBHOOKS, path=f"/webhooks/{EVENT}")

Catalogue = Literal["customer-groups", "payment-terms", "vat-zones", "currencies"]
_NUMBERS = {
    "customer-groups": "customerGroupNumber",
    "payment-terms": "paymentTermsNumber",
    "vat-zones": "vatZoneNumber",
}
_NAME_LENGTH = 255
_MOST_CHOICES = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Whose e-conomic a grant opens."""

    number: int
    company: str
    base_currency: str
    default_terms: str
    modules: tuple[str, ...]
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """What e-conomic is to send when a customer changes."""

    data: str
    content_type: str = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A webhook of ours as e-conomic has it. The address holds its secret."""

    version: str
    url: str = field(repr=False)


def choices_page(catalogue: Catalogue, page: int) -> Request:
    """One page (from 0) of what an admin may choose from."""
    return Request(
        method="GET",
        surface=Surface.REST,
        path=f"/{catalogue}",
        query=(("skippages", str(page)), ("pagesize", str(PAGE))),
    )


def read_account(answer: Answer) -> Account:
    """The account behind ``/self``; ``Ambiguous`` when the answer does not name one."""
    body = answer.body if isinstance(answer.body, dict) else {}
    number = body.get("agreementNumber")
    if not isinstance(number, int) or isinstance(number, bool) or not 0 < number < 2**31:
        raise Ambiguous("no_agreement_number", answer.head)
    settings = _dict(body.get("settings"))
    return Account(
        number=number,
        company=_text(_dict(body.get("company")).get("name")),
        base_currency=_currency(settings.get("baseCurrency")),
        default_terms=_text(settings.get("defaultPaymentTerm")),
        modules=tuple(_text(one.get("name")) for one in _list(body.get("modules"))),
        roles=tuple(_text(one.get("name")) for one in _list(_dict(body.get("application")).get("requiredRoles"))),
    )


def read_count(answer: Answer) -> int:
    """How many customers there are."""
    if not isinstance(answer.body, int) or isinstance(answer.body, bool) or answer.body < 0:
        raise Ambiguous("no_count", answer.head)
    return answer.body


def read_choices(catalogue: Catalogue, records: list[dict[str, Any]]) -> tuple[Choice, ...]:
    """The choices of a catalogue that a customer may get."""
    name = _NUMBERS[catalogue]
    return tuple(
        Choice(number=one[name], name=_text(one.get("name")))
        for one in records[:_MOST_CHOICES]
        if isinstance(one.get(name), int) and one.get("enabledForCustomer", True) is not False
    )


def read_currencies(records: list[dict[str, Any]]) -> tuple[str, ...]:
    """The codes of the currencies, without strange ones."""
    return tuple(code for one in records[:_MOST_CHOICES] if (code := _currency(one.get("code"))))


def read_default_group(answer: Answer) -> int | None:
    """The group new customers get in e-conomic itself."""
    number = _dict(answer.body).get("defaultCustomerGroupNumber")
    return number if isinstance(number, int) and not isinstance(number, bool) else None


def reference(
    account: Account,
    *,
    groups: tuple[Choice, ...],
    terms: tuple[Choice, ...],
    zones: tuple[Choice, ...],
    currencies: tuple[str, ...],
    default_group: int | None,
) -> Reference:
    """Everything an admin may choose from, with e-conomic's own defaults where they are among it."""
    named = next((one.number for one in terms if account.default_terms in {one.name, str(one.number)}), None)
    return Reference(
        groups=groups,
        terms=terms,
        zones=zones,
        currencies=currencies,
        default_group=default_group if default_group in {one.number for one in groups} or not groups else None,
        default_terms=named,
        base_currency=account.base_currency,
    )


def read_template(answer: Answer) -> Template | None:
    """What to have sent, made from the merge fields that e-conomic names; none when customers have no event type."""
    kinds = [one for one in _list(answer.body) if one.get("name") == EVENT]
    if not kinds:
        return None
    fields = [field for one in _list(kinds[0].get("mergeFields")) if (field := _merge_field(one.get("fieldName")))]
    new = next((field for field in fields if "NEW" in field.upper()), None)
    old = next((field for field in fields if "OLD" in field.upper()), None)
    others = [field for field in fields if field not in {new, old} and "NUMBER" in field.upper()]
    pairs = [("old", old), ("new", new or next(iter(others), None))]
    return Template(data="&".join(f"{name}={field}" for name, field in pairs if field))


def register(template: Template, url: str, key: UUID) -> Request:
    """Make our webhook."""
    return _webhook("POST", _webhook_body(template, url), key)


def renew(template: Template, url: str, object_version: str, key: UUID) -> Request:
    """Point our existing webhook to that address and switch it on."""
    return _webhook("PUT", {**_webhook_body(template, url), "objectVersion": object_version}, key)


def remove(key: UUID) -> Request:
    """Take our webhook away."""
    return Request(method="DELETE", surface=Surface.WEBHOOKS, path=f"/webhooks/{EVENT}", key=key)


def read_webhook(answer: Answer) -> Standing:
    """The webhook that stands there."""
    body = _dict(answer.body)
    version, url = body.get("objectVersion"), body.get("url")
    return Standing(version=version if isinstance(version, str) else "", url=url if isinstance(url, str) else "")


def lacks_module(failed: Failed) -> bool:
    """Whether e-conomic says that the company's plan has no access for apps."""
    return isinstance(failed, Forbidden) and refusal(failed.code) == "api_missing"


def is_closed(failed: Failed) -> bool:
    """Whether e-conomic says that the agreement is closed."""
    return refusal(failed.code) == "closed"


def _webhook_body(template: Template, url: str) -> dict[str, Any]:
    return {
        "eventType": EVENT,
        "name": "Clickmate CRM",
        "url": url,
        "contentType": template.content_type,
        "postData": template.data,
        "isDisabled": False,
    }


def _webhook(method: Literal["POST", "PUT"], body: dict[str, Any], key: UUID) -> Request:
    return Request(method=method, surface=Surface.WEBHOOKS, path="/webhooks", body=json.dumps(body).encode(), key=key)


def _merge_field(name: Any) -> str | None:
    if not isinstance(name, str) or not re.fullmatch(r"\[?[A-Za-z0-9_]{1,50}\]?", name):
        return None
    return f"[{name.strip('[]')}]"


def _currency(code: Any) -> str:
    return code if isinstance(code, str) and re.fullmatch(r"[A-Z]{3}", code) else ""


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _text(value: Any) -> str:
    return re.sub(r"[\x00-\x1f\x7f-\x9f]+", " ", value).strip()[:_NAME_LENGTH] if isinstance(value, str) else ""
