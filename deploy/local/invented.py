"""Who are the customers of the demo? Invented Danish companies and persons, the same ones for the same seed."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

FIRST = """Anne Mette Kirsten Hanne Lene Camilla Louise Maria Ida Emma Freja Sofie Signe Trine Pernille Karen Inge
Peter Lars Jens Michael Søren Henrik Thomas Niels Jesper Mads Rasmus Morten Anders Frederik Emil Oliver Åge Bjørn""".split()
LAST = """Nielsen Jensen Hansen Pedersen Andersen Christensen Larsen Sørensen Rasmussen Jørgensen Petersen Madsen
Kristensen Olsen Thomsen Poulsen Johansen Møller Mortensen Knudsen Holm Lund Bech Dahl Østergaard Ågård Kjær""".split()
PLACE = """Nordhavn Søgaard Birkelund Strandvejens Æblegård Fjordens Bakkegårdens Lindevang Vestkystens Højmarkens
Skovbo Åløkke Egebæk Klitmøller Rosenlund Hedeboens Møllevang Kystens Ravnsbjerg Sønderskov Øster Nørrevang Lyngby
Gammelgård Tranekær Hvidbjerg Solbakkens Enghavens Stenbro Damgårdens""".split()
TRADE = """Tømrer VVS Entreprise El Maler Murer Auto Revision Bogtryk Transport Gartneri Bageri Design Rengøring
Ejendomme Konsult Kaffe Smede Glas Skilte Vin Møbler Data Cykler Maskiner""".split()
FORM = ["ApS", "ApS", "ApS", "A/S", "A/S", "I/S", "K/S"]
STREET = """Havnegade Strandvejen Skovvej Industrivej Møllevej Kirkegade Nørregade Algade Vestergade Åboulevarden
Østergade Søndergade Fabriksvej Håndværkervej Bredgade Lærkevej Rosenvænget Stationsvej""".split()
CITY = [
    ("1300", "København K"), ("2100", "København Ø"), ("2800", "Kongens Lyngby"), ("3000", "Helsingør"),
    ("4000", "Roskilde"), ("4700", "Næstved"), ("5000", "Odense C"), ("5700", "Svendborg"), ("6000", "Kolding"),
    ("6400", "Sønderborg"), ("6700", "Esbjerg"), ("7100", "Vejle"), ("7400", "Herning"), ("7500", "Holstebro"),
    ("8000", "Aarhus C"), ("8200", "Aarhus N"), ("8600", "Silkeborg"), ("8800", "Viborg"), ("8900", "Randers C"),
    ("9000", "Aalborg"), ("9800", "Hjørring"), ("9990", "Skagen"),
]  # fmt: skip
_PLAIN = str.maketrans({"æ": "ae", "ø": "oe", "å": "aa", " ": "", "/": ""})
_WEIGHTS = (2, 7, 6, 5, 4, 3, 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """One invented customer: its details under the contract's names, and its persons."""

    fields: dict[str, str]
    persons: tuple[dict[str, str], ...]

    @property
    def name(self) -> str:
        """The company's name, which no other has."""
        return self.fields["name"]


def cvr(rng: random.Random) -> str:
    """Eight digits with a right check digit (modulus 11), belonging to nobody we know of."""
    while True:
        digits = [rng.randint(1, 9), *(rng.randint(0, 9) for _ in range(6))]
        rest = sum(digit * weight for digit, weight in zip(digits, _WEIGHTS, strict=True)) % 11
        if rest != 1:
            return "".join(map(str, digits)) + str((11 - rest) % 11)


def companies(seed: int) -> Iterator[Company]:
    """Invented companies without end, no name and no CVR twice."""
    rng = random.Random(seed)
    seen: set[str] = set()
    while True:
        name = f"{rng.choice(PLACE)} {rng.choice(TRADE)} {rng.choice(FORM)}"
        if name in seen:
            name = f"{rng.choice(LAST)} & {rng.choice(LAST)} {rng.choice(TRADE)} {rng.choice(FORM)}"
        number = cvr(rng)
        if name in seen or number in seen:
            continue
        seen |= {name, number}
        yield _company(rng, name, number)


def phone(rng: random.Random) -> str:
    """A Danish phone number in one of the ways people write it."""
    digits = str(rng.randint(20, 99)) + f"{rng.randint(0, 999999):06d}"
    pairs = " ".join(digits[at : at + 2] for at in range(0, 8, 2))
    return rng.choice([pairs, pairs, f"+45 {pairs}", digits])


def _company(rng: random.Random, name: str, number: str) -> Company:
    domain = name.lower().translate(_PLAIN).replace("&", "og") + ".example"
    postcode, city = rng.choice(CITY)
    street = f"{rng.choice(STREET)} {rng.randint(1, 180)}"
    if rng.random() < 0.2:
        street += f"\n{rng.randint(1, 5)}. {rng.choice(['tv', 'th', 'mf'])}"
    fields = {
        "name": name,
        "cvr": number,
        "street": street,
        "postcode": postcode,
        "city": city,
        "country": "Danmark",
        "phone": phone(rng),
        "email": f"{rng.choice(['kontakt', 'info', 'post'])}@{domain}",
        "website": rng.choice(["", f"www.{domain}", f"https://{domain}/"]),
    }
    people = rng.sample([(first, last) for first in FIRST for last in LAST], rng.choice([1, 1, 1, 2, 2]))
    persons = tuple(
        {
            "name": f"{first} {last}",
            "email": f"{first}.{last}@{domain}".lower().translate(_PLAIN),
            "phone": phone(rng),
        }
        for first, last in people
    )
    return Company(fields=fields, persons=persons)
