"""``python -m bench relay|road|import|matching|reconciler|pages``: which measurement is made?"""

import importlib
import sys

BENCHES = {
    "relay": "relay", "road": "road", "import": "importing", "matching": "matching", "reconciler": "reconciler", "pages": "pages",
}  # fmt: skip


def main(arguments: list[str]) -> int:
    """Hand over to the measurement that was named; 2 when there is none of that name."""
    if not arguments or arguments[0] not in BENCHES:
        print(f"usage: bench {'|'.join(BENCHES)} [options]", file=sys.stderr)
        return 2
    measured: int = importlib.import_module(f"bench.{BENCHES[arguments[0]]}").main(arguments[1:])
    return measured


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
