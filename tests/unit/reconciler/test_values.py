"""Table V: what happens to a detail that changed on one side, on both, or on neither? Each test names its row."""

from dataclasses import replace

import pytest

from reconciler.link import Base, Status
from reconciler.rules import Decides, Direction, Rule
from tests.builders.reconciler import Case, linked, ruled, to_crm, to_economic

CRM, ECONOMIC, ASK = (Rule(decides=one) for one in (Decides.CRM, Decides.ECONOMIC, Decides.ASK))
EVERY = pytest.mark.parametrize("rule", [CRM, ECONOMIC, ASK], ids=["crm", "economic", "ask"])


def apart(rule: Rule, field: str = "phone", crm: str = "11111111", economic: str = "22222222") -> Case:
    """Both sides changed the same detail before either edit was heard of."""
    case = linked(ruled(**{field: rule}))
    case.rules = ruled(**{field: Rule(direction=Direction.NONE)})
    case.crm(**{field: crm})
    case.economic(**{field: economic})
    case.rules = ruled(**{field: rule})
    return case


@EVERY
def test_v1_nothing_changed_and_nothing_is_written(rule: Rule) -> None:
    case = linked(ruled(phone=rule))
    assert case.crm() == ()
    assert case.economic() == ()
    assert case.status == Status(state="same")


@EVERY
def test_v2_an_old_difference_stays_and_is_shown(rule: Rule) -> None:
    case = linked(ruled(phone=rule))
    customer = case.link.customer
    base = {**customer.base, "phone": Base(crm="11111111", economic="22222222")}
    case.link = replace(case.link, customer=replace(customer, base=base))
    case.crm_values["phone"], case.economic_values["phone"] = "11111111", "22222222"
    case.rules = ruled(phone=Rule(direction=Direction.NONE))
    case.crm()
    case.economic()
    case.rules = ruled(phone=rule)
    assert case.crm() == ()
    assert case.status == Status(state="different", details=("phone",))


@EVERY
def test_v3_a_lone_edit_in_the_crm_goes_to_e_conomic_whoever_decides(rule: Rule) -> None:
    case = linked(ruled(phone=rule))
    assert to_economic(case.crm(phone="87654321")) == {"phone": "87654321"}
    assert case.status == Status(state="sending", details=("phone",))


@EVERY
def test_v4_a_lone_edit_in_e_conomic_goes_to_the_crm_whoever_decides(rule: Rule) -> None:
    case = linked(ruled(phone=rule))
    assert to_crm(case.economic(phone="87654321")) == {"phone": "87654321"}


@EVERY
def test_v5_both_changed_to_the_same_and_only_the_base_moves(rule: Rule) -> None:
    case = apart(rule, crm="87654321", economic="+45 87 65 43 21")
    assert case.crm() == ()
    assert case.link.customer.base["phone"] == Base(crm="87654321", economic="+45 87 65 43 21")


def test_v6_both_changed_and_the_crm_decides() -> None:
    assert to_economic(apart(CRM).crm()) == {"phone": "11111111"}


def test_v6_both_changed_and_e_conomic_decides() -> None:
    assert to_crm(apart(ECONOMIC).crm()) == {"phone": "22222222"}


def test_v6_both_changed_and_a_person_is_asked_about_that_detail_alone() -> None:
    case = apart(ASK)
    assert to_economic(case.crm(mobile="99999999")) == {"mobile": "99999999"}
    assert case.status == Status(state="choice", reason="both", details=("phone",))


def test_v7_cleared_where_it_may_be_empty_is_cleared_there_too() -> None:
    case = linked(ruled(phone=Rule(may_be_empty=True)))
    assert to_economic(case.crm(phone="")) == {"phone": ""}


@pytest.mark.parametrize("side", ["crm", "economic"])
def test_v7_cleared_where_it_may_not_be_empty_is_asked_about(side: str) -> None:
    case = linked(ruled(phone=Rule(decides=Decides.ECONOMIC, may_be_empty=False)))
    assert (case.crm(phone="") if side == "crm" else case.economic(phone="")) == ()
    assert case.status == Status(state="choice", reason="empty", details=("phone",))


def test_v8_cleared_here_and_changed_there_is_a_clash_like_any_other() -> None:
    case = apart(ASK, crm="")
    assert case.crm() == ()
    assert case.status == Status(state="choice", reason="both", details=("phone",))
    assert to_economic(apart(CRM, crm="").crm()) == {"phone": ""}


def test_v9_changed_and_changed_back_is_no_change() -> None:
    case = linked(ruled(phone=ASK))
    case.rules = ruled(phone=Rule(direction=Direction.NONE))
    case.crm(phone="87654321")
    case.crm(phone="12345678")
    case.rules = ruled(phone=ASK)
    assert to_crm(case.economic(phone="22222222")) == {"phone": "22222222"}


