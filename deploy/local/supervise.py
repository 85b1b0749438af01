"""Who ends the servers when their parent is gone, even by SIGKILL? This small process between them, which holds a pipe.

A program of the standard library only, started by ``children.Supervisor``: one JSON request per line on standard input, one
JSON answer per line on standard output. When the input ends, everything it started is killed and its folders are removed.
"""

import contextlib
import ctypes
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36

_children: dict[str, subprocess.Popen[bytes]] = {}
_codes: dict[int, int] = {}
_folders: list[str] = []
_last_words: list[list[str]] = []


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def _die_with_supervisor() -> None:
    # After the change of user, which would clear it.
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _reap() -> None:
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            _codes[pid] = os.waitstatus_to_exitcode(status)


def _parents() -> dict[int, int]:
    if sys.platform != "linux":
        lines = subprocess.run(
            ["/bin/ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=False
        ).stdout
        return {int(pid): int(parent) for pid, parent in (line.split() for line in lines.splitlines() if line.strip())}
    found = {}
    for entry in os.listdir("/proc"):  # noqa: PTH208 - names, not paths
        if entry.isdigit():
            with contextlib.suppress(OSError):
                found[int(entry)] = int(Path(f"/proc/{entry}/stat").read_bytes().rpartition(b")")[2].split()[1])
    return found


def _below(pid: int) -> list[int]:
    parents = _parents()
    found = [pid]
    for one in found:
        found.extend(child for child, parent in parents.items() if parent == one and child not in found)
    return found


def _kill(pids: list[int]) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _start(
    name: str, argv: list[str], env: dict[str, str], cwd: str, log: str, uid: int | None, gid: int | None
) -> int:
    with open(log, "ab") as output:  # noqa: PTH123 - a path as it was given
        child = subprocess.Popen(
            argv,
            env=env,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            user=uid,
            group=gid,
            extra_groups=None if uid is None else [],
            preexec_fn=_die_with_supervisor,  # noqa: PLW1509 - this process has one thread
        )
    _children[name] = child
    return child.pid


def _code(name: str) -> int | None:
    _reap()
    child = _children.get(name)
    return 0 if child is None else _codes.get(child.pid)


def _end(name: str, number: int, within: float) -> None:
    child = _children.get(name)
    if child is None:
        return
    deadline = time.monotonic() + within
    if within and _code(name) is None:
        os.kill(child.pid, number)
        while _code(name) is None and time.monotonic() < deadline:
            time.sleep(0.02)
    if _code(name) is None:
        _kill(_below(child.pid))
        while _code(name) is None:
            time.sleep(0.005)
    _kill(_strays())
    _children.pop(name)


def _strays() -> list[int]:
    """Grandchildren whose own parent died: they came to us, and belong to nobody we know."""
    known = {child.pid for child in _children.values()}
    return [pid for pid, parent in _parents().items() if parent == os.getpid() and pid not in known]


def _finish() -> None:
    for name in list(_children):
        _kill(_below(_children[name].pid))
    deadline = time.monotonic() + 5
    while (left := [pid for pid in _below(os.getpid()) if pid != os.getpid()]) and time.monotonic() < deadline:
        _kill(left)
        _reap()
        time.sleep(0.01)
    for argv in _last_words:
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=20, check=False)
    for folder in _folders:
        shutil.rmtree(folder, ignore_errors=True)


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    match request.pop("do"):
        case "start":
            return {"pid": _start(**request)}
        case "code":
            return {"code": _code(request["name"])}
        case "end":
            _end(**request)
        case "remove":
            _folders.append(request["folder"])
        case "last":
            _last_words.append(request["argv"])
    return {}


def main() -> None:
    """Serve requests until the pipe closes."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    inner, outer = os.pipe()
    os.set_blocking(outer, False)
    signal.set_wakeup_fd(outer, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # the terminal's; the pipe decides
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    waiting = b""
    try:
        while True:
            ready, _, _ = select.select([0, inner], [], [])
            if inner in ready:
                os.read(inner, 4096)
                _reap()
            if 0 not in ready:
                continue
            piece = os.read(0, 65536)
            if not piece:
                return
            *lines, waiting = (waiting + piece).split(b"\n")
            for line in lines:
                try:
                    answer = _answer(json.loads(line))
                except (OSError, ValueError, subprocess.SubprocessError) as error:
                    answer = {"error": f"{type(error).__name__}: {error}"}
                os.write(1, json.dumps(answer).encode() + b"\n")
    finally:
        _finish()


if __name__ == "__main__":
    main()
