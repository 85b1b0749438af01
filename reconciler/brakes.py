"""What does an operator say to a pass that stopped? Let exactly its list go, or stop it: nothing of the list is written."""

import argparse
from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa

from reconciler import acts, items, releasing, runs
from reconciler.desk import DONE, REFUSED, Desk, agreement, changing, of_agreement, say
from reconciler.reconcile import Clocked
from reconciler.releasing import Word
from reconciler.runs import Run

_SHOWN = 50


def mount(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", desk: Desk) -> None:
    """Add ``release-brake`` and ``stop-brake``."""
    for name, words, does in (
        ("release-brake", "let exactly those go that a pass stopped before", _release),
        ("stop-brake", "write to none of those that a pass stopped before; what differs stays", _stop),
    ):
        brake = of_agreement(commands.add_parser(name, help=words))
        brake.add_argument("run", type=UUID, help="the pass, as `runs` names it")
        changing(brake, desk, does)


def _release(arguments: argparse.Namespace, engine: sa.Engine, clocked: Clocked) -> int:
    return _settled(arguments, engine, clocked, "to let exactly these go", "release", "went")


def _stop(arguments: argparse.Namespace, engine: sa.Engine, clocked: Clocked) -> int:
    words = "to write to none of these, and leave what differs as it is until somebody edits it"
    return _settled(arguments, engine, clocked, words, "stop", "stay as they are")


def _settled(
    arguments: argparse.Namespace,
    engine: sa.Engine,
    clocked: Clocked,
    offer: str,
    word: Word,
    done: str,
) -> int:
    known = agreement(engine, arguments)
    if known is None:
        return REFUSED
    with engine.connect() as connection:
        run = runs.find(connection, arguments.run)
        listed = list(items.listed(connection, arguments.run, ["planned"]))
    if run is None or (run.tenant, run.agreement) != (known.tenant, known.agreement) or run.state != "braked":
        say("no such pass has stopped; see `runs`")
        return REFUSED
    _show(run, listed)
    if not arguments.yes:
        say(f"nothing is written yet; {offer}: --yes")
        return DONE
    with engine.begin() as connection:
        locked = runs.lock(connection, run.id)
        if locked is None or locked.state != "braked":
            say("no such pass has stopped; see `runs`")
            return REFUSED
        seen = items.digest_of(listed)
        releasing.note(connection, locked, word, seen, clocked.now(), acts.operator(known.tenant))
    does = releasing.release if word == "release" else releasing.stop
    settled, moved = does(engine, clocked, run.id) or (0, 0)
    say(f"{settled} {done}")
    if moved:
        say(f"{moved} changed since the list was made and are held; look at the new list and say it once more")
        return REFUSED
    return DONE


def _show(run: Run, listed: Sequence[items.Stored]) -> None:
    say(f"we stopped: {len(listed)} more customers would be written to, {run.done} were")
    for one in listed[:_SHOWN]:
        details = ", ".join(dict.fromkeys(f"{write.detail} in {write.system}" for write in one.writes))
        say(f"  {one.crm_id or one.number}: {details}")
    if len(listed) > _SHOWN:
        say(f"  and {len(listed) - _SHOWN} more")
