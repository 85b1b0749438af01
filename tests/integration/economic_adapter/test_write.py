"""A command becomes calls and one answer: the calls that are made, what e-conomic holds after, what is told."""

import re

import pytest

from crm_outbox.contract import Result, many
from economic_adapter import tables
from economic_adapter.sandbox import ui
from economic_adapter.sandbox.seeding import seed
from tests.builders.economic import FIELDS, Bench, creation, part, person


def test_a_creation_searches_looks_at_its_number_posts_and_reads_back(at_desk: Bench) -> None:
    wanted = creation()
    answer = at_desk.write(wanted)
    assert at_desk.calls() == ["GET /customers", "GET /Customers/1001", "POST /Customers", "GET /Customers/1001"]
    (outcome,) = answer.outcomes
    assert (outcome.result, outcome.created) == (Result.WRITTEN, "1001")
    assert (answer.why, answer.customer, answer.number, answer.version) == ("write", "48211", 1001, "1.1")
    assert answer.economic is not None
    assert {name: getattr(answer.economic, name) for name in FIELDS} == FIELDS
    assert answer.economic.barred is False
    assert at_desk.rows(tables.work) == []


def test_the_next_creation_gets_the_next_number_of_the_range(at_desk: Bench) -> None:
    at_desk.write(creation())
    answer = at_desk.write(creation(fields={"name": "Sydhavn Maler"}), customer="48212")
    assert answer.number == 1002


def test_a_creation_without_cvr_and_ean_needs_no_search(at_desk: Bench) -> None:
    at_desk.write(creation(fields={"name": "Sydhavn Maler"}))
    assert at_desk.calls() == ["GET /Customers/1001", "POST /Customers", "GET /Customers/1001"]


def test_a_creation_stops_at_customers_the_decision_had_not_seen(at_desk: Bench) -> None:
    ui.create_customer(at_desk.sandbox.data, {"name": "Nordhavn", "cvrNo": FIELDS["cvr"]}, 77)
    wanted = creation()
    answer = at_desk.write(wanted)
    assert answer.outcomes[0].reason == "candidates"
    assert (answer.candidates, answer.number, answer.economic) == ((77,), None, None)
    assert list(at_desk.customers()) == [77]


@pytest.mark.parametrize("spelling", ["DK13748136", "13 74 81 36", "dk13748136"])
def test_no_spelling_of_a_cvr_number_in_economic_hides_a_twin(at_desk: Bench, spelling: str) -> None:
    ui.create_customer(at_desk.sandbox.data, {"name": "Nordhavn", "cvrNo": spelling}, 77)
    answer = at_desk.write(creation())
    assert (answer.outcomes[0].reason, answer.candidates) == ("candidates", (77,))


def test_one_unseen_twin_behind_a_thousand_that_were_ruled_out_stops_a_creation(at_desk: Bench) -> None:
    same = [{"customerNumber": n, "name": f"K {n}", "cvrNo": FIELDS["cvr"]} for n in range(2001, 3103)]
    seed(at_desk.sandbox.data, records=same)
    ruled_out = tuple(range(2001, 3102))
    answer = at_desk.write(creation(seen=ruled_out))
    assert (answer.outcomes[0].reason, answer.candidates) == ("candidates", (3102,))
    assert at_desk.calls() == ["GET /customers", "GET /customers"]
    assert at_desk.write(creation(seen=(*ruled_out, 3102))).outcomes[0].result is Result.WRITTEN


def test_five_thousand_twins_are_ruled_out_as_a_whole_and_one_more_stops_the_creation(at_desk: Bench) -> None:
    same = [{"customerNumber": n, "name": f"K {n}", "cvrNo": FIELDS["cvr"]} for n in range(2001, 7001)]
    seed(at_desk.sandbox.data, records=same)
    answer = at_desk.write(creation())
    assert answer.outcomes[0].reason == "candidates"
    assert answer.candidates == tuple(range(2001, 2101))
    assert answer.candidates_many == many(str(n) for n in range(2001, 7001))
    assert len(answer.model_dump_json()) < 3000
    ui.create_customer(at_desk.sandbox.data, {"name": "One more", "cvrNo": FIELDS["cvr"]}, 77)
    again = at_desk.write(creation(seen_many=answer.candidates_many))
    assert again.outcomes[0].reason == "candidates", "the decision had not seen that one"
    assert again.candidates_many == many(str(n) for n in (77, *range(2001, 7001)))
    last = at_desk.write(creation(seen_many=again.candidates_many))
    assert last.outcomes[0].result is Result.WRITTEN


