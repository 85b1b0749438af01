"""Do the servers of our own keep what a test relies on: data through a kill, and nothing left behind?"""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from crm_outbox.messaging.management import Management, ManagementError
from deploy.local import servers
from deploy.local.account import ROOT, unprivileged
from deploy.local.children import Supervisor, Unavailable
from tests.conftest import OwnServers
from tests.prepared import connect
from tests.waiting import eventually


def _parents() -> dict[int, int]:
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    return {int(pid): int(parent) for pid, parent in (line.split() for line in listed.splitlines())}


def _below(pid: int) -> set[int]:
    parents, found = _parents(), {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def _alive(pids: set[int]) -> set[int]:
    return pids & _parents().keys()


@pytest.fixture
def supervisor() -> Supervisor:
    return Supervisor()


def _start(supervisor: Supervisor, folder: Path, script: str) -> None:
    folder.chmod(0o777)
    environ = {"PATH": os.environ["PATH"]}
    supervisor.start("one", ["/bin/sh", "-c", script], env=environ, cwd=folder, log=folder / "log", account=None)


def test_a_supervisor_ends_grandchildren_too_and_removes_its_folders(supervisor: Supervisor, tmp_path: Path) -> None:
    room = tmp_path / "room"
    room.mkdir()
    supervisor.remove(room)
    _start(supervisor, room, "setsid sleep 1000 & sleep 1000")
    family = eventually(lambda: len(found := _below(supervisor.pid)) == 4 and found)
    supervisor.close()
    assert _alive(set(family or ())) == set()
    assert not room.exists()


def test_a_supervisor_that_is_killed_takes_its_children_along(supervisor: Supervisor, tmp_path: Path) -> None:
    _start(supervisor, tmp_path, "exec sleep 1000")
    children = _below(supervisor.pid) - {supervisor.pid}
    os.kill(supervisor.pid, signal.SIGKILL)
    eventually(lambda: not _alive(children))
    with pytest.raises(Unavailable, match="the supervisor is gone"):
        supervisor.code("one")
    supervisor.close()


def test_what_cannot_be_started_is_told(supervisor: Supervisor, tmp_path: Path) -> None:
    with supervisor, pytest.raises(Unavailable, match="No such file"):
        supervisor.start("one", ["/no/such/program"], env={}, cwd=tmp_path, log=tmp_path / "log", account=None)


@pytest.mark.slow
def test_nothing_is_left_behind_when_the_parent_is_killed(tmp_path: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-m", "deploy.local", "servers"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "SERVERS": ""},
    )
    assert parent.stdout is not None
    said = []
    for line in parent.stdout:
        said.append(line)
        if line.startswith("until"):
            break
    family = _below(parent.pid)
    assert len(family) > 8, "".join(said)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    eventually(lambda: not _alive(family))


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_both_servers_keep_their_data_through_a_kill_and_a_restart(own_servers: OwnServers) -> None:
    with own_servers() as own:
        with connect(own.database) as connection:
            connection.execute("create table kept (a int)")
            connection.execute("insert into kept values (1)")
        with Management(own.broker.management_url, *own.admin, "sync") as manager:
            manager.put("queues/sync/kept", {"durable": True, "arguments": {"x-queue-type": "quorum"}})
            assert manager.publish("amq.default", "kept", b"once", {})
            # RabbitMQ 3.10 does not bring back a quorum queue that was declared just before the kill.
            eventually(lambda: manager.depths().get("kept") == 1, within=30)
        own.postgres.kill()
        with pytest.raises(psycopg.OperationalError):
            connect(own.database)
        own.postgres.start()
        own.rabbitmq.kill()
        own.rabbitmq.start()
        own.postgres.restart()
        with connect(own.database) as connection:
            assert connection.execute("select a from kept").fetchall() == [(1,)]
        with Management(own.broker.management_url, *own.admin, "sync") as manager:
            assert eventually(lambda: _bodies(manager, "kept"), within=60) == [b"once"]


def _bodies(manager: Management, queue: str) -> list[bytes]:
    """What lies in a queue; nothing while its leader is not chosen yet, when the question may go unanswered."""
    try:
        return [letter.body for letter in manager.look(queue, bodies=True)]
    except ManagementError:
        return []


def test_no_server_runs_as_root(engine: sa.Engine) -> None:
    account = unprivileged()
    with engine.connect() as connection:
        folder = Path(str(connection.scalar(sa.text("show data_directory"))))
    if account is None or not folder.exists():
        return  # an ordinary user already, or a server that is not ours
    assert folder.stat().st_uid == account.uid


def test_where_no_server_can_be_had_the_run_ends_with_2_and_the_ways_to_get_one(tmp_path: Path) -> None:
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "SERVERS": "url"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "tests/integration/local/test_fixtures.py", "-p", "no:randomly"],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 2, said
    assert "TEST_BROKER_URL is not set" in said
    assert "apt-get install --no-install-recommends rabbitmq-server" in said


def test_a_provider_that_fails_gives_way_to_the_next_and_the_report_says_why() -> None:
    environ = {"TEST_DATABASE_URL": "postgresql://nobody:wrong@127.0.0.1:1/postgres"}
    with pytest.raises(servers.NoServers) as failed, servers.start("url", environ=environ, say=lambda _: None):
        pass
    assert "not url: TEST_DATABASE_URL does not answer" in str(failed.value)
    assert "not url: TEST_BROKER_URL is not set" in str(failed.value)
