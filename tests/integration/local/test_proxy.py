"""Does the proxy do to the network what it says?"""

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tests.proxy import Proxy


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                one, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=_echo, args=(one,), daemon=True).start()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    with Proxy("127.0.0.1", listener.getsockname()[1]) as made:
        yield made
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def _echo(one: socket.socket) -> None:
    with one:
        try:
            while piece := one.recv(1024):
                one.sendall(piece)
        except OSError:
            return


def _open(proxy: Proxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), timeout=30)


def test_it_lets_everything_through_both_ways(proxy: Proxy) -> None:
    with _open(proxy) as one:
        one.sendall(b"hej")
        assert one.recv(10) == b"hej"
    assert proxy.accepted == 1


def test_a_cut_connection_is_reset_and_a_new_one_goes_through(proxy: Proxy) -> None:
    with _open(proxy) as one:
        one.sendall(b"hej")
        assert one.recv(10) == b"hej"
        proxy.cut()
        with pytest.raises(ConnectionResetError):
            one.recv(10)
    with _open(proxy) as one:
        one.sendall(b"igen")
        assert one.recv(10) == b"igen"


def test_a_black_hole_says_nothing_and_closes_nothing(proxy: Proxy) -> None:
    with _open(proxy) as one:
        proxy.black_hole()
        one.sendall(b"hej")
        one.settimeout(0.2)
        with pytest.raises(TimeoutError):
            one.recv(10)
        proxy.restore()
        one.settimeout(30)
        assert one.recv(10) == b"hej"


def test_a_delay_holds_traffic_back(proxy: Proxy) -> None:
    with _open(proxy) as one:
        proxy.delay(0.1)
        begin = time.monotonic()
        one.sendall(b"hej")
        assert one.recv(10) == b"hej"
        assert time.monotonic() - begin > 0.19


def test_a_refused_connection_comes_back_on_the_same_port(proxy: Proxy) -> None:
    port = proxy.port
    proxy.refuse()
    with pytest.raises(ConnectionRefusedError):
        _open(proxy)
    proxy.restore()
    assert proxy.port == port
    with _open(proxy) as one:
        one.sendall(b"hej")
        assert one.recv(10) == b"hej"