def test_a_creation_goes_past_customers_the_decision_had_ruled_out(at_desk: Bench) -> None:
    ui.create_customer(at_desk.sandbox.data, {"name": "Nordhavn", "cvrNo": FIELDS["cvr"]}, 77)
    assert at_desk.write(creation(seen=(77,))).outcomes[0].result is Result.WRITTEN


def test_a_taken_number_of_the_range_is_passed_over(at_desk: Bench) -> None:
    ui.create_customer(at_desk.sandbox.data, {"name": "Somebody else"}, 1001)
    answer = at_desk.write(creation())
    assert (answer.number, answer.outcomes[0].created) == (1002, "1002")
    assert at_desk.customers()[1001]["name"] == "Somebody else"


def test_a_number_that_was_asked_for_and_is_taken_is_refused(at_desk: Bench) -> None:
    ui.create_customer(at_desk.sandbox.data, {"name": "Somebody else"}, 500)
    answer = at_desk.write(creation(number=500))
    assert (answer.outcomes[0].reason, answer.outcomes[0].detail) == ("taken", "number")
    assert (answer.number, answer.economic) == (None, None)


def test_an_edit_takes_two_calls_and_keeps_what_is_not_ours(at_desk: Bench, number: int) -> None:
    data = at_desk.sandbox.data
    ui.edit_customer(data, number, {"bankAccount": "1234 5678", "creditMaximum": 5000.5, "paymentDays": 8})
    at_desk.seen(number)
    at_desk.calls()
    before = at_desk.customers()[number]
    answer = at_desk.write(
        part(number=number, object_version=at_desk.version(number), fields={"phone": "11 22 33 44"}), number=number
    )
    assert at_desk.calls() == ["PUT /Customers/1001", "GET /Customers/1001"]
    assert at_desk.customers()[number] == before | {"phone": "11 22 33 44"}
    assert before["access"] is True
    assert answer.economic is not None
    assert answer.economic.phone == "11 22 33 44"
    assert answer.version == "1.3"
    assert answer.outcomes[0].result is Result.WRITTEN


def test_a_cleared_field_is_left_out_and_never_null(at_desk: Bench, number: int) -> None:
    changed = part(number=number, object_version=at_desk.version(number), fields={"email": "", "street": ""})
    assert at_desk.write(changed, number=number).outcomes[0].result is Result.WRITTEN
    assert not {"email", "address1", "address2"} & {
        name for name, value in at_desk.customers()[number].items() if value not in {None, ""}
    }


def test_a_write_of_what_is_there_makes_no_call(at_desk: Bench, number: int) -> None:
    same = part(number=number, object_version=at_desk.version(number), fields={"phone": FIELDS["phone"]})
    answer = at_desk.write(same, number=number)
    assert (answer.outcomes[0].result, answer.version, at_desk.calls()) == (Result.UNCHANGED, "1.1", [])


def test_a_decision_on_an_older_version_is_refused_without_a_call(at_desk: Bench, number: int) -> None:
    old = at_desk.version(number)
    ui.edit_customer(at_desk.sandbox.data, number, {"city": "Odense"})
    seen = at_desk.seen(number)
    at_desk.calls()
    answer = at_desk.write(part(number=number, object_version=old, fields={"phone": "1"}), number=number)
    assert (answer.outcomes[0].reason, at_desk.calls()) == ("version", [])
    assert (answer.version, answer.economic) == (seen.version, seen.economic)


def test_an_edit_made_meanwhile_is_not_overwritten(at_desk: Bench, number: int) -> None:
    old = at_desk.version(number)
    ui.edit_customer(at_desk.sandbox.data, number, {"city": "Odense", "phone": "99"})
    answer = at_desk.write(part(number=number, object_version=old, fields={"phone": "1"}), number=number)
    assert at_desk.calls() == ["PUT /Customers/1001", "GET /Customers/1001"]
    assert answer.outcomes[0].reason == "version"
    assert answer.economic is not None
    assert (answer.economic.phone, answer.economic.city) == ("99", "Odense")
    assert at_desk.customers()[number]["phone"] == "99"


