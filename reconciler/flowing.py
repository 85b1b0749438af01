"""What would be written if this customer flowed automatically from now on? Rehearsed on what is recorded, pure."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from reconciler.link import CrmSeen, Due, EconomicSeen, Link
from reconciler.rehearsal import Write, rehearse
from reconciler.rules import Rules


def would_write(
    link: Link, rules: Rules, now: datetime, *, crm: CrmSeen | None, economic: EconomicSeen | None
) -> tuple[Write, ...]:
    """Every write that would follow, also those that a pause, or the integration being off, would put off."""
    open_ = replace(rules, agreement="on", paused=frozenset(), held=False)
    return rehearse(replace(link, flows=True), Due(), open_, now, crm=crm, economic=economic).writes


def mark(writes: Sequence[Write]) -> str:
    """A mark of the writes that were shown: with another one, something moved since."""
    told = sorted((one.system, one.record, one.id, one.field, one.before, one.after) for one in writes)
    return hashlib.sha256(repr(told).encode("utf-8", "surrogatepass")).hexdigest()[:16]
