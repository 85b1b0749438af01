"""Which safeties of the adapter's store would be missed on a real PostgreSQL? Each is taken away, and harm follows."""

from typing import Any

import pytest
import sqlalchemy as sa

from crm_outbox.contract import Result
from economic_adapter import claims, records, tables
from economic_adapter.claims import Claim
from economic_adapter.operation import Operation, State
from economic_adapter.sandbox import ui
from tests.builders.economic import Bench, creation

WITH_AND_WITHOUT = pytest.mark.parametrize("missing", [False, True], ids=["with it", "without it"])


@WITH_AND_WITHOUT
def test_a_mark_cleared_blindly_loses_a_change(at_desk: Bench, monkeypatch: pytest.MonkeyPatch, missing: bool) -> None:
    at_desk.write(creation())
    if missing:
        finish = claims.finish

        def blind(connection: sa.Connection, claim: Claim) -> None:
            connection.execute(sa.delete(tables.mark).where(tables.mark.c.number == claim.number))
            finish(connection, claim)

        monkeypatch.setattr(claims, "finish", blind)
    real = at_desk.wire.send

    def send(request: Any, grant: Any) -> Any:
        answer = real(request, grant)
        if request.path == "/Customers/1001":  # edited and told of right after it was read
            monkeypatch.setattr(at_desk.wire, "send", real)
            ui.edit_customer(at_desk.sandbox.data, 1001, {"city": "Odense"})
            at_desk.hook(1001)
        return answer

    at_desk.hook(1001)
    at_desk.passes(2.1)
    monkeypatch.setattr(at_desk.wire, "send", send)
    at_desk.settle()
    last = [one.economic for one in at_desk.new() if one.economic is not None][-1]
    assert (last.city == "Odense") is not missing


@WITH_AND_WITHOUT
def test_a_write_that_is_not_recorded_before_it_leaves_is_not_known_to_be_ours(
    at_desk: Bench, monkeypatch: pytest.MonkeyPatch, missing: bool
) -> None:
    if missing:
        save = records.save

        def forgetful(connection: sa.Connection, operation: Operation, *more: Any) -> bool:
            return True if operation.state is State.SENT else save(connection, operation, *more)

        monkeypatch.setattr(records, "save", forgetful)
    at_desk.sandbox.data.faults.add("drop", method="POST", path="*/customers", when="after", count=1)
    wanted = creation()
    at_desk.command(wanted)
    at_desk.settle()
    assert list(at_desk.customers()) == [1001]
    outcome = at_desk.outcome(wanted.operation)
    assert (outcome.result is Result.WRITTEN) is not missing
    assert (outcome.created == "1001") is not missing
