"""Is each state told in its agreed words, in both languages, and in the past tense where it need not hold any more?"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reconciler.contract import State
from reconciler.freshness import Layer
from reconciler.link import Status
from reconciler.rules import System
from reconciler.standing import Differing, Standing
from reconciler.web.says import BADGES, BUTTONS, LABELS, SHOWN, first, small
from reconciler.web.words import Words

NOW = datetime(2026, 11, 24, 13, 5, tzinfo=UTC)
DA, EN = Words("da", NOW), Words("en", NOW)
AT = NOW - timedelta(minutes=3)
PRESENT = Layer(freshness="known", present=True, behind=False, ahead=False, seen=AT, since=AT)
PAST = replace(PRESENT, freshness="older", present=False)


def said(state: State, **given: Any) -> Standing:
    """A customer in that state; only what the test names matters."""
    of_status = {name: given.pop(name) for name in ("reason", "message", "request_id", "details") if name in given}
    return Standing(status=Status(state=state, **of_status), **given)


NAME = Differing(field="name", crm="A", economic="B")
PHONE = Differing(field="phone", crm="1", economic="2")
HERS = Differing(field="phone", crm="3", economic="4", person="Anne Holm")


@pytest.mark.parametrize(
    ("standing", "layer", "danish", "english"),
    [
        (said("not_set_up"), PRESENT, "Integrationen med e-conomic er ikke sat op", "The e-conomic integration is not set up"),
        (said("off"), PRESENT, "Integrationen er slået fra", "The integration is off"),
        (said("access_lost"), PAST, "e-conomic afviser vores adgang siden kl. 14.02. Intet er gået tabt.",
         "e-conomic has refused our access since 14:02. Nothing is lost."),
        (said("paused", reason="both"), PRESENT, "Synkroniseringen er sat på pause", "Sync is paused"),
        (said("paused", reason="crm"), PRESENT, "Rettelser til Clickmate er sat på pause", "Edits to Clickmate are paused"),
        (said("error", reason="CustomerInvalidEmail", details=("email",), values={"email": "x@"}), PRESENT,
         'Kunden kunne ikke overføres: e-conomic godtager ikke e-mailadressen "x@". '
         "Ret det i Clickmate, så prøver vi igen af os selv.",
         'The customer could not be transferred: e-conomic does not accept the e-mail address "x@". '
         "Correct it in Clickmate; we try again by ourselves."),
        (said("error", reason="New", message="Nej tak"), PRESENT,
         'Kunden kunne ikke overføres: e-conomic svarede: "Nej tak". Teknisk: New, X-RequestId -.',
         'The customer could not be transferred: e-conomic answered: "Nej tak". Technical: New, X-RequestId -. '),
        (said("error", reason="New", message="Nej tak", request_id="a3c1f0d2b4e69788-CPH",
              details=("email",), values={"email": "x@"}), PRESENT,
         'Kunden kunne ikke overføres: e-conomic svarede: "Nej tak". Teknisk: New, X-RequestId a3c1f0d2b4e69788-CPH.',
         'The customer could not be transferred: e-conomic answered: "Nej tak". '
         "Technical: New, X-RequestId a3c1f0d2b4e69788-CPH. "),
        (said("error", reason="missing", details=("country",), values={"country": ""}), PRESENT,
         "Kunden kunne ikke overføres: Landet mangler. Vi ved ikke, hvilken momszone kunden skal have. "
         "Ret det i Clickmate, så prøver vi igen af os selv.",
         "The customer could not be transferred: The country is missing. We do not know which VAT zone the customer should have. "
         "Correct it in Clickmate; we try again by ourselves."),
        (said("error", reason="missing", details=("defaults",), values={"defaults": ""}), PRESENT,
         "Kunden kunne ikke overføres: Der mangler standardværdier for nye kunder i e-conomic. "
         "En administrator skal vælge dem under Opsætning.",
         "The customer could not be transferred: Defaults for new customers in e-conomic are missing. "
         "An administrator must choose them under Set-up."),
        (said("error", reason="unsendable", details=("contacts.notes",), message="characters"), PRESENT,
         "Kunden kunne ikke overføres: Rettelsen kan ikke sendes: Bemærkninger indeholder tegn eller mængder, vi ikke kan sende. "
         "Ret det i Clickmate, så prøver vi igen af os selv.",
         "The customer could not be transferred: The edit cannot be sent: Notes holds characters or amounts we cannot send. "
         "Correct it in Clickmate; we try again by ourselves."),
        (said("error", reason="unsendable", message="too_large"), PRESENT,
         "Kunden kunne ikke overføres: Rettelsen kan ikke sendes: Kunden indeholder tegn eller mængder, vi ikke kan sende. "
         "Ret det i Clickmate, så prøver vi igen af os selv.",
         "The customer could not be transferred: The edit cannot be sent: The customer holds characters or amounts we cannot send. "
         "Correct it in Clickmate; we try again by ourselves."),
        (said("error", reason="CustomerInvalidCustomerNumber", message="Nummeret er optaget"), PRESENT,
         'Kunden kunne ikke overføres: e-conomic svarede: "Nummeret er optaget". '
         "Teknisk: CustomerInvalidCustomerNumber, X-RequestId -.",
         'The customer could not be transferred: e-conomic answered: "Nummeret er optaget". '
         "Technical: CustomerInvalidCustomerNumber, X-RequestId -. "),
        (said("error", reason="ResourceNotFound", number=10482), PRESENT,
         "Kunden kunne ikke overføres: Kundenr. 10482 blev ikke fundet i e-conomic. Vi kontrollerer igen i nat.",
         "The customer could not be transferred: Customer no. 10482 was not found in e-conomic. We check again tonight."),
        (said("choice", choices=2), PRESENT, "Vælg de rigtige oplysninger (2)", "Choose the right details (2)"),
        (said("deleted"), PRESENT, "Slettet i e-conomic", "Deleted in e-conomic"),
        (said("perhaps", choices=1), PRESENT, "Findes måske i e-conomic (1 forslag)", "May exist in e-conomic (1 suggestion)"),
        (said("perhaps", choices=3), PRESENT, "Findes måske i e-conomic (3 forslag)", "May exist in e-conomic (3 suggestions)"),
        (said("creating"), PRESENT, "Oprettes i e-conomic ...", "Being created in e-conomic ..."),
        (said("sending", towards=System.ECONOMIC), PRESENT, "Sender din rettelse til e-conomic ...",
         "Sending your edit to e-conomic ..."),
        (said("sending", towards=System.CRM), PRESENT, "Henter rettelse fra e-conomic ...", "Fetching an edit from e-conomic ..."),
        (said("sending", reason="away"), PRESENT, "Venter på e-conomic", "Waiting for e-conomic"),
        (said("different", differs=(NAME,)), PRESENT, "1 oplysning er forskellig", "1 detail differs"),
        (said("different", differs=(NAME, PHONE)), PRESENT, "2 oplysninger er forskellige", "2 details differ"),
        (said("different", differs=(PHONE, HERS)), PRESENT, "2 oplysninger er forskellige", "2 details differ"),
        (said("different", differs=(NAME, PHONE)), PAST, "2 oplysninger var forskellige kl. 14.02", "2 details differed at 14:02"),
        (said("not_there_yet", badges=("lead",)), PRESENT,
         "Emne. Overføres til e-conomic, når det bliver en aktiv kunde",
         "Lead. Will be transferred to e-conomic when it becomes an active customer"),
        (said("not_there_yet"), PRESENT, "Overføres, når kunden bliver aktiv",
         "Will be transferred when the customer becomes active"),
        (said("not_there"), PRESENT, "Ikke oprettet i e-conomic", "Not in e-conomic"),
        (said("same"), PRESENT, "Oplysningerne er ens", "The details are the same"),
        (said("same"), PAST, "Oplysningerne var ens kl. 14.02", "The details were the same at 14:02"),
        (said("same"), replace(PAST, behind=True), "Sammenligner med e-conomic ...", "Comparing with e-conomic ..."),
    ],
)  # fmt: skip
def test_each_state_in_its_words(standing: Standing, layer: Layer, danish: str, english: str) -> None:
    assert first(DA, standing, layer, AT) == danish
    assert first(EN, standing, layer, AT) == english.strip()


@pytest.mark.parametrize(
    ("layer", "danish"),
    [
        (replace(PRESENT, freshness="fresh"), "Sammenlignet nu"),
        (PRESENT, "Sammenlignet kl. 14.02"),
        (PAST, "Sidst sammenlignet kl. 14.02"),
        (replace(PAST, freshness="looking"), "Sammenligner med e-conomic ..."),
        (replace(PAST, freshness="slow"), "e-conomic er langsom lige nu. Viser, hvad vi vidste kl. 14.02"),
        (replace(PAST, freshness="no_answer"),
         "e-conomic svarer ikke lige nu. Sidst sammenlignet kl. 14.02. Vi prøver igen af os selv"),
        (replace(PAST, freshness="down", since=NOW), "e-conomic har ikke svaret siden kl. 14.05. Sidst sammenlignet kl. 14.02"),
        (replace(PAST, freshness="throttled", next_try=NOW + timedelta(hours=1)),
         "Vi må først spørge e-conomic igen kl. 15.05. Sidst sammenlignet kl. 14.02"),
        (replace(PAST, freshness="delayed", since=NOW),
         "Synkroniseringen er forsinket siden kl. 14.05. Dine rettelser er gemt og bliver sendt"),
        (replace(PAST, seen=None, since=None), ""),
        (replace(PAST, seen=None, since=None, freshness="no_answer"), "e-conomic svarer ikke lige nu. Vi prøver igen af os selv"),
        (replace(PAST, seen=None, since=NOW, freshness="down"), "e-conomic har ikke svaret siden kl. 14.05"),
        (replace(PAST, seen=None, since=None, freshness="throttled", next_try=NOW + timedelta(hours=1)),
         "Vi må først spørge e-conomic igen kl. 15.05"),
        (replace(PAST, seen=None, since=NOW, freshness="delayed"),
         "Synkroniseringen er forsinket siden kl. 14.05. Dine rettelser er gemt og bliver sendt"),
        (replace(PAST, seen=None, since=None, freshness="slow"), "Sammenligner med e-conomic ..."),
    ],
)  # fmt: skip
def test_each_freshness_in_its_words(layer: Layer, danish: str) -> None:
    assert small(DA, layer) == danish
    assert small(EN, layer) != danish or danish == ""


@pytest.mark.parametrize("text", [*LABELS.values(), *BUTTONS.values(), *BADGES.values(), *SHOWN.values()])
def test_every_label_and_button_is_danish_in_danish(text: str) -> None:
    assert DA(text) != text or text in {"E-mail"}
