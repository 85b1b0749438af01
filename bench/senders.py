"""What can a broker be sent without a database? Bare frames made beforehand, and py-amqp's own publish: the relay's bounds."""

import socket
import time
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import amqp

from crm_outbox.messaging import frames
from crm_outbox.messaging.frames import Outgoing
from crm_outbox.messaging.settings import Broker
from crm_outbox.messaging.settlement import Acked

USER, QUEUE = "relay-crm", "economic-adapter.inbound"
WINDOW, BATCH = 1500, 500
_ANY: Any = amqp  # typed in part only


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Both servers, filled."""

    database: str
    broker: Broker
    admin: tuple[str, str]

    def connect(self, user: str = "") -> Any:
        """A py-amqp connection, as the relay's user or as administrator."""
        name, password = (user, self.broker.passwords[user]) if user else self.admin
        connection = _ANY.Connection(
            self.broker.address.removeprefix("amqp://"), name, password, virtual_host=self.broker.vhost, heartbeat=0
        )
        connection.connect()
        return connection

    def purge(self) -> int:
        """Empty the queue; returns how many messages lay there."""
        with closing(self.connect()) as connection:
            return int(connection.channel().queue_purge(QUEUE))


class Unconfirmed:
    """How many publishes are open, by the acks of the bare senders."""

    def __init__(self) -> None:
        self._single: set[int] = set()
        self._floor = 0
        self.confirmed = 0

    def ack(self, tag: int, multiple: bool) -> None:
        """Count it once."""
        if not multiple:
            self._single.add(tag)
            self.confirmed += 1
            return
        covered = {one for one in self._single if one <= tag}
        self.confirmed += tag - self._floor - len(covered)
        self._single -= covered
        self._floor = tag


def bare(place: Place, batches: list[bytes], count: int) -> float:
    """Messages per second of frames made beforehand, written to a socket as fast as acks allow."""
    with closing(place.connect(USER)) as connection:
        channel = connection.channel()
        channel.confirm_select()
        sock: socket.socket = connection.transport.sock
        inbound, open_ones, sent = frames.Inbound(channel.channel_id), Unconfirmed(), 0
        begin = time.perf_counter()
        waiting = iter(batches)
        while open_ones.confirmed < count:
            while sent < count and sent - open_ones.confirmed <= WINDOW - BATCH:
                sock.sendall(next(waiting))
                sent += min(BATCH, count - sent)
            for event in inbound.read(sock.recv(65536)):
                if not isinstance(event, Acked):
                    raise TypeError(f"the broker said {event}")
                open_ones.ack(event.tag, event.multiple)
        return count / (time.perf_counter() - begin)


def py_amqp(place: Place, messages: list[Outgoing]) -> float:
    """Messages per second of py-amqp's ``basic_publish``, with its confirms counted in a window."""
    with closing(place.connect(USER)) as connection:
        channel = connection.channel()
        channel.confirm_select()
        open_ones = Unconfirmed()
        channel.events["basic_ack"].add(open_ones.ack)
        begin = time.perf_counter()
        for sent, one in enumerate(messages, 1):
            content = _ANY.Message(
                one.body,
                content_type="application/cloudevents+json",
                delivery_mode=2,
                message_id=one.message_id,
                type=one.type,
                timestamp=one.timestamp,
                application_headers={"traceparent": one.traceparent},
            )
            channel.basic_publish(content, one.exchange, one.routing_key, mandatory=True)
            while sent - open_ones.confirmed >= WINDOW:
                connection.drain_events()
        while open_ones.confirmed < len(messages):
            connection.drain_events()
        return len(messages) / (time.perf_counter() - begin)
