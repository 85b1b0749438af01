"""What leaves for e-conomic and what is taken from there: listed hosts only, an end to every wait, tokens never shown."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from uuid import uuid4

import pytest
import structlog

from economic_adapter import calls
from economic_adapter.client import Addresses, Client, Grant, NotAllowed
from economic_adapter.protocol import AccessLost, Ambiguous, Request, Surface, Transient, Unreached
from economic_adapter.sandbox.app import Running
from economic_adapter.sandbox.data import APP_SECRET, GRANT

SELF = Request(method="GET", surface=Surface.REST, path="/self")
NEVER_ENDS = 30.0
"""Seconds after which a wait was not ended by the deadline that a test gives: what it waits for goes on much longer."""


@contextmanager
def answering(reply: Callable[[socket.socket], None], heard: list[bytes] | None = None) -> Iterator[str]:
    """A server of one's own that does as it likes with each connection; gives ``host:port``."""
    stop = threading.Event()
    listening = socket.create_server(("127.0.0.1", 0))
    listening.settimeout(0.1)

    def serve() -> None:
        while not stop.is_set():
            with suppress(TimeoutError):
                connection, _ = listening.accept()
                with connection, suppress(OSError):
                    said = connection.recv(65536)
                    if heard is not None:
                        heard.append(said)
                    reply(connection)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"127.0.0.1:{listening.getsockname()[1]}"
    finally:
        stop.set()
        thread.join()
        listening.close()


def client(host: str, deadline: float = 30.0) -> Client:
    """A client for that host as it stands on the list for development."""
    addresses = Addresses(rest=f"http://{host}", apis=f"http://{host}", development={host})
    return Client(app_secret=APP_SECRET, addresses=addresses, deadline=deadline)


@pytest.mark.parametrize(
    "rest",
    [
        "https://restapi.e-conomic.com.foreign.example",
        "https://foreign.example",
        "http://restapi.e-conomic.com",
        "https://restapi.e-conomic.com:8443",
        "https://a:b@restapi.e-conomic.com",
        "https://restapi.e-conomic.com@foreign.example",
        "http://127.0.0.1:80",
    ],
)
def test_no_other_host_is_ever_given_a_token(rest: str) -> None:
    with pytest.raises(NotAllowed):
        Client(app_secret=APP_SECRET, addresses=Addresses(rest=rest))


def test_e_conomics_own_two_hosts_need_no_listing() -> None:
    with Client(app_secret=APP_SECRET, addresses=Addresses()) as made:
        assert APP_SECRET not in repr(made)
        assert GRANT not in repr(Grant(GRANT))


def test_a_redirect_is_not_followed(sandbox: Running) -> None:
    with answering(lambda _: pytest.fail("a redirect was followed")) as elsewhere:
        sandbox.data.faults.add("redirect", location=f"http://{elsewhere}/self")
        with client(sandbox.host) as made, pytest.raises(Transient) as caught:
            made.send(SELF, Grant(GRANT))
    assert caught.value.code.startswith("status_30")


def test_a_wrong_grant_is_told_as_lost_access(sandbox: Running) -> None:
    with client(sandbox.host) as made, pytest.raises(AccessLost):
        made.send(SELF, Grant("another"))


@pytest.mark.parametrize("kind", ["hang", "drip"])
def test_a_call_that_never_ends_is_ended(sandbox: Running, kind: str) -> None:
    sandbox.data.faults.add(kind, seconds=0.4 if kind == "drip" else 600)
    started = time.monotonic()
    with client(sandbox.host, deadline=0.5) as made, pytest.raises(Ambiguous):
        made.send(SELF, Grant(GRANT))
    assert time.monotonic() - started < NEVER_ENDS


def test_headers_that_never_end_are_ended() -> None:
    def drip(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nX-A: ")
        for _ in range(1200):
            connection.sendall(b"a")
            time.sleep(0.05)

    started = time.monotonic()
    with answering(drip) as host, client(host, deadline=0.5) as made, pytest.raises(Ambiguous):
        made.send(SELF, Grant(GRANT))
    assert time.monotonic() - started < NEVER_ENDS


def test_an_answer_without_end_is_not_read_to_its_end() -> None:
    def flood(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        for _ in range(1000):
            connection.sendall(b" " * 100_000)

    with answering(flood) as host, client(host) as made, pytest.raises(Ambiguous) as caught:
        made.send(SELF, Grant(GRANT))
    assert caught.value.code == "too_large"


def test_a_connection_that_is_refused_has_certainly_done_nothing() -> None:
    with answering(lambda _: None) as host:
        pass
    with client(host) as made, pytest.raises(Unreached) as caught:
        made.send(SELF, Grant(GRANT))
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_a_connection_dropped_after_the_request_settles_nothing() -> None:
    with answering(lambda _: None) as host, client(host) as made, pytest.raises(Ambiguous) as caught:
        made.send(SELF, Grant(GRANT))
    assert not isinstance(caught.value, Unreached)


def test_a_call_is_logged_without_tokens_query_and_body(sandbox: Running) -> None:
    twins = calls.twins("13748136", "")
    assert twins is not None
    with structlog.testing.capture_logs() as logs, client(sandbox.host) as made:
        made.send(twins, Grant(GRANT))
    (line,) = [one for one in logs if one["event"] == "economic.called"]
    assert (line["status"], line["path"]) == (200, "/customers")
    assert line["request_id"]
    for secret in (APP_SECRET, GRANT, "13748136"):
        assert secret not in str(logs)


def test_a_write_carries_its_key_and_both_tokens() -> None:
    heard: list[bytes] = []
    key = uuid4()

    def reply(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

    with answering(reply, heard) as host, client(host) as made:
        assert made.send(calls.replace_customer(7, b"{}", key), Grant(GRANT)).body is None
    head = heard[0].decode().lower()
    assert head.startswith("put /customersapi/v3.1.0/customers/7 http/1.1")
    assert f"idempotency-key: {key}" in head
    assert f"x-appsecrettoken: {APP_SECRET}" in head
    assert f"x-agreementgranttoken: {GRANT}" in head
