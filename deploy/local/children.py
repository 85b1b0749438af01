"""How are server processes started so that none is ever left behind? Through a supervisor of their own."""

import contextlib
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from deploy.local.account import Account


class Unavailable(Exception):
    """Why a provider would not do, in words for the report."""


class Supervisor:
    """The process that starts the servers and ends them with us; may be used from several threads.

    ``close`` kills what still runs and removes the folders; it happens by itself when this process dies.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(Path(__file__).with_name("supervise.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
            cwd="/",
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """The supervisor's own process id."""
        return self._process.pid

    def start(
        self, name: str, argv: Sequence[str], *, env: Mapping[str, str], cwd: Path, log: Path, account: Account | None
    ) -> int:
        """Start a process under a name and give its id; its output is appended to ``log``."""
        answer = self._ask(
            do="start",
            name=name,
            argv=list(argv),
            env=dict(env),
            cwd=str(cwd),
            log=str(log),
            uid=account.uid if account else None,
            gid=account.gid if account else None,
        )
        pid: int = answer["pid"]
        return pid

    def code(self, name: str) -> int | None:
        """The exit code of a process, None while it runs."""
        code: int | None = self._ask(do="code", name=name)["code"]
        return code

    def end(self, name: str, number: int = signal.SIGTERM, within: float = 0.0) -> None:
        """Signal a process and wait ``within`` seconds, then kill it and all below it; 0 kills at once, as a power cut would."""
        self._ask(do="end", name=name, number=int(number), within=within)

    def remove(self, folder: Path) -> None:
        """Have a folder removed at the end."""
        self._ask(do="remove", folder=str(folder))

    def last(self, argv: Sequence[str]) -> None:
        """Have a command run at the end."""
        self._ask(do="last", argv=list(argv))

    def close(self) -> None:
        """Kill everything and wait until nothing is left; may repeat."""
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin and not stdin.closed:
            with contextlib.suppress(BrokenPipeError):  # it was killed before it read the last request
                stdin.close()
        self._process.wait()
        if stdout and not stdout.closed:
            stdout.close()

    def _ask(self, **request: Any) -> dict[str, Any]:
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise Unavailable("the supervisor has no pipes")
        with self._lock:
            try:
                stdin.write(json.dumps(request).encode() + b"\n")
                stdin.flush()
                line = stdout.readline()
            except (OSError, ValueError) as error:
                raise Unavailable("the supervisor is gone") from error
        if not line:
            raise Unavailable("the supervisor is gone")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise Unavailable(f"{request['do']} {request.get('name', '')}: {answer['error']}")
        return answer
