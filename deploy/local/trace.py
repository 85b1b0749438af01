"""``./run trace ID``: what happened to one change, from the click to e-conomic's request id? Any one id leads to all of it.

The id may be a customer's (in the CRM, or the number in e-conomic), a decision's, an operation's, a message's, a correlation or
e-conomic's X-RequestId. It reads the outboxes of all three schemas, what was decided, and the logs; it changes nothing.
"""

import argparse
import json
import os
import shlex
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from crm_outbox.messaging import database
from crm_outbox.messaging.danish import danish
from crm_outbox.messaging.settings import Environment, SettingsError, database_url
from crm_outbox.messaging.telling import Teller
from deploy.local.account import ROOT
from deploy.migrations import histories

MOST: Final = 500
"""Events that are shown; of a longer story, the last."""
DEMO: Final = ROOT / ".demo"


@dataclass(frozen=True, slots=True, order=True)
class Event:
    """Something that happened, in words."""

    at: datetime
    where: str
    said: str


def main() -> int:
    """0 when something was found, 1 when nothing was, 2 for what is missing."""
    parser = argparse.ArgumentParser(prog="./run trace", description=__doc__)
    parser.add_argument("id", metavar="ID")
    parser.add_argument("--log", type=Path, nargs="*", help="log files, one JSON line an event (the demo's)")
    arguments = parser.parse_args()
    environ = {**_of_the_demo(), **os.environ}
    logs = sorted((DEMO / "log").glob("*.log")) if arguments.log is None else arguments.log
    environment = Environment(environ)
    urls = {schema: database_url(environment, schema.upper()) for schema in histories.SCHEMAS}
    try:
        environment.done()
        found = sorted(_story(arguments.id, urls, list(_lines(logs))))
    except SettingsError as error:
        print("\n".join(("start ./run demo, or give the settings:", *error.problems)), file=sys.stderr)
        return 2
    except (SQLAlchemyError, OSError) as error:
        print(f"could not look: {type(error).__name__}; are the servers up?", file=sys.stderr)
        return 2
    if not found:
        print(f"nothing is known of {arguments.id!r}; outboxes keep a week, logs what is left of them", file=sys.stderr)
        return 1
    if len(found) > MOST:
        print(f"the last {MOST} of {len(found)} events")
    for one in found[-MOST:]:
        print(f"{danish(one.at):%d/%m %H.%M.%S.%f}"[:-3], f"{one.where:<10}", one.said)
    return 0


def _story(wanted: str, urls: Mapping[str, str], logged: list[dict[str, Any]]) -> Iterator[Event]:
    engines = {schema: database.engine(url, "trace", pool=1) for schema, url in urls.items()}
    try:
        with engines["sync"].connect() as connection:
            operations = list(connection.execute(_OPERATIONS, {"id": wanted}).scalars())
            decided = connection.execute(_DECISIONS, {"id": wanted}).all()
        named = [f'"{wanted}"', *(f'"{one}"' for one in operations)]
        seeds = {str(line["correlation"]) for line in logged if line.get("correlation") and _names(line, [wanted])}
        messages = list(_messages(engines, named)) if not seeds else []
        seeds |= {str(one["correlationid"]) for _, one in messages if "correlationid" in one}
        messages += _messages(engines, [f'"correlationid":"{one}"' for one in sorted(seeds)])
    finally:
        for engine in engines.values():
            engine.dispose()
    known = {str(one["id"]): (schema, one) for schema, one in messages}
    teller = Teller()
    for schema, one in sorted(known.values(), key=lambda pair: str(pair[1]["time"])):
        _, _, said = teller.line(json.dumps(one).encode()).partition("  ")
        yield Event(datetime.fromisoformat(str(one["time"])), schema, said)
    for row in decided:
        yield Event(row.at, "decision", f"{row.means} {row.id}: {row.state}")
    terms = [wanted, *map(str, operations), *seeds, *known]
    for line in logged:
        if _names(line, terms):
            yield Event(datetime.fromisoformat(str(line["time"])), str(line.get("duty", "log")), _said(line))


def _messages(engines: Mapping[str, sa.Engine], terms: Iterable[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    wanted = list(terms)
    if not wanted:
        return
    for schema, engine in engines.items():
        with engine.connect() as connection:
            for body in connection.execute(sa.text(_FOUND.format(schema=schema)), {"terms": wanted}).scalars():
                yield schema, json.loads(body)


def _names(line: Mapping[str, Any], terms: Iterable[str]) -> bool:
    """Whether a line of a log names one of these: as a whole value, or as a part of a path."""
    values = {str(value) for value in line.values()}
    parts = {part for part in str(line.get("path", "")).split("/") if part}
    return any(term in values or term in parts for term in terms)


def _said(line: Mapping[str, Any]) -> str:
    rest = {name: value for name, value in line.items() if name not in {"time", "level", "logger", "duty", "event"}}
    return " ".join(
        (str(line.get("event", "")), *(f"{name}={value}" for name, value in rest.items() if value not in ("", None)))
    )


def _lines(logs: Iterable[Path]) -> Iterator[dict[str, Any]]:
    for log in logs:
        for text in log.read_text("utf-8", errors="replace").splitlines():
            try:
                line = json.loads(text)
            except ValueError:
                continue  # what a library printed before the logs were set up
            if isinstance(line, dict) and "time" in line:
                yield line


def _of_the_demo() -> dict[str, str]:
    """The settings of the demo that stays, if one does."""
    try:
        lines = (DEMO / "env").read_text().splitlines()
    except OSError:
        return {}
    pairs = (shlex.split(line.removeprefix("export "))[0].partition("=") for line in lines)
    return {name: value for name, _, value in pairs}


_FOUND: Final = """
    select convert_from(body, 'UTF8') from {schema}.outbox
    where exists (select from unnest(cast(:terms as text[])) as term where position(convert_to(term, 'UTF8') in body) > 0)
    order by id desc limit 1000
"""
_OPERATIONS: Final = sa.text("""
    select id from sync.operation where id::text = :id or body::text like '%' || :id || '%' and length(:id) = 36
    union select operation from sync.audit where decision::text = :id
""")
_DECISIONS: Final = sa.text("select id, at, means, state from sync.decision where id::text = :id")

if __name__ == "__main__":
    sys.exit(main())
