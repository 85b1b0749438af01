"""``crm_outbox bus tail``: who sees messages in words as they pass, without a queue made beforehand?"""

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import closing
from typing import Any

from crm_outbox.messaging import passing
from crm_outbox.messaging.consumer import BROKEN
from crm_outbox.messaging.passing import Passing
from crm_outbox.messaging.settings import Broker, Environment, broker
from crm_outbox.messaging.telling import Teller, customer_of

_LOOK = 0.5
"""Seconds without a message after which a signal is looked for."""


def mount(commands: Any) -> None:
    """Add ``bus tail``."""
    bus = commands.add_parser("bus", help="what passes between the packages").add_subparsers(
        dest="action", required=True
    )
    tail = bus.add_parser("tail", help="messages in words, as they pass; until Ctrl-C")
    tail.add_argument("--customer", metavar="ID", help="only of that customer: its id in the CRM or its number")
    tail.add_argument("--count", type=int, metavar="N", help="leave after so many messages")
    tail.set_defaults(command=_tail)


def _tail(arguments: argparse.Namespace) -> int:
    known = _broker()
    try:
        with closing(Passing(known.url(passing.USER))) as found:
            _say("messages as they pass; Ctrl-C stops")
            _told(found, arguments.customer, arguments.count)
    except BROKEN as error:
        sys.stderr.write(
            f"the broker at {known.address} does not answer, or refuses the user tail: {type(error).__name__}\n"
        )
        return 1
    except KeyboardInterrupt:
        return 0
    return 0


def _told(found: Passing, customer: str | None, count: int | None) -> None:
    teller = Teller()
    told = 0
    for body in _endless(found):
        if customer is not None and customer not in customer_of(body):
            continue
        _say(teller.line(body))
        told += 1
        if count is not None and told >= count:
            return


def _endless(found: Passing) -> Iterator[bytes]:
    while True:
        yield from found.within(_LOOK)


def _broker() -> Broker:
    environment = Environment(os.environ)
    known = broker(environment, passing.USER)
    environment.done()
    return known


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
