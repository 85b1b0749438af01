"""Which of e-conomic's open questions are answered how? The sandbox's switches, all changeable while it runs."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeGuard


class BadSetting(Exception):
    """A switch that does not exist, or a value it cannot take."""


@dataclass(slots=True, kw_only=True)
class Settings:
    """Times in seconds unless the name says milliseconds. The defaults take the harsher reading where sources differ."""

    latency_ms: float = 0.0
    """How long every call takes, half before the work and half after it."""
    put_status: Literal[200, 204] = 204
    delete_status: Literal[200, 204] = 204
    omit_false: bool = False
    """Leave false flags out of answers, as the documentation says; recorded answers carry them."""
    language: Literal["en", "da"] = "en"
    """The language of the error texts."""
    cursor_page: int = 1000
    bucket_limit: float = 10_000
    bucket_window: float = 60.0
    bucket_refill: Literal["steady", "window"] = "steady"
    cost_get: float = 1
    cost_list: float = 3
    cost_write: float = 3
    cost_text: str = ""
    """Sent as ``X-CallCost`` instead of the figure: one observer saw a letter."""
    idempotency_seconds: float = 3600.0
    idempotency_mismatch: Literal["first", "refuse", "run"] = "first"
    """The same key with another body: the first answer again, refused, or done anew."""
    idempotency_errors: bool = False
    """Keep refusals under their key too."""
    deleted_contacts: Literal["listed", "gone"] = "listed"
    contact_hooks: bool = False
    """Whether a change of a contact person fires ``CUSTOMER_UPDATED``."""
    contact_bumps_customer: bool = False
    """Whether a change of a contact person moves its customer's ``lastUpdated`` and ``objectVersion``."""
    merge_both: bool = False
    """Both merge fields on creating and deleting; else the one that has no sense stays empty."""
    hook_timeout: float = 10.0
    hook_gaps: list[float] = field(default_factory=lambda: [1.0, 5.0, 30.0, 120.0])
    """Waits before the second, third ... try of a webhook."""
    hook_disable_after: int = 0
    """Disable a webhook after so many deliveries given up in a row; 0 = never."""
    webhook_http: bool = False
    """Take http addresses on loopback for webhooks; the real one takes https only."""

    def change(self, wanted: Mapping[str, Any]) -> None:
        """Sets what is named; raises ``BadSetting`` and changes nothing if anything named is wrong."""
        known = {entry.name: entry for entry in dataclasses.fields(self)}
        for name, value in wanted.items():
            if name not in known:
                raise BadSetting(f"no such setting: {name}")
            if not _fits(value, getattr(self, name), name):
                raise BadSetting(f"{name} cannot be {value!r}")
        for name, value in wanted.items():
            setattr(self, name, value)

    def shown(self) -> dict[str, Any]:
        """All switches as JSON."""
        return dataclasses.asdict(self)


_CHOICES: dict[str, tuple[object, ...]] = {
    "put_status": (200, 204),
    "delete_status": (200, 204),
    "language": ("en", "da"),
    "bucket_refill": ("steady", "window"),
    "idempotency_mismatch": ("first", "refuse", "run"),
    "deleted_contacts": ("listed", "gone"),
}
_POSITIVE = {"cursor_page", "bucket_limit", "bucket_window", "hook_timeout"}


def _fits(value: object, now: object, name: str) -> bool:
    if name in _CHOICES:
        return value in _CHOICES[name]
    if isinstance(now, bool):
        return isinstance(value, bool)
    if isinstance(now, str):
        return isinstance(value, str)
    if isinstance(now, list):
        return isinstance(value, list) and all(_number(part) for part in value)
    return _number(value) and (value > 0 if name in _POSITIVE else value >= 0)


def _number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
