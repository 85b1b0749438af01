"""Whoever sees a name in the broker's management UI finds it in the runbook, in the same words."""

import re
from pathlib import Path

import pytest

from crm_outbox.messaging import management
from economic_adapter.worker import QUEUE

ROOT = Path(__file__).parents[3]
RUNBOOK = (ROOT / "deploy" / "runbook.md").read_text("utf-8")
DEFINITIONS = management.definitions("sync")
DUTIES = ("relay.live", "relay.bulk", "applier", "intake", "hooks", "worker", "reconcile", "web", "clock", "deadletter")
NAMES = sorted(
    {
        str(entry["name"])
        for kind in ("vhosts", "users", "policies", "exchanges", "queues")
        for entry in DEFINITIONS[kind]
    }
    | {"broker.<uuid>", QUEUE, f"{QUEUE}.DQ", f"{QUEUE}.XQ"}
    | set(DUTIES)
)


def _headings() -> list[str]:
    return re.findall(r"^### (.+)$", RUNBOOK, re.MULTILINE)


@pytest.mark.parametrize("name", NAMES)
def test_every_name_is_a_heading(name: str) -> None:
    assert _headings().count(name) == 1


def test_no_heading_is_a_name_that_is_gone() -> None:
    assert sorted(_headings()) == NAMES


def test_every_reason_for_a_refusal_is_explained() -> None:
    sources = [ROOT / "crm_outbox" / "messaging" / name for name in ("envelope.py", "delivery.py")]
    reasons = {one for path in sources for one in re.findall(r"Refused\(f?\"([a-z_]+)", path.read_text("utf-8"))}
    assert reasons
    for reason in reasons | {"id_reuse", "failed", "delivery_limit"}:
        assert re.search(rf"^\|.*`{reason}[`:]", RUNBOOK, re.MULTILINE), reason