def test_v10_a_change_of_spelling_writes_nothing_and_moves_no_base() -> None:
    case = linked(ruled(phone=ASK))
    base = case.link.customer.base["phone"]
    assert case.crm(phone="+45 12 34 56 78") == ()
    assert case.economic(phone="12-34-56-78") == ()
    assert case.link.customer.base["phone"] == base


def test_v11_the_case_of_a_name_matters() -> None:
    case = linked()
    assert case.crm(name="  Nordhavn   Tømrer ApS ") == ()
    assert to_economic(case.crm(name="NORDHAVN Tømrer ApS")) == {"name": "NORDHAVN Tømrer ApS"}


def test_v12_a_value_too_long_is_shortened_there_and_never_flows_back() -> None:
    case = linked()
    (command,) = case.crm(city="L" * 60)
    assert to_economic([command]) == {"city": "L" * 50}
    assert case.written(command) == ()
    assert case.link.customer.base["city"] == Base(crm="L" * 60, economic="L" * 50)
    assert case.economic(phone="22222222") != ()
    assert case.crm_values["city"] == "L" * 60
    assert case.crm(city="L" * 60 + "M") == ()  # the part that e-conomic cannot hold changed


def test_v13_a_refused_value_is_remembered_and_only_it_is_left_out() -> None:
    case = linked()
    (command,) = case.crm(email="nobody", phone="22222222")
    again = case.refused(command, "CustomerInvalidEmail", detail="email", message="E-mail is invalid")
    assert to_economic(again) == {"phone": "22222222"}
    assert case.written(again[0]) == ()
    assert case.status == Status(
        state="error", reason="CustomerInvalidEmail", details=("email",), message="E-mail is invalid"
    )
    assert to_economic(case.crm(mobile="33333333")) == {"mobile": "33333333"}


def test_v13_a_refused_value_is_tried_again_when_either_side_moves() -> None:
    case = linked()
    (command,) = case.crm(email="nobody")
    assert case.refused(command, "CustomerInvalidEmail", detail="email") == ()
    assert to_economic(case.crm(email="post@nordhavn.dk")) == {"email": "post@nordhavn.dk"}
    assert case.link.customer.refusals == ()


def test_v13_a_refusal_that_names_no_field_holds_all_its_fields_until_one_moves() -> None:
    case = linked()
    (command,) = case.crm(pnumber="1", phone="22222222")
    assert case.refused(command, "CustomerInvalid") == ()
    assert to_economic(case.crm(pnumber="1003456789")) == {"pnumber": "1003456789", "phone": "22222222"}


def test_v14_an_edit_on_the_side_that_may_not_is_put_back() -> None:
    case = linked(ruled(phone=Rule(direction=Direction.ONLY_ECONOMIC)))
    assert to_crm(case.crm(phone="22222222")) == {"phone": "12345678"}
    case = linked(ruled(phone=Rule(direction=Direction.ONLY_CRM)))
    assert to_economic(case.economic(phone="22222222")) == {"phone": "12345678"}


def test_v14_what_is_put_back_is_the_whole_text_where_e_conomic_holds_a_short_one() -> None:
    case = linked()
    case.written(case.crm(city="L" * 60)[0])
    case.rules = ruled(address=Rule(direction=Direction.ONLY_ECONOMIC))
    assert to_crm(case.crm(city="Odense")) == {"city": "L" * 60}


def test_v14_both_edited_and_the_side_that_may_holds() -> None:
    case = apart(Rule(direction=Direction.ONLY_ECONOMIC))
    assert to_crm(case.crm()) == {"phone": "22222222"}
    case = apart(Rule(direction=Direction.ONLY_CRM))
    assert to_economic(case.crm()) == {"phone": "11111111"}


def test_a_detail_that_is_not_synced_is_left_alone_and_not_called_different() -> None:
    case = linked(ruled(phone=Rule(direction=Direction.NONE)))
    assert case.crm(phone="11111111") == ()
    assert case.economic(phone="22222222") == ()
    assert case.status == Status(state="same")


def test_an_address_moves_as_one() -> None:
    case = linked(values={"street": "Kajen 1", "postcode": "8000"})
    assert to_crm(case.economic(street="Havnegade 7", postcode="2100", city="København Ø")) == {
        "street": "Havnegade 7",
        "postcode": "2100",
        "city": "København Ø",
    }


def test_an_address_changed_half_here_and_half_there_is_asked_about_as_one() -> None:
    case = linked(values={"street": "Kajen 1", "postcode": "8000"})
    case.rules = ruled(address=Rule(direction=Direction.NONE))
    case.crm(street="Havnegade 7")
    case.economic(postcode="2100")
    case.rules = ruled()
    assert case.crm() == ()
    assert case.status == Status(state="choice", reason="both", details=("street", "postcode"))
