"""How do messages leave for the broker? One connection and one channel in confirm mode, owned by one thread.

kombu connects; from then on bytes go out and in here, so that a batch leaves in one write, nothing ever waits inside a
publish, and what the broker says is only collected, in its order. A publisher that reported ``Closed`` is finished:
throw it away and make another.
"""

import select
import socket
import ssl
import struct
import sys
import time
from collections.abc import Sequence
from typing import Any

from kombu.connection import Connection

from crm_outbox.messaging import frames
from crm_outbox.messaging.frames import Inbound, Outgoing
from crm_outbox.messaging.settlement import Blocked, Closed, Event, Unblocked

_WOULD_BLOCK = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
_BEAT = struct.pack(">BHIB", 8, 0, 0, 0xCE)
_GOODBYE = struct.pack(">BHIHHHBHHB", 1, 0, 11, 10, 50, 200, 0, 0, 0, 0xCE)
"""``connection.close`` with code 200: said while leaving, without waiting for the answer."""


class Unreachable(Exception):
    """No connection could be made; says why, without credentials."""


class Publisher:
    """One connection for publishing. Every method returns at once, except making it, which connects."""

    def __init__(
        self,
        url: str,
        *,
        name: str,
        heartbeat: int = 20,
        connect_timeout: float = 5.0,
        write_timeout: float = 30.0,
    ) -> None:
        """Connect and open the channel, each wait ended after 10 seconds at most; raises ``Unreachable``.

        ``name`` is what the broker shows for this connection. ``heartbeat`` in seconds.
        """
        connection = Connection(
            url,
            connect_timeout=connect_timeout,
            heartbeat=heartbeat,
            transport_options={
                "client_properties": {"connection_name": name},
                "read_timeout": 10,
                "write_timeout": 10,
                "confirm_publish": False,  # it waits for each, and takes any ack for an answer
            },
        )
        self._amqp: Any = None
        try:
            self._amqp = connection.transport.establish_connection()
            channel = self._amqp.channel()
            channel.confirm_select()
            self._sock: socket.socket = self._amqp.transport.sock
            self._sock.setblocking(False)
            if sys.platform == "linux":
                # py-amqp's one second ends a connection whose broker takes nothing for a while; ``_tick`` decides that
                self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 0)
        except Exception as error:
            # kombu and py-amqp raise what the moment gives: OSError, AMQPError, even AttributeError.
            if self._amqp is not None:
                self._amqp.collect()
            raise Unreachable(f"{type(error).__name__}: {getattr(error, 'reply_text', '') or error}") from error
        self._channel = int(channel.channel_id)
        self._frame_max = int(self._amqp.frame_max) or 131072
        self._heartbeat = float(self._amqp.heartbeat or 0)
        self._write_timeout = write_timeout
        self._inbound = Inbound(self._channel)
        self._out = memoryview(b"")
        self._next_tag = 1
        self._wrote = self._heard = time.monotonic()
        self._closed: Closed | None = None
        self.blocked = False

    def send(self, messages: Sequence[Outgoing]) -> int:
        """Publish these messages, none with a ``fault``, in one write; returns the tag of the first, the rest count up."""
        first = self._next_tag
        self._next_tag += len(messages)
        self._put(frames.publish(messages, self._channel, self._frame_max))
        return first

    def hear(self) -> list[Event]:
        """What the broker said since last time; the last one is ``Closed`` if the connection is of no more use.

        Also writes what did not fit before, and keeps the heartbeats.
        """
        events: list[Event] = []
        self._flush()
        while self._closed is None:
            try:
                data = self._sock.recv(65536)
            except _WOULD_BLOCK:
                break
            except OSError as error:
                self._lose(type(error).__name__)
                break
            if not data:
                self._lose("end of stream")
                break
            self._heard = time.monotonic()
            self._take(data, events)
        self._tick()
        if self._closed is not None:
            events.append(self._closed)
        return events

    def wait(self, seconds: float, *others: int) -> None:
        """Sleep until the broker says something, a held-back write can go on, or one of those descriptors is readable."""
        if self._closed is not None or (isinstance(self._sock, ssl.SSLSocket) and self._sock.pending()):
            return
        waiter = select.poll()
        waiter.register(self._sock, select.POLLIN | (select.POLLOUT if self.is_writing else 0))
        for other in others:
            waiter.register(other, select.POLLIN)
        waiter.poll(max(0.0, seconds) * 1000)

    @property
    def is_writing(self) -> bool:
        """Whether bytes are held back because the broker does not take them now."""
        return len(self._out) > 0

    def collect(self) -> None:
        """Drop the connection without asking the broker, who may not be reading. May be repeated."""
        self._closed = self._closed or Closed(0, "collected")
        self._amqp.collect()

    def close(self) -> None:
        """Say goodbye if that goes without waiting, then drop the connection. What is in flight is unknown afterwards."""
        if self._closed is None and not self.blocked and not self.is_writing:
            self._put(_GOODBYE)
        self.collect()

    def _put(self, data: bytes) -> None:
        if self._closed is not None:
            return
        if not self._out:
            self._wrote = time.monotonic()
        self._out = memoryview(bytes(self._out) + data if self._out else data)
        self._flush()

    def _flush(self) -> None:
        while self._out and self._closed is None:
            try:
                count = self._sock.send(self._out)
            except _WOULD_BLOCK:
                return
            except OSError as error:
                self._lose(type(error).__name__)
                return
            self._out = self._out[count:]
            self._wrote = time.monotonic()

    def _take(self, data: bytes, events: list[Event]) -> None:
        try:
            heard = self._inbound.read(data)
        except ValueError as error:
            self._lose(str(error))
            return
        for event in heard:
            match event:
                case Closed():
                    self._closed = event
                    return
                case Blocked():
                    self.blocked = True
                case Unblocked():
                    self.blocked = False
                    self._wrote = self._heard
                case _:
                    pass
            events.append(event)

    def _tick(self) -> None:
        """Keep the connection alive, and find out when it is not. A blocking broker is waited for without limit."""
        if self._closed is not None or self.blocked:
            return
        now = time.monotonic()
        if self.is_writing:
            if now - self._wrote > self._write_timeout:
                self._lose("write timeout")
        elif self._heartbeat and now - self._wrote > self._heartbeat / 2:
            self._put(_BEAT)
        if self._heartbeat and now - self._heard > self._heartbeat * 2:
            self._lose("missed heartbeats")

    def _lose(self, why: str) -> None:
        self._closed = self._closed or Closed(0, why)
