"""Is what is proposed to be done always the rule that does what a person chose, and nothing where no rule can?"""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler import always, beside, ruleset
from reconciler.beside import Row
from reconciler.link import Kind
from reconciler.rules import Decides, Direction, Rule
from reconciler.ruleset import Part
from tests.builders.contested import ASK, contested
from tests.builders.deciding import Deciding
from tests.builders.reconciler import linked, ruled, to_crm, to_economic

SIDES = st.sampled_from(["crm", "economic"])


def row(case: Deciding, detail: str, kind: Kind = "customer") -> Row:
    found = beside.rows(case.link, case.rules)
    return next(one for one in found if (one.kind, one.detail) == (kind, detail))


def follow(case: Deciding, detail: str, part: Part) -> None:
    """The rules that follow from that proposal hold from now on."""
    before = {"customer": case.rules.customer, "contact": case.rules.contact}
    after = ruleset.altered(before, {detail: part})
    case.rules = replace(case.rules, customer=after["customer"], contact=after["contact"])


@given(SIDES, st.sampled_from(["name", "phone"]))
def test_what_both_changed_is_settled_by_who_decides_as_it_was_chosen(side: always.Take, detail: str) -> None:
    case = contested()
    part = always.proposed(row(case, detail), case.rules)[side]
    assert part == Part(decides=Decides(side))
    follow(case, detail, part)
    case.commands = case.hear_again()
    wanted = {"crm": case.crm_values, "economic": case.economic_values}[side][detail]
    written = to_economic(case.commands) if side == "crm" else to_crm(case.commands)
    assert written == {detail: wanted}
    assert row(case, detail).stands == "waits"


@given(SIDES)
def test_what_is_asked_whoever_decides_is_settled_by_where_it_may_be_changed(side: always.Take) -> None:
    case = contested()
    stopped = replace(case.link.customer, bounces={"name": (case.now,) * 3})
    case.link = replace(case.link, customer=stopped)
    only = Direction(side)
    assert always.proposed(row(case, "name"), case.rules)[side] == Part(direction=only)
    follow(case, "name", Part(direction=only))
    assert side not in always.proposed(row(case, "name"), case.rules), "that is how it is already"
    other = contested()
    asked = replace(row(other, "name"), reason="kept")
    decided = ruled(name=Rule(decides=Decides(side)))
    assert always.proposed(asked, decided)[side] == Part(direction=only)
    assert always.proposed(asked, ASK)[side] == Part(decides=Decides(side))


@pytest.mark.parametrize("detail", ["name", "phone"])
def test_what_is_left_different_is_not_kept_the_same_any_more(detail: str) -> None:
    case = contested()
    part = always.proposed(row(case, detail), case.rules)["different"]
    follow(case, detail, part)
    assert case.hear_again() == ()
    assert row(case, detail).stands == "same"


def test_what_was_cleared_may_be_empty_and_bringing_it_back_is_no_rule() -> None:
    case = contested()
    cleared = replace(row(case, "name"), reason="empty", crm="")
    assert always.proposed(cleared, ASK) == {
        "crm": Part(may_be_empty=True), "different": Part(direction=Direction.NONE),
    }  # fmt: skip


def test_what_is_not_asked_or_was_refused_has_no_rule_that_settles_it() -> None:
    case = contested()
    for stands in ("refused", "differs", "kept", "waits", "same", "alone"):
        assert always.proposed(replace(row(case, "name"), stands=stands), ASK) == {}


def test_the_e_mail_of_who_gets_copies_of_invoices_has_a_rule_of_its_own() -> None:
    case = linked()
    case.crm_contacts["p1"] = {"name": "Mette Hansen", "email": "mette@nordhavn.dk"}
    (command,) = case.crm()
    case.written(command, created="7")
    for receives, name in ((("invoices",), "contact.invoice_email"), (("orders",), "contact.email")):
        case.economic_contacts[7]["receives"] = receives
        case.economic()
        found = next(
            one for one in beside.rows(case.link, case.rules) if (one.kind, one.detail) == ("contact", "email")
        )
        assert always.name_of(found) == name
        asked = replace(found, stands="contested", reason="both")
        rules = replace(case.rules, contact={name.partition(".")[2]: Rule(decides=Decides.ECONOMIC)})
        assert always.proposed(asked, rules)["economic"] == Part(direction=Direction.ONLY_ECONOMIC)
        assert name in ruleset.DETAILS
    own = next(one for one in beside.rows(case.link, case.rules) if (one.kind, one.detail) == ("customer", "email"))
    assert always.name_of(own) == "email"
