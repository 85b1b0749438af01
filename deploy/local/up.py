"""How does the whole product run on one machine against the real e-conomic? ``./run up``, settings from the environment.

A few processes, each a group of duties, started again when one ends by itself. SIGTERM and Ctrl-C let every duty finish
the step in hand. Production does the same with one unit or container per duty.
"""

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping

from sqlalchemy.exc import SQLAlchemyError

import crm_outbox.settings
import economic_adapter.settings
import reconciler.settings
from crm_outbox.messaging.duty import LEAVE_WITHIN
from crm_outbox.messaging.settings import Environment, SettingsError, database_url
from deploy.local.account import ROOT
from deploy.local.demo.processes import GROUPS, die_with_parent
from deploy.local.environment import DEMO_KEY, DEMO_SIGN_IN, given_to
from deploy.migrations import histories

PAUSE_SECONDS = 5.0
"""Before a process that ended by itself is started again."""


def main() -> int:
    """Check the settings, then run until a signal; 2 names everything that is missing."""
    parser = argparse.ArgumentParser(prog="./run up", description=__doc__)
    parser.add_argument("--check", action="store_true", help="only check settings and tables")
    arguments = parser.parse_args()
    if problems := wrong(os.environ):
        print(
            "\n".join(["The settings are not complete (deploy/env.example describes each):", *problems]),
            file=sys.stderr,
        )
        return 2
    if problems := _tables(os.environ):
        print("\n".join(problems), file=sys.stderr)
        return 2
    print("settings and tables are right", flush=True)
    return 0 if arguments.check else _run()


def wrong(environ: Mapping[str, str]) -> list[str]:
    """Every problem with the settings of all three packages, each once."""
    problems: dict[str, None] = {}
    for package in (crm_outbox.settings, economic_adapter.settings, reconciler.settings):
        try:
            package.Settings.from_env(environ, package.DUTIES)
        except SettingsError as error:
            problems |= dict.fromkeys(error.problems)
    keys = {one.partition("=")[0].strip() for one in environ.get("CRM_KEYS", "").split(",")}
    if environ.get(DEMO_SIGN_IN) or DEMO_KEY in keys:
        problems[
            f"the demo's sign-in is on ({DEMO_SIGN_IN}, or the key {DEMO_KEY!r} in CRM_KEYS): whoever comes would be signed in"
            " as anybody; unset it, and take a key of your own"
        ] = None
    return list(problems)


def _tables(environ: Mapping[str, str]) -> list[str]:
    environment = Environment(environ)
    urls = {schema: database_url(environment, schema.upper()) for schema in histories.SCHEMAS}
    try:
        behind = histories.behind(urls)
    except SQLAlchemyError as error:
        return [f"PostgreSQL does not answer: {error.__cause__ or type(error).__name__}".strip()]
    if not behind:
        return []
    said = ", ".join(f"{schema} is at {found or 'nothing'}, needs {head}" for schema, (found, head) in behind.items())
    return [f"The tables are behind: {said}. Bring them up with: python -m deploy.migrations up"]


def _run() -> int:
    stopping: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: stopping.append(number))
    running: dict[str, subprocess.Popen[bytes]] = {}
    due = dict.fromkeys(GROUPS, 0.0)
    while not stopping:
        for name, moment in due.items():
            one = running.get(name)
            if one is not None and (code := one.poll()) is not None:
                print(f"{name} ended with {code}; it starts again in {PAUSE_SECONDS:.0f} s", flush=True)
                running.pop(name)
                due[name] = time.monotonic() + PAUSE_SECONDS
            elif one is None and time.monotonic() >= moment:
                running[name] = _start(name)
        time.sleep(0.2)
    for one in running.values():
        one.terminate()
    deadline = time.monotonic() + LEAVE_WITHIN + 5
    for one in running.values():
        try:
            one.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            one.kill()
            one.wait()
    print("stopped", flush=True)
    return 0


def _start(name: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", *GROUPS[name]],
        cwd=ROOT,
        env=given_to(GROUPS[name][0], os.environ),
        stdin=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C reaches us alone; the duties hear SIGTERM from us
        preexec_fn=die_with_parent,  # noqa: PLW1509 - one thread forks here, and the child only calls prctl
    )


if __name__ == "__main__":
    sys.exit(main())
