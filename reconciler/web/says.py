"""In which words is a status told? One line of what is true, one small line of when that was last known; no more than is known."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Final

from reconciler.causes import NEXT, UNKNOWN, cause, lacks
from reconciler.contract import State
from reconciler.freshness import Freshness, Layer
from reconciler.halts import Halt, Halts
from reconciler.lately import Lately
from reconciler.note import Kind, Note
from reconciler.pair import Receives
from reconciler.shown import Detail
from reconciler.standing import Act, Badge, Standing
from reconciler.status import goes_at
from reconciler.web.words import Words

LABELS: Final[Mapping[str, str]] = {
    "name": "Name", "cvr": "CVR no.", "ean": "EAN no. (GLN)", "pnumber": "P no.", "address": "Address",
    "street": "Address", "postcode": "Postcode", "city": "City", "country": "Country", "phone": "Phone",
    "mobile": "Mobile", "email": "E-mail", "website": "Website", "notes": "Notes", "number": "Customer no.",
    "group": "Customer group", "zone": "VAT zone", "terms": "Payment terms", "currency": "Currency",
    "defaults": "Customer group", "contact": "Contact person", "invoice_email": "E-mail with copies of invoices",
}  # fmt: skip
SHOWN: Final[Mapping[Detail, str]] = {
    "invoice_recipient": "Invoice e-mail", "group": "Customer group", "zone": "VAT zone", "terms": "Payment terms",
    "currency": "Currency", "credit_limit": "Credit limit", "attention": "Attn.", "e_invoice_id": "ID (e-invoice)",
}  # fmt: skip
"""What e-conomic alone holds."""
BUTTONS: Final[Mapping[Act, str]] = {
    "set_up": "Set-up", "reconnect": "Reconnect", "resume": "Resume", "correct": "Correct the customer",
    "retry": "Try again", "choose": "Choose", "create_again": "Create again", "unlink": "Unlink", "leave": "Leave it",
    "choose_customer": "Choose customer", "show_differences": "Show differences", "update": "Update in e-conomic",
    "create_now": "Create now", "create": "Create in e-conomic", "show_details": "View details",
    "turn_on": "Turn on", "turn_off": "Turn off",
}  # fmt: skip
BADGES: Final[Mapping[Badge, str]] = {
    "barred": "Blocked in e-conomic",
    "lead": "Lead",
    "does_not_flow": "Does not flow",
    "receives_invoices": "Receives invoices",
}
DOCUMENTS: Final[Mapping[Receives, str]] = {
    "quotes": "quotes", "orders": "orders", "invoices": "invoices", "e_invoices": "e-invoices",
    "statements": "statements", "reminders": "reminders",
}  # fmt: skip
_PLAIN: Final[Mapping[State, str]] = {
    "not_set_up": "The e-conomic integration is not set up",
    "off": "The integration is off",
    "deleted": "Deleted in e-conomic",
    "creating": "Being created in e-conomic ...",
    "not_there": "Not in e-conomic",
}
_PAUSED: Final[Mapping[str, str]] = {
    "both": "Sync is paused", "economic": "Edits to e-conomic are paused", "crm": "Edits to Clickmate are paused",
}  # fmt: skip


def label(words: Words, name: str) -> str:
    """A field as people call it; of a contact person, the same."""
    return words(LABELS[name.removeprefix("contact.")])


def documents(words: Words, receives: Iterable[Receives]) -> str:
    """Documents by their names, one after the other."""
    return ", ".join(words(DOCUMENTS[one]) for one in receives)


def within(words: Words, name: str) -> str:
    """A field as it stands inside a sentence: "navn", "e-mail", and "CVR-nr." as ever."""
    text = label(words, name)
    return text[:1].lower() + text[1:] if text[1:2].islower() or text.startswith("E-") else text


def whose(words: Words, detail: str, person: str, *, inside: bool = False) -> str:
    """A detail, of a contact person with whose it is; ``inside`` a sentence."""
    if not person:
        return within(words, detail) if inside else label(words, detail)
    return f"{label(words, detail)}: {person}" if detail == "contact" else f"{person}: {within(words, detail)}"


def first(words: Words, said: Standing, second: Layer, since: datetime | None) -> str:
    """What is true of the customer, in the present only where that holds now. ``since``: when the agreement changed last."""
    told, n = said.status, len(said.differs)
    match told.state:
        case "access_lost":
            when = words.since(since) if since else ""
            return words("e-conomic has refused our access since {time}. Nothing is lost.", time=when)
        case "paused":
            return words(_PAUSED[told.reason])
        case "error":
            return words("The customer could not be transferred: {reason}", reason=because(words, said))
        case "choice":
            return words("Choose the right details ({n})", n=words.number(max(1, said.choices)))
        case "perhaps":
            return words.many(
                "May exist in e-conomic (1 suggestion)", "May exist in e-conomic ({n} suggestions)", said.choices
            )
        case "sending" if told.reason:
            return words("Waiting for e-conomic")
        case "sending":
            to_crm = said.towards == "crm"
            return words("Fetching an edit from e-conomic ..." if to_crm else "Sending your edit to e-conomic ...")
        case "different" | "same" if second.behind or second.seen is None:
            return words("Comparing with e-conomic ...")
        case "different" if second.present:
            return words.many("1 detail differs", "{n} details differ", n)
        case "different":
            return words.many(
                "1 detail differed {time}", "{n} details differed {time}", n, time=words.brief(_known(second))
            )
        case "same" if second.present:
            return words("The details are the same")
        case "same":
            return words("The details were the same {time}", time=words.brief(_known(second)))
        case "not_there_yet":
            lead = "lead" in said.badges
            return words(
                "Lead. Will be transferred to e-conomic when it becomes an active customer"
                if lead
                else "Will be transferred when the customer becomes active"
            )
        case _:
            return words(_PLAIN[told.state])


def because(words: Words, said: Standing) -> str:
    """Why it could not be transferred, and where it is put right."""
    told = said.status
    code = lacks(told.details) if told.reason == "missing" else told.reason
    field, value = next(iter(said.values.items()), (told.details[0] if told.details else "", ""))
    return caused(words, code, field, value or str(said.number or ""), told.message, told.request_id)


def caused(words: Words, code: str, field: str, value: str, message: str, request_id: str = "") -> str:
    """What a code of the other side means for that field and value, and where it is put right.

    ``request_id``: what e-conomic calls the answer that said so.
    """
    known = cause(code)
    if "{n}" in known.text and not value:
        known = UNKNOWN  # which number was meant is not known: the other side's own words say it
    about = words(known.about) if known.about else _about(words, field)
    shown = (message or value) if known is UNKNOWN else (value or message)
    sentence = words(
        known.text, v=shown, n=value, detail=about, document=about, name=message, code=code,
        id=request_id or "-",
    )  # fmt: skip
    return f"{sentence} {words(NEXT[known.step])}" if known.step in NEXT else sentence


def _about(words: Words, field: str) -> str:
    """What is spoken of: a detail, of the customer or of a contact person; or either as a whole."""
    name = field.rpartition(".")[2]
    return words(LABELS.get(name) or (LABELS["contact"] if field.startswith("contact") else "The customer"))


def small(words: Words, second: Layer) -> str:
    """When that was last known, and whether something is being done about it; no time of what was never seen."""
    return (_SMALL if second.seen is not None else _NEVER_SEEN)[second.freshness](words, second)


def _known(second: Layer) -> datetime:
    if second.seen is None:
        raise ValueError("nothing was ever seen")
    return second.seen


def _with_time(text: str) -> Callable[[Words, Layer], str]:
    return lambda words, second: words(text, time=words.brief(_known(second)))


def _again(text: str) -> Callable[[Words, Layer], str]:
    return lambda words, second: words(
        text, time=words.brief(second.next_try) if second.next_try else "", time2=_compared(words, second)
    )


def _since(text: str) -> Callable[[Words, Layer], str]:
    return lambda words, second: words(
        text, time=words.since(second.since) if second.since else "", time2=_compared(words, second)
    )


def _compared(words: Words, second: Layer) -> str:
    return words.brief(second.seen) if second.seen else ""


_SMALL: Final[Mapping[Freshness, Callable[[Words, Layer], str]]] = {
    "fresh": lambda words, _: words("Compared now"),
    "known": _with_time("Compared {time}"),
    "older": _with_time("Last compared {time}"),
    "looking": lambda words, _: words("Comparing with e-conomic ..."),
    "slow": _with_time("e-conomic is slow right now. Showing what we knew {time}"),
    "no_answer": _with_time("e-conomic is not answering right now. Last compared {time}. We keep trying"),
    "down": _since("e-conomic has not answered since {time}. Last compared {time2}"),
    "throttled": _again("We may ask e-conomic again {time}. Last compared {time2}"),
    "delayed": _since("Sync has been delayed since {time}. Your edits are saved and will be sent"),
}
_NEVER_SEEN: Final[Mapping[Freshness, Callable[[Words, Layer], str]]] = {
    **dict.fromkeys(("fresh", "known", "older"), lambda *_: ""),
    **dict.fromkeys(("looking", "slow"), _SMALL["looking"]),
    "no_answer": lambda words, _: words("e-conomic is not answering right now. We keep trying"),
    "down": _since("e-conomic has not answered since {time}"),
    "throttled": _again("We may ask e-conomic again {time}"),
    "delayed": _SMALL["delayed"],
}
"""Of one that e-conomic was never seen to have, there is no last time."""


AWAY: Final = frozenset({"away", "throttled", "access_lost"})
"""Why a write waits for e-conomic, as its acknowledgement says."""
_NO_ANSWER: Final = frozenset({"down", "throttled", "no_answer", "delayed"})


def remarks(
    words: Words, first: Standing, second: Layer, lately: Lately, number: int | None, halts: Halts = ()
) -> list[str]:
    """The sentences under the line, in their order. ``halts``: the pauses that it waits for."""
    waits = dict.fromkeys(text for one in halts if (text := halted(words, one)))
    return [
        *waits,
        *_later(words, first, second),
        *_lately(words, lately),
        *(note(words, one, number) for one in first.notes),
    ]


def halted(words: Words, one: Halt) -> str:
    """Until when, and by whom; as far as there is an end and a name."""
    until = [] if one.until is None else [words("until {day}", day=words.day(one.until))]
    return " · ".join([*until, *([words("paused by {name}", name=one.who)] if one.who else [])])


def note(words: Words, one: Note, number: int | None) -> str:
    """One note; ``number`` is the customer's."""
    return _SAYS[one.kind](words, one, number)


