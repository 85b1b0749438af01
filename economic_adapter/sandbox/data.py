"""What does e-conomic hold? Agreements with customers, contact persons, webhooks and choices, and who may ask."""

import random
import threading
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from economic_adapter.sandbox.delivery import Hook, Outgoing
from economic_adapter.sandbox.faults import Faults
from economic_adapter.sandbox.fields import Json
from economic_adapter.sandbox.settings import Settings
from economic_adapter.sandbox.wire import Answer

AGREEMENT = 123456
APP_SECRET = "sandbox-app-secret"  # noqa: S105 - invented, and the same for everyone
APP_PUBLIC = "sandbox-app-public"
GRANT = "sandbox-grant"


@dataclass(slots=True, kw_only=True)
class Customer:
    """One customer; ``values`` under the names of the Customers API, without number and version."""

    number: int
    values: Json
    version: str
    updated: datetime
    in_use: bool = False


@dataclass(slots=True, kw_only=True)
class Contact:
    """One contact person; deleted ones stay."""

    number: int
    customer: int
    shown_number: int
    values: Json
    version: str
    updated: datetime
    deleted: bool = False
    in_use: bool = False


@dataclass(slots=True, kw_only=True)
class Webhook:
    """One webhook; ``app`` none was made by hand in e-conomic's own pages."""

    event: str
    app: str | None
    values: Json
    version: str
    updated: datetime
    method: str = "POST"
    disabled_at: datetime | None = None
    failed: int = 0


@dataclass(slots=True, kw_only=True)
class Choice:
    """One row of reference data; ``closed`` may no longer be chosen for a customer."""

    number: int
    name: str
    closed: bool = False
    more: Json = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class App:
    """An app as its developer made it."""

    secret: str
    public: str
    name: str


@dataclass(slots=True, kw_only=True)
class Grant:
    """An agreement's permission for one app; ``read_only`` as the public demo agreement's."""

    token: str
    app: str
    agreement: int
    role: str = "SuperUser"
    missing_modules: list[str] = field(default_factory=list)
    revoked: bool = False
    read_only: bool = False


@dataclass(slots=True, kw_only=True)
class Agreement:
    """One company's e-conomic."""

    number: int
    name: str
    cvr: str = "13748136"
    customers: dict[int, Customer] = field(default_factory=dict)
    contacts: dict[int, Contact] = field(default_factory=dict)
    contacts_of: dict[int, dict[int, Contact]] = field(default_factory=dict)
    webhooks: dict[str, Webhook] = field(default_factory=dict)
    last_contact: int = 0
    groups: dict[int, Choice] = field(default_factory=lambda: _choices("Danske kunder", "Udenlandske kunder"))
    terms: dict[int, Choice] = field(
        default_factory=lambda: {
            1: Choice(number=1, name="Netto 8 dage", more={"daysOfCredit": 8, "paymentTermsType": "net"}),
            2: Choice(number=2, name="Netto 14 dage", more={"daysOfCredit": 14, "paymentTermsType": "net"}),
            3: Choice(number=3, name="Lb. md. 30 dage", more={"daysOfCredit": 30, "paymentTermsType": "invoiceMonth"}),
            4: Choice(
                number=4, name="Spærret betingelse", closed=True, more={"daysOfCredit": 0, "paymentTermsType": "net"}
            ),
        }
    )
    zones: dict[int, Choice] = field(
        default_factory=lambda: {
            **_choices("Indland", "EU", "Udland", "Indland ekskl. moms"),
            5: Choice(number=5, name="Projektkonto", closed=True),
        }
    )
    currencies: dict[str, tuple[str, str]] = field(
        default_factory=lambda: {
            "DKK": ("Danske kroner", "208"),
            "EUR": ("Euro", "978"),
            "NOK": ("Norske kroner", "578"),
            "SEK": ("Svenske kroner", "752"),
            "USD": ("US dollar", "840"),
        }
    )
    setup_version: str = "0000000000000001"


def _choices(*names: str) -> dict[int, Choice]:
    return {number: Choice(number=number, name=name) for number, name in enumerate(names, 1)}


@dataclass(slots=True)
class Kept:
    """An answer kept under an idempotency key."""

    at: float
    request: bytes
    answer: Answer


@dataclass(slots=True)
class Bucket:
    """Tokens used, as of a time."""

    used: float
    at: float


