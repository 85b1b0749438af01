"""What the database chooses to undo of decisions about many is what ``parts.tally`` counts as done, customer by customer."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import product
from typing import Final
from uuid import UUID, uuid4

import sqlalchemy as sa

from reconciler import bulking, bulks, decided
from reconciler.bulking import Form
from reconciler.bulks import Bulk, Planned
from reconciler.decisions import KEEP, Decision, Ended, Wish
from reconciler.parts import Part, Value, tally
from reconciler.person import Person
from tests.builders.meeting import Both
from tests.builders.sync import AGREEMENT, TENANT
from tests.integration.web.statements import carried_by

ANNE: Final = Person(tenant=TENANT, id="u1", name="Anne Holm", role="user")
RECORD: Final = UUID(int=7)


@dataclass(frozen=True, kw_only=True)
class Case:
    """One customer of a decision about many: its lines, what had moved before, how its decision stands."""

    lines: tuple[Part, ...]
    stale: tuple[str, ...]
    refused: tuple[str, ...]
    whole: bool
    open: bool
    seen: bool
    """The clock has seen how it ended."""

    def outcome(self, decision: UUID) -> tuple[Ended, ...]:
        if self.whole:
            return (Ended(decision=decision, result="refused", reason="gone"),)
        return tuple(
            Ended(decision=decision, record=RECORD, detail=one, result="refused" if one in self.refused else "written")
            for one in ("name", "phone")
        )

    def left(self, decision: UUID) -> tuple[Part, ...]:
        if self.open:
            return self.lines
        return tuple(one for one in self.lines if tally([one], self.stale, self.outcome(decision)).done)


def line(*details: str) -> Part:
    return Part(detail=details[0], values=tuple(Value(key=f"{RECORD}.{one}", detail=one) for one in details))


def cases() -> Iterator[Case]:
    lines = [
        (line("name"),), (line("name"), line("phone")), (line("phone"), line("name")), (line("name", "phone"),),
        (Part(detail="flow", values=(Value(key="", detail="phone"),)),), (Part(detail="cvr"),),
    ]  # fmt: skip
    some: list[tuple[str, ...]] = [(), ("name",), ("phone",), ("name", "phone")]
    for shown, stale, refused, whole, is_open, seen in product(
        lines, some, some, [False, True], [False, True], [False, True]
    ):
        if not (is_open and seen):
            keys = tuple(f"{RECORD}.{one}" for one in stale)
            yield Case(lines=shown, stale=keys, refused=refused, whole=whole, open=is_open, seen=seen)


def a_decision(both: Both, link: UUID, parts: int) -> Decision:
    wish = Wish(record=RECORD, detail="name", take="crm", seen_crm={}, seen_economic={})
    return Decision(
        id=uuid4(), tenant=TENANT, agreement=AGREEMENT, link=link, means="settle", who="Anne Holm", at=both.time,
        wishes=(wish,) * parts,
    )  # fmt: skip


def test_of_each_customer_is_undone_what_was_done_of_it_and_nobody_else_is_in_it(both: Both) -> None:
    both.linked()
    (link,) = both.links()
    every, first, expected = list(cases()), uuid4(), []
    with both.engine.begin() as connection:
        planned = [
            Planned(link=link.id, crm_id=f"c{nth}", number=nth, parts=one.lines) for nth, one in enumerate(every)
        ]
        nobody = Planned(link=link.id, crm_id="not begun with", parts=(line("name"),))
        bulks.insert(
            connection, first, TENANT, "settle", ("Anne Holm", "u1"), both.time, [*planned, nobody], what="crm",
            state="running",
        )  # fmt: skip
        for one, item in zip(every, bulks.items(connection, TENANT, first), strict=False):
            decision = a_decision(both, link.id, 3 if one.open else 1 if one.whole else 2)
            decided.insert(connection, decision)
            decided.note(connection, one.outcome(decision.id), both.time)
            bulks.sent(connection, item, decision, one.stale)
            if one.seen:
                bulks.ended(connection, item, tally(one.lines, one.stale, one.outcome(decision.id)))
            if left := one.left(decision.id):
                expected.append((item.crm_id, item.number, link.id, left, decision.id))
        few = sent(both, connection, link.id, Planned(link=link.id, crm_id="alone", parts=(line("name"),)))
    with both.engine.begin() as connection:
        with carried_by(both.engine) as for_many:
            made = undone(both, connection, [first])
        with carried_by(both.engine) as for_one:
            assert undone(both, connection, [few]) is not None
        assert made is not None
        listed = list(bulks.items(connection, TENANT, made.id))
    assert for_many == for_one, "as much goes to and fro for many as for one"
    assert (made.kind, made.what, made.state, made.ended) == ("undo", "settle", "running", None)
    assert (made.customers, made.total, made.left) == (len(expected), sum(len(one[3]) for one in expected), made.total)
    assert [(one.crm_id, one.number, one.link, one.parts, one.undoes) for one in listed] == expected
    assert [one.position for one in listed] == list(range(1, len(expected) + 1))
    assert {(one.state, one.decision, one.stale) for one in listed} == {("planned", None, ())}
    assert 150 < len(expected) < len(every)


def test_several_are_undone_as_one_in_order_but_what_is_only_shown_too_old_or_undone_before(both: Both) -> None:
    both.linked()
    (link,) = both.links()
    old = both.time - KEEP - timedelta(seconds=1)
    with both.engine.begin() as connection:
        one = [Planned(link=link.id, crm_id=f"c{nth}", parts=(line("name"),)) for nth in range(6)]
        ids = [sent(both, connection, link.id, each) for each in one[:4]]
        ids.append(a_bulk(connection, both.time, one[4]))
        ids.append(sent(both, connection, link.id, one[5]))
        connection.execute(sa.text("update sync.bulk set state = 'previewed' where id = :id"), {"id": ids[2]})
        connection.execute(sa.text("update sync.bulk set at = :old where id = :id"), {"id": ids[3], "old": old})
    with both.engine.begin() as connection:
        last = undone(both, connection, [ids[5]])
        made = undone(both, connection, [ids[4], ids[3], ids[2], ids[1], ids[0], ids[5]])
        assert last is not None
        assert made is not None
        assert (made.what, [one.crm_id for one in bulks.items(connection, TENANT, made.id)]) == ("settle", ["c1", "c0"])
        assert undone(both, connection, ids[:5]) is None, "nothing is left of it"
        told = [bulks.find(connection, TENANT, one) for one in ids]
    undone_by = [one.undone_by for one in told if one is not None]
    assert undone_by == [made.id, made.id, None, None, made.id, last.id]


def a_bulk(connection: sa.Connection, now: datetime, planned: Planned) -> UUID:
    bulk = uuid4()
    bulks.insert(connection, bulk, TENANT, "settle", ("Anne Holm", "u1"), now, [planned], state="running")
    return bulk


def sent(both: Both, connection: sa.Connection, link: UUID, planned: Planned) -> UUID:
    """A decision about many that is about one, who is decided about."""
    bulk = a_bulk(connection, both.time, planned)
    (item,) = bulks.items(connection, TENANT, bulk)
    decision = a_decision(both, link, 1)
    decided.insert(connection, decision)
    bulks.sent(connection, item, decision, ())
    return bulk


def undone(both: Both, connection: sa.Connection, which: list[UUID]) -> Bulk | None:
    found = [one for each in which if (one := bulks.find(connection, TENANT, each)) is not None]
    return bulking.undo(both.clocked, connection, ANNE, Form(id=uuid4()), found)
