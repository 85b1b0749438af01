"""``./run demo``: start everything on this machine, play the tour, then stay until Ctrl-C.

Exits 0 only if every step held (``--once`` leaves right after), 1 when one did not, 2 when a server cannot be had.
"""

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack

from deploy.local import servers
from deploy.local.demo import people, tour
from deploy.local.demo.hands import StepFailed, Tour
from deploy.local.demo.lists import NO_COMMON_KEY, SAME_CVR, lists
from deploy.local.demo.stage import FOLDER, Stage, set_up


def main() -> int:
    arguments = _arguments()
    _say("clickmate-economic demo · everything stays in ./.venv, ./.servers and ./.demo · Ctrl-C stops it all\n")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with ExitStack() as stack:
            stage = set_up(stack, arguments.servers, _nothing if arguments.quiet else _say)
            failed = _play(stage, quiet=arguments.quiet)
            if not arguments.once:
                _stay(stage)
            return 1 if failed else 0
    except servers.NoServers as error:
        _say(str(error))
        return 2
    except KeyboardInterrupt:
        _say("\nStopped; no process is left behind.")
        return 130


def _play(stage: Stage, *, quiet: bool) -> list[str]:
    """Play every step, also after one that failed; the names of those that did not hold."""
    say = _nothing if quiet else _say
    hands = Tour(
        engine=stage.engine,
        doorbell=stage.doorbell,
        books=stage.books,
        processes=stage.processes,
        say=say,
        command=stage.command,
        environ=stage.environ,
    )
    begun = time.monotonic()
    entered = lists()
    hands.keep(entered)
    say(f"  {'invented data':<20} ok  {time.monotonic() - begun:5.1f} s   {entered}")
    say(
        f"  {'':<31} {SAME_CVR + NO_COMMON_KEY} in both ({SAME_CVR} with the same CVR no., {NO_COMMON_KEY} without a common key)\n"
    )
    plan: list[tuple[str, Callable[[Tour], str]]] = [
        ("Connect", tour.connect),
        ("Create", tour.create),
        ("Lead", tour.lead),
        ("Edit both", tour.edit_both),
        ("Persons", tour.persons),
        ("Transfer all", tour.transfer),
        ("Renumber", tour.renumber),
        ("Lost answer", tour.lost_answer),
        ("Disagree", people.disagree),
        ("Status", people.statuses),
        ("Away", tour.away),
        ("Break it", tour.killed),
        ("Compare", tour.compared),
    ]
    say("The tour: two systems, one customer list. C = Clickmate CRM   E = e-conomic (sandbox)")
    failed, begun = [], time.monotonic()
    for position, (name, step) in enumerate(plan, 1):
        started = time.monotonic()
        try:
            lines = step(hands).splitlines()
        except (StepFailed, RuntimeError, OSError, ValueError, LookupError) as error:
            failed.append(name)
            _say(f" {position} {name:<12} DID NOT HOLD after {time.monotonic() - started:.1f} s")
            _explain(str(error), stage)
            continue
        for at, line in enumerate(lines):
            head = f" {position} {name:<12}" if at == 0 else " " * 15
            tail = f"{time.monotonic() - started:6.1f} s" if at == len(lines) - 1 else ""
            say(f"{head} {line:<110} {tail}".rstrip())
    held = len(plan) - len(failed)
    _say(
        f"\n{held} of {len(plan)} steps held, {time.monotonic() - begun:.0f} s."
        + (f" Not: {', '.join(failed)}." if failed else "")
    )
    if failed and (busy := _busy()):
        _say(busy)
    return failed


def _busy() -> str:
    """What to say of a machine that had far more to do than it can; nothing of a quiet one."""
    waiting, cores = os.getloadavg()[1], os.cpu_count() or 1
    if waiting < 3 * cores:
        return ""
    return (
        f"This machine is busy: over the last five minutes {waiting:.0f} programs wanted its {cores} cores at once, so what is called"
        " lost above may still be on its way. Try again when it is quieter."
    )


def _explain(error: str, stage: Stage) -> None:
    for line in error.splitlines():
        _say(f"      {line}")
    for name in stage.processes.running:
        troubled = [
            line for line in stage.processes.tail(name, 40) if '"level": "error"' in line or "Traceback" in line
        ]
        for line in troubled[-2:]:
            _say(f"      {name}: {line[:300]}")
    _say("      look further: .demo/log, one file a process, one line an event")


def _stay(stage: Stage) -> None:
    pages, crm = stage.environ["WEB_PUBLIC_URL"], stage.environ["CRM_ORIGIN"]
    _say(
        f"""
  CRM, with the status at the right    {crm}/    da · en, signed in as Anne, salesperson
  Tasks, set-up, transfer, health      {crm}/economic/launch?to=/    as whoever is signed in there: Mette is administrator
  e-conomic (sandbox)                  {stage.books.url}/    the bookkeeper's side: change a customer, watch it arrive
  RabbitMQ                             {stage.management}/    operator / {stage.operator}
  Messages as they pass                ./run tail

  Try:  change one customer's phone in the CRM and look at the sandbox
        "Tag e-conomic ned i 30 s" at the foot of the CRM, then edit: nothing is lost, the status says so
        give one customer two names meanwhile, one on each side: a question appears, and the status leads to it
  Our pages are at {pages}, over plain HTTP on this machine only: their cookie is not called __Host- here.
  Log: .demo/log (one line per event; follow one change: ./run trace 10042). Commands: . .demo/env, then
    .venv/bin/python -m crm_outbox customer list --tenant demo
    .venv/bin/python -m reconciler status --customer ID

  Ctrl-C stops everything."""
    )
    asked, again = FOLDER / "asked" / "relay", 0.0
    while True:
        time.sleep(0.3)
        if asked.exists():
            asked.unlink()
            if not again:
                stage.processes.kill("relay-crm")
                _say("  the CRM's relay was killed; it starts again in 5 s")
                again = time.monotonic() + 5
        if again and time.monotonic() > again:
            stage.processes.start_group("relay-crm")
            again = 0.0
        if dead := stage.processes.died():
            _say(f"  a process ended by itself: {dead}; see .demo/log")
            for name in dead:
                stage.processes.running.pop(name)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./run demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="leave after the tour; exit 0 only if every step held")
    parser.add_argument("--quiet", action="store_true", help="print failures and the last line only")
    parser.add_argument("--servers", choices=["container", "installed", "bundled"], help="where the servers come from")
    return parser.parse_args()


def _say(line: str) -> None:
    print(line, flush=True)


def _nothing(_: str) -> None:
    """Say nothing."""


if __name__ == "__main__":
    sys.exit(main())
