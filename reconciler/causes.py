"""Why was a write refused, in plain words, and who does what about it? The catalogue of causes, by the other side's codes.

Texts are English words, as everywhere; ``{v}`` is the value, ``{n}`` the customer number, ``{detail}`` what it is about.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

Step = Literal["source", "economic", "admin", "help", "crm", "task", "none"]
"""Where it is put right: in Clickmate (it is tried again by itself), in e-conomic, by an admin who chooses another,
by an admin otherwise, by the CRM's own rules, on a task's page, or nowhere: it settles itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One cause: the sentence, and where it is put right. ``about`` names the detail or document the sentence speaks of."""

    text: str
    step: Step
    about: str = ""


NEXT: Final[Mapping[Step, str]] = {
    "source": "Correct it in Clickmate; we try again by ourselves.",
    "admin": "An administrator must choose another under Set-up.",
}
"""The sentence that is added about the next step."""


def _each(
    names: str, text: str, step: Step, pattern: str = "{}", about: Mapping[str, str] | None = None
) -> dict[str, Cause]:
    return {
        pattern.format(name): Cause(text=text, step=step, about=(about or {}).get(name, "")) for name in names.split()
    }


_DOCUMENTS: Final = {
    "Invoice": "invoices", "Order": "orders", "Quotation": "quotes", "Reminder": "reminders", "Statement": "statements",
}  # fmt: skip
_DETAILS: Final = {
    "Voucher": "Voucher", "DefaultAttention": "Attn.", "DefaultTheirRef": "Their reference", "PriceGroup": "Price group",
    "DiscountGroup": "Discount group", "Discount": "Discount", "PEPPOLID": "ID (e-invoice)",
    "InputPEPPOLID": "ID (e-invoice)", "EmailAttachmentLanguage": "Language of e-mails",
}  # fmt: skip

CAUSES: Final[Mapping[str, Cause]] = {
    **_each("CustomerInvalidEmail", 'e-conomic does not accept the e-mail address "{v}".', "source"),
    **_each(
        " ".join(_DOCUMENTS), 'e-conomic does not accept the recipient address "{v}" for {document}.', "economic",
        "CustomerInvalid{}Email", _DOCUMENTS,
    ),
    **_each(
        "CustomerInvalidEAN CustomerInvalidEANThirteenDigits",
        "An EAN no. has 13 digits, and its check digit must be right.", "source",
    ),
    **_each("CustomerInvalidPNumber", 'P no. "{v}" is not valid. It has 10 digits.', "source"),
    **_each("CustomerMissingName CustomerInvalidName", "The customer lacks a name that e-conomic can hold.", "source"),
    **_each("CustomerInvalidGroupId", "The chosen customer group no longer exists in e-conomic.", "admin"),
    **_each("CustomerInvalidVatZone", "The chosen VAT zone no longer exists in e-conomic.", "admin"),
    **_each("CustomerInvalidPaymentTerm", "The chosen payment term no longer exists in e-conomic.", "admin"),
    **_each("CustomerBarredPaymentTerm", "The chosen payment term is barred in e-conomic.", "admin"),
    **_each(
        "CustomerAlreadyExists", "Customer no. {n} is already used in e-conomic. We take the next free one.", "none"
    ),
    **_each("CustomerInvalidCustomerNumber", "e-conomic does not accept customer no. {n}.", "admin"),
    **_each("no_number", "No customer number is left for new customers: the whole range is used.", "admin"),
    **_each("CustomerannotChangeNumber", "e-conomic does not allow the customer number to change.", "none"),
    **_each(
        "CustomerIsBarred", "The customer is barred in e-conomic. The edit waits until that is lifted.", "economic"
    ),
    **_each("CustomerInvalidCharacters", 'A character in "{v}" cannot be stored in e-conomic.', "source"),
    **_each(
        " ".join(_DETAILS), "{detail} of this customer is not valid in e-conomic and stops every edit.", "economic",
        "CustomerInvalid{}", _DETAILS,
    ),
    **_each(
        "CustomerDoesNotExist CustomerNotFound ResourceNotFound not_found",
        "Customer no. {n} was not found in e-conomic. We check again tonight.", "none",
    ),
    **_each(
        "CustomerContactNameAlreadyExists",
        'The customer already has a contact person named "{v}" in e-conomic. Is it the same?', "task",
    ),
    **_each("CustomerContactNameNullOrEmpty", "The contact person lacks a name.", "source"),
    **_each(
        "CustomerContactIsInUse",
        "The contact person is used on a quote, order or invoice and cannot be removed in e-conomic.", "none",
    ),
    **_each("CustomerNumberMismatch", "The contact person belongs to another customer in e-conomic.", "task"),
    **_each(
        "AccessDeniedAgreementMissingModules",
        "Your e-conomic subscription has no API access. Add it in e-conomic under All settings, then try again.", "help",
    ),
    **_each(
        "unsendable",
        "The edit cannot be sent: {detail} holds characters or amounts we cannot send.", "source",
    ),
    **_each("write_refused", "Clickmate refused {detail}: its rule {name} says no.", "crm"),
    **_each("missing.name", "The customer lacks a name that e-conomic can hold.", "source"),
    **_each(
        "missing.country", "The country is missing. We do not know which VAT zone the customer should have.", "source"
    ),
    **_each(
        "missing.defaults",
        "Defaults for new customers in e-conomic are missing. An administrator must choose them under Set-up.", "help",
    ),
}  # fmt: skip
OURS: Final = frozenset({"UpdateConflict", "BadFilterRequest"})
"""Never shown: planned anew; our own mistake, logged and alarmed."""
_WEBHOOK: Final = Cause(
    text="e-conomic would not create our webhook. We check every minute instead. Technical: {code}", step="help"
)
UNKNOWN: Final = Cause(text='e-conomic answered: "{v}". Technical: {code}, X-RequestId {id}.', step="help")


def lacks(details: Sequence[str]) -> str:
    """The code of a creation that lacks something: what, as the details of its question or state name it."""
    code = f"missing.{next(iter(details), '')}"
    return code if code in CAUSES else "missing.country"


def cause(code: str) -> Cause:
    """What a code means; for one that is not in the catalogue, e-conomic's own words are shown."""
    if code.startswith("Webhook"):
        return _WEBHOOK
    return CAUSES.get(code, UNKNOWN)
