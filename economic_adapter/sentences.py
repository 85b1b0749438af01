"""What does the connection page say? Each case its own sentence, in Danish and English."""

from collections.abc import Mapping
from typing import Final

from economic_adapter.attempt import Ending, Locale

SENTENCES: Final[Mapping[str, tuple[str, str]]] = {
    "title": ("Forbind til e-conomic", "Connect to e-conomic"),
    "connect": (
        "Du logger ind hos e-conomic og giver Clickmate adgang. Vi ser aldrig din adgangskode.",
        "You sign in at e-conomic and give Clickmate access. We never see your password.",
    ),
    "connect_button": ("Forbind til e-conomic", "Connect to e-conomic"),
    "paste": (
        "Har du allerede en adgangsnøgle fra e-conomic, kan du indsætte den her.",
        "If you already have an access token from e-conomic, you can paste it here.",
    ),
    "paste_label": ("Adgangsnøgle", "Access token"),
    "paste_button": ("Brug nøglen", "Use the token"),
    "again": ("Prøv igen", "Try again"),
    "no_app": (
        "Serveren mangler vores nøgler til e-conomic. Den, der driver serveren, skal angive dem.",
        "The server lacks our keys to e-conomic. Whoever runs the server must enter them.",
    ),
    "no_attempt": (
        "Linket er udløbet eller ikke gyldigt. Bed om et nyt i Clickmate.",
        "The link has expired or is not valid. Ask for a new one in Clickmate.",
    ),
    "stale_form": (
        "Siden var for gammel. Intet er ændret.",
        "The page was too old. Nothing was changed.",
    ),
    "connected": (
        "I er forbundet med {company}, aftale {number}. Er det ikke den rigtige, så afbryd forbindelsen, og vælg en anden.",
        "You are connected to {company}, agreement {number}. If that is not right, disconnect and choose another.",
    ),
    "ask": (
        "I er forbundet med {company}, aftale {number}. Er det den rigtige?",
        "You are connected to {company}, agreement {number}. Is that right?",
    ),
    "yes": ("Ja", "Yes"),
    "no": ("Nej, vælg en anden", "No, choose another"),
    "parted": (
        "Adgangen til {company}, aftale {number}, er slettet igen. Vælg en anden.",
        "The access to {company}, agreement {number}, was erased again. Choose another.",
    ),
    "in_use": (
        "Aftale {number} er taget i brug i mellemtiden. Afbryd forbindelsen først. Intet er ændret.",
        "Agreement {number} is in use by now. Disconnect it first. Nothing was changed.",
    ),
    "back": ("Tilbage til opsætningen i Clickmate", "Back to the set-up in Clickmate"),
    "close": ("Du kan lukke siden.", "You can close this page."),
    "refused": (
        "Du gav ikke Clickmate adgang, eller e-conomic afviste den. Intet er ændret.",
        "You did not give Clickmate access, or e-conomic refused it. Nothing was changed.",
    ),
    "wrong_agreement": (
        "Du har givet adgang til aftale {new} ({new_company}). I er forbundet med {number} ({company}). Intet er ændret.",
        "You gave access to agreement {new} ({new_company}). You are connected to {number} ({company}). "
        "Nothing was changed.",
    ),
    "api_missing": (
        "Jeres e-conomic-abonnement giver ikke adgang til API'et. Tilføj det i e-conomic under Alle indstillinger, "
        "og prøv igen.",
        "Your e-conomic subscription has no API access. Add it in e-conomic under All settings, then try again.",
    ),
    "role_small": (
        "Den adgang, I har givet, må ikke rette kunder. Giv adgang igen som en bruger, der må.",
        "The access you gave may not change customers. Give access again as a user who may.",
    ),
    "closed": (
        "Aftale {number} er lukket hos e-conomic. Kontakt e-conomic, og forbind igen.",
        "Agreement {number} is closed at e-conomic. Contact e-conomic, then reconnect.",
    ),
    "away": (
        "e-conomic svarer ikke lige nu. Intet er ændret. Prøv igen om lidt.",
        "e-conomic is not answering right now. Nothing was changed. Try again shortly.",
    ),
    "elsewhere": (
        "Aftale {number} er allerede forbundet med en anden Clickmate-konto. Afbryd den dér først.",
        "Agreement {number} is already connected to another Clickmate account. Disconnect it there first.",
    ),
    "delayed": (
        "Vores egen database svarer ikke lige nu. Intet er ændret. Prøv igen om lidt.",
        "Our own database is not answering right now. Nothing was changed. Try again shortly.",
    ),
}  # fmt: skip


def say(locale: Locale, sentence: str, names: Mapping[str, str] | None = None) -> str:
    """A sentence with its names filled in."""
    danish, english = SENTENCES[sentence]
    return (english if locale == "en" else danish).format_map(dict(names or {}))


def tell(locale: Locale, ending: Ending) -> str:
    """The sentence of an ending."""
    return say(locale, "ask" if ending.ask else ending.sentence, ending.names)