def test_a_customer_nobody_has_read_is_looked_at_before_the_write(at_desk: Bench) -> None:
    ui.create_customer(at_desk.sandbox.data, {"name": "Nordhavn"}, 77)
    answer = at_desk.write(part(number=77, object_version=at_desk.version(77), fields={"city": "Odense"}), number=77)
    assert at_desk.calls() == ["GET /Customers/77", "PUT /Customers/77", "GET /Customers/77", "GET /Contacts"]
    assert answer.economic is not None
    assert answer.economic.city == "Odense"


def test_barring_keeps_the_customer(at_desk: Bench, number: int) -> None:
    answer = at_desk.write(part(action="bar", number=number, object_version=at_desk.version(number)), number=number)
    assert answer.economic is not None
    assert answer.economic.barred is True
    assert answer.economic.name == FIELDS["name"]


def test_a_rejected_value_is_answered_once_with_the_words_of_e_conomic(at_desk: Bench, number: int) -> None:
    bad = part(number=number, object_version=at_desk.version(number), fields={"email": "no address"})
    answer = at_desk.write(bad, number=number)
    (outcome,) = answer.outcomes
    assert (outcome.result, outcome.reason, outcome.detail) == (Result.REFUSED, "CustomerInvalidEmail", "email")
    assert re.fullmatch(r"[0-9a-f]{16}-CPH", outcome.request_id), "as e-conomic calls its answer"
    assert outcome.message
    assert at_desk.calls() == ["PUT /Customers/1001"]
    at_desk.passes(100_000)
    assert at_desk.work() == 0
    assert at_desk.calls() == []


def test_a_rejected_creation_names_no_number(at_desk: Bench) -> None:
    answer = at_desk.write(creation(fields={**FIELDS, "email": "no address"}))
    assert (answer.outcomes[0].reason, answer.number, answer.economic) == ("CustomerInvalidEmail", None, None)
    assert at_desk.customers() == {}


def test_a_creation_that_lacks_what_e_conomic_needs_makes_no_call(at_desk: Bench) -> None:
    assert at_desk.write(creation(fields={"name": " "})).outcomes[0].reason == "missing:name"
    assert at_desk.write(creation(defaults=None)).outcomes[0].reason == "missing:defaults"
    assert at_desk.calls() == []


def test_a_contact_creation_takes_three_calls_and_receives_no_documents(at_desk: Bench, number: int) -> None:
    answer = at_desk.write(person(), number=number)
    assert at_desk.calls() == ["GET /Contacts", "POST /Contacts", "GET /Contacts"]
    ((made, values),) = at_desk.contacts().items()
    assert (answer.outcomes[0].result, answer.outcomes[0].created) == (Result.WRITTEN, str(made))
    assert answer.economic is not None
    (seen,) = answer.economic.contacts
    assert (seen.number, seen.name, seen.email) == (made, "Mette Holm", "mh@nordhavn.example")
    assert not [name for name, value in values.items() if name.startswith("receive") and value]


def test_a_contact_creation_for_a_customer_that_is_gone_does_not_tell_that_it_is_there(
    at_desk: Bench, number: int
) -> None:
    del at_desk.sandbox.data.agreement().customers[number]
    answer = at_desk.write(person(), number=number)
    assert answer.outcomes[0].result is Result.REFUSED
    assert (answer.economic, answer.absent) == (None, False)
    assert at_desk.calls() == ["GET /Contacts", "POST /Contacts", f"GET /Customers/{number}"]
    assert [one["number"] for one in at_desk.rows(tables.mark)] == [number], "it is looked at once more"


def test_two_contact_persons_of_one_command_are_created_together(at_desk: Bench, number: int) -> None:
    parts = person(), person(fields={"name": "Jens Holm"})
    answer = at_desk.write(*parts, number=number)
    assert at_desk.calls() == ["GET /Contacts", "POST /Contacts", "POST /Contacts", "GET /Contacts"]
    assert [one.result for one in answer.outcomes] == [Result.WRITTEN] * 2
    assert len({one.created for one in answer.outcomes}) == 2


