"""Is a person asked exactly when there is something to choose, and is what is asked all there is to know about it?"""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from crm_outbox.contract import Result, Stage
from reconciler import asked, record
from reconciler.asked import Open, Task
from reconciler.link import Base, Decided, Heard, LinkState, Pair, Side
from reconciler.rules import Decides, Rule, System, Transfer
from reconciler.tasks import every, tasks
from tests.builders.deciding import Deciding, a_decision, deciding
from tests.builders.reconciler import NOW, RULES, outcome_of, ruled

ASK = ruled(name=Rule(decides=Decides.ASK, may_be_empty=False), phone=Rule(decides=Decides.ASK))


def of(case: Deciding) -> tuple[Task, ...]:
    return tasks(case.link, case.rules, case.now)


def only(case: Deciding) -> Task:
    (task,) = of(case)
    return task


def both_changed(case: Deciding, here: dict[str, str], there: dict[str, str]) -> None:
    rules, case.rules = case.rules, replace(case.rules, paused=frozenset(System))
    case.crm(**here)
    case.economic(**there)
    case.rules = rules
    case.hear_again()


def test_values_names_both_values_and_the_last_common_one_and_only_what_is_contested() -> None:
    case = deciding(ASK)
    both_changed(case, {"name": "A", "phone": "11111111"}, {"name": "B", "phone": "22222222"})
    task = only(case)
    assert (task.kind, task.reason, task.details) == ("values", "both", ("name", "phone"))
    assert (task.customer, task.number) == ("c1", 1042)
    name = task.shown[0]
    assert (name.field, name.crm, name.economic, name.base) == (
        "name", "A", "B", ("Nordhavn Tømrer ApS", "Nordhavn Tømrer ApS"),
    )  # fmt: skip
    assert case.stands().state == "choice"


def test_a_moved_value_is_another_fingerprint_and_a_spelling_is_none() -> None:
    case = deciding(ASK)
    both_changed(case, {"phone": "11111111"}, {"phone": "22222222"})
    before = only(case).fingerprint
    case.economic(phone="22 22 22 22")
    assert only(case).fingerprint == before
    case.economic(phone="33333333")
    assert only(case).fingerprint != before


def test_a_question_goes_when_the_values_become_equal() -> None:
    case = deciding(ASK)
    both_changed(case, {"name": "A"}, {"name": "B"})
    assert len(of(case)) == 1
    case.economic(name="A")
    assert of(case) == ()


def test_t11_a_changed_rule_settles_what_was_open() -> None:
    case = deciding(ASK)
    both_changed(case, {"name": "A"}, {"name": "B"})
    case.rules = ruled(name=Rule(decides=Decides.ECONOMIC))
    assert len(case.hear_again()) == 1
    assert of(case) == ()


def test_with_flows_off_no_question_opens_and_values_are_only_different() -> None:
    case = deciding(ASK)
    case.link = replace(case.link, flows=False)
    both_changed(case, {"name": "A"}, {"name": "B"})
    assert of(case) == ()
    assert case.stands().state == "different"


def test_v7_cleared_where_it_may_not_be_empty_is_asked_and_answered_either_way() -> None:
    case = deciding(RULES, email="mail@nordhavn.example")
    case.crm(email="")
    task = only(case)
    assert (task.kind, task.details) == ("empty", ("email",))
    case.carry_out(case.settle(email="economic"))
    assert case.crm_values["email"] == "mail@nordhavn.example"
    case.crm(email="")
    case.carry_out(case.settle(email="crm"))
    assert (case.crm_values["email"], case.economic_values["email"]) == ("", "")
    assert of(case) == ()


def test_v8_cleared_here_and_changed_there_is_a_choice_between_two_values() -> None:
    case = deciding(RULES, email="mail@nordhavn.example")
    both_changed(case, {"email": ""}, {"email": "new@nordhavn.example"})
    task = only(case)
    assert (task.kind, task.shown[0].crm, task.shown[0].economic) == ("values", "", "new@nordhavn.example")