class Data:
    """Everything the sandbox knows. Hold ``lock`` while reading or changing agreements, grants or kept answers."""

    def __init__(self, *, settings: Settings | None = None, seed: int | None = None) -> None:
        self.lock = threading.RLock()
        self.settings = settings or Settings()
        self.faults = Faults()
        self.outgoing = Outgoing(self.settings, self.faults)
        self.closing = threading.Event()
        self.errors: list[str] = []
        self._first = self.settings.shown()
        self._random = random.Random(seed)
        self._skew = 0.0
        self.reset()

    def reset(self) -> None:
        """Everything as at the start: the default agreement without customers, switches, no faults, no counts."""
        with self.lock:
            self.settings.change(self._first)
            self.faults.clear()
            self.outgoing.forget()
            self.apps = {APP_SECRET: App(secret=APP_SECRET, public=APP_PUBLIC, name="Clickmate CRM")}
            self.apps["demo"] = App(secret="demo", public="demo", name="Demo")  # noqa: S106 - published
            self.agreements: dict[int, Agreement] = {}
            self.grants: dict[str, Grant] = {}
            self.kept: dict[tuple[str, int, str], Kept] = {}
            self.buckets: dict[tuple[str, int], Bucket] = {}
            self.calls: Counter[str] = Counter()
            self.recent: deque[dict[str, Any]] = deque(maxlen=5000)
            self.add_agreement(AGREEMENT, "Nordhavn Tømrer ApS", GRANT)
            self.add_agreement(1, "Demo ApS", "demo", app="demo").cvr = "10150817"
            self.grants["demo"].read_only = True

    def add_agreement(self, number: int, name: str, grant: str, *, app: str = APP_SECRET) -> Agreement:
        """One more company, which has given an app access."""
        with self.lock:
            self.agreements[number] = Agreement(number=number, name=name)
            self.add_grant(grant, app, number)
            return self.agreements[number]

    def add_grant(self, token: str, app: str, agreement: int) -> None:
        """Lets the app of that secret into an agreement."""
        self.grants[token] = Grant(token=token, app=app, agreement=agreement)

    def forget_calls(self) -> None:
        """Counts calls from nought again."""
        with self.lock:
            self.calls.clear()
            self.recent.clear()

    def agreement(self, number: int = AGREEMENT) -> Agreement:
        """The agreement of that number; raises ``KeyError``."""
        return self.agreements[number]

    def now(self) -> datetime:
        """The time, in whole seconds as e-conomic stamps."""
        return (datetime.now(UTC) + timedelta(seconds=self._skew)).replace(microsecond=0)

    def clock(self) -> float:
        """Seconds that only go forward, for buckets and kept answers."""
        return time.monotonic() + self._skew

    def advance(self, seconds: float) -> None:
        """Moves the sandbox's time forward."""
        self._skew += seconds

    def pause(self, seconds: float) -> None:
        """Waits, at most until the sandbox closes."""
        if seconds > 0:
            self.closing.wait(seconds)

    def version(self) -> str:
        """A new ``objectVersion``."""
        return f"{self._random.getrandbits(64):016x}"

    def token(self) -> str:
        """A new grant token."""
        return f"grant-{self._random.getrandbits(160):040x}"

    def fire(self, agreement: Agreement, event: str, old: int | None, new: int | None) -> None:
        """Sends the agreement's webhook for that event, if there is one and it is not disabled."""
        webhook = agreement.webhooks.get(event)
        if webhook is None or webhook.values.get("isDisabled"):
            return
        if self.settings.merge_both:
            old, new = old or new, new or old
        merged = {"[OLDNUMBER]": str(old or ""), "[NEWNUMBER]": str(new or "")}
        url, body = webhook.values["url"], webhook.values.get("postData", "")
        for name, value in merged.items():
            url, body = url.replace(name, value), body.replace(name, value)
        headers = {pair["key"]: pair["value"] for pair in webhook.values.get("customHeaders", [])}
        self.outgoing.fire(
            Hook(
                url=url,
                method=webhook.method,
                headers={**headers, "Content-Type": webhook.values["contentType"]},
                body=body.encode() if webhook.method == "POST" else b"",
                about={"agreement": agreement.number, "event": event, "old": old, "new": new},
                done=lambda arrived: self._delivered(webhook, arrived=arrived),
            )
        )

    def _delivered(self, webhook: Webhook, *, arrived: bool) -> None:
        with self.lock:
            webhook.failed = 0 if arrived else webhook.failed + 1
            limit = self.settings.hook_disable_after
            if limit and webhook.failed >= limit and not webhook.values.get("isDisabled"):
                webhook.values["isDisabled"] = True
                webhook.disabled_at = webhook.updated = self.now()
                webhook.version = self.version()
