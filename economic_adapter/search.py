"""Is a customer of the CRM that has no number in e-conomic there after all? One search; whoever is found and not known is looked at."""

from functools import partial

from sqlalchemy import Connection

from economic_adapter import calls as requests
from economic_adapter import claims, mapping, poll, records, store
from economic_adapter.claims import Claim
from economic_adapter.contract import Search
from economic_adapter.desk import Calls, Desk, Finish
from economic_adapter.mapping import Body
from economic_adapter.observation import tell
from economic_adapter.protocol import collection

_AT_ONCE = store.Gather(quiet=0, most=0)


def do(desk: Desk, claim: Claim, calls: Calls) -> Finish:
    """Search for the claimed customer. What its first page does not show is left to its creation, which searches again."""
    wanted = Search.model_validate(claim.command["search"])
    request = requests.twins(wanted.cvr.strip(), wanted.ean.strip())
    found: dict[int, Body] = {}
    if request is not None:
        found = {mapping.customer_number(one): one for one in collection(calls.send(request))[0]}
    differs = partial(poll.customer_differs, found)

    def finish(connection: Connection) -> None:
        held = records.held_of(connection, claim.agreement, list(found))
        told = store.told_of(connection, claim.agreement, list(found))
        for number in sorted(found):
            if number not in told and differs(number, held.get(number)):
                store.mark(connection, claim.agreement, number, why="look", now=desk.now(), gather=_AT_ONCE)
        tell(connection, desk.outbox, claim, "look", None, None)
        claims.finish(connection, claim)

    return finish
