"""How does a customer come into being in e-conomic exactly once? Search, choose a number, see it free, record, send, read.

A lost answer and a number that is taken are settled by looking at that number. Another number is taken only when the
customer under this one is certainly not ours.
"""

from crm_outbox.contract import MOST_NAMED, many
from economic_adapter import calls as requests
from economic_adapter import claims, decide, mapping, records
from economic_adapter import operation as moves
from economic_adapter.budget import Wait
from economic_adapter.claims import Claim
from economic_adapter.decide import Move, Next
from economic_adapter.desk import Calls, Desk, Held, Stopped
from economic_adapter.observation import Stopping
from economic_adapter.operation import Operation, State
from economic_adapter.page import Page
from economic_adapter.protocol import Ambiguous, Answer, Rejected, Transient, collection
from economic_adapter.sending import refusal, transmit

_MOST_PAGES = 100
_MOST_NUMBERS = 25
"""Numbers tried in one go; then the row goes back to the queue, where the search goes on."""


def create(desk: Desk, claim: Claim, calls: Calls, operation: Operation, page: Page) -> tuple[Operation, Stopping]:
    """The answered operation, and the customers that stopped it, if any. The page then knows the number and the body."""
    if operation.state is State.SENT:
        page.number = operation.chosen
        page.read_customer(calls)
        move = decide.settle_customer(operation, page.body)
        ours = move.next is Next.SEND or move.operation.state is State.WRITTEN
        if not ours and operation.free_seen and decide.remembered(operation, desk.now()):
            move = _asked_again(desk, calls, operation, move)
    else:
        twins = _twins(calls, operation)
        move = decide.decide_creation(operation, twins)
        if move.next is Next.ANSWER:
            left = decide.unseen(twins, operation.part)
            whole = many(str(one) for one in twins) if len(left) > MOST_NAMED else None
            return move.operation, Stopping(candidates=left[:MOST_NAMED], many=whole)
        if operation.chosen is not None:
            move = _look_at(calls, operation, page)
    for _ in range(_MOST_NUMBERS):
        if move.next is Next.ANSWER:
            return move.operation, _candidates(move.operation, page)
        if move.next is Next.TAKE_NEXT:
            chosen = _choose(desk, claim, move.operation)
            if chosen.state.settled:
                return chosen, Stopping()
            move = _look_at(calls, chosen, page)
            continue
        move = _send(desk, calls, move, page)
    raise Held(Wait(until=desk.now(), cause=""))


def _twins(calls: Calls, operation: Operation) -> list[int]:
    """The numbers of customers with the same CVR or EAN number: one call, or none where there is neither.

    More calls only where a thousand have it: all of them are what a decision may have ruled out as a whole.
    """
    if decide.lacks(operation.part):
        return []
    fields = operation.part.fields
    twins: set[int] = set()
    for page in range(_MOST_PAGES):
        request = requests.twins(fields.get("cvr", "").strip(), fields.get("ean", "").strip(), page)
        if request is None:
            return []
        found, more = collection(calls.send(request))
        twins |= {mapping.customer_number(one) for one in found}
        if not more:
            return sorted(twins)
    raise Ambiguous("endless_pages")


def _choose(desk: Desk, claim: Claim, operation: Operation) -> Operation:
    """Choose a number and hold it, both for good before anything is asked or sent; refused where none is left."""
    with desk.engine.begin() as connection:
        if records.account(connection, claim.agreement) is None or not claims.still_mine(connection, claim):
            raise Stopped
        asked = operation.part.number
        while True:
            number = records.take_number(connection, claim.agreement) if asked is None else asked
            if number is None:
                return moves.refused(operation, "no_number")
            if asked is None and records.held(connection, claim.agreement, number) is not None:
                continue  # somebody had it once, and is still known by it
            if claims.hold_number(connection, claim, number):
                break
            if asked is not None:
                raise Held(Wait(until=desk.now(), cause=""))
        chosen = moves.choose(operation, number)
        if not records.save(connection, chosen, desk.now()):
            raise Stopped
    return chosen


def _look_at(calls: Calls, operation: Operation, page: Page) -> Move:
    page.number, page.customer_fresh = operation.chosen, False
    page.read_customer(calls)
    return decide.decide_number(operation, page.body)


def _send(desk: Desk, calls: Calls, move: Move, page: Page) -> Move:
    operation = move.operation
    body = operation.body if move.body is None else requests.wire(move.body)
    sent, reply = transmit(desk, calls, operation, body, None)
    taken = isinstance(reply, Rejected) and any(fault.code == "CustomerAlreadyExists" for fault in reply.faults)
    if not isinstance(reply, Answer) and not taken:
        return Move(next=Next.ANSWER, operation=refusal(sent, reply))
    page.customer_stale = True
    page.read_customer(calls)
    if page.body is None:
        if isinstance(reply, Answer) and operation.state is State.SENT:
            # this answer repeats that of the first sending: it was made, and has another number since or is gone
            return Move(next=Next.ANSWER, operation=moves.ambiguous(sent))
        # e-conomic says that it is there and that it is not: found again as sent, a later look tells
        raise Transient("created_and_not_there")
    if isinstance(reply, Answer):
        page.contacts, page.contacts_fresh = [], True  # nobody can have added one yet
        return Move(next=Next.ANSWER, operation=moves.written(sent, sent.chosen))
    return decide.settle_customer(sent, page.body)


def _asked_again(desk: Desk, calls: Calls, operation: Operation, otherwise: Move) -> Move:
    """The same bytes under the same key, of a number that is taken: made only if it was made then, by us.

    However little what is there now looks like what was sent: somebody may have edited it since.
    """
    sent, reply = transmit(desk, calls, operation, operation.body, None)
    if isinstance(reply, Answer):
        return Move(next=Next.ANSWER, operation=moves.written(sent, sent.chosen))
    return otherwise


def _candidates(operation: Operation, page: Page) -> Stopping:
    if operation.state is not State.AMBIGUOUS or page.number is None:
        return Stopping()
    return Stopping(candidates=(page.number,))
