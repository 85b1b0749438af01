"""What stands in e-conomic's books? Customers and their contact persons, each a body with a version of its own."""

from dataclasses import dataclass, field

from economic_adapter import mapping
from economic_adapter.mapping import Body


@dataclass
class Person:
    """A contact person there. ``key`` is the record's name in the truth."""

    key: str
    body: Body
    made_by: str
    shown: str = ""
    """The version that was shown last."""


@dataclass
class There:
    """A customer there. ``who`` is the real company, ``key`` the record's name in the truth."""

    key: str
    who: str
    body: Body
    made_by: str
    born: int
    persons: dict[int, Person] = field(default_factory=dict)

    _read: tuple[str, dict[str, str]] = ("", {})

    @property
    def values(self) -> dict[str, str]:
        """Our fields of it."""
        version = str(self.body["objectVersion"])
        if self._read[0] != version:
            self._read = version, mapping.customer_values(self.body)
        return self._read[1]
