"""When do two names mean the same customer? Names normalised for matching only; what is stored keeps its spelling."""

import re
import unicodedata
from functools import lru_cache

from reconciler import fields

_FORMS = frozenset(
    "a/s aps ivs i/s k/s p/s g/s amba fmba smba f.m.b.a a.m.b.a s.m.b.a partnerselskab iværksætterselskab "
    "anpartsselskab aktieselskab interessentskab kommanditselskab".split()
)
"""Danish company forms: no part of a name wherever they stand."""
_ENDINGS = frozenset(
    "as aps is ks ab oy oyj asa gmbh mbh ag kg ohg ug ltd limited plc llc llp inc corp bv b.v nv n.v sa s.a sarl srl "
    "spa sro s.r.o spzoo se ans enk hb kb ehf hf".split()
)
"""Forms that are also words elsewhere, and those of other countries: only at the end of a name."""
_STATES = re.compile(
    r"\b(under (konkurs|frivillig likvidation|likvidation|tvangsopløsning|rekonstruktion)|i likvidation"
    r"|in liquidation|sp\.? ?z\.? ?o\.? ?o)\b\.?"
)
_OWNER = re.compile(r"(?:^|(?<=[\s,(]))v\s*/\s*")
_SPLIT = re.compile(r"[\W_]+")
_LETTERS = str.maketrans({"æ": "ae", "ä": "ae", "ø": "oe", "ö": "oe", "å": "aa", "ß": "ss", "đ": "d", "ł": "l"})
_COMPANY = frozenset(
    "kommune region skole forening fonden fond klub institut museum kirke sogn menighedsråd bibliotek plejehjem "
    "hospital sygehus universitet styrelsen ministeriet politi vandværk fjernvarme boligselskab grundejerforening "
    "andelsforening ejerforening vvs el auto bil biler cykler cykel byg huse tømrer murer maler smed elektriker kloak "
    "entreprenør transport vognmand vognmandsforretning spedition logistik fragt taxa handel marked butik butikken "
    "service service- rengøring vinduespolering have anlæg gartner gartneri planteskole landbrug gods maskinstation "
    "maskiner maskinfabrik teknik industri produktion fabrik trading import export consult consulting rådgivning "
    "revision revisor regnskab bogholderi advokat advokater arkitekt arkitekter ingeniør ingeniører design reklame bureau "
    "grafisk tryk trykkeri foto film media medie software it data web digital systems solutions group gruppen holding "
    "invest investering ejendomme ejendom bolig boliger udlejning hotel kro restaurant café cafe bar pizza pizzeria grill "
    "bager bageri slagter kiosk købmand supermarked brugs brugsen blomster optik apotek klinik klinikken tandlæge "
    "tandlægerne læge lægehus lægerne fysioterapi kiropraktor fitness salon frisør frisørsalon hår møbler tøj sko mode "
    "guld ure stål metal glas glarmester gulve tag tage køkken energi olie sol vind center centret centeret danmark "
    "nordic nordisk scandinavia international company co firma firmaet selskab selskabet brødrene sønner eftf enke".split()
)
_COMPANY_ENDS = (
    "service", "firma", "firmaet", "handel", "gruppen", "centret", "center", "skole", "skolen", "forening", "foreningen",
    "byg", "teknik", "transport", "consult", "huset", "hus", "butik", "butikken", "klinik", "klinikken", "forretning",
    "fabrik", "fabrikken", "værket", "værk", "værksted", "værkstedet", "vask", "kørsel", "rens", "bageri", "bageriet",
    "kommune", "boligselskab", "boligforening", "fonden", "klubben", "gården", "kroen", "hotellet", "tegnestue", "design",
    "entreprise", "installation", "regnskab", "revision", "montage", "trading", "invest", "group", "media", "tech", "soft",
    "gartneri", "planteskole", "museet", "museum", "kirken", "salonen", "caféen", "cafeen", "restauranten", "bogholderi",
)  # fmt: skip
_MOST = 400
"""Letters of a name that are looked at; a longer text is no name."""
_LONGEST = 120
"""Letters up to which two names are searched for slips of the pen."""


def normal(name: str) -> str:
    """A name without what companies write in many ways: form, owner ("v/ ..."), punctuation, upper case.

    ``&`` and ``+`` read "og". A name of nothing but such parts keeps its words; of no words, it is empty.
    """
    return _normal(name[:_MOST])


def forget() -> None:
    """Empty what is kept to be quick; for measurements."""
    _normal.cache_clear()


@lru_cache(maxsize=65536)
def _normal(name: str) -> str:
    text = fields.canon("customer", "name", name).lower()
    text = re.sub(r"\s*[&+]\s*", " og ", re.sub(r"(?<=\w)['’`´](?=\w)", "", text))
    text = _without_owner(_STATES.sub(" ", text))
    kept = _words([word for word in _split(text) if word not in _FORMS])
    while len(kept) > 1 and (kept[-1] in _ENDINGS or kept[-1] == "og"):
        kept = kept[:-1]
    return " ".join(kept) or " ".join(_words(_split(text)))


