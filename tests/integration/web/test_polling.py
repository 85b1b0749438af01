"""Many pages stand open and ask again: what they are told is never old, whatever changed of all that it is made from."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import sqlalchemy as sa

import reconciler
from crm_outbox.contract import Customer
from reconciler import looks, nightly, people, runs, snapshots, statements, views
from reconciler.person import Person, Role
from reconciler.snapshots import Snapshots
from tests.builders.sync import AGREEMENT, TENANT, there
from tests.integration.web.looking import Watching, polled
from tests.integration.web.statements import sent_by

WRITTEN_WITH_ITS_LINK = {"sync.pair", "sync.field_base", "sync.operation", "sync.audit"}
"""Tables that only the statement writes that writes the link's own row too."""


class Standing:
    """A page that stands open: box and JSON ask again with the mark of what they have, and hear that it is so until it changes."""

    def __init__(self, watching: Watching, customer: Customer, role: Role = "user") -> None:
        self._watching, self._customer, self._role = watching, customer, role
        self._browser, self._path = watching.pages.browser(), polled(watching.pages, customer, role)
        first = self._json()
        self.shows: dict[str, Any] = first.json()
        self._marks = self._box().headers["etag"], first.headers["etag"]
        assert [self._box(self._marks[0]).status_code, self._json(self._marks[1]).status_code] == [304, 304]

    def told(self) -> dict[str, Any]:
        """What it shows now: another answer than before."""
        box, again, answer = self._box(self._marks[0]), self._box(), self._json(self._marks[1])
        assert [box.status_code, answer.status_code] == [200, 200], "it was told that nothing has changed"
        assert box.text
        assert box.headers["etag"] == again.headers["etag"]
        found: dict[str, Any] = answer.json()
        return found

    def _box(self, mark: str = "") -> httpx.Response:
        return self._browser.get(self._path, **({"if-none-match": mark} if mark else {}))

    def _json(self, mark: str = "") -> httpx.Response:
        asked = {"version": "1.1", "look": "false"}
        return self._watching.ask(self._customer.id, self._role, {"if-none-match": mark} if mark else None, **asked)


def why_not(told: dict[str, Any]) -> set[str]:
    return {one["why_not"] for one in told["actions"]} - {""}


def admin(watching: Watching, person: str, name: str) -> None:
    """The CRM sends an admin here, by that name."""
    with watching.pages.engine.begin() as connection:
        people.meet(connection, Person(tenant=TENANT, id=person, name=name, role="admin"), watching.both.time)


def test_an_edit_in_the_crm(watching: Watching, customer: Customer) -> None:
    page = Standing(watching, customer)
    watching.both.in_crm(customer.model_copy(update={"phone": "12345678"}), 2)
    told = page.told()
    assert (page.shows["state"], told["state"]) == ("same", "sending")


def test_edits_in_both_systems(watching: Watching, customer: Customer) -> None:
    page = Standing(watching, customer)
    watching.both.set(paused='["crm", "economic"]')
    watching.both.in_economic(there(customer, 7, "v2", contacts=(), name="Sydhavn"), 2, why="hook")
    watching.both.in_crm(customer.model_copy(update={"name": "Nordhavn"}), 2)
    assert [one["field"] for one in page.told()["differs"]] == ["name"]


def test_its_flowing_is_turned_off(watching: Watching, customer: Customer) -> None:
    page = Standing(watching, customer)
    watching.both.stop_flowing()
    assert (page.shows["flows"], page.told()["flows"]) == (True, False)


def test_a_sweep_that_finds_it_unchanged_writes_that_sides_row_alone(watching: Watching, customer: Customer) -> None:
    page = Standing(watching, customer)
    with watching.pages.engine.begin() as connection:
        seen = sa.text("update sync.economic_side set seen = :now where number = 7")
        assert connection.execute(seen, {"now": watching.both.time}).rowcount == 1
    told = page.told()
    assert (page.shows["freshness"], told["freshness"]) == ("older", "fresh")
    assert told["compared"]["at"] > page.shows["compared"]["at"]


