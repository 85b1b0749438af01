"""A small answer leaves at once: nothing of it waits for the other side's acknowledgement of what went before."""

import asyncio
import socket

from crm_outbox.messaging.server import _prompt


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
