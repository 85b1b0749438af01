"""What does an admin choose on the set-up page? The form's choices, read strictly."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

from reconciler.rules import Transfer
from reconciler.setting_up import Receive
from reconciler.web.doors import Senseless

Who = Literal["users", "admins"]
FIELDS: Final = ("transfer", "receive", "flows", "may_create", "may_bulk", "number_from", "number_to")
"""The fields of the form."""
NUMBER_FROM: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What an admin chose; none: as it is."""

    transfer: Transfer | None = None
    receive: Receive | None = None
    flows_first: bool | None = None
    may_create: Who | None = None
    may_bulk: Who | None = None
    number_from: int | Literal["any"] | None = None
    number_to: int | Literal["any"] | None = None

    @property
    def is_of_the_agreement(self) -> bool:
        """Whether anything of it is kept with the agreement."""
        ours = (self.transfer, self.receive, self.flows_first, self.number_from, self.number_to)
        return any(one is not None for one in ours)


def wanted_of(given: Mapping[str, Sequence[str]]) -> Wanted:
    """What a form chose; ``Senseless`` for a choice that is not on the page."""

    def one(name: str, choices: tuple[str, ...]) -> str | None:
        if name not in given:
            return None
        if (found := "".join(given[name])) not in choices:
            raise Senseless(name)
        return found

    def who(name: str) -> Who | None:
        found = one(name, get_args(Who))
        return next((known for known in get_args(Who) if known == found), None)

    transfer, receive = one("transfer", tuple(Transfer)), one("receive", get_args(Receive))
    flows = one("flows", ("yes", "no"))
    wanted = Wanted(
        transfer=None if transfer is None else Transfer(transfer),
        receive=next((known for known in get_args(Receive) if known == receive), None),
        flows_first=None if flows is None else flows == "yes",
        may_create=who("may_create"),
        may_bulk=who("may_bulk"),
        number_from=_number(given, "number_from"),
        number_to=_number(given, "number_to"),
    )
    if wanted == Wanted():
        raise Senseless("nothing was chosen")
    return wanted


def ordered(wanted: Wanted, number_from: int | None, number_to: int | None) -> None:
    """``Senseless`` where, beside what is set already, the range of numbers would end before it begins."""
    low = number_from if wanted.number_from is None else wanted.number_from
    high = number_to if wanted.number_to is None else wanted.number_to
    if isinstance(low, int) and isinstance(high, int) and high < low:
        raise Senseless("number_to")


def _number(given: Mapping[str, Sequence[str]], name: str) -> int | Literal["any"] | None:
    if name not in given:
        return None
    if not (text := "".join(given[name]).strip()):
        return "any"
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and int(text) >= NUMBER_FROM):
        raise Senseless(name)
    return int(text)
