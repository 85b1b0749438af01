"""How does a call to e-conomic end? Answered, refused for now, lost on the way there, or lost on the way back."""

import json
from typing import TYPE_CHECKING

from economic_adapter import mapping
from economic_adapter.protocol import Ambiguous, Answer, Head, Request, Throttled, Transient, Unreached

if TYPE_CHECKING:
    from tests.simulation.world import World


class Client:
    """How a call ends: answered, refused for now, lost on the way there, or lost on the way back."""

    def __init__(self, world: "World") -> None:
        self.world = world

    def send(self, request: Request, _grant: object, within: float | None = None) -> Answer:
        """One call."""
        world, peril = self.world, self.world.peril
        peril.gap()
        peril.point("before a call")
        if world.stuck_with(_about(request)):
            world.trace.note("e-conomic", "call", request.path, request.method, "503, as always")
            raise Transient("status_503", Head(status=503))
        trouble = peril.happens(world.setup.trouble)
        if trouble and peril.dice is not None:
            match peril.dice.below(5):
                case 0:
                    world.trace.note("e-conomic", "call", request.path, request.method, "429")
                    raise Throttled(Head(status=429), 2.0)
                case 1:
                    world.trace.note("e-conomic", "call", request.path, request.method, "503")
                    raise Transient("status_503", Head(status=503))
                case 2:
                    world.trace.note("e-conomic", "call", request.path, request.method, "not reached")
                    raise Unreached("connect")
                case 3:
                    world.trace.note("e-conomic", "call", request.path, request.method, "lost on the way there")
                    raise Ambiguous("timeout")
        answer = world.economic.serve(request)
        if request.method != "GET":
            world.receipts.landed("economic", str(_about(request)))
            world.trace.note("the product", "wrote in e-conomic", request.path, request.method)
        peril.point("after a call")
        peril.gap()
        if trouble:
            world.trace.note("e-conomic", "call", request.path, request.method, "done, and the answer lost")
            raise Ambiguous("timeout")
        return answer


def _about(request: Request) -> int | None:
    """The number of the customer a call is about; none of a search, and of a new one."""
    if request.path == "/Contacts" and request.method == "GET":
        return int(dict(request.query)["filter"].rpartition(":")[2])
    if request.path == "/Contacts":
        return mapping.customer_number(json.loads(request.body or b"{}"))
    last = request.path.rpartition("/")[2]
    return int(last) if last.isdecimal() else None
