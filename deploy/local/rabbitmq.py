"""How is a RabbitMQ of our own started? A private node on loopback with its own ports, cookie and epmd; management on."""

import os
import re
import secrets
import shutil
import signal
import time
import urllib.request
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path

from kombu import exceptions
from kombu.connection import Connection

from deploy.local import ports
from deploy.local.account import Account, reachable
from deploy.local.children import Supervisor, Unavailable
from deploy.local.postgres import tail

_START_SECONDS = 90
ADMIN = "admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scripts:
    """A RabbitMQ as scripts: ``root / inside`` is rabbitmq-server, ``erlang`` the folder of erl and epmd below ``root``."""

    root: Path
    inside: str
    erlang: str
    parts: tuple[str, ...]
    origin: str


def installed() -> Scripts:
    """The RabbitMQ installed here, of which only the programs are used, never the system's node."""
    folders = [
        *sorted(Path("/usr/lib/rabbitmq/lib").glob("rabbitmq_server-*/sbin"), reverse=True),
        *sorted(Path("/opt").glob("rabbitmq*/sbin"), reverse=True),
        Path("/opt/homebrew/opt/rabbitmq/sbin"),
        Path("/usr/local/opt/rabbitmq/sbin"),
        Path("/opt/rabbitmq/sbin"),
    ]
    found = next((folder for folder in folders if (folder / "rabbitmq-server").exists()), None)
    erl = shutil.which("erl", path=f"{os.environ.get('PATH', '')}:/opt/homebrew/bin:/usr/local/bin:/usr/bin")
    if found is None:
        raise Unavailable("no RabbitMQ is installed")
    if erl is None:
        raise Unavailable(f"RabbitMQ is installed in {found}, but Erlang (erl) is not")
    return Scripts(
        root=Path("/"),
        inside=str((found / "rabbitmq-server").relative_to("/")),
        erlang=str(Path(erl).parent.relative_to("/")),
        parts=(),
        origin=f"{version(found)} installed in {found}",
    )


def unpacked(root: Path) -> Scripts:
    """The RabbitMQ of a distribution's packages that were unpacked below ``root``."""
    found = sorted(root.glob("usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server"))
    if not found or not (root / "usr/lib/erlang/bin/erl").exists():
        raise Unavailable("the unpacked packages hold no rabbitmq-server or no erl")
    inside = found[-1].relative_to(root)
    return Scripts(
        root=root,
        inside=str(inside),
        erlang="usr/lib/erlang/bin",
        parts=("usr/lib",),
        origin=f"{version(found[-1].parent)} of the distribution's packages, unpacked in .servers",
    )


def version(sbin: Path) -> str:
    """The version a folder of scripts belongs to, as far as its name tells."""
    match = re.search(r"rabbitmq_server-([\d.]+)|rabbitmq/([\d.]+)", str(sbin.resolve()))
    return next((group for group in match.groups() if group), "?") if match else "?"


