"""What do the tests of lost brokers share? A broker whose data is taken away, and servers that may be killed."""

import subprocess
import threading
from typing import Protocol

from crm_outbox.messaging.relay import Relay
from deploy.local.containers import ContainedBus
from deploy.local.rabbitmq import RabbitMQ
from tests.conftest import Own
from tests.integration.messaging.relaying import drive


class Lose(Protocol):
    """Takes the broker's data away, vhost and all, and fills it anew; ``named``: with an identity."""

    def __call__(self, *, named: bool = True) -> None: ...


def ctl(bus: object, *command: str) -> None:
    """Run rabbitmqctl against a RabbitMQ of our own."""
    if isinstance(bus, ContainedBus):
        done = bus.container.exec(["rabbitmqctl", *command])
        assert done.exit_code == 0, done.output
        return
    assert isinstance(bus, RabbitMQ)
    subprocess.run(
        [str((bus.root / bus.scripts.inside).with_name("rabbitmqctl")), *command],
        env=bus._environ(),
        cwd=bus.folder,
        check=True,
        capture_output=True,
        timeout=110,
        user=None if bus.account is None else bus.account.uid,
        group=None if bus.account is None else bus.account.gid,
        extra_groups=None if bus.account is None else [],
    )


def beside(relay: Relay, *command: str, servers: Own) -> None:
    """Run rabbitmqctl, which takes seconds, while the relay goes on taking its turns."""
    runner = threading.Thread(target=ctl, args=(servers.rabbitmq, *command))
    runner.start()
    drive(lambda: not runner.is_alive(), relay, within=110)
