"""What is known of one customer while its command is carried out, and which of it has to be read again?"""

from dataclasses import dataclass, field

from economic_adapter import look, mapping
from economic_adapter.contract import EconomicPart
from economic_adapter.desk import Calls
from economic_adapter.mapping import Body
from economic_adapter.records import Held


@dataclass(slots=True, kw_only=True)
class Page:
    """A customer as the mirror keeps it, brought up to date by reads. ``body`` none: not known, or not there."""

    number: int | None
    held: Held | None = None
    body: Body | None = None
    contacts: list[Body] = field(default_factory=list)
    seen: bool = False
    """Whether e-conomic was looked at, so that there is something to tell."""
    missing: bool = False
    """Whether e-conomic said that there is no such customer."""
    customer_fresh: bool = False
    contacts_fresh: bool = False
    customer_stale: bool = False
    contacts_stale: bool = False

    @classmethod
    def of(cls, number: int | None, held: Held | None) -> "Page":
        """What the mirror keeps."""
        if held is None:
            return cls(number=number)
        return cls(number=number, held=held, body=held.body, contacts=list(held.contacts))

    def record(self, part: EconomicPart) -> Body | None:
        """The body of the record a part is about."""
        if part.record == "customer":
            return self.body
        return next((one for one in self.contacts if mapping.contact_number(one) == part.number), None)

    def knows(self, part: EconomicPart) -> bool:
        """Whether it is known how that record stands, also that it is not there."""
        if part.record == "customer":
            return self.body is not None or self.customer_fresh or (self.held is not None and self.held.absent)
        return self.contacts_fresh or self.record(part) is not None

    def forget(self) -> None:
        """This customer has no number: whatever was seen under one belongs to somebody else."""
        self.number = self.body = self.held = None
        self.contacts = []
        self.seen = self.missing = self.customer_stale = self.contacts_stale = False

    def touched(self, part: EconomicPart) -> None:
        """A write went to that record: it has to be read back."""
        if part.record == "customer":
            self.customer_stale = True
        else:
            self.contacts_stale = True

    def read(self, calls: Calls, part: EconomicPart) -> None:
        """Read what that part is about, unless it was just read."""
        if part.record == "customer":
            self.read_customer(calls)
        else:
            self.read_contacts(calls)

    def read_customer(self, calls: Calls) -> None:
        """One call, unless the customer was just read."""
        if self.number is None or (self.customer_fresh and not self.customer_stale):
            return
        self.body = look.customer(calls, self.number)
        self.missing = self.body is None
        self.seen = self.customer_fresh = True
        self.customer_stale = False

    def read_contacts(self, calls: Calls) -> None:
        """One call, unless the contact persons were just read."""
        if self.number is None or (self.contacts_fresh and not self.contacts_stale):
            return
        self.contacts = look.contacts_of(calls, self.number)
        self.seen = self.contacts_fresh = True
        self.contacts_stale = False

    def complete(self, calls: Calls) -> None:
        """Read back what was written, and whatever is missing for a whole state."""
        unknown = self.held is None or (self.held.body is None and not self.held.absent)
        if self.customer_stale or (self.body is None and not self.missing and (unknown or self.seen)):
            self.read_customer(calls)
        if not self.missing and (self.contacts_stale or (unknown and self.seen)):
            self.read_contacts(calls)
