"""What is remembered of runs here? The store's functions of runs and of their customers, on dicts."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields as columns_of
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from reconciler.items import AGAIN, Planned, Stored
from reconciler.rehearsal import Write
from reconciler.runs import Run
from tests.simulation.store import Session

if TYPE_CHECKING:
    from tests.simulation.sync import Sync

_DEFAULTS: Mapping[str, Any] = {
    **{one.name: None for one in columns_of(Run)},
    **dict.fromkeys(("reason", "asked_by", "fingerprint"), ""),
    **dict.fromkeys(("crm_read", "economic_read", "contacts", "calls", "found", "found_crm", "done", "total", "left_out", "resent"), 0),
    **dict.fromkeys(("crm_closed", "economic_closed"), False),
    "told_done": -1, "options": {},
}  # fmt: skip


class Runs:
    """The functions of ``reconciler.runs``, by their names there."""

    NAMES = (
        "insert", "update", "lock", "find", "latest", "of_agreement", "under_way", "kind_of", "open_pass", "passed",
        "whose", "newest", "replace",
    )  # fmt: skip

    def __init__(self, sync: "Sync") -> None:
        self.sync = sync

    def insert(self, session: Session, run: UUID, tenant: str, agreement: int, kind: str, **columns: Any) -> None:
        given = {"id": run, "tenant": tenant, "agreement": agreement, "kind": kind, **columns}
        if session.get(self.sync.runs, run) is None:
            session.put(self.sync.runs, run, Run(**{**_DEFAULTS, **given}))

    def update(self, session: Session, run: UUID, **columns: Any) -> None:
        session.put(self.sync.runs, run, replace(session.get(self.sync.runs, run), **columns))
        if "state" in columns:
            told = (columns["state"], columns.get("reason", ""))
            kind = session.get(self.sync.runs, run).kind
            session.after.append(lambda: self.sync.world.trace.note("reconciler", "run", kind, *told))

    def lock(self, session: Session, run: UUID) -> Run | None:
        session.lock(("run", run))
        return self.find(session, run)

    def find(self, session: Session, run: UUID) -> Run | None:
        found: Run | None = session.get(self.sync.runs, run)
        return found

    def _newest(self, session: Session) -> list[Run]:
        return sorted(session.rows(self.sync.runs).values(), key=lambda one: (one.started, one.id), reverse=True)

    def latest(self, session: Session, _tenant: str, _agreement: int, kinds: Sequence[str]) -> Run | None:
        return next((one for one in self._newest(session) if one.kind in kinds), None)

    def newest(self, session: Session, _tenant: str, _agreement: int, kind: str, *, trial: bool = False) -> Run | None:
        found = (one for one in self._newest(session) if one.kind == kind and one.state != "replaced")
        return next((one for one in found if (one.options.get("only") is not None) == trial), None)

    def replace(
        self, session: Session, by: UUID, now: datetime, *, tenant: str, agreement: int, kind: str, trial: bool
    ) -> None:
        for one in self._newest(session):
            mine = (one.tenant, one.agreement, one.kind) == (tenant, agreement, kind)
            like = (one.options.get("only") is not None) == trial
            if mine and like and one.id != by and one.state in {"asked", "previewed"}:
                self.update(session, one.id, state="replaced", ended=now)

    def of_agreement(self, session: Session, _tenant: str, _agreement: int, limit: int = 20) -> list[Run]:
        return self._newest(session)[:limit]

    def under_way(self, session: Session) -> list[UUID]:
        found = [one for one in self._newest(session) if one.ended is None and one.state in {"running", "paused"}]
        return [one.id for one in reversed(found)]

    def whose(self, session: Session, run: UUID) -> tuple[str, int] | None:
        found = self.find(session, run)
        return None if found is None else (found.tenant, found.agreement)

    def kind_of(self, session: Session, run: UUID) -> str:
        found = self.find(session, run)
        return "" if found is None else str(found.kind)

    def open_pass(self, session: Session, _tenant: str, _agreement: int) -> Run | None:
        found = next((one for one in self._newest(session) if one.kind == "pass" and one.ended is None), None)
        return None if found is None else self.lock(session, found.id)

    def passed(self, session: Session) -> list[UUID]:
        if any(session.rows(self.sync.again).values()):
            return []
        return [
            one.id
            for one in self._newest(session)
            if one.kind == "pass" and one.ended is None and one.state == "running" and session.free(("run", one.id))
        ]


class Items:
    """The functions of ``reconciler.items``, by their names there."""

    NAMES = (
        "insert", "append", "rewrite", "planned", "left", "leave", "wait", "undone", "lock", "mark", "listed", "left_out",
    )  # fmt: skip

    def __init__(self, sync: "Sync") -> None:
        self.sync = sync

    def _put(self, session: Session, run: UUID, position: int, **changes: Any) -> None:
        known = session.get(self.sync.items, (run, position))
        session.put(self.sync.items, (run, position), replace(known, **changes))

    def _of(self, session: Session, run: UUID) -> list[Stored]:
        found = [one for one in session.rows(self.sync.items).values() if one.run == run]
        return sorted(found, key=lambda one: one.position)

    def insert(self, session: Session, run: UUID, planned: Sequence[Planned]) -> None:
        for nth, one in enumerate(planned, 1):
            position = one.position or nth
            stored = Stored(
                run=run, position=position, action=one.action, crm_id=one.crm_id, number=one.number,
                evidence=one.evidence, writes=tuple(one.writes), state="planned", reason="", link=one.link,
            )  # fmt: skip
            session.put(self.sync.items, (run, position), stored)
        known = session.get(self.sync.runs, run)
        session.put(self.sync.runs, run, replace(known, total=len(self._of(session, run))))

    def append(self, session: Session, run: UUID, planned: Planned) -> int:
        position = max((one.position for one in self._of(session, run)), default=0) + 1
        self.insert(session, run, [replace(planned, position=position)])
        return position

    def rewrite(self, session: Session, run: UUID, position: int, writes: Sequence[Write]) -> None:
        self._put(session, run, position, writes=tuple(writes))

    def planned(self, session: Session, run: UUID, now: datetime, limit: int) -> list[int]:
        at = session.rows(self.sync.item_at)
        found = [
            one.position
            for one in self._of(session, run)
            if one.state == "planned" and at.get((run, one.position), now - AGAIN) <= now - AGAIN
        ]
        return sorted(found, key=lambda one: ((run, one) in at, at.get((run, one), now), one))[:limit]

    def left(self, session: Session, run: UUID) -> bool:
        return any(one.state == "planned" for one in self._of(session, run))

    def wait(self, session: Session, run: UUID, position: int, now: datetime, reason: str) -> None:
        self._put(session, run, position, reason=reason)
        session.put(self.sync.item_at, (run, position), now)

    def leave(self, session: Session, run: UUID, now: datetime, reason: str) -> None:
        for one in self._of(session, run):
            if one.state == "planned" and (run, one.position) not in session.rows(self.sync.item_at):
                self.mark(session, run, one.position, "left_out", now, reason=reason)

    def undone(self, session: Session, run: UUID, position: int) -> None:
        self._put(session, run, position, state="undone")
        session.after.append(lambda: self.sync.world.receipts.taken_back(run, position))

    def lock(self, session: Session, run: UUID, position: int) -> Stored | None:
        known: Stored | None = session.get(self.sync.items, (run, position))
        going = session.get(self.sync.runs, run).state == "running"
        if known is None or known.state != "planned" or not going or not session.free(("item", run, position)):
            return None
        session.lock(("item", run, position))
        return replace(known, begun=(run, position) in session.rows(self.sync.item_at))

    def mark(
        self, session: Session, run: UUID, position: int, state: str, now: datetime, *, reason: str = "",
        link: UUID | None = None,
    ) -> None:  # fmt: skip
        known = session.get(self.sync.items, (run, position))
        now_it_is = replace(known, state=state, reason=reason, link=link or known.link)
        session.put(self.sync.items, (run, position), now_it_is)
        session.put(self.sync.item_at, (run, position), now)
        counted = session.get(self.sync.runs, run)
        left_out = state == "left_out"
        added = replace(counted, done=counted.done + (not left_out), left_out=counted.left_out + left_out)
        session.put(self.sync.runs, run, added)
        session.after.append(lambda: self.sync.world.receipts.ended(added, now_it_is, tuple(session.wrote)))

    def listed(self, session: Session, run: UUID, states: Sequence[str] = ()) -> Iterator[Stored]:
        yield from [one for one in self._of(session, run) if not states or one.state in states]

    def left_out(self, session: Session, run: UUID) -> Mapping[str, int]:
        return Counter(one.reason for one in self._of(session, run) if one.state == "left_out")