def test_v13_what_e_conomic_refused_is_asked_with_its_words_until_the_source_is_corrected() -> None:
    case = deciding(RULES)
    (command,) = case.crm(email="wrong")
    case.refused(command, "CustomerInvalidEmail", detail="email", message="Invalid e-mail")
    task = only(case)
    assert (task.kind, task.reason, task.details, task.message) == (
        "refused", "CustomerInvalidEmail", ("email",), "Invalid e-mail",
    )  # fmt: skip
    assert case.stands().state == "error"
    case.carry_out(case.crm(email="right@nordhavn.example"))
    assert of(case) == ()


def test_a_refused_detail_is_asked_about_once_and_not_as_contested_as_well() -> None:
    case = deciding(ASK)
    both_changed(case, {"name": "A"}, {"name": "B"})
    (first,) = case.settle(name="C")
    case.refused(first, "CustomerInvalidName", detail="name")
    assert [one.kind for one in of(case)] == ["refused"]


def test_t12_what_both_systems_keep_rewriting_stops_and_is_asked() -> None:
    case = deciding(RULES)
    case.link = replace(case.link, customer=replace(case.link.customer, bounces={"phone": (case.now,) * 3}))
    assert case.economic(phone="66666666") == ()
    assert (only(case).kind, only(case).details) == ("bouncing", ("phone",))
    case.carry_out(case.settle(phone="crm"))
    assert of(case) == ()
    assert len(case.economic(phone="77777777")) == 1


def test_r8_gone_in_e_conomic_is_asked_and_with_an_edit_here_so() -> None:
    case = deciding(RULES)
    case.missing()
    assert (only(case).kind, case.stands().state) == ("deleted_there", "deleted")
    case.crm(phone="99999999")
    assert (only(case).kind, only(case).reason) == ("deleted_edited", "deleted_there")


def test_r9_deleted_here_is_asked_whether_to_bar_it_and_r10_with_an_edit_there_so() -> None:
    case = deciding(RULES)
    case.facts["deleted"] = True
    case.crm()
    assert case.link.state is LinkState.UNLINKED
    assert only(case).kind == "deleted_here"
    other = deciding(RULES)
    other.rules = replace(RULES, paused=frozenset(System))
    other.economic(phone="99999999")
    other.facts["deleted"] = True
    other.crm()
    assert (only(other).kind, only(other).reason) == ("deleted_edited", "deleted_here")


def test_r13_merged_and_r19_another_identity_rest_and_ask() -> None:
    case = deciding(RULES)
    case.facts["merged_into"] = "c2"
    case.crm()
    assert only(case).kind == "merged"
    other = deciding(RULES, cvr="12345678")
    other.economic(name="Sydhavn VVS", cvr="87654321")
    task = only(other)
    assert task.kind == "other_identity"
    assert {"name", "cvr"} <= {one.field for one in task.shown}


@pytest.mark.parametrize(
    ("seen", "another"),
    [({"cvr": "12345678"}, False), ({"cvr": "87654321"}, True), ({"cvr": "87654321", "name": ""}, False)],
    ids=["a name is filled in", "a name and another CVR number", "another CVR number"],
)
def test_r19_a_name_where_there_was_none_makes_another_cvr_number_another_company(
    seen: dict[str, str], another: bool
) -> None:
    base = {"name": Base(crm="", economic=""), "cvr": Base(crm="12345678", economic="12345678")}
    there = Side(id="7", values={"name": "Sydhavn VVS", **seen})
    pair = Pair(id=uuid4(), kind="customer", base=base, economic=there)
    assert record.another_identity(pair, ()) is another


def test_missing_country_and_refused_creation_of_one_who_is_not_there_yet() -> None:
    case = Deciding(rules=RULES)
    case.crm(country="Absurdistan")
    assert (only(case).kind, only(case).details) == ("missing", ("country",))
    assert case.stands().state == "error"
    (creation,) = case.crm(country="Danmark")
    case.refused(creation, "CustomerInvalidEmail", detail="email")
    assert only(case).kind == "refused"


