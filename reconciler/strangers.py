"""What is a customer of e-conomic that no link has? A renumbered one, one being created, a known one's partner, or new (R3).

Pure: what is known around the number is given, the verdict comes back. Looking and asking are cheap, a second customer is
not: only what resembles nothing is created in the CRM.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from economic_adapter.contract import EconomicCustomer
from reconciler import fields

LOOKS = 3
"""At most so many numbers are looked at for one customer."""


class Do(StrEnum):
    """What follows for the number."""

    RECORD = "record"
    LOOK = "look"
    """A linked customer looks the same: its old number is looked at, for it may have been renumbered unheard (R7)."""
    RENUMBERED = "renumbered"
    """As ``look``, of a customer that is known to be gone from its number."""
    WAIT = "wait"
    """A creation under way may be this one: its answer tells."""
    LINK = "link"
    ASK = "ask"
    CREATE = "create"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A linked customer as e-conomic held it last. ``gone``: it was seen missing under its number."""

    link: UUID
    crm_id: str
    number: int
    values: Mapping[str, str]
    persons: frozenset[int] = frozenset()
    gone: bool = False
    looked: bool = False
    """Whether its own number is being looked at just now, because of the one that is judged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Former:
    """A customer of the CRM that had this number once, and has none now."""

    crm_id: str
    gone: bool = False
    parted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What is known around a number that no link has.

    ``creating`` are creations in e-conomic under way, with the values they were sent with; without, it is the one certain
    customer that is being created. ``unclear`` are customers of the CRM whose creation nobody can tell the end of, as sent. ``certain`` is the one free
    customer of the CRM that shares a certain key with nobody else beside them; ``similar`` are free ones that may be it,
    ``elsewhere`` those that were linked to another number or told apart. ``told_apart``: linked customers of the CRM whose
    own number was just seen to be there still, so that the two only look alike.
    """

    linked: tuple[Known, ...] = ()
    creating: tuple[tuple[UUID, Mapping[str, str]], ...] = ()
    unclear: tuple[tuple[str, Mapping[str, str]], ...] = ()
    former: tuple[Former, ...] = ()
    certain: str = ""
    evidence: str = ""
    """By what the certain one is certain."""
    similar: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()
    told_apart: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What follows, and for whom: links to be looked at or waited for, or customers of the CRM."""

    do: Do
    links: tuple[UUID, ...] = ()
    customers: tuple[str, ...] = ()
    evidence: str = ""
    ruled_out: tuple[str, ...] = ()


def moved(before: EconomicCustomer | None, now: EconomicCustomer) -> bool:
    """Whether an observation is news: not recorded before, or a detail of the customer or of a person differs."""
    return before is None or _details(before) != _details(now)


def judge(seen: EconomicCustomer, around: Around) -> Verdict:
    """What follows for a customer that is news and that no link has."""
    values = values_of(seen)
    doubles = tuple(
        one.crm_id for one in around.linked if one.crm_id in around.told_apart and likely(values, seen, one)
    )
    alike = [one for one in around.linked if one.crm_id not in around.told_apart and may_be(values, seen, one)]
    if gone := [one for one in alike if one.gone]:
        return Verdict(do=Do.RENUMBERED, links=tuple(one.link for one in gone[:LOOKS]))
    if alike and all(one.looked for one in alike):
        return Verdict(do=Do.WAIT, links=tuple(one.link for one in alike))
    if alike:
        alike.sort(key=lambda one: -_agreeing(values, one.values))
        return Verdict(do=Do.LOOK, links=tuple(one.link for one in alike[:LOOKS]))
    if ours := tuple(dict.fromkeys(link for link, sent in around.creating if _ours(sent, values))):
        return Verdict(do=Do.WAIT, links=ours)
    if any(one.gone for one in around.former):
        return Verdict(do=Do.RECORD)  # a person deleted it in the CRM: it does not come back by itself (R9)
    parted = tuple(one.crm_id for one in around.former if one.parted)
    if not parted and around.certain:
        return Verdict(do=Do.LINK, customers=(around.certain,), evidence=around.evidence)
    made = tuple(crm_id for crm_id, sent in around.unclear if _ours(sent, values))
    perhaps = tuple(dict.fromkeys((*parted, *made, *around.similar, *doubles)))
    if perhaps:
        return Verdict(do=Do.ASK, customers=perhaps)
    apart = tuple(one.crm_id for one in around.former)
    return Verdict(do=Do.CREATE, ruled_out=tuple(dict.fromkeys((*around.elsewhere, *apart))))


def may_be(values: Mapping[str, str], seen: EconomicCustomer, known: Known) -> bool:
    """Whether two numbers of e-conomic may be one customer that was edited, too, when it was renumbered unheard.

    Name and CVR number may be among what was edited, so one way to reach both is enough for a look, and so is the name with
    one, whatever the CVR numbers say; of one that is gone from its number the name is enough to ask.
    """
    if likely(values, seen, known):
        return True
    if known.number == seen.number:
        return False
    reached = _reached(values, known.values) or _same(values, known.values, "pnumber")
    if _named(values, known.values):
        return known.gone or reached
    return reached and (not _contradict(values, known.values) or _but_one(values, known.values))


def likely(values: Mapping[str, str], seen: EconomicCustomer, known: Known) -> bool:
    """Whether two customers of e-conomic look like one under two numbers."""
    if known.number == seen.number:
        return False
    if known.persons & {one.number for one in seen.contacts if not one.deleted}:
        return True

    if _contradict(values, known.values):
        return False
    reached, named = _reached(values, known.values), _named(values, known.values)
    keyed = _same(values, known.values, "cvr") or _same(values, known.values, "ean")
    if named and (keyed or reached):
        return True
    return (keyed and reached) or (named and _agreeing(values, known.values) == len(fields.FIELDS["customer"]))


def same_company(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Whether two customers of e-conomic have their name, their CVR or their EAN number in common."""
    return _named(one, other) or _same(one, other, "cvr") or _same(one, other, "ean")


