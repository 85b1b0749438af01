"""How does e-conomic word a refusal? One sentence per code, in English and Danish."""

TEXTS: dict[str, tuple[str, str]] = {
    "CustomerAlreadyExists": ("A customer with this number already exists.", "Kundenummeret findes allerede."),
    "CustomerMissingName": ("The customer has no name.", "Kunden mangler et navn."),
    "CustomerInvalidCustomerNumber": ("The customer number is not valid.", "Kundenummeret er ikke gyldigt."),
    "CustomerannotChangeNumber": ("The customer number cannot be changed.", "Kundenummeret kan ikke ændres."),
    "CustomerInvalidGroupId": ("The customer group does not exist.", "Kundegruppen findes ikke."),
    "CustomerInvalidPaymentTerm": ("The payment term does not exist.", "Betalingsbetingelsen findes ikke."),
    "CustomerBarredPaymentTerm": ("The payment term is barred.", "Betalingsbetingelsen er spærret."),
    "CustomerInvalidVatZone": ("The VAT zone does not exist.", "Momszonen findes ikke."),
    "CustomerInvalidCurrency": ("The currency does not exist.", "Valutaen findes ikke."),
    "CustomerInvalidEmail": ("The e-mail address is not valid.", "E-mailadressen er ikke gyldig."),
    "CustomerInvalidInvoiceEmail": ("The invoice e-mail is not valid.", "E-mail til faktura er ikke gyldig."),
    "CustomerInvalidOrderEmail": ("The order e-mail is not valid.", "E-mail til ordre er ikke gyldig."),
    "CustomerInvalidQuotationEmail": ("The quotation e-mail is not valid.", "E-mail til tilbud er ikke gyldig."),
    "CustomerInvalidReminderEmail": ("The reminder e-mail is not valid.", "E-mail til rykker er ikke gyldig."),
    "CustomerInvalidStatementEmail": ("The statement e-mail is not valid.", "E-mail til kontoudtog er ikke gyldig."),
    "CustomerInvalidEANThirteenDigits": ("The EAN number must have 13 digits.", "EAN-nummeret skal have 13 cifre."),
    "CustomerInvalidEAN": ("The EAN number is not valid.", "EAN-nummeret er ikke gyldigt."),
    "CustomerInvalidPNumber": ("The P-number must have 10 digits.", "P-nummeret skal have 10 cifre."),
    "CustomerInvalidCharacters": ("There are characters that are not allowed.", "Der er tegn, som ikke er tilladt."),
    "CustomerInvalidDefaultAttention": ("The attention person does not exist.", "Att.-personen findes ikke."),
    "CustomerInvalidDefaultTheirRef": ("The reference person does not exist.", "Deres ref. findes ikke."),
    "CustomerIsInUse": ("The customer is in use and cannot be deleted.", "Kunden er i brug og kan ikke slettes."),
    "CustomerDoesNotExist": ("The customer does not exist.", "Kunden findes ikke."),
    "CustomerNumberMismatch": ("The contact belongs to another customer.", "Kontakten hører til en anden kunde."),
    "CustomerContactNameNullOrEmpty": ("The contact has no name.", "Kontakten mangler et navn."),
    "CustomerContactNameAlreadyExists": (
        "The customer already has a contact with this name.",
        "Kunden har allerede en kontakt med det navn.",
    ),
    "CustomerContactIsInUse": ("The contact is in use and cannot be deleted.", "Kontakten er i brug."),
    "WebhookInvalidType": ("The event type does not exist.", "Hændelsestypen findes ikke."),
    "WebhookInvalidUrl": ("The address is not valid.", "Adressen er ikke gyldig."),
    "WebhookInvalidUrlScheme": ("The address must begin with https.", "Adressen skal begynde med https."),
    "WebhookAlreadyExistsForEventType": (
        "There already is a webhook for this event type.",
        "Der findes allerede en webhook for denne hændelsestype.",
    ),
    "WebhookCustomHeadersTooMany": ("At most 5 headers are allowed.", "Højst 5 headere er tilladt."),
    "WebhookCustomHeadersTooLong": ("The headers are too long.", "Headerne er for lange."),
    "WebhookCustomHeaderInvalid": ("A header is not valid.", "En header er ikke gyldig."),
}


def worded(code: str, language: str) -> str:
    """The sentence for a code, or the code itself."""
    english, danish = TEXTS.get(code, (code, code))
    return danish if language == "da" else english
