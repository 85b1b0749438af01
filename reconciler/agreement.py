"""What is an agreement to the reconciler: its switch, its settings, and the rules they give a step? Values only."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Literal, NamedTuple
from uuid import UUID

from pydantic import TypeAdapter

from economic_adapter.contract import AgreementObserved, ConfigureAgreement, Defaults, Figures
from reconciler import freshness
from reconciler.freshness import Reach
from reconciler.halts import Halts
from reconciler.link import Link, LinkState
from reconciler.rules import Area, Rule, Rules, System, Transfer

STATES = ("connected", "reading", "switching_on", "on", "refused", "off", "access_lost", "disconnected")
"""``refused``: switching on was refused. ``connected``: access was given, and it was never switched on."""

Inactive = Literal["flows", "rests"]
"""What becomes of a customer that is inactive in the CRM."""
Removed = Literal["keep", "remove"]
"""What becomes of a contact person in one system who is removed in the other, from then on."""

_CHOSEN = TypeAdapter(dict[str, dict[str, Rule]])
_DEFAULTS = TypeAdapter(dict[Area, Defaults])
_HALTS = TypeAdapter(Halts)
_PAUSED = TypeAdapter(frozenset[System])
_REMOVED = {System.CRM: "gone_there", System.ECONOMIC: "gone_here"}


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementState:
    """What a step needs of an agreement; the rules are still the stored text."""

    state: str
    since: datetime | None
    transfer: str
    rules: str
    defaults: str
    paused: str
    busy: bool
    pilot: str | None
    receive: bool
    inactive: str
    gone_there: str
    gone_here: str
    flows_first: bool
    numbers: str
    read: bool
    """Whether both sides have been read in full."""

    def as_rules(self, resend: timedelta) -> Rules:
        """The rules a step goes by; read once for each version of them."""
        return _rules(self, resend)

    @property
    def chosen(self) -> Mapping[str, Mapping[str, Rule]]:
        """The rules an admin chose, by kind of record and detail; what is missing has the rule of ``fields``."""
        return _CHOSEN.validate_json(self.rules)

    def choosing(self, chosen: Mapping[str, Mapping[str, Rule]]) -> "AgreementState":
        """The same with these rules."""
        return replace(self, rules=_CHOSEN.dump_json({kind: dict(rules) for kind, rules in chosen.items()}).decode())

    def rules_for(self, link: Link, resend: timedelta) -> Rules:
        """The rules for that link: what has none waits while a run is carried out; one being tried out flows alone."""
        rules = self.as_rules(resend)
        if self.busy and link.state is LinkState.UNLINKED:
            return replace(rules, agreement="connected") if rules.agreement == "on" else rules
        if self.pilot is not None and link.crm_id == self.pilot:
            on = rules.agreement in {"connected", "off"}
            return replace(rules, flows_first=True, agreement="on" if on else rules.agreement)
        return rules


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """An agreement as people and the clock look at it. ``customers`` is what e-conomic counted last, when it did."""

    tenant: str
    agreement: int
    name: str
    state: str
    reason: str
    asked: datetime | None
    since: datetime | None
    changed: datetime
    """When its state was another last."""
    customers: int | None
    transfer: str
    number_from: int | None
    number_to: int | None
    """Between which numbers new customers get theirs."""
    seen: datetime | None
    operation: UUID | None
    configure: ConfigureAgreement | None
    due: datetime | None
    resent: int
    defaults: Mapping[Area, Defaults]
    read_at: datetime | None = None
    run: UUID | None = None
    """The run that read both sides last."""
    busy: UUID | None = None
    pilot: str | None = None
    pilot_skipped: datetime | None = None
    receive: bool = True
    inactive: Inactive = "flows"
    gone_there: Removed = "keep"
    """What becomes here of who is removed in e-conomic."""
    gone_here: Removed = "keep"
    """What becomes there of who is removed in the CRM."""
    flows_first: bool = True
    """Whether customers flow by themselves from when they are linked, transferred or created."""
    halts: Halts = ()
    """Which directions an admin paused."""
    brake_customers: int = 20
    brake_percent: int = 5
    reach: Reach = field(default_factory=Reach)
    reach_at: datetime | None = None
    """When that was told to be so."""
    webhooks: str = "none"
    polling: bool = True
    figures: Figures | None = None
    """How the adapter fares with it, as it last told."""
    told: AgreementObserved | None = None
    """What the adapter told of it last, without its reference data."""
    lost_since: datetime | None = None
    """Since when e-conomic refuses us, also while it is off here."""
    confirmed: datetime | None = None
    """When an admin said that it is the right one."""
    hooks: bool = True
    """Whether e-conomic is to tell of changes by itself, beside the regular checks."""
    rules_seen: datetime | None = None
    """When an admin first saw where details may be changed, and who decides."""
    transfer_chosen: datetime | None = None
    """When an admin first said which new customers are transferred."""
    receive_chosen: datetime | None = None
    """When an admin first said how changes come to Clickmate."""

    @property
    def is_asked_about(self) -> bool:
        """Whether nobody has said yet that it is the right one, nor gone on with it."""
        return self.confirmed is None and self.since is None and self.run is None and self.state == "connected"

    @property
    def takes_strangers(self) -> bool:
        """Whether what e-conomic alone has may be linked or created in the CRM by itself: on, received, both sides read."""
        return self.state in {"on", "access_lost"} and self.receive and self.read_at is not None and self.busy is None


class Chosen(NamedTuple):
    """An agreement, and whether it was ever switched on: only then do links stand in it."""

    agreement: int
    was_on: bool


def state_of(row: Mapping[str, Any], prefix: str = "") -> AgreementState:
    """What a step needs, of a row that holds it under that prefix."""
    return AgreementState(
        state=row[f"{prefix}state"],
        since=row[f"{prefix}since"],
        transfer=row[f"{prefix}transfer"],
        rules=row[f"{prefix}rules"],
        defaults=row[f"{prefix}defaults"],
        paused=row[f"{prefix}paused"],
        busy=row[f"{prefix}busy"] is not None,
        pilot=row[f"{prefix}pilot"],
        receive=row[f"{prefix}receive"],
        inactive=row[f"{prefix}inactive"],
        gone_there=row[f"{prefix}gone_there"],
        gone_here=row[f"{prefix}gone_here"],
        flows_first=row[f"{prefix}flows_first"],
        numbers=f"{row[f'{prefix}number_from']}-{row[f'{prefix}number_to']}",
        read=row[f"{prefix}read_at"] is not None,
    )


@lru_cache(maxsize=1024)
def _rules(state: AgreementState, resend: timedelta) -> Rules:
    chosen = _CHOSEN.validate_json(state.rules)
    known: Any = dict.fromkeys(("switching_on", "refused", "reading"), "connected").get(state.state, state.state)
    return Rules(
        agreement=known,
        since=state.since,
        customer=chosen.get("customer", {}),
        contact=chosen.get("contact", {}),
        transfer=Transfer(state.transfer),
        defaults=_DEFAULTS.validate_json(state.defaults),
        paused=_PAUSED.validate_json(state.paused),
        receive=state.receive,
        inactive_rests=state.inactive == "rests",
        flows_first=state.flows_first,
        numbers=state.numbers,
        removes=frozenset(system for system, kept in _REMOVED.items() if getattr(state, kept) == "remove"),
        resend=resend,
    )


def agreement_of(row: Mapping[str, Any]) -> Agreement:
    """An agreement of its row."""
    configure = row["configure"]
    figures = None if row["figures"] is None else Figures.model_validate(row["figures"])
    return Agreement(
        tenant=row["tenant"],
        agreement=row["agreement"],
        name=row["name"],
        state=row["state"],
        reason=row["reason"],
        asked=row["asked"],
        since=row["since"],
        changed=row["changed"],
        customers=row["customers"],
        transfer=row["transfer"],
        number_from=row["number_from"],
        number_to=row["number_to"],
        seen=row["seen"],
        operation=row["operation"],
        configure=None if configure is None else ConfigureAgreement.model_validate(configure),
        due=row["due"],
        resent=row["resent"],
        defaults=_DEFAULTS.validate_python(row["defaults"]),
        read_at=row["read_at"],
        run=row["run"],
        busy=row["busy"],
        pilot=row["pilot"],
        pilot_skipped=row["pilot_skipped"],
        receive=row["receive"],
        inactive=row["inactive"],
        gone_there=row["gone_there"],
        gone_here=row["gone_here"],
        flows_first=row["flows_first"],
        halts=_HALTS.validate_python(row["halts"]),
        brake_customers=row["brake_customers"],
        brake_percent=row["brake_percent"],
        reach=Reach(
            down_since=row["down_since"],
            throttled_until=row["next_call"],
            paused_since=row["paused_since"],
            checked=row["polling"] and row["webhooks"] != "refused" and not freshness.lags(figures),
        ),
        reach_at=row["reach_at"],
        webhooks=row["webhooks"],
        polling=row["polling"],
        figures=figures,
        told=None if row["told"] is None else AgreementObserved.model_validate(row["told"]),
        lost_since=row["lost_since"],
        confirmed=row["confirmed"],
        hooks=row["hooks"],
        rules_seen=row["rules_seen"],
        transfer_chosen=row["transfer_chosen"],
        receive_chosen=row["receive_chosen"],
    )
