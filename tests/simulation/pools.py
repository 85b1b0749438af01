"""What do people type in a simulated world? Few values, so that they meet: spellings, too long ones, empty ones."""

from datetime import UTC, datetime, timedelta

from economic_adapter.contract import Defaults
from reconciler.rules import Area, Rules, Transfer

START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
DEFAULTS = Defaults(group=1, terms=1, zone=1, currency="DKK")
RULES = Rules(
    agreement="on",
    since=START,
    transfer=Transfer.CREATED,
    defaults=dict.fromkeys(Area, DEFAULTS),
    resend=timedelta(minutes=1),
)
POOL = {
    "name": ["Nordhavn Tømrer ApS", "Nordhavn  Tømrer ApS", "Sydhavn Maler A/S", "Østerbro El"],
    "cvr": ["12345678", "DK 12 34 56 78", "87654321", ""],
    "pnumber": ["1003456789", "1 003 456 789", "10034567891234", ""],
    "street": ["Havnegade 1", "Havnegade 1\n2. sal", "Kajen 7", "A\nB\nC", ""],
    "postcode": ["8000", "DK-8000", "2100", ""],
    "city": ["Aarhus C", "København Ø", "L" * 60, "L" * 50 + "M" * 10, ""],
    "country": ["Danmark", "DK", "Sverige"],
    "phone": ["12345678", "+45 12 34 56 78", "87654321", ""],
    "email": ["post@nordhavn.dk", "POST@nordhavn.dk", "bad", "info@nordhavn.dk", ""],
    "website": ["nordhavn.dk", "https://www.nordhavn.dk/", "sydhavn.dk", ""],
}
PERSON = {"name": ["Mette", "Jens", "Anna", "Mette ", ""], "email": ["m@x.dk", "j@x.dk", ""], "phone": ["11", "22", ""]}