def test_a_contact_person_nobody_had_seen_stops_a_creation(at_desk: Bench, number: int) -> None:
    ui.create_contact(at_desk.sandbox.data, number, {"name": "Mette H."})
    answer = at_desk.write(person(), number=number)
    assert answer.outcomes[0].reason == "candidates"
    assert answer.economic is not None
    assert [one.name for one in answer.economic.contacts] == ["Mette H."]
    assert at_desk.calls() == ["GET /Contacts"]


def test_a_contact_person_of_our_own_stops_no_creation(at_desk: Bench, number: int) -> None:
    at_desk.write(person(), number=number)
    answer = at_desk.write(person(fields={"name": "Jens Holm"}), number=number)
    assert answer.outcomes[0].result is Result.WRITTEN


def test_a_contact_person_is_changed_at_the_collection_and_removed_by_number(at_desk: Bench, number: int) -> None:
    made = int(at_desk.write(person(), number=number).outcomes[0].created or 0)
    first = at_desk.sandbox.data.agreement().contacts[made].version
    at_desk.calls()
    changed = part(record="contact", number=made, object_version=first, fields={"phone": "22 33 44 55"})
    answer = at_desk.write(changed, number=number)
    assert at_desk.calls() == ["PUT /Contacts", "GET /Contacts"]
    assert answer.economic is not None
    assert answer.economic.contacts[0].phone == "22 33 44 55"
    assert answer.economic.contacts[0].email == "mh@nordhavn.example"
    gone = part(
        action="remove", record="contact", number=made, object_version=answer.economic.contacts[0].object_version
    )
    assert at_desk.write(gone, number=number).outcomes[0].result is Result.WRITTEN
    assert at_desk.calls() == ["GET /Contacts", f"DELETE /Contacts/{made}", "GET /Contacts"]
    assert at_desk.contacts() == {}


def test_customer_and_contact_person_of_one_command_are_read_back_once_each(at_desk: Bench, number: int) -> None:
    answer = at_desk.write(
        part(number=number, object_version=at_desk.version(number), fields={"phone": "1"}), person(), number=number
    )
    assert [one.result for one in answer.outcomes] == [Result.WRITTEN] * 2
    assert at_desk.calls() == [
        "PUT /Customers/1001", "GET /Contacts", "POST /Contacts", "GET /Customers/1001", "GET /Contacts",
    ]  # fmt: skip


def test_parts_are_answered_each_for_itself(at_desk: Bench, number: int) -> None:
    good = part(number=number, object_version=at_desk.version(number), fields={"phone": "1"})
    bad = person(fields={"name": ""})
    answer = at_desk.write(good, bad, number=number)
    assert {one.operation: one.reason for one in answer.outcomes} == {good.operation: "", bad.operation: "missing:name"}


def test_a_repeated_command_is_answered_from_what_was_stored(at_desk: Bench) -> None:
    wanted = creation()
    at_desk.write(wanted)
    (again,) = at_desk.command(wanted)
    assert again == at_desk.outcome(wanted.operation)
    assert at_desk.work() == 0
    assert len(at_desk.customers()) == 1


def test_a_repeat_of_one_that_waits_is_acknowledged_with_its_cause(at_desk: Bench) -> None:
    wanted = creation()
    assert at_desk.command(wanted) == ()
    at_desk.sandbox.data.faults.take_away(100, 503)
    at_desk.work()
    (waiting,) = at_desk.command(wanted)
    assert (waiting.result, waiting.reason) == (Result.WAITING, "away")


def test_a_command_for_an_agreement_that_is_off_is_refused_at_once(at_desk: Bench) -> None:
    with at_desk.engine.begin() as connection:
        connection.execute(tables.agreement.update().values(state="off"))
    wanted = creation()
    (refused,) = at_desk.command(wanted)
    assert (refused.result, refused.reason) == (Result.REFUSED, "off")
    assert at_desk.command(wanted) == (refused,)
    assert at_desk.work() == 0
