"""What is known of our access to an agreement? Where it stands, and the live checks, one line each: values only.

Every check says what was seen last, and nothing it cannot know: while e-conomic refuses us or does not answer, what stands
behind the refusal is not known.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, get_args

from economic_adapter.contract import refusal
from reconciler.agreement import Agreement
from reconciler.rules import Area

State = Literal["not_connected", "asks", "connected", "lost", "disconnecting", "disconnected"]
Name = Literal["access", "agreement", "module", "role", "webhooks", "limits"]
StageName = Literal["access", "rules", "receive", "preview", "on"]
Lack = Literal["defaults", "rules", "transfer", "receive", "webhook"]
"""What a step still lacks. ``receive``: that somebody chooses. ``webhook``: that the first one comes."""
How = Literal["ok", "limited", "bad", "waits", "unknown"]
"""``limited``: it works without. ``waits``: by itself it will be right again."""
Cause = Literal[
    "", "revoked", "refused", "other_agreement", "api_missing", "role_small", "closed", "away", "paused", "throttled",
    "webhooks_role", "webhooks_taken", "webhooks_refused", "webhooks_unwanted", "webhooks_later",
]  # fmt: skip

DAY: Final = 45_000
"""Calls a day that we make at most of the 50,000 that e-conomic calls fair."""
_OF: Final[dict[Cause, Name]] = {
    "revoked": "access", "other_agreement": "agreement", "closed": "agreement", "api_missing": "module", "role_small": "role",
}  # fmt: skip
"""Which of the checks a refusal is about."""
_TAKEN: Final = "AlreadyExists"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One line: how that is, and why it is not right, with e-conomic's own code where it has one."""

    name: Name
    how: How
    cause: Cause = ""
    code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One of the five steps of setting up, whether it is done, and what it lacks where that is more than the step itself."""

    name: StageName
    done: bool
    lacks: tuple[Lack, ...] = ()


def stages(known: Agreement | None, now: datetime, *, previewed: bool, tried: bool) -> Sequence[Stage]:
    """The five steps: what is done ticks itself. ``previewed``: both sides were read and shown; ``tried``: so was one customer,
    or somebody chose to do without."""
    if known is None or known.state == "disconnected":
        return tuple(Stage(name=name, done=False) for name in get_args(StageName))
    found = checks(known, now)
    is_on = known.state in {"on", "access_lost"}
    rules, receive = _rules_lack(known), _receive_lacks(known)
    done: dict[StageName, bool] = {
        "access": state(known) == "connected" and not any(one.how in {"bad", "unknown"} for one in found[:4]),
        "rules": not rules,
        "receive": not receive,
        "preview": is_on or (previewed and (tried or known.pilot_skipped is not None)),
        "on": is_on,
    }
    lacks = {"rules": rules, "receive": receive}
    return tuple(Stage(name=name, done=one, lacks=lacks.get(name, ())) for name, one in done.items())


def next_of(found: Sequence[Stage]) -> StageName | None:
    """The first step that a person can do something about now; none where all are done."""
    return next((one.name for one in found if not one.done), None)


def _rules_lack(known: Agreement) -> tuple[Lack, ...]:
    there: dict[Lack, bool] = {
        "defaults": set(known.defaults) == set(Area),
        "rules": known.rules_seen is not None,
        "transfer": known.transfer_chosen is not None,
    }
    return tuple(name for name, is_there in there.items() if not is_there)


def _receive_lacks(known: Agreement) -> tuple[Lack, ...]:
    """Nothing where regular checks, or nothing at all, was chosen, and none where a webhook came.

    A webhook is made when the integration is turned on: until then choosing it is all there is to do.
    """
    figures = known.figures
    if not (known.receive and known.hooks) or (figures is not None and (figures.hooked or figures.by_hand)):
        return ()
    if known.told is None or known.told.webhooks == "none":
        return ("receive",) if known.receive_chosen is None else ()
    return ("webhook",)


def state(known: Agreement | None) -> State:
    """Where the access to an agreement stands, as far as it was told."""
    if known is None:
        return "not_connected"
    if known.state == "disconnected":
        return "disconnected"
    if known.configure is not None and known.configure.disconnect:
        return "disconnecting"
    if is_lost(known):
        return "lost"
    return "asks" if known.is_asked_about else "connected"


def is_lost(known: Agreement) -> bool:
    """Whether e-conomic refuses us, on or off."""
    return known.state == "access_lost" or known.lost_since is not None


def lost_because(known: Agreement) -> Cause:
    """Why e-conomic refuses us; empty while it does not."""
    return refusal(_code(known)) if is_lost(known) else ""


def checks(known: Agreement, now: datetime) -> Sequence[Check]:
    """The live checks of an agreement, in their order."""
    lost = lost_because(known)
    if lost:
        return _refused(known, lost)
    seen: How = "unknown" if known.told is None else "ok"
    return (
        _access(known, seen),
        Check(name="agreement", how=seen),
        Check(name="module", how=seen),
        Check(name="role", how=seen),
        _webhooks(known),
        _limits(known, now),
    )


def _access(known: Agreement, seen: How) -> Check:
    if known.reach.paused_since is not None:
        return Check(name="access", how="waits", cause="paused")
    return Check(name="access", how="waits", cause="away") if known.reach.down_since else Check(name="access", how=seen)


def _refused(known: Agreement, lost: Cause) -> Sequence[Check]:
    about = _OF.get(lost, "access")
    others: tuple[Name, ...] = ("agreement", "module", "role", "webhooks", "limits")
    here = about == "access"
    found = [Check(name="access", how="bad", cause=lost if here else "refused", code=_code(known) if here else "")]
    for name in others:
        bad = name == about
        code = _code(known) if bad else ""
        found.append(Check(name=name, how="bad" if bad else "unknown", cause=lost if bad else "", code=code))
    return found


def _webhooks(known: Agreement) -> Check:
    told = known.told
    by_hand = known.figures is not None and known.figures.by_hand is not None
    if known.hooks and by_hand:
        return Check(name="webhooks", how="ok")
    if not known.hooks:
        return Check(name="webhooks", how="limited", cause="webhooks_unwanted")
    if told is None:
        return Check(name="webhooks", how="unknown")
    match told.webhooks:
        case "registered":
            return Check(name="webhooks", how="ok")
        case "none":
            return Check(name="webhooks", how="unknown", cause="webhooks_later")
        case "refused":
            code = told.cause.removeprefix("webhook:")
            return Check(name="webhooks", how="limited", cause=_webhook_cause(code), code=code)


def _webhook_cause(code: str) -> Cause:
    if _TAKEN in code:
        return "webhooks_taken"
    return "webhooks_role" if code.startswith("AccessDenied") or code == "status_403" else "webhooks_refused"


def _limits(known: Agreement, now: datetime) -> Check:
    if known.told is None:
        return Check(name="limits", how="unknown")
    until = known.reach.throttled_until
    if until is not None and now < until:
        return Check(name="limits", how="waits", cause="throttled")
    return Check(name="limits", how="ok")


def calls(known: Agreement) -> tuple[int, int] | None:
    """How many calls were made today, and after how many only people and edits are served; none while nothing was told."""
    if known.figures is not None:
        return known.figures.calls, known.figures.most
    return None if known.told is None else (known.told.calls_today, DAY)


def _code(known: Agreement) -> str:
    if known.told is not None and known.told.state == "access_lost":
        return known.told.cause
    return known.reason
