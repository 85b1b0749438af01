"""What does an admin choose on the set-up page? The form's choices, read strictly."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

from reconciler.agreement import Agreement
from reconciler.rules import Transfer
from reconciler.setting_up import HIGHEST_NUMBER, Receive, receives
from reconciler.web.doors import Senseless
from reconciler.web.words import Words

Who = Literal["users", "admins"]
FIELDS: Final = ("transfer", "receive", "flows", "may_create", "may_bulk", "number_from", "number_to")
"""The fields of the form."""
NUMBERS: Final = ("number_from", "number_to")
"""Those of them that a person types."""
Misreading = Literal["no_number", "out_of_range", "below_lowest"]
_PLAIN: Final = re.compile(r"[0-9]+")
_IN_THOUSANDS: Final = re.compile(r"[1-9][0-9]{0,2}([.,\s])[0-9]{3}(\1[0-9]{3})*")
"""As Danes, Britons and others write it: 10.000, 10,000, 10 000."""


class Misread(Senseless):
    """Numbers that a person typed and nobody can take, each with what is wrong."""

    def __init__(self, wrong: Mapping[str, Misreading]) -> None:
        super().__init__(", ".join(wrong))
        self.wrong = wrong


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
    """What a form chose; ``Senseless`` for a choice that is not on the page, ``Misread`` for a number that is none."""

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
    may_create, may_bulk = who("may_create"), who("may_bulk")
    numbers = _numbers(given)
    wanted = Wanted(
        transfer=None if transfer is None else Transfer(transfer),
        receive=next((known for known in get_args(Receive) if known == receive), None),
        flows_first=None if flows is None else flows == "yes",
        may_create=may_create,
        may_bulk=may_bulk,
        number_from=numbers.get("number_from"),
        number_to=numbers.get("number_to"),
    )
    if wanted == Wanted():
        raise Senseless("nothing was chosen")
    return wanted


def standing(used: Agreement | None, may_create: Who, may_bulk: Who) -> Mapping[str, str]:
    """What is set, as the fields of the form hold it."""
    whose = {"may_create": may_create, "may_bulk": may_bulk}
    if used is None:
        return whose
    low, high = ("" if one is None else str(one) for one in (used.number_from, used.number_to))
    flows = "yes" if used.flows_first else "no"
    receive = receives(used)
    return {
        **whose, "transfer": used.transfer, "receive": receive, "flows": flows, "number_from": low, "number_to": high,
    }  # fmt: skip


def ordered(wanted: Wanted, number_from: int | None, number_to: int | None) -> None:
    """``Misread`` where, beside what is set already, the range of numbers would end before it begins."""
    low = number_from if wanted.number_from is None else wanted.number_from
    high = number_to if wanted.number_to is None else wanted.number_to
    if isinstance(low, int) and isinstance(high, int) and high < low:
        raise Misread({"number_to": "below_lowest"})


def misread(words: Words, why: Misreading, typed: str) -> str:
    """What is wrong with a number that was typed."""
    match why:
        case "no_number":
            return words(
                '"{v}" is no customer number. Write digits only, such as 10000 or {example}.',
                v=typed.strip(),
                example=words.number(10_000),
            )
        case "out_of_range":
            return words("Write a number between 1 and {n}.", n=words.number(HIGHEST_NUMBER))
        case "below_lowest":
            return words("The highest number may not be less than the lowest.")


def _numbers(given: Mapping[str, Sequence[str]]) -> Mapping[str, int | Literal["any"]]:
    found: dict[str, int | Literal["any"]] = {}
    wrong: dict[str, Misreading] = {}
    for name in NUMBERS:
        if name not in given:
            continue
        text = "".join(given[name]).strip()
        digits = re.sub(r"[^0-9]", "", text)
        if not text:
            found[name] = "any"
        elif not (_PLAIN.fullmatch(text) or _IN_THOUSANDS.fullmatch(text)):
            wrong[name] = "no_number"
        elif len(digits) > len(str(HIGHEST_NUMBER)) or not int(digits):
            wrong[name] = "out_of_range"
        else:
            found[name] = int(digits)
    if wrong:
        raise Misread(wrong)
    return found
