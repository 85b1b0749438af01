"""Which words does the adapter give to others? What it saw in e-conomic, and the commands it carries out.

Fields carry the names of ``crm_outbox.contract``; ``hold`` says what e-conomic can keep of a value.
"""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from crm_outbox.contract import Customer, Many, NotSent, Outcome
from crm_outbox.messaging.envelope import MessageType, Words
from economic_adapter import daily, faring, handmade, holding, invitation, refusals

EVENTS, COMMANDS = "economic.events", "economic.commands"
LENGTHS, CONTACT_LENGTHS, INVOICE_COPIES = holding.LENGTHS, holding.CONTACT_LENGTHS, holding.INVOICE_COPIES
Receives = holding.Receives
Reach = faring.Reach
RefusedHook = faring.RefusedHook
Figures = faring.Figures
InstallationObserved = faring.InstallationObserved
EVERY_TENANT = faring.EVERY_TENANT
hold, refusal, DAY_LIMIT, next_day = holding.hold, refusals.refusal, daily.LIMIT, daily.next_day
hand_made, HOOK_DATA, HOOK_TYPE = handmade.path, handmade.DATA, handmade.CONTENT_TYPE
Invitation, CONNECT_PATH, SHORTEST_CONNECT_KEY = invitation.Invitation, invitation.PATH, invitation.SHORTEST_KEY


class EconomicContact(Words):
    """A contact person as e-conomic holds it. ``receives`` none = it was not told, as by the release before."""

    number: int
    object_version: str
    deleted: bool = False
    name: str = ""
    email: str = ""
    phone: str = ""
    notes: str = ""
    receives: tuple[Receives, ...] | None = None
    e_invoice_id: str = ""
    """Shown like what stands in ``Shown``: nothing is compared with it."""


class Shown(Words):
    """What people read of a customer in e-conomic and nothing is compared with. Empty or none: not there, or unreadable."""

    invoice_recipient: str = ""
    """The e-mail address that invoices go to, in the place of the customer's own."""
    credit_limit: float | None = None
    attention: int | None = None
    """The number of a contact person of the customer's."""


class EconomicCustomer(Words):
    """A customer with its contact persons as e-conomic holds it. ``barred`` none = e-conomic did not say.

    ``group``, ``terms``, ``zone`` and ``currency`` are there to be read, as ``shown`` is; none is compared with anything.
    ``shown`` none = nothing of it is there, or it was not told, as by the release before.
    """

    number: int
    object_version: str
    barred: bool | None = None
    group: int | None = None
    terms: int | None = None
    zone: int | None = None
    currency: str = ""
    name: str = ""
    cvr: str = ""
    ean: str = ""
    pnumber: str = ""
    street: str = ""
    postcode: str = ""
    city: str = ""
    country: str = ""
    phone: str = ""
    mobile: str = ""
    email: str = ""
    website: str = ""
    shown: Shown | None = None
    contacts: tuple[EconomicContact, ...] = ()


class CrmState(Words):
    """The CRM's side, copied from the change that caused an observation."""

    version: str
    customer: Customer | None = None
    unsendable: NotSent | None = None


class Search(Words):
    """By what a customer of the CRM that has no number yet may be found in e-conomic."""

    customer: str
    cvr: str = ""
    ean: str = ""


class Looked(Words):
    """How far a look is that somebody waits for, who finds it by the id they gave it.

    ``taken``: a worker has it. ``unanswered``, with the cause: away, late, throttled, access_lost, bug; it is tried again
    until it expires, so it may still be answered. ``missing``: e-conomic said that there is no such customer, which is
    believed, and told, when it says so again.
    """

    look: UUID
    how: Literal["taken", "answered", "missing", "unanswered"]
    cause: str = ""


class CustomerObserved(Words):
    """``economic.customer.observed.v1``: what was seen, and why it was looked at.

    ``version`` counts e-conomic's side by (agreement, number); it is there exactly when e-conomic was looked at, and
    then either ``economic`` or ``absent`` holds. ``crm`` is there when the CRM's change was the cause. ``outcomes``
    answer operations; they pass no version gate.
    """

    agreement: int | None = None
    why: Literal["crm_changed", "hook", "poll", "write", "look", "sweep", "import"]
    customer: str | None = None
    number: int | None = None
    version: str | None = None
    economic: EconomicCustomer | None = None
    absent: bool = False
    crm: CrmState | None = None
    outcomes: tuple[Outcome, ...] = ()
    candidates: tuple[int, ...] = ()
    """Those that stopped a creation; of more than a hundred the first hundred, and ``candidates_many`` is all of them."""
    candidates_many: Many | None = None
    old_numbers: tuple[int, ...] = ()
    run: UUID | None = None
    """The backfill, import or sweep it belongs to: entered there before any version gate."""
    caused: datetime | None = None
    """When what it tells was committed in the CRM, or was first noticed in e-conomic; none where nobody can say."""
    unsendable: NotSent | None = None
    """Why ``economic`` comes without its contact persons: they are more than a message can carry. They are not gone."""
    look: Looked | None = None
    """The look with an id that this is about; it may come alone, when nothing was seen."""


class Choice(Words):
    """One row of reference data an admin may choose from."""

    number: int
    name: str


