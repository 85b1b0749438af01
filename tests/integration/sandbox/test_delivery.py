"""Do the sandbox's webhooks arrive as e-conomic's: one a change, tried again, and wrong where so asked?"""

import json
import time
from collections.abc import Iterator

import pytest

from economic_adapter.sandbox import ui
from economic_adapter.sandbox.app import Running
from tests.builders.sandbox import CUSTOMERS, WEBHOOKS, Caller
from tests.integration.sandbox.receiver import Receiver, receiving


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def economic(sandbox: Running, receiver: Receiver) -> Caller:
    caller = Caller(sandbox.data)
    hook = {
        "eventType": "CUSTOMER_UPDATED",
        "name": "Kunder",
        "url": receiver.url,
        "contentType": "application/json",
        "postData": '{"old":"[OLDNUMBER]","new":"[NEWNUMBER]"}',
        "customHeaders": [{"key": "X-Secret", "value": "s3cret"}],
    }
    assert caller.ask("POST", WEBHOOKS, hook).status == 201
    return caller


def numbers(bodies: list[str]) -> list[tuple[str, str]]:
    return [(json.loads(body)["old"], json.loads(body)["new"]) for body in bodies]


def test_our_own_write_and_a_persons_both_fire_as_registered(economic: Caller, receiver: Receiver) -> None:
    economic.made(1001)
    receiver.wait(1)
    ui.edit_customer(economic.data, 1001, {"city": "Aarhus"})
    receiver.wait(2)
    ui.renumber_customer(economic.data, 1001, 1002)
    receiver.wait(3)
    ui.delete_customer(economic.data, 1002)
    assert numbers(receiver.wait(4)) == [("", "1001"), ("1001", "1001"), ("1001", "1002"), ("1002", "")]
    request = receiver.got[0]
    assert (request.method, request.path) == ("POST", "/hooks/secret")
    assert request.headers["content-type"] == "application/json"
    assert request.headers["x-secret"] == "s3cret"


def test_both_numbers_stand_on_creation_and_deletion_when_so_set(economic: Caller, receiver: Receiver) -> None:
    economic.data.settings.change({"merge_both": True})
    economic.made(1001)
    assert numbers(receiver.wait(1)) == [("1001", "1001")]


def test_a_burst_is_one_request_a_change(economic: Caller, receiver: Receiver) -> None:
    for number in range(1, 51):
        economic.made(number)
    assert sorted(int(new) for _, new in numbers(receiver.wait(50))) == list(range(1, 51))


def test_a_contact_fires_only_when_so_set(economic: Caller, receiver: Receiver) -> None:
    economic.made(1001)
    receiver.wait(1)
    economic.made_contact(name="Uden")
    economic.data.settings.change({"contact_hooks": True})
    economic.made_contact(name="Med")
    assert numbers(receiver.wait(2)) == [("", "1001"), ("1001", "1001")]


def test_a_refused_hook_is_tried_again_with_growing_gaps(economic: Caller, receiver: Receiver) -> None:
    receiver.statuses = [500, 404, 503]
    economic.made(1001)
    receiver.wait(4)
    gaps = [later - earlier for earlier, later in zip(receiver.at, receiver.at[1:], strict=False)]
    assert gaps[0] >= 0.05
    assert gaps[1] >= 0.1
    assert gaps[2] >= 0.2


def test_a_hook_is_given_up_after_five_tries_and_disabled_when_so_set(economic: Caller, receiver: Receiver) -> None:
    economic.data.settings.change({"hook_gaps": [0.0] * 4, "hook_disable_after": 1})
    receiver.statuses = [500] * 5
    economic.made(1001)
    receiver.wait(5)
    while not economic.data.agreement().webhooks["CUSTOMER_UPDATED"].values["isDisabled"]:
        assert not economic.data.closing.wait(0.01)
    assert "lastDisabledDate" in economic.get(f"{WEBHOOKS}/CUSTOMER_UPDATED")
    economic.made(1002)
    assert len(receiver.got) == 5


def test_a_disabled_webhook_fires_nothing(economic: Caller, receiver: Receiver) -> None:
    held = economic.get(f"{WEBHOOKS}/CUSTOMER_UPDATED")
    economic.ask("PUT", WEBHOOKS, {**held, "isDisabled": True})
    economic.made(1001)
    held = economic.get(f"{WEBHOOKS}/CUSTOMER_UPDATED")
    economic.ask("PUT", WEBHOOKS, {**held, "isDisabled": False})
    economic.made(1002)
    assert numbers(receiver.wait(1)) == [("", "1002")]


def test_the_next_hook_can_be_lost(economic: Caller, receiver: Receiver) -> None:
    economic.data.faults.add("hook_lost")
    economic.made(1001)
    economic.made(1002)
    assert numbers(receiver.wait(1)) == [("", "1002")]


def test_a_hook_can_be_doubled(economic: Caller, receiver: Receiver) -> None:
    economic.data.faults.add("hook_doubled")
    economic.made(1001)
    assert numbers(receiver.wait(2)) == [("", "1001"), ("", "1001")]


def test_a_hook_can_be_late(economic: Caller, receiver: Receiver) -> None:
    economic.data.faults.add("hook_late", seconds=0.3)
    begin = time.monotonic()
    economic.made(1001)
    economic.made(1002)
    # which of them comes first says how busy the machine is
    came = dict(zip(numbers(receiver.wait(2)), receiver.at, strict=True))
    assert came.keys() == {("", "1001"), ("", "1002")}
    assert came["", "1001"] - begin >= 0.3


def test_hooks_can_be_reordered(economic: Caller, receiver: Receiver) -> None:
    economic.data.faults.add("hook_reordered", count=2, seconds=60)
    economic.made(1001)
    economic.made(1002)
    assert sorted(numbers(receiver.wait(2))) == [("", "1001"), ("", "1002")]


def test_a_reordered_hook_without_a_partner_goes_out_in_the_end(economic: Caller, receiver: Receiver) -> None:
    economic.data.faults.add("hook_reordered", count=2, seconds=0.1)
    economic.made(1001)
    assert numbers(receiver.wait(1)) == [("", "1001")]


def test_hooks_wait_while_e_conomic_is_away(economic: Caller, receiver: Receiver) -> None:
    economic.data.faults.take_away(60)
    ui.create_customer(economic.data, {"name": "Ny"}, 7)
    assert economic.data.outgoing.waiting() == 1
    assert receiver.got == []
    economic.data.faults.bring_back()
    assert numbers(receiver.wait(1)) == [("", "7")]


def test_a_webhook_made_by_hand_can_use_get_and_the_address(sandbox: Running, receiver: Receiver) -> None:
    ui.make_webhook(sandbox.data, f"{receiver.url}?old=[OLDNUMBER]&new=[NEWNUMBER]", method="GET")
    Caller(sandbox.data).made(1001)
    receiver.wait(1)
    assert (receiver.got[0].method, receiver.got[0].query) == ("GET", {"old": "", "new": "1001"})


def test_a_receiver_that_is_not_there_harms_nobody(economic: Caller) -> None:
    held = economic.get(f"{WEBHOOKS}/CUSTOMER_UPDATED")
    economic.ask("PUT", WEBHOOKS, {**held, "url": "http://127.0.0.1:1/"})
    economic.made(1001)
    assert economic.get(f"{CUSTOMERS}/count") == 1
