"""What do the tests of reading everything share? An e-conomic with many customers, and what was told of them."""

from collections import Counter
from collections.abc import Callable

from economic_adapter.client import Grant
from economic_adapter.contract import CustomerObserved
from economic_adapter.protocol import Answer, Request
from economic_adapter.sandbox.seeding import seed
from tests.builders.economic import Bench

OTHER = 4712


def seeded(at_desk: Bench, customers: int = 25, contacts: int = 31, page: int = 4) -> None:
    """An e-conomic that shows so many records at once."""
    seed(at_desk.sandbox.data, customers=customers, contacts=contacts)
    at_desk.sandbox.data.settings.cursor_page = page


def numbers(seen: list[CustomerObserved]) -> Counter[int]:
    return Counter(one.number or 0 for one in seen)


def held(at_desk: Bench) -> dict[int, tuple[str, list[str]]]:
    """Name and persons of every customer in e-conomic."""
    with at_desk.sandbox.data.lock:
        place = at_desk.sandbox.data.agreement()
        return {
            number: (
                str(one.values["name"]),
                [str(person.values["name"]) for person in place.contacts_of[number].values() if not person.deleted],
            )
            for number, one in place.customers.items()
        }


def latest(seen: list[CustomerObserved]) -> dict[int, tuple[str, list[str]]]:
    """The same as it was told last, by version."""
    newest: dict[int, tuple[int, CustomerObserved]] = {}
    for one in seen:
        counter = int((one.version or "0.0").partition(".")[2])
        if one.number is not None and counter >= newest.get(one.number, (0, one))[0]:
            newest[one.number] = (counter, one)
    return {
        number: (one.economic.name, [person.name for person in one.economic.contacts if not person.deleted])
        for number, (_, one) in newest.items()
        if one.economic is not None
    }


def at_call(at_desk: Bench, path: str, act: Callable[[], object], *, nth: int = 1, after: bool = True) -> None:
    """Act once around the nth call of that path: after it was answered, or before it is sent."""
    real, seen = at_desk.wire.send, [0]

    def send(request: Request, grant: Grant) -> Answer:
        seen[0] += request.path == path
        mine = request.path == path and seen[0] == nth
        if mine and not after:
            act()
        answer = real(request, grant)
        if mine and after:
            act()
        return answer

    at_desk.wire.send = send  # type: ignore[method-assign,assignment]
