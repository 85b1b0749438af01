"""What is worth telling of late beside how a customer stands? A value that is kept with its link for a while."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

Kind = Literal["put_back", "shortened", "renumbered", "kept", "not_found"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One thing worth telling, since when, and of which detail; of a contact person's, ``detail`` begins with ``contact.``.

    ``limit``: so many characters e-conomic holds of it. ``old`` and ``new``: customer numbers. ``values`` is a mark of what
    both sides held of the detail then: with another one, it was edited since.
    """

    kind: Kind
    at: datetime
    record: UUID | None = None
    detail: str = ""
    limit: int | None = None
    old: int | None = None
    new: int | None = None
    values: str = ""
