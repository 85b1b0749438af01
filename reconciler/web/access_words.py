"""In which words is the access to e-conomic told? Each check and each reason in its own sentence, and what to do about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from reconciler import checks
from reconciler.agreement import Agreement
from reconciler.checks import Cause, Check, How, Lack, Name, StageName
from reconciler.web.words import Words

NAMES: Final[dict[Name, str]] = {
    "access": "Access", "agreement": "Agreement", "module": "API module", "role": "Role", "webhooks": "Webhooks",
    "limits": "Limits",
}  # fmt: skip
SENTENCES: Final[dict[Cause, str]] = {
    "revoked": "e-conomic has refused our access since {time}. Nothing is lost. An administrator must reconnect.",
    "refused": "e-conomic has refused our access since {time}. Nothing is lost.",
    "other_agreement": "The access is for another agreement than {no}. Nothing is sent. An administrator must reconnect.",
    "api_missing": "Your e-conomic subscription has no API access. Add it in e-conomic under All settings, then try again.",
    "role_small": "The access you gave may not change customers. Give access again as a user who may.",
    "closed": "Agreement {no} is closed at e-conomic. Contact e-conomic, then reconnect.",
    "away": "e-conomic is not answering right now. We keep trying. You can close this page.",
    "paused": "Whoever runs the server has stopped every call since {time}. Everything waits and is sent afterwards.",
    "throttled": "e-conomic takes no more calls before {time}. Everything waits and is sent then.",
    "webhooks_role": "The access you gave may not create webhooks (needs a SuperUser). Everything else works. "
    "We check e-conomic every minute instead.",
    "webhooks_taken": "e-conomic already has a customer webhook that we cannot see. Use the manual guide, or let us "
    "check every minute.",
    "webhooks_refused": "e-conomic would not create our webhook. We check every minute instead. Technical: {code}",
    "webhooks_unwanted": "Not used: you chose regular checks.",
    "webhooks_later": "Made when the integration is turned on.",
}
PLAIN: Final[dict[How, str]] = {
    "ok": "OK", "limited": "Works without", "bad": "Refused", "waits": "Waits", "unknown": "Not known yet",
}  # fmt: skip
STAGES: Final[dict[StageName, str]] = {
    "access": "Access to e-conomic", "rules": "Defaults and rules", "receive": "From e-conomic to Clickmate",
    "preview": "See what will happen (nothing is saved yet)", "on": "Turn the integration on",
}  # fmt: skip
STAGE_PAGES: Final[dict[StageName, str]] = {
    "access": "set-up#access", "rules": "set-up/new-customers", "receive": "set-up#receive", "preview": "set-up/preview",
    "on": "set-up/switch-on",
}  # fmt: skip
"""Where each is done."""
LACKS: Final[dict[Lack, str]] = {
    "defaults": "Default values", "rules": "Directions and rules", "transfer": "Which new customers are transferred",
    "receive": "How changes come to Clickmate",
}  # fmt: skip
LACK_PAGES: Final[dict[Lack, str]] = {
    "defaults": "set-up/new-customers", "rules": "set-up/details", "transfer": "set-up#transfer",
    "receive": "set-up#receive",
}  # fmt: skip
Step = Literal["connect", "reconnect", "try_again", "none"]
"""The one next step."""
_STEPS: Final[dict[Cause, Step]] = {
    "revoked": "reconnect", "other_agreement": "reconnect", "role_small": "reconnect", "closed": "reconnect",
    "api_missing": "try_again",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One check in words. ``text`` is empty where there is no more to say than how it is."""

    check: Check
    name: str
    how: str
    text: str


def lines(words: Words, known: Agreement) -> Sequence[Line]:
    """The live checks in words."""
    return [
        Line(check=one, name=words(NAMES[one.name]), how=words(PLAIN[one.how]), text=sentence(words, known, one))
        for one in checks.checks(known, words.now)
    ]


def sentence(words: Words, known: Agreement, one: Check) -> str:
    """Why a check is not right; nothing where it is."""
    if not one.cause:
        return ""
    return words(SENTENCES[one.cause], time=_time(words, known, one.cause), no=known.agreement, code=one.code)


def _time(words: Words, known: Agreement, cause: Cause) -> str:
    until, paused = known.reach.throttled_until, known.reach.paused_since
    if cause == "throttled" and until is not None:
        return words.brief(until)
    return words.since(paused if cause == "paused" and paused is not None else known.lost_since or known.changed)


def step(known: Agreement | None) -> Step:
    """What an admin does next about the access."""
    match checks.state(known):
        case "not_connected" | "disconnected":
            return "connect"
        case "lost" if known is not None:
            return _STEPS.get(checks.lost_because(known), "reconnect")
        case _:
            return "none"
