"""Does one customer about whom every call fails hold up the others (P15)? Found by a seed of the simulation."""

from typing import Any

import sqlalchemy as sa

from economic_adapter import tables
from economic_adapter.budget import BREAKER, Lane
from economic_adapter.protocol import Answer, Head, Request, Transient
from tests.builders.economic import Bench, creation, part


def test_what_is_tried_while_e_conomic_seems_away_is_whoever_failed_least(at_desk: Bench) -> None:
    at_desk.write(creation())
    at_desk.work()
    answers, asked = at_desk.wire.send, list[str]()

    def send(request: Request, grant: Any) -> Answer:
        asked.append(request.path)
        if request.path.endswith("/1001"):
            raise Transient("status_503", Head(status=503))
        return answers(request, grant)

    at_desk.wire.send = send  # type: ignore[method-assign,assignment]
    version = at_desk.sandbox.data.agreement().customers[1001].version
    at_desk.command(part(number=1001, object_version=version, fields={"phone": "1"}), number=1001)
    while at_desk.agreement()["failures"] < BREAKER:
        at_desk.passes(600)
        at_desk.work()
    at_desk.look(2)
    with at_desk.engine.begin() as connection:  # the write is better by its lane, and due for longer
        connection.execute(sa.update(tables.work).values(due_at=at_desk.time))
    assert {row["lane"] for row in at_desk.rows(tables.work)} == {int(Lane.EDIT), int(Lane.HOOK)}
    asked.clear()
    at_desk.passes(600)
    at_desk.work()
    assert asked[0].endswith("/2")
    assert at_desk.agreement()["failures"] < BREAKER