def test_another_opens_it(watching: Watching, customer: Customer) -> None:
    page = Standing(watching, customer)
    opened = watching.open(customer.id)
    assert page.shows["look_id"] is None
    assert page.told()["look_id"] == opened["look_id"]


def test_a_look_is_asked_for_anew_after_one_of_which_nothing_was_told(watching: Watching, customer: Customer) -> None:
    first = watching.open(customer.id)
    watching.later(seconds=30)
    page = Standing(watching, customer)
    second = watching.open(customer.id)
    told = page.told()
    assert (page.shows["look_id"], told["look_id"]) == (first["look_id"], second["look_id"])
    assert (page.shows["freshness"], told["freshness"]) == ("delayed", "older")


def test_it_is_told_that_a_look_was_not_answered(watching: Watching, customer: Customer) -> None:
    watching.open(customer.id)
    (look,) = watching.looks()
    assert look.look is not None
    watching.later(seconds=1)
    page = Standing(watching, customer)
    watching.tell(look.look, "unanswered", "away")
    assert (page.shows["freshness"], page.told()["freshness"]) == ("looking", "no_answer")


def test_what_was_told_of_a_look_is_forgotten_and_something_else_told(watching: Watching, customer: Customer) -> None:
    watching.open(customer.id)
    (look,) = watching.looks()
    assert look.look is not None
    watching.tell(look.look, "taken")
    watching.reach(down_since=watching.both.time)
    watching.later(hours=23)
    watching.open(customer.id)  # nothing is asked while e-conomic is down
    watching.later(hours=2)
    page = Standing(watching, customer)
    with watching.pages.engine.begin() as connection:
        assert looks.forget(connection, watching.both.time) == 1
    watching.tell(look.look, "missing")
    assert "not_found" in {one["note"] for one in page.told()["notes"]}


def test_e_conomic_is_down(watching: Watching, customer: Customer) -> None:
    page = Standing(watching, customer)
    watching.reach(down_since=watching.both.time)
    assert (page.shows["freshness"], page.told()["freshness"]) == ("older", "down")


def test_an_admin_is_called_another_name(watching: Watching, customer: Customer) -> None:
    admin(watching, "u9", "Birthe Holm")
    page = Standing(watching, customer, "reader")
    admin(watching, "u9", "Birthe Krogh")
    assert (why_not(page.shows), why_not(page.told())) == ({"Birthe Holm"}, {"Birthe Krogh"})


def test_an_admin_is_one_no_more(watching: Watching, customer: Customer) -> None:
    for person, name in (("u8", "Anders Lund"), ("u9", "Birthe Holm")):
        admin(watching, person, name)
        watching.later(seconds=1)
    page = Standing(watching, customer, "reader")
    with watching.pages.engine.begin() as connection:
        user = Person(tenant=TENANT, id="u8", name="Anders Lund", role="user")
        people.meet(connection, user, watching.both.time)
    assert (why_not(page.shows), why_not(page.told())) == ({"Birthe Holm, Anders Lund"}, {"Birthe Holm"})


@pytest.mark.parametrize("kept", [False, True])
def test_creating_is_kept_for_admins_or_no_more(watching: Watching, kept: bool) -> None:
    watching.both.set(transfer="hand")
    customer = watching.both.new(cvr="12345678")
    watching.both.in_crm(customer)
    for chosen in (not kept, kept):
        if chosen is kept:
            page = Standing(watching, customer)
        with watching.pages.engine.begin() as connection:
            people.choose(connection, TENANT, "keep_create", chosen)
    assert page.shows["actions"] == [{"name": "create", "allowed": kept, "why_not": ""}]
    assert page.told()["actions"] == [{"name": "create", "allowed": not kept, "why_not": ""}]


