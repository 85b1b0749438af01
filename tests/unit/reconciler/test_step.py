"""Rows T: messages late, doubled and out of order, answers and their absence. Each test names its row."""

from dataclasses import replace
from datetime import timedelta

import pytest

from crm_outbox.contract import NotSent, Outcome, Result, WriteCustomer
from crm_outbox.messaging.envelope import Version
from reconciler.link import Base, CrmSeen, EconomicSeen, Heard, LinkState, Status
from reconciler.rules import RESEND, Rule, System
from tests.builders.reconciler import RULES, Case, linked, outcome_of, ruled, to_crm, to_economic

MINUTE = timedelta(minutes=1)


def test_t1_the_echo_of_our_own_write_is_nothing() -> None:
    case = linked()
    case.written(case.crm(phone="22222222")[0])
    assert case.economic() == ()
    assert case.crm() == ()


def test_t2_a_message_heard_again_changes_nothing() -> None:
    case = linked()
    case.crm(phone="22222222")
    link = case.link
    assert case.hear(Heard(crm=case.crm_seen())) == ()
    assert case.link == link
    assert case.counted == ("crm_old",)


def test_t3_an_older_state_that_comes_late_is_taken_and_ignored() -> None:
    case = linked()
    late = case.crm_seen()
    case.written(case.crm(phone="22222222")[0])
    assert case.hear(Heard(crm=late)) == ()
    assert case.status == Status(state="same")


def test_t3_each_side_has_its_own_gate() -> None:
    case = linked()
    case.crm(phone="22222222")
    old = case.crm_seen(version=1)
    assert to_crm(case.hear(Heard(crm=old, economic=edited(case, mobile="33333333")))) == {"mobile": "33333333"}
    assert case.link.customer.crm is not None
    assert case.link.customer.crm.values["phone"] == "22222222"


def edited(case: Case, **values: str) -> EconomicSeen:
    case.economic_values |= values
    case.economic_version += 1
    case.object_version += 1
    return case.economic_seen()


def test_t5_a_version_refusal_plans_anew_with_the_state_in_the_answer() -> None:
    case = linked()
    (command,) = case.crm(phone="22222222")
    edited(case, mobile="33333333")
    again = case.refused(command, "version")
    assert to_economic(again) == {"phone": "22222222"}
    assert to_crm(again) == {"mobile": "33333333"}
    assert case.link.customer.pending[System.ECONOMIC].version == "v3"


def test_t5_a_version_refusal_without_a_newer_state_is_not_repeated_in_a_loop() -> None:
    case = linked()
    (command,) = case.crm(phone="22222222")
    assert case.hear(Heard(outcomes=outcome_of(command, Result.REFUSED, reason="version"))) == ()
    assert case.wait(MINUTE) == ()
    assert to_economic(case.wait(RESEND)) == {"phone": "22222222"}


def test_t5_the_fields_of_an_open_write_move_in_neither_direction() -> None:
    case = linked()
    (command,) = case.crm(phone="22222222")
    case.crm(phone="12345678")
    case.economic_values["phone"] = "22222222"
    assert case.economic() == ()  # the echo, heard before the answer
    assert to_economic(case.written(command)) == {"phone": "12345678"}


def test_t8_the_base_moves_with_the_answer_also_when_no_state_came_with_it() -> None:
    case = linked()
    (command,) = case.crm(phone="22222222")
    before = case.economic_seen()
    assert case.written(command, state=False) == ()
    assert case.link.customer.base["phone"] == Base(crm="22222222", economic="22222222")
    assert case.crm(phone="12345678") == ()  # its version is not known yet
    late = replace(before, version=Version(1, 50), customer=before.customer)
    assert case.hear(Heard(economic=late)) == ()  # read before the write, whatever its counter says
    case.economic_version = 50
    assert to_economic(case.economic()) == {"phone": "12345678"}


