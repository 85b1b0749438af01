"""What speaks for two records being one customer, and what against? One pair at a time; values only."""

from dataclasses import dataclass, field
from enum import StrEnum

from reconciler import keys, names
from reconciler.profiles import Profile, Shared


class Evidence(StrEnum):
    """By what two customers were found to be the same, strongest first; only the first two link by themselves."""

    CVR = "cvr"
    EAN = "ean"
    NAME_POSTCODE = "name_postcode"
    NAME_PHONE = "name_phone"
    NAME_EMAIL = "name_email"
    EMAIL = "email"
    PHONE = "phone"
    NAME_CITY = "name_city"
    NAME = "name"
    """A company's name with nothing else to tell by: never suggested, only asked about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Two records that are, or may be, one customer. ``reasons`` are codes: what agrees first, then what differs."""

    crm: str
    economic: str
    evidence: Evidence
    reasons: tuple[str, ...]
    certain: bool = False
    score: int = field(default=0, compare=False)
    """Ranks what is only suggested; of no meaning by itself."""


def differ(one: Profile, other: Profile) -> bool:
    """Whether both have a CVR number or foreign VAT number, and not the same: never one customer."""
    return bool(one.identity and other.identity and one.identity != other.identity)


def against(one: Profile, other: Profile) -> tuple[str, ...]:
    """What speaks against two records that share a number being one customer."""
    codes = []
    if one.ean and other.ean and one.ean != other.ean:
        codes.append("ean_differs")
    if one.pnumber and other.pnumber and one.pnumber != other.pnumber:
        codes.append("pnumber_differs")
    return tuple(codes)


def strangers(one: Profile, other: Profile) -> bool:
    """Whether name and postcode both say that these are two customers, and no EAN or P-number, phone or e-mail otherwise."""
    if (one.ean and one.ean == other.ean) or (one.pnumber and one.pnumber == other.pnumber):
        return False
    if not (one.name and other.name and one.postcode and other.postcode) or one.postcode == other.postcode:
        return False
    if one.phones & other.phones or one.emails & other.emails:
        return False
    return not (names.alike(one.full, other.full) or names.similar(one.full, other.full))


def agreeing(one: Profile, other: Profile, counts: Shared) -> tuple[str, ...]:
    """Everything that agrees, as codes in one order."""
    codes = []
    if one.identity and one.identity == other.identity:
        codes.append("cvr")
    if one.ean and one.ean == other.ean:
        codes.append("ean")
    if one.pnumber and one.pnumber == other.pnumber:
        codes.append("pnumber")
    places = _places_agreeing(one, other)
    if one.name and other.name:
        if one.normal == other.normal:
            codes.append("name")
        elif one.name == other.name or names.similar(one.full, other.full) or _one_person(one, other, places):
            codes.append("name_similar")
    codes.extend(places)
    if any(counts.few(phone) for phone in one.phones & other.phones):
        codes.append("phone")
    common = one.emails & other.emails
    if one.email and one.email == other.email and counts.few(one.email):
        codes.append("email")
    elif any(counts.alone(address) for address in common):
        codes.append("contact_email")
    elif _at_home(one, other) and all(counts.few(f"{side.name}@{keys.domain(one.email)}") for side in (one, other)):
        codes.append("email_domain")
    return tuple(codes)


def _places_agreeing(one: Profile, other: Profile) -> list[str]:
    codes = []
    if one.street and one.street == other.street:
        codes.append("street")
    elif _street_slip(one.street, other.street):
        codes.append("street_similar")
    if one.postcode and one.postcode == other.postcode:
        codes.append("postcode")
    if one.city and one.city == other.city:
        codes.append("city")
    return codes


def _street_slip(one: str, other: str) -> bool:
    """Whether two streets differ by a slip of the pen; the house number is equal, or missing on one side."""
    (left, number), (right, other_number) = _house(one), _house(other)
    shorter = min(len(left), len(right))
    if shorter < 6 or (number and other_number and number != other_number):
        return False
    return left == right or (shorter >= 8 and names.slips(left, right, 2 if shorter >= 14 else 1))


def _house(street: str) -> tuple[str, list[str]]:
    words = street.split()
    numbers = [word for word in words if word[0].isdigit()]
    return " ".join(word for word in words if word not in numbers), numbers


def _one_person(one: Profile, other: Profile, places: list[str]) -> bool:
    """A private person at one door: there a name may differ by more."""
    at_door = places[:1] in (["street"], ["street_similar"]) and len(places) > 1
    return at_door and (one.personal or other.personal) and names.one_person(one.full, other.full)


def _at_home(one: Profile, other: Profile) -> bool:
    host = keys.domain(one.email)
    return bool(host) and host == keys.domain(other.email)