def _but_one(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Whether all but one detail is the same."""
    return _agreeing(one, other) >= len(fields.FIELDS["customer"]) - 1


def values_of(customer: EconomicCustomer) -> dict[str, str]:
    """The details of a customer that are not empty."""
    return {name: value for name in fields.FIELDS["customer"] if (value := getattr(customer, name))}


def _same(one: Mapping[str, str], other: Mapping[str, str], *names: str) -> bool:
    return all(
        not fields.blank(fields.text(one, name))
        and fields.same("customer", name, fields.text(one, name), fields.text(other, name))
        for name in names
    )


def _named(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    return fields.text(one, "name").casefold() == fields.text(other, "name").casefold() != ""


def _reached(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    ways = (("street", "postcode"), ("phone",), ("mobile",), ("email",), ("website",))
    return any(_same(one, other, *names) for names in ways)


def _contradict(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Two different CVR numbers are two companies, whatever else is the same (M7)."""
    mine, theirs = fields.text(one, "cvr"), fields.text(other, "cvr")
    return not fields.blank(mine) and not fields.blank(theirs) and not fields.same("customer", "cvr", mine, theirs)


def _agreeing(one: Mapping[str, str], other: Mapping[str, str]) -> int:
    return sum(
        fields.same("customer", name, fields.text(one, name), fields.text(other, name))
        for name in fields.FIELDS["customer"]
    )


def _ours(sent: Mapping[str, str], values: Mapping[str, str]) -> bool:
    """Whether this may be what a creation made: somebody may have edited it before its answer came. Waiting costs nothing.

    One without a CVR number is not what was sent with one: that is corrected, not taken away.
    """

    def held(name: str) -> bool:
        return not fields.blank(sent.get(name, "")) and fields.agree(
            "customer", name, sent[name], fields.text(values, name)
        )

    if not sent or held("cvr") or held("ean"):
        return True
    if held("name"):
        return fields.blank(sent.get("cvr", "")) or not fields.blank(fields.text(values, "cvr"))
    # its name may be what was edited: then it holds all the rest
    rest = [name for name in fields.FIELDS["customer"] if name != "name" and not fields.blank(sent.get(name, ""))]
    return _reached(values, sent) and all(held(name) for name in rest)


def _details(customer: EconomicCustomer) -> tuple[Mapping[str, str], frozenset[tuple[str, ...]]]:
    return values_of(customer), frozenset(_persons(customer))


def _persons(customer: EconomicCustomer) -> Iterable[tuple[str, ...]]:
    for one in customer.contacts:
        if not one.deleted:
            yield (str(one.number), *(getattr(one, name) for name in fields.FIELDS["contact"]))
