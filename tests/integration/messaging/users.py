"""Who is at the broker? A channel as one of its users."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

import amqp

from crm_outbox.messaging.settings import Broker


@contextmanager
def user(broker: Broker, name: str, *, confirm: bool = False, jobs: bool = False) -> Iterator[amqp.Channel]:
    connection = amqp.Connection(
        broker.address.removeprefix("amqp://"),
        userid=name,
        password=broker.passwords[name],
        virtual_host=f"{broker.vhost}-jobs" if jobs else broker.vhost,
        confirm_publish=confirm,
    )
    with closing(connection):
        connection.connect()
        yield connection.channel()
