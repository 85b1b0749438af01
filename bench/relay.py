"""How fast does a relay empty an outbox, beside the bare wire? How soon is a commit at a consumer? How much memory?

Every round measures all three senders one after another, so that what else the machine does meets them alike: bare frames
that were made beforehand, py-amqp's own publish, and the relay with its database. All publish the same 1 KiB events, must
route, into the same quorum queue, with up to 1,500 unconfirmed.
"""

import argparse
import multiprocessing
import resource
import select
import statistics
import threading
import time
from collections.abc import Callable
from contextlib import closing
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bench.report import Figure, percentile, show, write
from bench.senders import BATCH, QUEUE, USER, WINDOW, Place, bare, py_amqp
from crm_outbox.contract import TYPES, CustomerChanged
from crm_outbox.messaging import database, frames, management, outbox, tables
from crm_outbox.messaging.envelope import Lane, Registry, Version
from crm_outbox.messaging.frames import Outgoing
from crm_outbox.messaging.management import Management
from crm_outbox.messaging.outbox import Doorbell, Draft, Outbox
from crm_outbox.messaging.pending import Pending
from crm_outbox.messaging.relay import Relay
from crm_outbox.messaging.settings import Broker
from deploy.local import servers
from deploy.migrations import histories

FOLDER = Path(__file__).resolve().parents[1] / ".servers" / "bench"
TABLES = tables.message_tables(sa.MetaData(), "crm")
OUTBOX = Outbox(tables=TABLES, registry=Registry(TYPES), source="crm_outbox")
BODY = 1024


def relaying(pipe: Connection, url: str, broker: Broker) -> None:
    """The relay's process: told a number, it works until so many are settled; told 0, it works until told again."""
    relay = Relay(database.engine(url, "bench"), TABLES, broker, USER, Lane.LIVE, "relay", WINDOW, BATCH)
    while True:
        asked = pipe.recv()
        if asked is None:
            break
        before, settled = resource.getrusage(resource.RUSAGE_SELF), 0
        while (settled < asked) if asked else not pipe.poll():
            turn = relay.run_once()
            settled += turn.worked
            if turn.wait:
                time.sleep(turn.wait)
        after = resource.getrusage(resource.RUSAGE_SELF)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        pipe.send((time.monotonic(), cpu, after.ru_maxrss / 1024))
    relay.close()


class RelayProcess:
    """A relay in a process of its own, so that its memory and its time are its own."""

    def __init__(self, place: Place) -> None:
        self.pipe, theirs = multiprocessing.Pipe()
        context = multiprocessing.get_context("spawn")
        self._process = context.Process(target=relaying, args=(theirs, place.database, place.broker), daemon=True)
        self._process.start()

    def drain(self, count: int, start: Callable[[], None]) -> tuple[float, float, float]:
        """Messages per second from the commit to the last one settled; processor seconds; MB at most so far."""
        self.pipe.send(count)
        start()
        begin = time.monotonic()
        end, cpu, memory = self.pipe.recv()
        return count / (end - begin), cpu, memory

    def close(self) -> None:
        """End it."""
        self.pipe.send(None)
        self._process.join(10)


def fill(engine: sa.Engine, count: int) -> list[Outgoing]:
    """Commit so many events of 1 KiB; gives them as they will be published."""
    for start in range(0, count, 5000):
        drafts = [
            Draft(
                data=CustomerChanged(id=str(number), change="x"),
                tenant="bench",
                subject=f"customer/{number}",
                version=Version(1, number),
            )
            for number in range(start, min(start + 5000, count))
        ]
        with engine.begin() as connection:
            outbox.append_all(connection, OUTBOX, drafts)
    with engine.begin() as connection:
        padded = (
            "body || convert_to(repeat(' ', :size - length(body)), 'UTF8')"  # blanks after a JSON document are JSON
        )
        connection.execute(sa.text(f"update crm.outbox set body = {padded}"), {"size": BODY})
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        messages = Pending(connection, TABLES, Lane.LIVE).after(0, count, 10 * BODY * count)
        connection.execute(sa.text("delete from crm.outbox_pending"))
        connection.execute(sa.text("vacuum analyze crm.outbox"))
    return messages


