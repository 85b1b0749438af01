"""What do people type in a simulated world? Few values, so that they meet: spellings, too long ones, empty ones."""

from datetime import UTC, datetime, timedelta

from economic_adapter.contract import Defaults
from reconciler.rules import Area, Rule, Rules, Transfer

START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
DEFAULTS = Defaults(group=1, terms=1, zone=1, currency="DKK")
RULES = Rules(
    agreement="on",
    since=START,
    transfer=Transfer.CREATED,
    defaults=dict.fromkeys(Area, DEFAULTS),
    resend=timedelta(minutes=1),
)
COMPANIES = (
    ("Nordhavn Tømrer ApS", "12345678", "8000"),
    ("Sydhavn Maler A/S", "25313763", "2100"),
    ("Østerbro El ApS", "31876544", "2100"),
    ("Fyns Frugt og Grønt A/S", "40917788", "5000"),
    ("Ærø Bådebyggeri I/S", "19552101", "5970"),
    ("Vestkystens Vinduer ApS", "28661230", "6700"),
    ("Møns Murer ApS", "37240911", "4780"),
    ("Himmerlands Hus A/S", "22675588", "9620"),
    ("Lolland Lys ApS", "16443308", "4930"),
    ("Thy Træ I/S", "30099124", "7700"),
    ("Skagen Skilte ApS", "44120076", "9990"),
    ("Bornholm Brød A/S", "33107652", "3700"),
)
"""Companies that really exist here: name, CVR number, postcode."""


def details(company: int) -> dict[str, list[str]]:
    """What people type for one company: its own name and number however spelled, and details anybody may have."""
    name, cvr, postcode = COMPANIES[company % len(COMPANIES)]
    return {
        "name": [name, name.replace(" ", "  ", 1), f"{name.split()[0]} Gruppen", f"{name.split()[0]} Nyt"],
        "cvr": [cvr, f"DK {cvr[:2]} {cvr[2:4]} {cvr[4:6]} {cvr[6:]}", f"9{cvr[1:]}", ""],
        "pnumber": [f"10{cvr}", f"1 0{cvr[:2]} {cvr[2:]}", f"10{cvr}1234", ""],
        "street": ["Havnegade 1", "Havnegade 1\n2. sal", "Kajen 7", "A\nB\nC", ""],
        "postcode": [postcode, f"DK-{postcode}", "9900", ""],
        "city": ["Aarhus C", "København Ø", "L" * 60, "L" * 50 + "M" * 10, ""],
        "country": ["Danmark", "DK", "Sverige"],
        "phone": ["12345678", "+45 12 34 56 78", "87654321", ""],
        "email": [f"post@firma{company}.dk", f"POST@firma{company}.dk", "bad", f"info@firma{company}.dk", ""],
        "website": [f"firma{company}.dk", f"https://www.firma{company}.dk/", "sydhavn.dk", ""],
    }


PERSON = {"name": ["Mette", "Jens", "Anna", "Mette ", ""], "email": ["m@x.dk", "j@x.dk", ""], "phone": ["11", "22", ""]}


def rule_of(rules: Rules, kind: str, group: str, default: Rule) -> Rule:
    """The rule an admin chose, read here and not by the product."""
    return (rules.customer if kind == "customer" else rules.contact).get(group, default)
