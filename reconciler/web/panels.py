"""What stands on the small panel that a button of the status opens? What it would do, in words; read only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal
from uuid import UUID

from reconciler import decided, flowing, offer, pressing, store, views
from reconciler.beside import Row
from reconciler.decided import Saved
from reconciler.link import Link
from reconciler.offer import Hindrance, Offer
from reconciler.overwriting import Left, Overwriting, overwriting
from reconciler.person import Person
from reconciler.rehearsal import Write
from reconciler.web import rule_words
from reconciler.web.asks import shown
from reconciler.web.doors import Unknown
from reconciler.web.reasons import named, named_in, one_side, refused
from reconciler.web.says import LABELS
from reconciler.web.site import Site
from reconciler.web.words import Words

Panel = Literal["update", "create", "flow", "unlink"]

HINDRANCES: Final[Mapping[Hindrance, str]] = {
    "linked": "The customer is in e-conomic already.",
    "under_way": "Being created in e-conomic ...",
    "gone": "The customer is not in Clickmate any more.",
    "unsendable": "The customer holds characters or amounts we cannot send. Correct it in Clickmate first.",
    "name": "The customer lacks a name that e-conomic can hold.",
    "country": "The country is missing. We do not know which VAT zone the customer should have.",
    "defaults": "An administrator must first choose customer group, VAT zone and payment terms under Set-up.",
    "off": "The integration is off",
    "busy": "A transfer is under way. Try again when it is done.",
    "many": "Many customers in e-conomic may be this one. Choose on the customer's page.",
}
LEFT: Final[Mapping[Left, str]] = {
    "changed_there": "{Detail} was changed in e-conomic and is left alone.",
    "only_there": "{Detail} may only be changed in e-conomic and is left alone.",
    "empty_here": "{Detail} is empty in Clickmate and is left alone.",
}
REFUSED: Final[Mapping[str, str]] = {
    "moved": "The customer was changed after you opened this page",
    "candidates": "Does the customer exist already?",
    "under_way": "Being created in e-conomic ...",
    "linked": "The customer is in e-conomic already.",
    "not_linked": "The customer is not linked any more.",
    "not_unlinked": "The customer is not linked any more.",
    "parted": "The link is just being undone.",
    "paused": "Edits to e-conomic are paused",
    "off": "The integration is off",
    "missing.name": HINDRANCES["name"],
    "missing.country": HINDRANCES["country"],
    "missing.defaults": HINDRANCES["defaults"],
}
"""Why what was asked for was not done; anything else is told by its code."""
_STALE: Final = "{Detail} was changed after you opened this page. See the new value and choose again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What is known of a customer for a panel: its name, number, and what that panel shows of it."""

    name: str
    number: int | None = None
    update: Overwriting | None = None
    create: Offer | None = None
    writes: tuple[Write, ...] = ()
    mark: str = ""


def seen(site: Site, person: Person, crm_id: str, panel: Panel) -> Seen:
    """What that panel shows of that customer now; ``Unknown`` for one that is not there."""
    now = site.now()
    with site.engine.connect() as connection:
        found = views.customer(connection, person.tenant, crm_id)
        stored, agreement = found.stored, found.agreement
        if agreement is not None and panel == "create":
            offered = offer.offer(connection, agreement, crm_id, stored, site.resend, now)
            if offered is not None:
                return Seen(name=offered.name or crm_id, create=offered)
        if stored is None:
            raise Unknown
        link = stored.link
        crm = link.customer.crm.values if link.customer.crm else {}
        plain = Seen(name=crm.get("name", "") or crm_id, number=link.number)
        match panel:
            case "update":
                return replace(plain, update=overwriting(link, stored.agreement.rules_for(link, site.resend)))
            case "flow":
                writes = pressing.would_flow(connection, stored, site.resend, now)
                return replace(plain, writes=writes, mark=flowing.mark(writes))
            case _:
                return plain


def updated(words: Words, update: Overwriting) -> dict[str, Any]:
    """What *Update in e-conomic* says: which details it overwrites, with both values, and which it leaves alone."""
    names = [named(words, row, inside=True) for row in update.overwrites if row.stands != "one_side"]
    persons = [row.person for row in update.overwrites if row.stands == "one_side"]
    overwritten = words("Update in e-conomic: {details} are overwritten there.", details=_listed(names))
    created = words("Created in e-conomic: {persons}", persons=_listed(persons))
    return {
        "sentences": [*([overwritten] if names else []), *([created] if persons else [])],
        "rows": [(row, named(words, row)) for row in update.overwrites],
        "left": list(dict.fromkeys(_left(words, row, why) for row, why in update.left)),
    }


def _left(words: Words, row: Row, why: Left) -> str:
    if row.stands == "one_side":
        return f"{row.person or words('Contact person')}: {one_side(words, row)}"
    return words(LEFT[why], detail=named(words, row))


def _listed(names: Sequence[str]) -> str:
    return ", ".join(dict.fromkeys(names))


def created(words: Words, offered: Offer) -> dict[str, Any]:
    """What *Create in e-conomic* says: with which defaults, and who may be that customer already."""
    values = {"g": offered.group, "z": offered.zone, "b": offered.terms, "v": offered.currency}
    text = words("Create in e-conomic with customer group {g}, VAT zone {z}, payment terms {b}, currency {v}", **values)
    return {
        "sentence": text if offered.currency else "",
        "hindrance": words(HINDRANCES[offered.hindrance]) if offered.hindrance else "",
        "offer": offered,
    }


def written(words: Words, writes: Sequence[Write]) -> list[dict[str, str]]:
    """What would be written, detail by detail: where, and both values."""
    systems = {"crm": "Clickmate", "economic": "e-conomic"}
    return [
        {
            "system": systems[one.system],
            "detail": rule_words.named(words, one.field if one.record == "customer" else f"contact.{one.field}"),
            "before": shown(one.field, one.before),
            "after": shown(one.field, one.after),
        }
        for one in writes
    ]


def told(site: Site, words: Words, person: Person, decision: str, stale: Sequence[str], moved: bool) -> list[str]:
    """What did not come of a press that leads back to its panel."""
    said = [
        words(_STALE, detail=rule_words.named(words, name)) for name in stale if name.removeprefix("contact.") in LABELS
    ]
    if moved:
        said.append(words(REFUSED["moved"]))
    if (found := _saved(site, person, decision)) is None:
        return said
    saved, link = found
    for one in saved.outcome:
        if one.result != "refused":
            continue
        if one.detail and one.reason in {"moved", "chosen"}:
            said.append(words(_STALE, detail=named_in(words, link, one.record, one.detail)))
        else:
            said.append(
                refused(words, one, link) if one.detail and one.reason not in REFUSED else because(words, one.reason)
            )
    return said


def because(words: Words, reason: str) -> str:
    """Why it was not done."""
    return (
        words(REFUSED[reason]) if reason in REFUSED else words("It was not carried out. Technical: {code}", code=reason)
    )


def _saved(site: Site, person: Person, text: str) -> tuple[Saved, Link] | None:
    try:
        decision = UUID(text)
    except ValueError:
        return None
    with site.engine.connect() as connection:
        saved = decided.get(connection, decision)
        if saved is None or saved.decision.tenant != person.tenant:
            return None
        return saved, store.load(connection, saved.decision.link).link