def test_an_answer_passes_no_version_gate() -> None:
    case = linked()
    (command,) = case.crm(phone="22222222")
    answer = case.carried_out(command)
    case.economic(mobile="33333333")
    assert case.link.customer.pending[System.ECONOMIC].values == {"phone": "22222222"}
    case.hear(answer)
    assert System.ECONOMIC not in case.link.customer.pending
    assert case.link.customer.base["phone"].economic == "22222222"


def test_a_repeated_answer_is_counted_and_ignored() -> None:
    case = linked()
    (command,) = case.crm(phone="22222222")
    answer = case.carried_out(command)
    case.hear(answer)
    link = case.link
    assert case.hear(answer) == ()
    assert (case.link, case.counted) == (link, ("answer_ignored", "economic_old"))


def test_a_read_back_that_shows_anything_else_is_an_edit_made_there() -> None:
    case = linked()
    (command,) = case.crm(phone="22222222", mobile="33333333")
    answer = case.carried_out(command)
    assert answer.economic is not None
    assert answer.economic.customer is not None
    there = answer.economic.customer.model_copy(update={"mobile": "44444444"})
    assert to_crm(case.hear(replace(answer, economic=replace(answer.economic, customer=there)))) == {
        "mobile": "44444444"
    }
    assert case.link.customer.base["mobile"] == Base(crm="33333333", economic="33333333")


def test_t12_a_detail_that_e_conomic_rewrites_three_times_in_a_day_is_stopped() -> None:
    case = linked()
    commands = case.crm(phone="22222222")
    for _ in range(3):
        answer = case.carried_out(commands[0])
        assert answer.economic is not None
        assert answer.economic.customer is not None
        there = answer.economic.customer.model_copy(update={"phone": "12345678"})
        case.economic_values["phone"] = "12345678"
        back = case.hear(replace(answer, economic=replace(answer.economic, customer=there)))
        if back:
            case.written(back[0])
            commands = case.crm(phone="22222222")
    assert case.status == Status(state="choice", reason="bouncing", details=("phone",))
    case.now += timedelta(days=2)
    assert to_crm(case.crm()) == {"phone": "12345678"}


def test_an_unanswered_command_is_sent_again_with_growing_gaps_and_the_same_operation() -> None:
    case = linked()
    (command,) = case.crm(phone="22222222")
    assert case.wait(MINUTE) == ()
    assert case.wait(MINUTE) == (command,)
    assert case.wait(RESEND) == ()
    assert case.wait(RESEND) == (command,)
    assert case.wait(timedelta(days=1)) == (command,)
    assert case.link.due == case.now + timedelta(seconds=120 * 8)


def test_a_resent_command_to_the_crm_names_the_version_it_was_decided_on() -> None:
    case = linked()
    (command,) = case.economic(phone="22222222")
    case.crm(mobile="33333333")
    (again,) = [one for one in case.wait(RESEND) if isinstance(one, WriteCustomer)]
    assert again == command


def test_waiting_acknowledges_and_settles_nothing() -> None:
    case = linked()
    (command,) = case.crm(phone="22222222")
    case.hear(Heard(outcomes=outcome_of(command, Result.WAITING, reason="throttled")))
    assert case.status == Status(state="sending", reason="throttled", details=("phone",))
    assert case.wait(timedelta(hours=2)) == (command,)
    assert case.status.state == "sending"


def test_a_write_neither_answered_nor_acknowledged_for_an_hour_is_raised() -> None:
    case = linked()
    case.crm(phone="22222222")
    case.wait(timedelta(minutes=59))
    assert case.status is not None
    assert case.status.state == "sending"
    case.wait(MINUTE)
    assert (case.status.state, case.status.reason) == ("choice", "unclear")


def test_a_write_that_cannot_be_settled_makes_its_base_unknown_and_asks() -> None:
    case = linked()
    (command,) = case.crm(phone="22222222")
    assert case.refused(command, "ambiguous") == ()
    assert case.status == Status(state="choice", reason="unknown", details=("phone",))
    assert case.economic(phone="22222222") == ()  # it had landed: both agree, nothing is asked any more
    assert case.status == Status(state="same")


