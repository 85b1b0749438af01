"""Is everything that was recorded the same on both sides, or known to differ? The comparison an operator asks for."""

import argparse
import json

from reconciler import agreements, overview, receipt
from reconciler.desk import DONE, REFUSED, Desk, opened, say
from reconciler.nightly import compare

MOST_LISTED = 1000


def mount(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", desk: Desk) -> None:
    """Add ``compare``."""
    compare = commands.add_parser("compare", help="count what differs without anybody knowing; 0 is right")
    compare.add_argument("--tenant")
    compare.add_argument("--json", action="store_true")
    compare.set_defaults(command=lambda arguments: _compare(arguments, desk))


def _compare(arguments: argparse.Namespace, desk: Desk) -> int:
    with opened(desk) as (engine, clocked), engine.connect() as connection:
        tenants = [arguments.tenant] if arguments.tenant else overview.tenants(connection)
        found = [
            compare(connection, tenant, one.agreement, clocked.now(), clocked.resend)
            for tenant in tenants
            for one in agreements.of_tenant(connection, tenant)
            if one.state != "disconnected"
        ]
    silent = sum(len(one.silent) for one in found)
    if arguments.json:
        listed = [
            {
                "tenant": one.tenant,
                "agreement": one.agreement,
                "compared": one.customers,
                **one.standing,
                "silent": one.silent[:MOST_LISTED],
            }
            for one in found
        ]
        say(json.dumps({"silent_differences": silent, "agreements": listed}))
        return REFUSED if silent else DONE
    for one in found:
        stands = ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in one.standing.items()) or "none linked"
        say(f"{one.tenant} agreement {one.agreement}: {one.customers} customers compared: {stands}")
        if one.silent:
            names = (f"{each['customer']} {each['details']}" for each in one.silent)
            say(f"  silent: {receipt.listed(names)}")
    if not found:
        say("no agreement was ever connected")
    say(f"silent differences: {silent}")
    if silent:
        say("each of these is an error of ours: `reconciler retry --customer ID --yes` plans it anew; please report it")
    return REFUSED if silent else DONE
