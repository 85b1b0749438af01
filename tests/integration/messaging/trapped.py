"""What do the tests of receiving share? A bus behind a proxy, and a process that dies."""

from crm_outbox.messaging.settings import Broker
from tests.proxy import Proxy


class Killed(BaseException):
    """Stands for SIGKILL: nothing in the product may catch it."""


def bus_behind(broker: Broker) -> Proxy:
    host, _, port = broker.address.removeprefix("amqp://").rpartition(":")
    return Proxy(host, int(port))


def through_it(broker: Broker, proxy: Proxy) -> Broker:
    return Broker(
        address=f"amqp://127.0.0.1:{proxy.port}",
        vhost=broker.vhost,
        management_url=broker.management_url,
        passwords=broker.passwords,
    )