def folded(name: str) -> str:
    """The weaker key of a name: æ, ø, å and accents spelled out, words in one order, without blanks."""
    return "".join(sorted(plain(normal(name)).split()))


def plain(text: str) -> str:
    """Lower case text in plain letters: ae, oe and aa for the Danish ones, accents gone."""
    if text.isascii():
        return text
    spelled = unicodedata.normalize("NFD", unicodedata.normalize("NFC", text).translate(_LETTERS))
    return "".join(letter for letter in spelled if not unicodedata.combining(letter))


def similar(one: str, other: str) -> bool:
    """Whether two names differ by no more than a slip of the pen, a blank or a missing middle name.

    Numbers must be equal: branch 123 is not branch 124.
    """
    left, right = plain(normal(one)), plain(normal(other))
    if not left or not right:
        return False
    if re.findall(r"[0-9]+", left) != re.findall(r"[0-9]+", right):
        return False
    joined, other_joined = left.replace(" ", ""), right.replace(" ", "")
    if joined == other_joined:
        return True
    shorter = min(len(joined), len(other_joined))
    if 8 <= shorter <= _LONGEST and slips(joined, other_joined, 2 if shorter >= 14 else 1):
        return True
    return _middle_names(left.split(), right.split())


def personal(name: str) -> bool:
    """Whether a name looks like no company: two to five words of letters, without a form or a word of trade."""
    text = fields.canon("customer", "name", name[:_MOST]).lower()
    if re.search(r"[0-9&+/]", text):
        return False
    words = _words(_split(text))
    if not 2 <= len(words) <= 5 or words[-1] in _ENDINGS:
        return False
    return not any(word in _FORMS or word in _COMPANY or word == "og" or word.endswith(_COMPANY_ENDS) for word in words)


def one_person(one: str, other: str) -> bool:
    """Whether two people's names may be one person's, told that they live at one door.

    Every word of the shorter name stands in the other, one of them letter by letter, the others with a slip of the pen.
    """
    left, right = sorted((plain(normal(one)).split(), plain(normal(other)).split()), key=len)
    common = set(left) & set(right)
    if not any(len(word) >= 3 for word in common):
        return False
    rest = [word for word in right if word not in common]
    for word in left:
        if word in common:
            continue
        match = next(
            (near for near in rest if min(len(word), len(near)) >= 4 and slips(word, near, 1 + (len(word) >= 8))), ""
        )
        if not match:
            return False
        rest.remove(match)
    return True


def alike(one: str, other: str) -> bool:
    """Whether two names share a word that says something: four letters, or the only one."""
    left, right = set(plain(normal(one)).split()), set(plain(normal(other)).split())
    common = left & right
    return any(len(word) >= 4 for word in common) or (bool(common) and (left <= right or right <= left))


def slips(one: str, other: str, most: int) -> bool:
    """Whether at most so many letters were added, left out, changed or swapped with their neighbour."""
    if one == other:
        return True
    if abs(len(one) - len(other)) > most:
        return False
    before: list[int] = []
    row = list(range(len(other) + 1))
    for place, letter in enumerate(one, start=1):
        earlier, before, row = before, row, [place]
        for nth, against in enumerate(other, start=1):
            cost = min(before[nth] + 1, row[nth - 1] + 1, before[nth - 1] + (letter != against))
            if place > 1 and nth > 1 and letter == other[nth - 2] and one[place - 2] == against:
                cost = min(cost, earlier[nth - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return False
    return row[-1] <= most


def _split(text: str) -> list[str]:
    """Words as written between blanks, without marks around them; company forms keep their strokes and dots inside."""
    return [word for part in text.split() if (word := part.strip(".,;:()[]\"'`´*-!_?"))]


def _words(parts: list[str]) -> list[str]:
    return [word for part in parts for word in _SPLIT.split(_undotted(part)) if word]


def _undotted(part: str) -> str:
    """H.C. becomes hc: single letters with dots between them are one word."""
    return part.replace(".", "") if re.fullmatch(r"(\w\.)+\w?", part) else part


def _without_owner(text: str) -> str:
    match = _OWNER.search(text)
    if match is None:
        return text
    before = text[: match.start()].strip(" ,(")
    return before or text[match.end() :]


def _middle_names(left: list[str], right: list[str]) -> bool:
    """First and last word are equal, and what stands between is on one side only, or an initial of it."""
    if len(left) > len(right):
        left, right = right, left
    if len(left) < 2 or (left[0], left[-1]) != (right[0], right[-1]) or len(right) > 5:
        return False
    rest = iter(right[1:-1])
    return all(any(_initial(word, other) for other in rest) for word in left[1:-1])


def _initial(one: str, other: str) -> bool:
    return one == other or (min(len(one), len(other)) == 1 and one[0] == other[0])