def _later(words: Words, first: Standing, second: Layer) -> Iterator[str]:
    """Whoever has it sent while e-conomic does not answer may go."""
    told = first.status
    if (goes := goes_at(told, words.now)) is not None:
        text = "Today's limit of calls to e-conomic is reached. Will be sent {time}. You can close this page."
        yield words(text, time=words.brief(goes))
        return
    to_economic = told.state == "creating" or (told.state == "sending" and first.towards != "crm")
    if to_economic and (told.reason in AWAY or second.freshness in _NO_ANSWER):
        yield words("Will be sent when e-conomic answers. You can close this page.")


def _lately(words: Words, lately: Lately) -> Iterator[str]:
    if lately.done is not None:
        if lately.done.created is not None:
            yield words("Created in e-conomic as customer no. {n}", n=lately.done.created)
        else:
            yield words("Transferred to e-conomic {time}", time=words.brief(lately.done.at))
    if lately.fetched is not None:
        first, *others = lately.fetched.details
        names = ", ".join([_named(words, first), *(within(words, one) for one in others)])
        text = "{Detail} was changed in e-conomic, fetched {time}"
        yield words(text, detail=names, time=words.brief(lately.fetched.at))


def _named(words: Words, detail: str) -> str:
    """A detail by its name, of a contact person as such."""
    if not detail.startswith("contact."):
        return label(words, detail)
    return f"{words('Contact person')}: {within(words, detail)}"


_SAYS: Final[Mapping[Kind, Callable[[Words, Note, int | None], str]]] = {
    "put_back": lambda words, one, _: words(
        "{Detail} may only be changed in e-conomic. Your change was put back.", detail=_named(words, one.detail)
    ),
    "shortened": lambda words, one, _: (
        f"{_named(words, one.detail)}: "
        + words(
            "e-conomic can only hold {n} characters. The full text stays in Clickmate.",
            n=words.number(one.limit or 0),
        )
    ),
    "renumbered": lambda words, one, _: words("New number in e-conomic: {new} (was {old})", new=one.new, old=one.old),
    "kept": lambda words, one, _: f"{_named(words, one.detail)}: {words('Kept different')}",
    "not_found": lambda words, _, number: words("Customer no. {n} was not found. We check again tonight.", n=number),
}