def test_candidates_are_asked_about_and_a_creation_nobody_can_tell_about_is_unclear() -> None:
    case = Deciding(rules=RULES)
    (creation,) = case.crm()
    case.hear(Heard(outcomes=outcome_of(creation, Result.REFUSED, reason="candidates"), candidates=(5,)))
    assert (only(case).kind, case.stands().state) == ("candidates", "perhaps")
    other = Deciding(rules=RULES)
    (creation,) = other.crm()
    other.refused(creation, "ambiguous")
    assert (only(other).kind, other.stands().state) == ("unclear", "choice")


def test_a_lead_with_candidates_is_not_asked_about() -> None:
    case = Deciding(rules=replace(RULES, transfer=Transfer.ACTIVE))
    case.facts["stage"] = Stage.LEAD
    case.crm()
    case.link = replace(case.link, candidates=(5,))
    assert of(case) == ()


def test_a_write_nobody_answers_for_an_hour_is_unclear() -> None:
    case = deciding(RULES)
    case.crm(phone="99999999")
    assert of(case) == ()
    case.wait(timedelta(hours=1, minutes=1))
    assert (only(case).kind, only(case).reason) == ("unclear", "silent")
    assert case.stands().state == "choice"


def test_c2_c5_doubtful_persons_are_asked_about_one_by_one() -> None:
    case = deciding(RULES)
    case.crm_contacts["p1"] = {"name": "Mette Holm"}
    case.economic_contacts[7] = {"name": "Mette Holm", "email": "mh@nordhavn.example"}
    case.rules = replace(RULES, paused=frozenset(System))
    case.crm()
    case.economic()
    case.rules = RULES
    case.hear_again()
    assert {(one.kind, one.reason) for one in of(case)} == {("contact", "unclear")}


def test_a_person_whose_name_is_taken_and_who_is_unclear_besides_is_one_question() -> None:
    case = deciding(RULES)
    case.crm_contacts["p1"] = {"name": "Anna"}
    (command,) = case.crm()
    case.refused(command, "CustomerContactNameAlreadyExists", detail="name")
    (person,) = case.link.contacts
    case.link = replace(case.link, contacts=(replace(person, rest="unclear"),))
    assert [(one.kind, one.reason) for one in of(case)] == [("contact", "CustomerContactNameAlreadyExists")]
    case.link = replace(case.link, contacts=(replace(person, rest="unclear", refusals=()),))
    assert [(one.kind, one.reason) for one in of(case)] == [("contact", "unclear")]


def test_what_was_left_as_it_is_stays_away_until_it_has_another_cause() -> None:
    case = deciding(RULES)
    case.missing()
    task = only(case)
    decision = a_decision(means="leave", task=task.fingerprint, id=UUID(int=7), at=NOW)
    case.hear(Decided(decision=decision))
    assert of(case) == ()
    assert case.stands().state == "deleted"
    assert len(every(case.link, case.rules, case.now)) == 1
    case.economic()  # it is there again after all
    assert case.link.waived == ()
    case.missing()
    assert only(case).kind == "deleted_there"


def test_the_difference_of_open_questions_knows_the_same_question_with_other_values() -> None:
    task = Task(kind="values", customer="c1", number=1, details=("name",), fingerprint="b")
    known = Open(
        id=UUID(int=1), kind="values", subject="", reason="", details=("name",), fingerprint="a", opened=NOW
    )  # fmt: skip
    gone = replace(known, id=UUID(int=2), kind="empty")
    found = asked.difference([known, gone], [task, replace(task, kind="refused", subject="x")])
    assert [one.kind for one in found.opened] == ["refused"]
    assert found.closed == (gone,)
    assert found.moved == ((known, task),)
    assert not asked.difference([replace(known, fingerprint="b")], [task])


@pytest.mark.parametrize("state", ["off", "access_lost", "disconnected"])
def test_questions_stay_while_the_integration_is_off_or_access_is_lost(state: str) -> None:
    case = deciding(ASK)
    both_changed(case, {"name": "A"}, {"name": "B"})
    case.rules = replace(ASK, agreement=state)  # type: ignore[arg-type]
    case.hear_again()
    assert len(of(case)) == 1