class Reference(Words):
    """What an agreement offers for new customers."""

    groups: tuple[Choice, ...] = ()
    terms: tuple[Choice, ...] = ()
    zones: tuple[Choice, ...] = ()
    currencies: tuple[str, ...] = ()
    default_group: int | None = None
    default_terms: int | None = None
    base_currency: str = ""


class AgreementObserved(Words):
    """``economic.agreement.observed.v1``: what is known of an agreement, and the outcome of a configuration."""

    agreement: int
    name: str = ""
    state: Literal["connected", "on", "off", "access_lost", "disconnected"]
    cause: str = ""
    customers: int | None = None
    """How many customers e-conomic counted, when it was asked."""
    webhooks: Literal["none", "registered", "refused"] = "none"
    polling: bool = True
    reference: Reference | None = None
    calls_today: int = 0
    seen: datetime
    outcome: Outcome | None = None
    reach: Reach | None = None
    figures: Figures | None = None
    given_by: str = ""
    """Who gave access just now, by the id in their invitation; told once."""


class LookAtCustomer(Words):
    """``economic.customer.look.v1``: read this customer. What is read is an observation.

    One with an id is waited for: it is told when it is taken and how it ended. Any other is never answered as a command.
    """

    agreement: int
    number: int = 0
    """0, which nobody has: ``search`` says who is looked for."""
    expires: datetime | None = None
    look: UUID | None = None
    search: Search | None = None


class Defaults(Words):
    """What e-conomic needs to create a customer besides its fields."""

    group: int
    terms: int
    zone: int
    currency: str


class EconomicPart(Words):
    """One write to one record in e-conomic. An operation id is the idempotency key, answered once."""

    operation: UUID
    action: Literal["create", "change", "bar", "remove"]
    record: Literal["customer", "contact"]
    number: int | None = None
    """The record's number; for a customer to be created, the number it should get (none: the next free one)."""
    object_version: str | None = None
    """The version the decision was made on; none for a creation."""
    fields: dict[str, str] = Field(default_factory=dict)
    defaults: Defaults | None = None
    seen: tuple[int, ...] = ()
    """Creations: the candidates (customers) or contact numbers the decision had seen and ruled out."""
    seen_many: Many | None = None
    """Creations of a customer, in the place of ``seen`` above a hundred: holds only where exactly these are found."""


class WriteEconomicCustomer(Words):
    """``economic.customer.write.v1``: write these parts. ``number`` none: it is created. ``person``: one waits for it, so the day's reserve may be used; so may then by what waits already of the same records."""

    agreement: int
    customer: str
    number: int | None = None
    parts: tuple[EconomicPart, ...]
    person: bool = False


class ConfigureAgreement(Words):
    """``economic.agreement.configure.v1``: on or off, how changes are noticed, which numbers new customers get."""

    operation: UUID
    agreement: int
    on: bool
    webhooks: bool = True
    polling: bool = True
    number_from: int | None = None
    number_to: int | None = None
    disconnect: bool = False
    check: bool = False
    """Look the agreement over now also where it is off; else that is done whenever it is switched on."""
    asked: datetime | None = None
    """When it was asked for. Of two, the later one holds, whichever arrives first."""


class RunImport(Words):
    """``economic.import.run.v1``: read every customer with its contact persons, page by page. Its run is its operation id.

    ``sweep`` tells only what differs from what was last seen; ``import`` tells every customer.
    """

    run: UUID
    agreement: int
    action: Literal["start", "pause", "resume", "stop"] = "start"
    kind: Literal["import", "sweep"] = "import"


class ImportProgressed(Words):
    """``economic.import.progressed.v1``: how far an import or a sweep came; told for each page and each change of state.

    ``read`` counts customers told under the run (of a sweep: customers read), ``count`` is what e-conomic counted.
    ``closed``: everything was read and nothing more is told under this run. ``failed`` says why in ``cause``.
    """

    run: UUID
    agreement: int
    kind: Literal["import", "sweep"] = "import"
    state: Literal["running", "paused", "waiting", "stopped", "failed", "closed"]
    cause: str = ""
    read: int = 0
    count: int | None = None
    contacts: int = 0
    calls: int = 0
    found: int = 0
    """Of a sweep: customers that had changed without anybody having told."""
    closed: bool = False


TYPES = (
    MessageType(name="economic.customer.observed.v1", data=CustomerObserved, exchange=EVENTS),
    MessageType(name="economic.agreement.observed.v1", data=AgreementObserved, exchange=EVENTS),
    MessageType(name="economic.installation.observed.v1", data=InstallationObserved, exchange=EVENTS, must_route=False),
    MessageType(name="economic.customer.look.v1", data=LookAtCustomer, exchange=COMMANDS),
    MessageType(name="economic.customer.write.v1", data=WriteEconomicCustomer, exchange=COMMANDS),
    MessageType(name="economic.agreement.configure.v1", data=ConfigureAgreement, exchange=COMMANDS),
    MessageType(name="economic.import.run.v1", data=RunImport, exchange=COMMANDS),
    MessageType(name="economic.import.progressed.v1", data=ImportProgressed, exchange=EVENTS),
)


def aggregate(agreement: int, number: int) -> str:
    """The subject of what was seen of one e-conomic customer."""
    return f"economic/{agreement}/{number}"
