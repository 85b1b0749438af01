"""Does the sandbox break a connection where so asked, and live as a process?"""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import httpx
import pytest

from economic_adapter.sandbox.app import Running
from economic_adapter.sandbox.data import APP_SECRET, GRANT
from tests.builders.sandbox import CUSTOMERS, customer
from tests.waiting import eventually

HEADERS = {"X-AppSecretToken": APP_SECRET, "X-AgreementGrantToken": GRANT}


@pytest.fixture
def client(sandbox: Running) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=sandbox.url, headers=HEADERS, timeout=60) as found:
        yield found


def test_a_connection_serves_many_calls(client: httpx.Client) -> None:
    for number in range(1, 4):
        assert client.post(CUSTOMERS, json=customer(number)).json() == {"customerNumber": number}
    assert client.get(f"{CUSTOMERS}/count").json() == 3


@pytest.mark.parametrize(("when", "count"), [("before", 0), ("after", 1)])
def test_a_connection_can_drop_before_and_after_the_work(
    sandbox: Running, client: httpx.Client, when: str, count: int
) -> None:
    sandbox.data.faults.add("drop", method="POST", when=when)
    with pytest.raises(httpx.TransportError):
        client.post(CUSTOMERS, json=customer())
    assert client.get(f"{CUSTOMERS}/count").json() == count


def test_a_body_can_come_in_half(sandbox: Running, client: httpx.Client) -> None:
    client.post(CUSTOMERS, json=customer())
    sandbox.data.faults.add("half", method="GET")
    with pytest.raises(httpx.RemoteProtocolError):
        client.get(f"{CUSTOMERS}/1001")


def test_a_body_can_drip(sandbox: Running, client: httpx.Client) -> None:
    sandbox.data.faults.add("drip", ms=5)
    started = time.monotonic()
    body = client.get("/customersapi/v3.1.0/Setup").content
    assert time.monotonic() - started >= len(body) * 0.005


@pytest.mark.parametrize(("when", "count"), [("before", 0), ("after", 1)])
def test_a_call_can_hang_before_and_after_the_work(
    sandbox: Running, client: httpx.Client, when: str, count: int
) -> None:
    sandbox.data.faults.add("hang", method="POST", when=when)
    with pytest.raises(httpx.ReadTimeout):
        client.post(CUSTOMERS, json=customer(), timeout=0.2)
    eventually(lambda: client.get(f"{CUSTOMERS}/count").json() == count)  # the work may take longer than we waited


def test_a_call_can_be_slow_and_every_call_can_take_its_time(sandbox: Running, client: httpx.Client) -> None:
    sandbox.data.faults.add("slow", ms=100)
    sandbox.data.settings.change({"latency_ms": 100})
    started = time.monotonic()
    assert client.get("/self").status_code == 200
    assert time.monotonic() - started >= 0.2


def test_away_closes_connections_and_lets_the_control_room_answer(sandbox: Running, client: httpx.Client) -> None:
    client.post("/_sandbox/away", json={"seconds": 60})
    with pytest.raises(httpx.TransportError):
        client.get("/self")
    assert client.get("/").status_code == 200
    client.delete("/_sandbox/away")
    assert client.get("/self").status_code == 200


def test_an_unknown_method_and_a_body_without_a_length_are_refused(client: httpx.Client) -> None:
    assert client.request("PATCH", CUSTOMERS, json={}).status_code == 405
    assert client.request("POST", CUSTOMERS, content=iter([b"{}"])).status_code == 411


def test_closing_ends_a_hanging_call_at_once(sandbox: Running, client: httpx.Client) -> None:
    sandbox.data.faults.add("hang")
    with pytest.raises(httpx.ReadTimeout):
        client.get("/self", timeout=0.1)
    started = time.monotonic()
    sandbox.close()
    assert time.monotonic() - started < 30, "the hanging itself would take an hour"


def test_the_process_serves_until_sigterm() -> None:
    command = [sys.executable, "-m", "economic_adapter.sandbox", "--port", "0", "--webhook-http"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        found = re.search(r"http://\S+", process.stdout.readline())
        assert found is not None
        assert httpx.get(f"{found[0]}/self", headers=HEADERS, timeout=60).status_code == 200
        taken = [*command[:4], found[0].rsplit(":", 1)[1]]
        assert subprocess.run(taken, capture_output=True, check=False).returncode == 1
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