@pytest.mark.parametrize("reason", ["off", "disconnected", "access_lost"])
def test_a_refusal_about_the_moment_is_tried_again_later(reason: str) -> None:
    case = linked()
    (command,) = case.crm(phone="22222222")
    assert case.hear(Heard(outcomes=outcome_of(command, Result.REFUSED, reason=reason))) == ()
    assert case.link.customer.refusals == ()
    assert to_economic(case.wait(RESEND)) == {"phone": "22222222"}


def test_the_crm_takes_one_command_at_a_time() -> None:
    case = linked()
    (first,) = case.economic(phone="22222222")
    assert case.economic(mobile="33333333") == ()
    assert to_crm(case.written(first)) == {"mobile": "33333333"}


def test_with_flows_off_both_sides_are_recorded_and_compared_and_nothing_is_written() -> None:
    case = linked()
    case.link = replace(case.link, flows=False)
    assert case.crm(phone="22222222") == ()
    assert case.economic(mobile="33333333") == ()
    assert case.status == Status(state="different", details=("phone", "mobile"))


def test_a_paused_direction_is_compared_and_not_written() -> None:
    case = linked(replace(RULES, paused=frozenset({System.ECONOMIC})))
    assert case.crm(phone="22222222") == ()
    assert case.status == Status(state="paused", reason="economic", details=("phone",))
    assert to_crm(case.economic(mobile="33333333")) == {"mobile": "33333333"}
    case.rules = RULES
    assert to_economic(case.wait(MINUTE)) == {"phone": "22222222"}


def test_t11_a_changed_rule_is_followed_at_the_next_look() -> None:
    case = linked(ruled(phone=Rule(may_be_empty=False)))
    assert case.crm(phone="") == ()
    case.rules = ruled(phone=Rule(may_be_empty=True))
    assert to_economic(case.wait(MINUTE)) == {"phone": ""}


def test_what_the_crm_cannot_send_is_an_error_until_it_can() -> None:
    case = linked()
    assert case.unsendable() == ()
    assert case.status == Status(state="error", reason="unsendable", details=("name",), message="nul")
    assert case.economic(mobile="33333333") == ()
    assert case.crm() != ()


def test_contact_persons_economic_cannot_tell_are_an_error_and_nobody_takes_them_for_gone() -> None:
    case = linked()
    case.economic_contacts[7] = {"name": "Mette Holm"}
    case.economic()
    before = case.link.contacts
    assert [one.economic and one.economic.gone for one in before] == [False]
    case.economic_version += 1
    seen = case.economic_seen()
    assert seen.customer is not None
    bare = seen.customer.model_copy(update={"contacts": ()})
    why = NotSent(reason="too_large", detail="contacts.notes")
    assert case.hear(Heard(economic=replace(seen, customer=bare, unsendable=why))) == ()
    assert case.link.contacts == before
    error = Status(state="error", reason="unsendable", details=("contacts.notes",), message="economic_too_large")
    assert case.status == error
    assert case.crm(mobile="33333333") == (), "the CRM cannot put it right"
    assert case.status == error
    assert case.economic() != ()
    assert case.status != error


def test_a_customer_the_crm_does_not_have_is_unlinked() -> None:
    case = linked()
    assert case.hear(Heard(crm=CrmSeen(version=Version(2, 1)))) == ()
    assert case.link.state is LinkState.UNLINKED


def test_a_number_nobody_asked_about_is_not_taken_for_ours() -> None:
    case = linked()
    assert case.hear(Heard(economic=case.economic_seen(version=9, number=4711))) == ()
    assert (case.link.number, case.counted) == (1042, ("other_number",))


def test_an_outcome_nobody_waits_for_is_ignored() -> None:
    case = linked()
    stray = Outcome(operation=case.link.id, result=Result.WRITTEN)
    assert case.hear(Heard(outcomes=(stray,))) == ()
    assert case.counted == ("answer_ignored",)
