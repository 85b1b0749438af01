"""Who is at the page, and what may they do? A person of one tenant with a role; rights are read off the role and settings."""

from dataclasses import dataclass
from typing import Final, Literal

Role = Literal["reader", "user", "admin"]
Language = Literal["da", "en"]
Right = Literal["see", "settle", "create", "bulk", "undo_others", "administer"]
_OF_USERS: Final[frozenset[Right]] = frozenset({"see", "settle"})
_BY_SETTING: Final[frozenset[Right]] = frozenset({"create", "bulk", "undo_others"})
"""What users may do unless an admin keeps it for admins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody whom the CRM vouched for, or an API key, which acts under its name."""

    tenant: str
    id: str
    name: str
    role: Role
    mail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What an admin kept for admins: creating in e-conomic, and settling many at once with undoing what others did."""

    create: bool = False
    bulk: bool = False


def may(role: Role, right: Right, kept: Kept = Kept()) -> bool:
    """Whether that role has that right in a tenant with those settings."""
    if role == "admin" or right == "see":
        return True
    if role == "reader":
        return False
    if right in _BY_SETTING:
        return not (kept.create if right == "create" else kept.bulk)
    return right in _OF_USERS
