"""Messages are told as they pass: a copy for whoever looks, and nobody else gets one less."""

import os
import subprocess
import sys
from contextlib import closing
from dataclasses import replace

from crm_outbox.messaging import passing
from crm_outbox.messaging.envelope import Lane
from crm_outbox.messaging.management import Management
from crm_outbox.messaging.passing import Passing
from crm_outbox.messaging.settings import password_name
from tests.integration.messaging.relaying import QUEUE, Line, changed, drive
from tests.waiting import eventually


def tails(manager: Management) -> list[str]:
    return [one["name"] for one in manager.get(f"queues/{manager._vhost}") if one["name"].startswith("tail.")]


def test_a_copy_is_seen_and_the_message_arrives_where_it_was_sent(lane: Line) -> None:
    with closing(Passing(lane.broker.url(passing.USER))) as found:
        relay = lane.relay()
        lane.append(changed(1, "a person"))
        drive(lambda: not lane.waiting(), relay)
        bodies = found.within(30.0)
        assert b'"a person"' in next(bodies)
    eventually(lambda: len(lane.manager.look(QUEUE[Lane.LIVE])) == 1)
    eventually(lambda: not tails(lane.manager))


def test_the_command_tells_one_customer_in_words_and_leaves_after_so_many(lane: Line) -> None:
    environ = {
        **os.environ,
        "BROKER_URL": lane.broker.address,
        "BROKER_MANAGEMENT_URL": lane.broker.management_url,
        "BROKER_VHOST": lane.broker.vhost,
        password_name(passing.USER): lane.broker.passwords[passing.USER],
    }
    command = [sys.executable, "-m", "crm_outbox", "bus", "tail", "--customer", "7", "--count", "1"]
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) as tail:
        assert tail.stdout is not None
        assert tail.stdout.readline() == "messages as they pass; Ctrl-C stops\n"
        relay = lane.relay()
        lane.append(replace(changed(6), customer="6"), replace(changed(7), customer="7"))
        drive(lambda: not lane.waiting(), relay)
        told = tail.stdout.read()
        assert tail.wait(60) == 0
    assert told.count("\n") == 1
    assert "crm.customer.changed.v1" in told


def test_a_broker_that_is_not_there_is_said_with_its_address(lane: Line) -> None:
    environ = {
        **os.environ,
        "BROKER_URL": "amqp://127.0.0.1:1",
        "BROKER_MANAGEMENT_URL": lane.broker.management_url,
        password_name(passing.USER): "x",
    }
    command = [sys.executable, "-m", "crm_outbox", "bus", "tail", "--count", "1"]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("the broker at amqp://127.0.0.1:1 does not answer")