@dataclass(slots=True, kw_only=True)
class RabbitMQ:
    """A private node that can be killed, stopped and started again on the same ports with the same data."""

    supervisor: Supervisor
    account: Account | None
    folder: Path
    root: Path
    scripts: Scripts
    password: str
    port: int
    management_port: int
    distribution_port: int
    epmd_port: int

    @property
    def amqp(self) -> str:
        """The address without user and vhost."""
        return f"amqp://127.0.0.1:{self.port}"

    @property
    def management(self) -> str:
        """The address of the management interface and its HTTP API."""
        return f"http://127.0.0.1:{self.management_port}"

    @property
    def admin(self) -> tuple[str, str]:
        """User and password of the administrator."""
        return ADMIN, self.password

    def start(self) -> None:
        """Start it and wait until kombu could open a connection and the HTTP API answered; else Unavailable."""
        log = self.folder / "rabbitmq.log"
        environ = self._environ()
        epmd = [str(self.root / self.scripts.erlang / "epmd"), "-address", "127.0.0.1", "-port", str(self.epmd_port)]
        for name, argv in (("epmd", epmd), ("rabbitmq", [str(self.root / self.scripts.inside)])):
            self.supervisor.start(name, argv, env=environ, cwd=self.folder, log=log, account=self.account)
        deadline = time.monotonic() + _START_SECONDS
        while self.supervisor.code("rabbitmq") is None and time.monotonic() < deadline:
            if ports.open_on(self.port) and opens(self.amqp, ADMIN, self.password, self.management):
                return
            time.sleep(0.1)
        self.kill()
        raise Unavailable(f"the node did not start: {tail(log)}")

    def stop(self) -> None:
        """Stop it cleanly."""
        self.supervisor.end("rabbitmq", signal.SIGTERM, within=30)
        self.supervisor.end("epmd")

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        self.supervisor.end("rabbitmq")
        self.supervisor.end("epmd")

    def restart(self) -> None:
        """Stop it cleanly and start it again."""
        self.stop()
        self.start()

    def _environ(self) -> dict[str, str]:
        erlang = self.root / self.scripts.erlang
        libraries = [str(one) for one in (self.root / "usr/lib").glob("*-linux-gnu*")] if self.root != Path("/") else []
        return {
            "PATH": f"{erlang}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
            "HOME": str(self.folder),
            "LC_ALL": "C.UTF-8",
            "LANG": "C.UTF-8",
            **({"LD_LIBRARY_PATH": ":".join(libraries)} if libraries else {}),
            "ERL_EPMD_PORT": str(self.epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": f"crm{self.port}@localhost",
            "RABBITMQ_DIST_PORT": str(self.distribution_port),
            "RABBITMQ_CONF_ENV_FILE": str(self.folder / "empty.conf"),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(self.folder / "advanced.config"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "enabled_plugins"),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "data"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_PID_FILE": str(self.folder / "rabbitmq.pid"),
            # Two schedulers that do not spin; node to node traffic on loopback only; no names are asked of a DNS server.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none "
            "-kernel inet_dist_use_interface {127,0,0,1}",
        }


def launch(scripts: Scripts, *, supervisor: Supervisor, folder: Path, account: Account | None) -> RabbitMQ:
    """Write a node's files into ``folder`` and start it."""
    root = reachable(scripts.root, scripts.inside, scripts.parts, folder, account)
    amqp, management, distribution, epmd = ports.free(4)
    password = secrets.token_urlsafe(18)
    for name, text in {
        "empty.conf": "",
        "advanced.config": "[].\n",
        "enabled_plugins": "[rabbitmq_management].\n",
        "rabbitmq.conf": _CONF.format(amqp=amqp, management=management, admin=ADMIN, password=password),
        ".erlang.cookie": secrets.token_hex(16),
    }.items():
        file = folder / name
        file.write_text(text, encoding="utf-8")
        if account is not None:
            os.chown(file, account.uid, account.gid)
        file.chmod(0o400 if name == ".erlang.cookie" else 0o600)
    node = RabbitMQ(
        supervisor=supervisor,
        account=account,
        folder=folder,
        root=root,
        scripts=scripts,
        password=password,
        port=amqp,
        management_port=management,
        distribution_port=distribution,
        epmd_port=epmd,
    )
    node.start()
    return node


_CONF = """\
listeners.tcp.local = 127.0.0.1:{amqp}
management.tcp.ip = 127.0.0.1
management.tcp.port = {management}
default_user = {admin}
default_pass = {password}
loopback_users = none
vm_memory_high_watermark.relative = 0.4
disk_free_limit.absolute = 50MB
log.console = true
log.console.level = warning
log.file = false
collect_statistics_interval = 1000
"""


def opens(amqp: str, user: str, password: str, management: str | None = None) -> bool:
    """Whether a connection could be opened, and the HTTP API answers."""
    try:
        with Connection(amqp, userid=user, password=password, connect_timeout=3) as connection:
            connection.connect()
        if management is not None:
            request = urllib.request.Request(f"{management}/api/overview")  # noqa: S310 - our own address
            request.add_header("Authorization", "Basic " + b64encode(f"{user}:{password}".encode()).decode())
            urllib.request.urlopen(request, timeout=5).close()  # noqa: S310
    except (OSError, exceptions.KombuError, *Connection(amqp).connection_errors):
        return False
    return True