def drains(place: Place, engine: sa.Engine, relay: RelayProcess, count: int, rounds: int) -> list[Figure]:
    """All senders, round after round."""
    messages = fill(engine, count)
    batches = [frames.publish(messages[at : at + BATCH], 1, 131072) for at in range(0, count, BATCH)]
    again = sa.text("insert into crm.outbox_pending (lane, id, day) select 'live', id, day from crm.outbox order by id")
    rates: dict[str, list[float]] = {"bare": [], "py-amqp": [], "relay": []}
    spent: list[float] = []
    memory = 0.0

    def commit() -> None:
        with engine.begin() as connection:
            connection.execute(again)

    for turn in range(1, rounds + 1):
        rates["bare"].append(bare(place, batches, count))
        place.purge()
        rates["py-amqp"].append(py_amqp(place, messages))
        place.purge()
        rate, cpu, memory = relay.drain(count, commit)
        rates["relay"].append(rate)
        spent.append(cpu / count * 1e6)
        if (arrived := place.purge()) != count:
            raise RuntimeError(f"{arrived} of {count} messages arrived")
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text("vacuum crm.outbox_pending"))
        print(
            f"round {turn}: " + ", ".join(f"{name} {values[-1]:,.0f}/s" for name, values in rates.items()), flush=True
        )
    middle = {name: statistics.median(values) for name, values in rates.items()}
    ratio = {
        other: statistics.median(mine / theirs for mine, theirs in zip(rates["relay"], rates[other], strict=True))
        for other in ("bare", "py-amqp")
    }
    return [
        Figure(name=f"drain of {count:,} events", value=middle["relay"], unit="/s", bound=middle["bare"],
               bound_is="bare frames, made beforehand, without a database", more=True),
        Figure(name="drain, part of bare frames (median of rounds)", value=ratio["bare"], unit="", aim=0.65, more=True),
        Figure(name="drain, part of py-amqp's publish", value=ratio["py-amqp"], unit="", more=True),
        Figure(name="relay's processor time per message", value=statistics.median(spent), unit="us"),
        Figure(name="relay's memory at most", value=memory, unit="MB", aim=120),
    ]  # fmt: skip


def latency(place: Place, engine: sa.Engine, relay: RelayProcess, per_second: int, seconds: float) -> list[Figure]:
    """From the return of a commit to the delivery at a consumer, at a steady pace, with the doorbell."""
    committed: dict[str, float] = {}
    delivered: dict[str, float] = {}
    stop = threading.Event()

    def consume() -> None:
        with closing(place.connect()) as connection:
            channel = connection.channel()
            channel.basic_qos(0, 500, False)

            def take(message: Any) -> None:
                delivered[message.properties["message_id"]] = time.monotonic()
                channel.basic_ack(message.delivery_tag)

            channel.basic_consume(QUEUE, callback=take)
            while not stop.is_set():
                if select.select([connection.transport.sock], [], [], 0.1)[0]:
                    connection.drain_events(timeout=1)

    consumer = threading.Thread(target=consume, daemon=True)
    consumer.start()
    bell = Doorbell(engine, "crm")
    relay.pipe.send(0)
    time.sleep(1)
    count, begin = int(per_second * seconds), time.monotonic()
    for number in range(count):
        time.sleep(max(0.0, begin + number / per_second - time.monotonic()))
        with engine.begin() as connection:
            draft = Draft(data=CustomerChanged(id="1", change="x" * 700), tenant="bench", subject="customer/1")
            one = str(outbox.append(connection, OUTBOX, draft))
        committed[one] = time.monotonic()
        bell.ring()
    deadline = time.monotonic() + 10
    while len(delivered) < count and time.monotonic() < deadline:
        time.sleep(0.05)
    stop.set()
    consumer.join()
    bell.close()
    relay.pipe.send(0)  # ends the open turn and starts another, which the next word ends
    relay.pipe.recv()
    # The consumer may have it before the writer's own clock was read: that is 0, not less.
    took = [max(0.0, delivered[one] - at) * 1000 for one, at in committed.items()]
    return [
        Figure(name=f"commit to consumer at {per_second}/s, p50", value=percentile(took, 0.5), unit="ms", aim=5),
        Figure(name=f"commit to consumer at {per_second}/s, p99", value=percentile(took, 0.99), unit="ms", aim=20),
    ]


def main(arguments: list[str]) -> int:
    """Measure, print a table, write ``bench/results/relay.json``; 0 whatever the figures are."""
    parser = argparse.ArgumentParser(prog="bench relay", description=__doc__)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=20.0, help="of the latency run")
    parser.add_argument("--servers", choices=servers.PROVIDERS)
    given = parser.parse_args(arguments)
    try:
        with servers.start(given.servers, folder=FOLDER, durable=True) as running:
            for line in running.report:
                print(line)
            users = {entry["name"]: f"bench-{entry['name']}" for entry in management.definitions("sync")["users"]}
            management.fill(running.management, running.admin, "bench", users)
            with Management(running.management, *running.admin, "bench") as manager:
                management.init(manager)
            broker = Broker(address=running.amqp, vhost="bench", management_url=running.management, passwords=users)
            histories.up(dict.fromkeys(histories.SCHEMAS, running.database_url))
            place = Place(database=running.database_url, broker=broker, admin=running.admin)
            engine = database.engine(running.database_url, "bench", statement_seconds=300)
            relay = RelayProcess(place)
            figures = drains(place, engine, relay, given.events, given.rounds)
            figures += latency(place, engine, relay, 100, given.seconds)
            relay.close()
            engine.dispose()
    except servers.NoServers as error:
        print(error)
        return 2
    show("relay", figures)
    print(
        f"\n{write('relay', figures, {'events': given.events, 'rounds': given.rounds, 'servers': list(running.report)})}"
    )
    return 0
