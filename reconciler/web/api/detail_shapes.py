"""Which words does a service get about one customer's details?"""

from datetime import datetime
from uuid import UUID

from reconciler.alone import Stuck
from reconciler.beside import Stands
from reconciler.link import Kind
from reconciler.origin import By as By_
from reconciler.pair import Receives
from reconciler.rules import System
from reconciler.shown import Detail
from reconciler.web.api.problems import Said


class Both(Said):
    """What each side held when they last agreed."""

    crm: str
    economic: str


class Refused(Said):
    """Why a write of a detail was refused last: the code of the side that refused it, its own words, and `X-RequestId`."""

    code: str
    message: str
    request_id: str


class Why(Said):
    """Where a value comes from: edited in ``system``, carried over from it, or chosen there by a rule or a person; and before that."""

    by: By_
    system: System
    at: datetime
    who: str
    before: str


class Row(Said):
    """One detail of one record. ``mark`` is of the values as they stand: a wish carries it, and another by then is refused."""

    record: UUID
    kind: Kind
    person: str
    detail: str
    fields: dict[str, str]
    """Its fields with the CRM's values, which a value of one's own begins with."""
    crm: str
    economic: str
    last_agreed: Both | None
    changed: tuple[System, ...]
    stands: Stands
    may_be_chosen: bool
    refused: Refused | None
    on_invoices: bool
    gone: tuple[System, ...]
    """Where it was removed, of a contact person whom the other system still has."""
    receives: tuple[Receives, ...]
    """Of a contact person, the documents e-conomic sends them copies of."""
    stuck: Stuck | None
    """Of a contact person in one system only (`one_side`): why *Update in e-conomic* does not create them there."""
    mark: str
    why: dict[System, Why | None]


class OnlyThere(Said):
    """One of what e-conomic alone holds of a customer, as far as it was told.

    ``value`` is the name of a group, zone, terms or person, else its number; an amount is written as `25000.5`. ``number``:
    what e-conomic numbers a group, zone, terms or person by. ``person``: the contact person whose it is.
    """

    detail: Detail
    value: str
    number: int | None
    person: str


class Details(Said):
    """Both sides of a customer, detail by detail; and what e-conomic alone holds, to be read: nothing is compared with that."""

    customer: str
    customer_number: int | None
    rows: tuple[Row, ...]
    only_in_economic: tuple[OnlyThere, ...]