def test_nothing_of_ours_leaves_any_more(watching: Watching, customer: Customer) -> None:
    another = watching.linked(8, cvr="23456789")
    page = Standing(watching, customer)
    watching.open(another.id)
    with watching.pages.engine.begin() as connection:
        lies = sa.text("update sync.outbox_pending set since = clock_timestamp() - cast(:lies as interval)")
        assert connection.execute(lies, {"lies": timedelta(minutes=1)}).rowcount == 1
    assert (page.shows["freshness"], page.told()["freshness"]) == ("older", "delayed")


def test_a_question_that_a_comparison_opens_without_a_step(watching: Watching, customer: Customer) -> None:
    """No answer tells of it yet; what is remembered is whole nevertheless."""
    engine, now, kept = watching.pages.engine, watching.both.time, Snapshots()

    def known() -> snapshots.Snapshot:
        with engine.connect() as connection:
            return kept.of(connection, TENANT, customer.id, now)[0]

    before = known()
    assert known() is before
    with engine.begin() as connection:
        connection.execute(sa.text("update sync.crm_side set number = number + 1"))
        runs.insert(connection, uuid4(), TENANT, AGREEMENT, "sweep", state="done", started=now, ended=now)
    assert known() is before
    assert nightly.carry_on(engine, watching.both.clocked) == 1
    after = known().found.stored
    assert after is not None
    assert [one.kind for one in after.asked] == ["silent"]


def test_the_mark_is_of_every_table_that_a_status_is_read_from(watching: Watching, customer: Customer) -> None:
    with watching.pages.engine.connect() as connection, sent_by(watching.pages.engine) as sent:
        snapshots.marked(connection, [(TENANT, customer.id)])
        (marked,) = sent
        snapshots.read(connection, TENANT, views.customer(connection, TENANT, customer.id))
    tables = [set(re.findall(r"\bsync\.[a-z_]+", one)) for one in (marked, " ".join(sent[1:]))]
    assert tables[1] - WRITTEN_WITH_ITS_LINK <= tables[0]
    assert "sync.look_told" in tables[1]


def test_what_has_no_mark_of_its_own_is_written_with_its_link_or_not_read() -> None:
    """``GONE_*`` are sent with ``SAVE`` alone; ``EXPIRE`` is of settled operations, and only open ones are read."""
    writing = re.compile(rf"(?:insert into|update|delete from) (?:{'|'.join(sorted(WRITTEN_WITH_ITS_LINK))})\b")
    texts = {name: str(one) for name, one in vars(statements).items() if isinstance(one, sa.TextClause)}
    assert {name for name, text in texts.items() if writing.search(text)} == {
        "SAVE", "GONE_BASES", "GONE_PAIRS", "EXPIRE",
    }  # fmt: skip
    assert "update sync.link l set" in texts["SAVE"]
    files = Path(reconciler.__file__).parent.rglob("*.py")
    assert {one.name for one in files if writing.search(one.read_text(encoding="utf-8"))} == {"statements.py"}


def test_another_tenants_customer_of_the_same_id_is_another(watching: Watching, customer: Customer) -> None:
    kept = Snapshots()
    with watching.pages.engine.connect() as connection:
        ours, _ = kept.of(connection, TENANT, customer.id, watching.both.time)
        others, _ = kept.of(connection, "another", customer.id, watching.both.time)
    assert ours.found.stored is not None
    assert others.found.stored is None
    assert others.found.agreement is None


def test_only_so_many_customers_are_remembered(watching: Watching, customer: Customer) -> None:
    kept = Snapshots(most=2)
    with watching.pages.engine.connect() as connection:
        first, _ = kept.of(connection, TENANT, customer.id, watching.both.time)
        assert kept.of(connection, TENANT, customer.id, watching.both.time)[0] is first
        for other in ("a", "b"):
            kept.of(connection, TENANT, other, watching.both.time)
        assert kept.of(connection, TENANT, customer.id, watching.both.time)[0] is not first


def test_what_follows_from_the_time_is_reckoned_anew(watching: Watching, customer: Customer) -> None:
    watching.open(customer.id)
    watching.later(seconds=1)
    assert watching.watch(customer.id)["freshness"] == "looking"
    watching.later(minutes=5)
    assert watching.watch(customer.id)["freshness"] != "looking"
