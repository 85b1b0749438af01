"""The HTTP duty's socket: nothing of a small answer waits for the other side, and others listen there only where all say so."""

import asyncio
import http.client
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest
from starlette.responses import PlainTextResponse

from crm_outbox.messaging.server import Server, _prompt


def test_on_every_connection_of_the_server_nothing_waits_for_an_acknowledgement() -> None:
    found: list[int] = []

    class Seen(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            made = transport.get_extra_info("socket")
            found.append(made.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            transport.close()

    async def serve(listening: socket.socket) -> None:
        server = await asyncio.get_running_loop().create_server(Seen, sock=listening)
        reader, writer = await asyncio.open_connection(*listening.getsockname()[:2])
        await reader.read()
        writer.close()
        server.close()

    with _prompt(socket.create_server(("127.0.0.1", 0))) as listening:
        asyncio.run(serve(listening))
    assert [bool(one) for one in found] == [True]


@contextmanager
def listening(name: str, port: int = 0, *, shared: bool = True) -> Iterator[Server]:
    """One that answers everything with its name."""
    with closing(Server(PlainTextResponse(name), "127.0.0.1", port, shared=shared)) as made:
        yield made


def answers(port: int, connections: int) -> set[str]:
    """Who answered, on so many connections."""
    found = set()
    for _ in range(connections):
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as asked:
            asked.request("GET", "/")
            found.add(asked.getresponse().read().decode())
    return found


def test_several_share_the_connections_of_one_address_and_the_last_one_has_them_all() -> None:
    with listening("one") as first:
        port = first.address[1]
        with listening("two", port):
            assert answers(port, 200) == {"one", "two"}
        assert answers(port, 20) == {"one"}


@pytest.mark.parametrize(("first", "second"), [(False, False), (True, False), (False, True)])
def test_an_address_is_shared_only_where_both_say_so(first: bool, second: bool) -> None:
    with (
        listening("one", shared=first) as made,
        pytest.raises(OSError, match="in use"),
        listening("two", made.address[1], shared=second),
    ):
        pytest.fail("two listen on one address")
