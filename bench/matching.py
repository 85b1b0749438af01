"""How long does it take to match 50,000 customers with 50,000, and in how much memory?

Invented customers: 40,000 are on both sides, a third of them without CVR number on one side or both, 5,000 of each side
share one CVR number. The bound is what it costs to make the canonical values of both sides, which cannot be saved.
"""

import argparse
import random
import resource
import sys
import time

from bench.report import Figure, show, write
from reconciler import names
from reconciler.matching import Matching, Record, match
from reconciler.profiles import profile

SIZE = 50_000
ONE_CVR = 5_000
SECONDS, MEGABYTES = 120.0, 1_536.0

_FIRST = "Nord Syd Øst Vest Havn Skov Mark Bro Sø Ås Lund Dal Holm Bæk Kær Vang Toft Have Bjerg Klint".split()
_SECOND = "by gaard lev sted rup høj strup borg ager næs vig sund havn by-øster lund torp mose rød kilde".split()
_TRADE = "Tømrer VVS Maler Smede Auto Transport Byg Revision Bageri Blomster Foder Teknik El Murer Optik Møbler".split()
_FORM = (" A/S", " ApS", "", " I/S", " ApS")
_STREETS = "Søndergade Vestergade Nørregade Østergade Havnegade Industrivej Skovvej Kirkegade Algade Storegade".split()
_PEOPLE = "Jens Mette Lars Anne Søren Kirsten Peter Hanne Ole Birgit".split()
_NAMES = "Hansen Nielsen Jensen Pedersen Andersen Kjær Møller Sørensen Lund Dahl".split()


def sides(size: int, one_cvr: int, seed: int = 1) -> tuple[list[Record], list[Record]]:
    """Both sides, in no order."""
    dice = random.Random(seed)
    crm, economic = [], []
    for nth in range(size * 6 // 5):
        values = _customer(dice, nth, one_cvr)
        persons = ({"email": f"{dice.choice(_PEOPLE)}{nth}@firma{nth % 40_000}.example"},) if nth % 3 == 0 else ()
        if nth < size:
            crm.append(Record(id=f"c{nth}", values=_known(dice, values), persons=persons))
        if nth < size * 4 // 5 or nth >= size:
            economic.append(
                Record(id=str(100_000 + nth), values=_known(dice, _respelled(dice, values)), persons=persons)
            )
    dice.shuffle(crm)
    dice.shuffle(economic)
    return crm, economic


def _customer(dice: random.Random, nth: int, one_cvr: int) -> dict[str, str]:
    postcode = str(1000 + dice.randrange(900) * 10)
    place = {
        "street": f"{dice.choice(_STREETS)} {dice.randrange(1, 200)}",
        "postcode": postcode,
        "city": f"{dice.choice(_FIRST)}{_SECOND[int(postcode) % len(_SECOND)]}",
        "phone": str(20_000_000 + nth * 7),
    }
    if nth < one_cvr:
        return {"name": f"Kommunen, {dice.choice(_TRADE)} {nth % 400}", "cvr": "99999991", **place}
    if nth % 12 == 0:
        return {"name": f"{dice.choice(_PEOPLE)} {dice.choice(_PEOPLE)} {dice.choice(_NAMES)}", **place}
    name = f"{dice.choice(_FIRST)}{dice.choice(_SECOND)} {dice.choice(_TRADE)}{dice.choice(_FORM)}"
    shared = "faktura@bogholder.example" if nth % 10 == 0 else f"info@firma{nth}.example"
    return {"name": name, "cvr": str(10_000_000 + nth * 31), **place, "email": shared}


def _known(dice: random.Random, values: dict[str, str]) -> dict[str, str]:
    """A side does not hold everything: a sixth lacks the CVR number, many a phone or an e-mail."""
    without = {
        name for name, part in (("cvr", 6), ("phone", 3), ("email", 3), ("street", 8)) if dice.randrange(part) == 0
    }
    return {name: value for name, value in values.items() if name not in without}


def _respelled(dice: random.Random, values: dict[str, str]) -> dict[str, str]:
    name = values["name"]
    match dice.randrange(6):
        case 0:
            name = name.upper()
        case 1:
            name = name.replace("ø", "oe").replace("å", "aa").replace("æ", "ae")
        case 2:
            place = dice.randrange(1, len(name))
            name = name[:place] + name[place + 1 :]
        case _:
            name = name.removesuffix(" A/S").removesuffix(" ApS")
    return {**values, "name": name}


def measure(size: int = SIZE, one_cvr: int = ONE_CVR) -> tuple[list[Figure], Matching]:
    """The figures, and what was found. Peak memory is this process's: use one that did nothing else."""
    crm, economic = sides(size, one_cvr)
    begin = time.perf_counter()
    for one in (*crm, *economic):
        profile(one)
    bound = time.perf_counter() - begin
    names.forget()
    begin, worked = time.perf_counter(), time.process_time()
    found = match(crm, economic)
    took, worked = time.perf_counter() - begin, time.process_time() - worked
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 1024 * 1024)
    named = f"matching {size:,} with {size:,}"
    return [
        Figure(
            name=named, value=took, unit="s", bound=bound, bound_is="the canonical values of both sides", aim=SECONDS
        ),
        Figure(name="of it on the processor", value=worked, unit="s"),
        Figure(name="peak memory of it, records included", value=peak, unit="MB", aim=MEGABYTES),
    ], found


def main(arguments: list[str]) -> int:
    """Measure, print, store; 1 when an aim was missed."""
    parser = argparse.ArgumentParser(prog="bench matching", description=__doc__)
    parser.add_argument("--size", type=int, default=SIZE)
    parser.add_argument("--one-cvr", type=int, default=ONE_CVR)
    chosen = parser.parse_args(arguments)
    figures, found = measure(chosen.size, chosen.one_cvr)
    show("Matching", figures)
    facts = {
        "customers": chosen.size,
        "one_cvr": chosen.one_cvr,
        "certain": len(found.certain),
        "suggested": len(found.suggested),
        "contested": len(found.contested),
        "crm_only": len(found.crm_only),
        "economic_only": len(found.economic_only),
    }
    print(", ".join(f"{name} {count:,}" for name, count in facts.items()))
    if chosen.size == SIZE:
        write("matching", figures, facts)
    return 0 if all(one.reached is not False for one in figures) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
