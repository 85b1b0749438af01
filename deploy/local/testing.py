"""Which tests does ``./run test`` run, and how many at once? It hands over to pytest; what it does not know it passes on."""

import argparse
import os
import sys
from collections.abc import Sequence

from deploy.local import servers
from deploy.local.account import ROOT

UNIT = ["tests/unit", "tests/contract"]
QUICK = [*UNIT, "tests/integration"]


def arguments(given: Sequence[str], cores: int) -> list[str]:
    """The arguments for pytest. A path given wins over the choice of folders; ``-n`` given wins over ours."""
    parser = argparse.ArgumentParser(prog="./run test", description="Runs the tests; other options are pytest's.")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--unit", action="store_true", help="what needs no server, without the slow, under 10 s")
    which.add_argument(
        "--quick", action="store_true", help="unit, contract and integration without the slow, under 90 s"
    )
    parser.add_argument("--servers", choices=servers.PROVIDERS, help="take both servers from there and nowhere else")
    known, rest = parser.parse_known_args(given)
    paths = any((ROOT / one.partition("::")[0]).exists() for one in rest if not one.startswith("-"))
    result: list[str] = []
    if known.unit or known.quick:
        result += ["--hypothesis-profile", "quick"]
    # Tests wait for servers more than they compute; more workers than that only make each other late.
    result += ["-n", str(max(2, min(4, cores))), "--dist", "loadfile", "--no-loadscope-reorder"]
    if known.servers and not known.unit:
        result += ["--servers", known.servers]
    if known.unit or known.quick:
        folders = UNIT if known.unit else QUICK
        result += ["-m", "not slow", *([] if paths else [one for one in folders if (ROOT / one).exists()])]
    return result + rest


def main() -> None:
    """Become pytest."""
    given = arguments(sys.argv[1:], os.cpu_count() or 2)
    os.chdir(ROOT)
    os.execv(sys.executable, [sys.executable, "-m", "pytest", *given])  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main()
