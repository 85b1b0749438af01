"""How does one operation leave? Recorded as sent in the transaction that permits the call, then sent, then told what came.

What certainly was not done goes back to planned; everything else stays sent until a look has settled it.
"""

from economic_adapter import calls as requests
from economic_adapter import operation as moves
from economic_adapter import records
from economic_adapter.desk import Calls, Desk
from economic_adapter.operation import Operation, State
from economic_adapter.protocol import (
    AccessLost,
    Answer,
    Failed,
    Forbidden,
    Misuse,
    NotFound,
    Rejected,
    Request,
    Throttled,
    Transient,
    Unreached,
    VersionConflict,
)

Reply = Answer | NotFound | VersionConflict | Rejected | Misuse


def transmit(
    desk: Desk, calls: Calls, operation: Operation, body: str | None, number: int | None
) -> tuple[Operation, Reply]:
    """Send an operation; the operation as it then stands, and what e-conomic said. Other failures are raised."""
    sent = moves.send(operation, body, desk.now())
    try:
        answer = calls.send(_request(sent, number), lambda connection: records.save(connection, sent, desk.now()))
    except (NotFound, VersionConflict, Rejected, Misuse) as reply:
        return sent, reply
    except (Unreached, Throttled, AccessLost, Forbidden):
        # of a repeat this says nothing: the first one may have been done
        if operation.state is State.PLANNED:
            _store(desk, moves.not_sent(sent))
        raise
    except Transient as failed:
        if failed.head is not None and failed.head.from_cache:
            _store(desk, moves.fresh_key(sent))
        raise
    return sent, answer


def refusal(operation: Operation, failed: Failed) -> Operation:
    """The answer to an operation that e-conomic would not do."""
    match failed:
        case Rejected():
            return moves.rejected(operation, failed)
        case NotFound():
            return moves.refused(operation, "not_found", head=failed.head)
        case VersionConflict():
            return moves.refused(operation, "version", head=failed.head)
        case _:
            return moves.refused(operation, failed.code, head=failed.head)


def _store(desk: Desk, operation: Operation) -> None:
    with desk.engine.begin() as connection:
        records.save(connection, operation, desk.now())


def _request(operation: Operation, number: int | None) -> Request:
    part, key = operation.part, operation.key
    body = (operation.body or "").encode()
    if key is None:
        raise moves.Illegal("an operation leaves under a key")
    match part.record, part.action:
        case "customer", "create":
            return requests.create_customer(body, key)
        case "customer", _ if number is not None:
            return requests.replace_customer(number, body, key)
        case "contact", "create":
            return requests.create_contact(body, key)
        case "contact", "remove" if part.number is not None:
            return requests.remove_contact(part.number, key)
        case "contact", _:
            return requests.replace_contact(body, key)
        case _:
            raise moves.Illegal("a change without a number")
