"""Which country does a text mean? By ISO 3166 code, or by its Danish, English or own name; and which defaults it gets."""

import unicodedata

from reconciler.rules import Area

_NAMES = """
AD Andorra
AE Forenede Arabiske Emirater|De Forenede Arabiske Emirater|United Arab Emirates|UAE
AL Albanien|Albania
AM Armenien|Armenia
AR Argentina
AT Østrig|Austria|Österreich
AU Australien|Australia
AX Åland|Ålandsøerne|Aland Islands|Åland Islands
AZ Aserbajdsjan|Azerbaijan
BA Bosnien-Hercegovina|Bosnien og Hercegovina|Bosnia and Herzegovina
BD Bangladesh
BE Belgien|Belgium|België|Belgique
BG Bulgarien|Bulgaria
BH Bahrain
BO Bolivia
BR Brasilien|Brazil|Brasil
BY Belarus|Hviderusland
CA Canada
CH Schweiz|Switzerland|Suisse|Svizzera
CL Chile
CN Kina|China
CO Colombia
CR Costa Rica
CU Cuba
CY Cypern|Cyprus
CZ Tjekkiet|Den Tjekkiske Republik|Czechia|Czech Republic
DE Tyskland|Germany|Deutschland
DK Danmark|Denmark|Kongeriget Danmark|Kingdom of Denmark
DO Den Dominikanske Republik|Dominican Republic
DZ Algeriet|Algeria
EC Ecuador
EE Estland|Estonia|Eesti
EG Egypten|Egypt
ES Spanien|Spain|España
ET Etiopien|Ethiopia
FI Finland|Suomi
FO Færøerne|Faroe Islands|Føroyar
FR Frankrig|France
GB Storbritannien|Det Forenede Kongerige|United Kingdom|Great Britain|UK|U.K.|England|Skotland|Scotland|Wales|Nordirland|Northern Ireland
GE Georgien|Georgia
GG Guernsey
GH Ghana
GI Gibraltar
GL Grønland|Greenland|Kalaallit Nunaat
GR Grækenland|Greece|EL|Hellas
GT Guatemala
HK Hongkong|Hong Kong
HR Kroatien|Croatia|Hrvatska
HU Ungarn|Hungary|Magyarország
ID Indonesien|Indonesia
IE Irland|Ireland|Éire
IL Israel
IM Isle of Man|Man
IN Indien|India
IQ Irak|Iraq
IR Iran
IS Island|Iceland|Ísland
IT Italien|Italy|Italia
JE Jersey
JO Jordan
JP Japan
KE Kenya
KH Cambodja|Cambodia
KR Sydkorea|South Korea|Republic of Korea
KW Kuwait
KZ Kasakhstan|Kazakhstan
LB Libanon|Lebanon
LI Liechtenstein
LK Sri Lanka
LT Litauen|Lithuania|Lietuva
LU Luxembourg|Luxemburg
LV Letland|Latvia|Latvija
LY Libyen|Libya
MA Marokko|Morocco
MC Monaco
MD Moldova
ME Montenegro
MK Nordmakedonien|North Macedonia|Makedonien|Macedonia
MT Malta
MU Mauritius
MX Mexico|México
MY Malaysia
NG Nigeria
NL Holland|Nederlandene|Netherlands|The Netherlands|Nederland
NO Norge|Norway|Noreg
NP Nepal
NZ New Zealand
OM Oman
PA Panama
PE Peru
PH Filippinerne|Philippines
PK Pakistan
PL Polen|Poland|Polska
PT Portugal
PY Paraguay
QA Qatar
RO Rumænien|Romania|România
RS Serbien|Serbia
RU Rusland|Russia|Den Russiske Føderation|Russian Federation
SA Saudi-Arabien|Saudi Arabia
SE Sverige|Sweden
SG Singapore
SI Slovenien|Slovenia
SK Slovakiet|Slovakia
SM San Marino
SY Syrien|Syria
TH Thailand
TN Tunesien|Tunisia
TR Tyrkiet|Turkey|Türkiye
TW Taiwan
TZ Tanzania
UA Ukraine
UG Uganda
US USA|U.S.A.|De Forenede Stater|United States|United States of America|Amerikas Forenede Stater
UY Uruguay
VA Vatikanstaten|Vatican City
VE Venezuela
VN Vietnam
XK Kosovo
ZA Sydafrika|South Africa
ZM Zambia
ZW Zimbabwe
"""

EU = frozenset("AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split())


def _key(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


_CODES: dict[str, str] = {}
for _line in _NAMES.strip().splitlines():
    _code, _, _spellings = _line.partition(" ")
    for _name in (_code, *_spellings.split("|")):
        _CODES[_key(_name)] = _code


def code(text: str) -> str | None:
    """The ISO code of the country a text means; none when it is empty or not known."""
    return _CODES.get(_key(text))


def area(text: str) -> Area | None:
    """Which defaults a new customer of that country gets; Greenland and the Faroe Islands are abroad."""
    match code(text):
        case None:
            return None
        case "DK":
            return Area.DENMARK
        case known:
            return Area.EU if known in EU else Area.ABROAD
