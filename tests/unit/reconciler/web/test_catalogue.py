"""Has every text that any page says its Danish, with the same values filled in? Read off the templates and the code themselves."""

import ast
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Message
from jinja2 import Environment, nodes

from reconciler import causes, receipt
from reconciler.web import (
    access_words,
    act_words,
    acting,
    answered,
    app,
    asks,
    customers,
    details,
    health,
    lists,
    new_customers,
    panels,
    pause,
    reasons,
    receipts,
    rule_words,
    run_words,
    says,
    screen,
    tasks,
    whys,
    words,
)

WEB = Path(str(resources.files("reconciler.web")))
TABLES: tuple[Mapping[Any, str], ...] = (
    says.LABELS, says.SHOWN, says.BUTTONS, says.BADGES, says._PLAIN, says._PAUSED, lists.TABS, lists.ASKED, causes.NEXT, reasons.REFUSED, reasons.UNDOING,
    reasons.NOT_UNDONE, receipts.UPDATED, {"": reasons.MOVED}, whys.RULES, customers.CATEGORIES, customers.LEFT_OUT,
    run_words.CLASSES, run_words.ONLY_IN, run_words.EVIDENCE, run_words.PERSONS, run_words.SAFE, run_words.IN_THE_WAY,
    run_words.TITLES, run_words.ACTIONS, run_words.PLAIN, run_words.ENDED, receipt.REASONS,
    {one: texts[0] for one, texts in run_words.SUMS.items()},
    {kind: text for kind, text in run_words.LISTS.items() if kind not in {"crm", "economic"}},
    app._REFUSED, asks.KINDS, asks.SAYS, asks.DEEDS, asks.ACTS, act_words.SETTINGS, *act_words.CHOICES.values(), act_words.AREAS, {"": act_words.MAIL_OF}, answered.BUTTONS, answered.REFUSED, {"": answered._NOT_CARRIED}, tasks.AREAS,
    {path: text for path, text, _ in screen.PLACES},
    health.TITLES, {one: one for one in health.GROUPS}, health._STATES, {"": health._RECONNECT}, {one: step for one, (step, _) in health._STEPS.items()},
    access_words.NAMES, access_words.STAGES, access_words.SENTENCES, access_words.PLAIN,
    acting._PANELS, panels.HINDRANCES, panels.LEFT, panels.REFUSED, {"": panels._STALE},
    rule_words.WHERE, rule_words.WHO, rule_words.BOTH, rule_words.ONE, rule_words.NOTES, {"": rule_words.PHONE}, details.HINDRANCES,
    {text: text for text, _, _ in rule_words.ONLY_THERE}, {text: note for text, _, note in rule_words.ONLY_THERE},
    {text: text for text in rule_words.NO_HOME},
    new_customers.AREAS, new_customers.PARTS, new_customers.INACTIVE, *new_customers.REMOVED.values(), says.DOCUMENTS,
    {"": new_customers.BUSY}, pause.TO, pause.IS_PAUSED, {"": pause._LATER},
    {code: one.text for code, one in causes.CAUSES.items()}, {code: one.about for code, one in causes.CAUSES.items()},
)  # fmt: skip
"""Texts that are looked up by what they are about."""


@cache
def catalogue() -> dict[str, Message]:
    found = {}
    for one in words.catalogue("da"):
        if one.id:
            found[str(one.id[0] if isinstance(one.id, tuple) else one.id)] = one
    return found


def in_templates() -> Iterator[str]:
    for template in sorted((WEB / "templates").rglob("*.html")):
        tree = Environment().parse(template.read_text("utf-8"))  # noqa: S701 - only parsed
        for call in tree.find_all(nodes.Call):
            said = call.node
            if isinstance(said, nodes.Getattr) and said.attr == "many":
                said = said.node
            if isinstance(said, nodes.Name) and said.name == "say":
                yield from (const.value for const in _first(call).find_all(nodes.Const) if isinstance(const.value, str))
                if isinstance(_first(call), nodes.Const):
                    yield _first(call).value  # type: ignore[attr-defined]


def _first(call: nodes.Call) -> nodes.Expr:
    return call.args[0]


def in_code() -> Iterator[str]:
    for file in sorted([*WEB.rglob("*.py"), *(WEB.parent / "mail").glob("*.py")]):
        for call in ast.walk(ast.parse(file.read_text("utf-8"))):
            if not isinstance(call, ast.Call) or not call.args:
                continue
            said = call.func.value if isinstance(call.func, ast.Attribute) and call.func.attr == "many" else call.func
            if isinstance(said, ast.Name) and said.id in {"words", "_with_time", "_since", "_again"}:
                yield from (
                    one.value
                    for one in ast.walk(call.args[0])
                    if isinstance(one, ast.Constant) and isinstance(one.value, str) and " " in one.value
                )


def used() -> set[str]:
    texts = {text for table in TABLES for text in table.values() if text}
    keys = {"reader", "user", "admin", "crm", "economic"}
    return {one for one in (*texts, *in_templates(), *in_code()) if one and one not in keys}


@pytest.mark.parametrize("text", sorted(used()))
def test_every_text_that_is_said_has_its_danish(text: str) -> None:
    assert text in catalogue()


def test_something_was_found() -> None:
    assert len(set(in_templates())) > 20
    assert len(set(in_code())) > 20


def test_each_danish_text_is_there_once_and_fills_in_the_same_values() -> None:
    sources = [one.read_text("utf-8") for one in (WEB / "locale" / "da").iterdir()]
    names = [name for one in sources for name in re.findall(r'^msgid "(.+)"$', one, re.MULTILINE)]
    assert len(names) == len(set(names)), sorted({one for one in names if names.count(one) > 1})
    for name, one in catalogue().items():
        texts = one.string if isinstance(one.string, tuple) else (one.string,)
        ids = one.id if isinstance(one.id, tuple) else (one.id,)
        assert all(texts), name
        for english, danish in zip(ids, texts, strict=True):
            assert _values(str(english)) == _values(str(danish)), name


def _values(text: str) -> set[str]:
    return {one.lower() for one in re.findall(r"\{([^}]*)\}", text)}
