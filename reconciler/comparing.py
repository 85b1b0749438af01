"""Is everything that was recorded the same on both sides, or known to differ? The comparison an operator asks for."""

import argparse
import json
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from reconciler import agreements, braking, overview, receipt, store
from reconciler.desk import DONE, REFUSED, Desk, opened, say
from reconciler.silent import Compared, Standing, compared

MOST_LISTED = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One agreement: how many linked customers stand how, and the silent differences with their details."""

    tenant: str
    agreement: int
    standing: dict[str, int]
    silent: list[dict[str, object]]

    @property
    def customers(self) -> int:
        """How many were compared."""
        return sum(self.standing.values())


def mount(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", desk: Desk) -> None:
    """Add ``compare``."""
    compare = commands.add_parser("compare", help="count what differs without anybody knowing; 0 is right")
    compare.add_argument("--tenant")
    compare.add_argument("--json", action="store_true")
    compare.set_defaults(command=lambda arguments: _compare(arguments, desk))


def compare(connection: sa.Connection, tenant: str, agreement: int, now: datetime, resend: timedelta) -> Comparison:
    """Compare every linked customer of an agreement, on what is recorded of both sides."""
    known = next(one for one in agreements.of_tenant(connection, tenant) if one.agreement == agreement)
    rules = agreements.rules_of(connection, known, resend)
    held = overview.held(connection, tenant, agreement)
    untold = overview.untold(connection, tenant, agreement)
    standing: Counter[str] = Counter()
    silent: list[dict[str, object]] = []
    for link in store.of_agreement(connection, tenant, agreement):
        found: Compared | None = compared(
            link, braking.still(rules) if link.id in held else rules, now, told=link.id not in untold
        )
        if found is None:
            continue
        standing[str(found.standing)] += 1
        if found.standing is Standing.SILENT:
            silent.append({"customer": link.crm_id, "number": link.number, "details": list(found.details)})
    return Comparison(tenant=tenant, agreement=agreement, standing=dict(sorted(standing.items())), silent=silent)


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
