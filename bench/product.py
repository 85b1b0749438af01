"""What runs when the product is measured? Servers filled, and its processes, with the clocks of production."""

import shutil
from contextlib import ExitStack
from pathlib import Path

from crm_outbox.messaging import management
from deploy.local import ports, servers
from deploy.local.demo.processes import Processes
from deploy.local.environment import USERS, environment
from deploy.migrations import histories

ROOT = Path(__file__).resolve().parents[1]
TENANT, AGREEMENT, GRANT = "bench", 123456, "sandbox-grant"


def made_ready(
    stack: ExitStack, running: servers.Running, sandbox: str, log: Path, *, web_port: int = 0
) -> tuple[Processes, int]:
    """Tables, broker and settings for a sandbox at that address; processes to be started, and the port of the hooks.

    The processes are stopped with the stack. What an earlier run logged is gone. Pages are served on ``web_port``.
    """
    shutil.rmtree(log, ignore_errors=True)
    log.mkdir(parents=True)
    histories.up(dict.fromkeys(histories.SCHEMAS, running.database_url))
    passwords = dict.fromkeys(USERS, "bench")
    management.fill(running.management, running.admin, "sync", passwords)
    with management.Management(running.management, *running.admin, vhost="sync") as admin:
        management.init(admin)
    (hooks_port,) = ports.free(1)
    environ = environment(
        database_url=running.database_url,
        amqp=running.amqp,
        management=running.management,
        passwords=passwords,
        sandbox=sandbox,
        hooks_port=hooks_port,
        web_port=web_port,
        clocks={},
    )
    processes = Processes(ROOT, log, environ)
    stack.callback(processes.stop)
    return processes, hooks_port