_WORTH = {
    "cvr": 40, "ean": 40, "pnumber": 20, "name": 8, "name_similar": 5, "street": 7, "street_similar": 5, "postcode": 5, "city": 2,
    "phone": 8, "email": 9, "contact_email": 6, "email_domain": 3,
}  # fmt: skip
_RANK = {
    Evidence.NAME_POSTCODE: 80, Evidence.NAME_PHONE: 70, Evidence.NAME_EMAIL: 70, Evidence.EMAIL: 40,
    Evidence.PHONE: 30, Evidence.NAME_CITY: 30, Evidence.NAME: 10,
}  # fmt: skip


def weighed(one: Profile, other: Profile, evidence: Evidence, reasons: tuple[str, ...]) -> Found:
    """The two as found by that evidence."""
    score = _RANK.get(evidence, 100) + sum(_WORTH.get(code, 0) for code in reasons)
    return Found(crm=one.id, economic=other.id, evidence=evidence, reasons=reasons, score=score)


def compare(one: Profile, other: Profile, counts: Shared) -> Found | None:
    """Whether two records without a common number may be one customer; ``one`` is the CRM's.

    One that is ``doubtful`` is no suggestion for many at once: a person must look at it singly.
    """
    if differ(one, other):
        return None
    agree = agreeing(one, other, counts)
    evidence = _evidence(one, other, counts, frozenset(agree))
    if evidence is None:
        return None
    return weighed(one, other, evidence, (*agree, *_doubts(one, other, evidence, frozenset(agree))))


def _doubts(one: Profile, other: Profile, evidence: Evidence, agree: frozenset[str]) -> tuple[str, ...]:
    differs = against(one, other)
    if evidence is Evidence.NAME_POSTCODE and not agree & _NAMED:
        differs = (*differs, "name_differs")
    elif evidence is Evidence.NAME and one.postcode != other.postcode:
        differs = (*differs, "postcode_differs" if one.postcode and other.postcode else "place_unknown")
    elif evidence is Evidence.NAME_POSTCODE and _personal(one, other) and not agree & _DOOR:
        differs = (*differs, "street_differs" if one.street and other.street else "street_unknown")
    if evidence in {Evidence.EMAIL, Evidence.PHONE}:
        if strange(one, other):
            differs = (*differs, "name_differs", "postcode_differs")
        elif evidence is Evidence.PHONE and _personal(one, other):
            differs = (*differs, "name_differs")  # a household's phone, not a person's
    return differs


def doubtful(one: Found) -> bool:
    """Whether something speaks against it, so that a person must look at it singly."""
    named_only = one.evidence is Evidence.NAME
    return named_only or any(code.endswith(("_differs", "_unknown")) for code in one.reasons)


def strange(one: Profile, other: Profile) -> bool:
    """Whether name and postcode both differ."""
    postcodes = one.postcode and other.postcode and one.postcode != other.postcode
    return bool(postcodes and one.name and other.name and not names.alike(one.full, other.full))


_NAMED = frozenset({"name", "name_similar"})
_DOOR = frozenset({"street", "street_similar"})
_MAIL = frozenset({"email", "contact_email", "email_domain"})


def _evidence(one: Profile, other: Profile, counts: Shared, agree: frozenset[str]) -> Evidence | None:
    at_door = not _personal(one, other) or bool(agree & _DOOR)  # a person's name in a town says little
    if agree & _NAMED:
        if "postcode" in agree and at_door and _rare(one, other, counts, one.postcode):
            return Evidence.NAME_POSTCODE
        if "phone" in agree:
            return Evidence.NAME_PHONE
        if agree & _MAIL:
            return Evidence.NAME_EMAIL
        if "city" in agree and at_door and _rare(one, other, counts, one.city):
            return Evidence.NAME_CITY
        if "postcode" in agree and not at_door and _few_namesakes(one, other, counts):
            return Evidence.NAME_POSTCODE
        return Evidence.NAME if one.name == other.name and not _personal(one, other) else None
    if agree & _MAIL - {"email_domain"}:
        return Evidence.EMAIL
    if "phone" in agree:
        return Evidence.PHONE
    neighbours = {"street", "postcode"} <= agree and not one.personal and not other.personal
    return Evidence.NAME_POSTCODE if neighbours and names.alike(one.full, other.full) else None


def _personal(one: Profile, other: Profile) -> bool:
    return one.personal and other.personal


def _rare(one: Profile, other: Profile, counts: Shared, place: str) -> bool:
    if _personal(one, other):
        return all(counts.few(f"{side.name}|{place}|{side.street}") for side in (one, other))
    return all(counts.few(f"{side.name}|{place}") for side in (one, other))


def _few_namesakes(one: Profile, other: Profile, counts: Shared) -> bool:
    return all(counts.few(f"{side.name}|{one.postcode}") for side in (one, other))
