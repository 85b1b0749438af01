"""Is each rule told in a sentence with a real name, in both languages, and are answers those that were agreed?"""

from datetime import UTC, datetime

import pytest

from reconciler.rules import Decides, Direction, Rule
from reconciler.ruleset import DETAILS
from reconciler.web import rule_words
from reconciler.web.words import Words

NOW = datetime(2026, 11, 24, 13, 5, tzinfo=UTC)
DA, EN = Words("da", NOW), Words("en", NOW)
NAMES = [("Lundby Glas A/S", "Anders"), ("Nordhavn Tag ApS", ""), ("Sydhavn Maler", "Ida Holm")]


def test_answers_are_the_agreed_ones_without_what_is_asked() -> None:
    where, who = rule_words.WHERE, rule_words.WHO
    assert rule_words.asked(DA, where[Direction.BOTH]) == "Må rettes i"
    assert [rule_words.answer(DA, one) for one in where.values()] == [
        "Begge systemer", "Kun i e-conomic", "Kun i Clickmate", "Synkroniseres ikke",
    ]  # fmt: skip
    assert rule_words.asked(EN, who[Decides.CRM]) == "If both have changed it"
    assert [rule_words.answer(DA, one) for one in who.values()] == ["Behold Clickmates", "Behold e-conomics", "Spørg"]


@pytest.mark.parametrize(
    ("name", "rule", "danish"),
    [
        ("phone", Rule(decides=Decides.CRM), "Retter Nordhavn Tags telefon i begge systemer, beholder vi Clickmates."),
        ("ean", Rule(decides=Decides.ECONOMIC), "Rettes Nordhavn Tags EAN-nr. i begge systemer, beholder vi e-conomics."),
        ("name", Rule(), "Rettes Nordhavn Tags navn i begge systemer, spørger vi jer."),
        ("cvr", Rule(direction=Direction.ONLY_ECONOMIC), "Rettes Nordhavn Tags CVR-nr. i Clickmate, sætter vi e-conomics tilbage."),
        ("contact.phone", Rule(direction=Direction.ONLY_CRM), "Rettes Ida Holms telefon i e-conomic, sætter vi Clickmates tilbage."),
    ],
)  # fmt: skip
def test_the_example_names_somebody_of_this_company(name: str, rule: Rule, danish: str) -> None:
    assert rule_words.example(DA, name, rule, NAMES) == danish


def test_without_customers_it_is_a_customer_and_with_awkward_names_one_of_them() -> None:
    rule = Rule(decides=Decides.CRM)
    assert rule_words.example(EN, "phone", rule, []) == (
        "If the phone of a customer is changed in both systems, we keep Clickmate's."
    )
    assert rule_words.example(EN, "contact.email", rule, [("X", "")]) == (
        "If the e-mail of a contact person is changed in both systems, we keep Clickmate's."
    )
    assert "Andreas" in rule_words.example(DA, "phone", rule, [("Andreas", "")])


@pytest.mark.parametrize("name", DETAILS)
def test_every_rule_of_every_detail_has_its_sentence(name: str) -> None:
    for direction in Direction:
        for decides in Decides:
            rule = Rule(direction=direction, decides=decides)
            for words in (DA, EN):
                said = rule_words.example(words, name, rule, NAMES)
                assert said.endswith(".")
                assert "{" not in said
                assert rule_words.told(words, rule)
