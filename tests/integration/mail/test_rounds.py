"""Who is written to, when, and how often; against a mail server that refuses, forgets its answers and goes away."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from crm_outbox.contract import Outcome, Result
from economic_adapter.contract import DAY_LIMIT, Receives, WriteEconomicCustomer
from reconciler import handover, mailbox, people
from reconciler.bus import CONSUMER
from reconciler.mail import rounds
from reconciler.mail.rounds import Post
from reconciler.person import Person, Role
from reconciler.rules import Transfer
from reconciler.settings import MailServer
from reconciler.tables import messages
from tests.builders.crm import a_person
from tests.builders.meeting import Both
from tests.builders.sync import TENANT, done, economic_answered, there
from tests.integration.mail.postbox import Opened, Postbox, body

LAUNCH = "https://crm.example/economic/launch"
A_MONDAY = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
"""Seven on a Danish clock."""


@dataclass
class Office:
    """A tenant with its questions, its people and its post."""

    both: Both
    post: Post
    box: Postbox

    def __post_init__(self) -> None:
        self.time = A_MONDAY

    def person(self, name: str, role: Role, **given: Any) -> None:
        found = Person(tenant=TENANT, id=name, name=name, role=role, mail=given.get("mail", f"{name}@firma.example"))
        with self.both.engine.begin() as connection:
            people.meet(connection, found, self.time)
            people.speak(connection, found, given.get("language", "da"))

    def question(self, number: int, name: str = "Nordhavn") -> None:
        """A name that both changed differently while all was paused."""
        customer = self.both.linked(number, cvr=f"{number:08}", name=f"{name} {number}")
        self.both.set(paused='["crm", "economic"]')
        self.both.in_economic(there(customer, number, "v2", name=f"{name} A/S {number}", contacts=()), 2)
        self.both.in_crm(customer.model_copy(update={"name": f"{name} Gruppen {number}"}), 2)
        self.both.set(paused="[]")
        self.both.in_crm(customer.model_copy(update={"name": f"{name} Gruppen {number}"}), 3)

    def heard(self) -> None:
        """A message of the adapter's about itself was taken."""
        row = {"consumer": CONSUMER, "message_id": uuid4(), "body_hash": b"", "taken_at": self.time}
        with self.both.engine.begin() as connection:
            connection.execute(messages.inbox.insert(), row)

    def at(self, **after: float) -> None:
        """What time brings, so long after that Monday, seven o'clock."""
        self.time = A_MONDAY + timedelta(**after)
        rounds.turn(self.post)


@pytest.fixture
def office(engine: sa.Engine) -> Iterator[Office]:
    opened = Opened()
    both = Both(engine=engine, time=A_MONDAY - timedelta(days=1))
    both.switch_on(Transfer.CREATED)
    server = MailServer(host="127.0.0.1", port=opened.box.port, sender="Clickmate <sync@clickmate.example>", plain=True)
    made = Office(both, Post(engine=engine, now=lambda: made.time, server=server, launch=LAUNCH), opened.box)
    yield made
    opened.close()


def test_what_was_handed_to_a_colleague_is_in_her_mail_alone(office: Office) -> None:
    office.question(1)
    office.person("anne", "user")
    office.person("birthe", "user")
    (link,) = office.both.links()
    by = Person(tenant=TENANT, id="anne", name="anne", role="user")
    with office.both.engine.begin() as connection:
        assert handover.hand(connection, link.id, by, "birthe", A_MONDAY)
    office.at(minutes=61)
    assert [one["To"] for one in office.box.arrived] == ["birthe@firma.example"]


def test_fourteen_questions_are_one_mail_a_working_day_for_each_who_can_act(office: Office) -> None:
    for number in range(1, 15):
        office.question(number)
    office.person("anne", "user")
    office.person("mette", "admin", language="en")
    office.person("lars", "reader")
    office.person("ole", "user", mail="")
    office.at(minutes=59)
    assert office.box.arrived == []
    for minute in (60, 61, 300):
        office.at(minutes=minute)
    assert [str(one["To"]) for one in office.box.arrived] == ["anne@firma.example", "mette@firma.example"]
    assert [str(one["Subject"]) for one in office.box.arrived] == [
        "14 kunder venter på dit valg", "14 customers wait for your choice",
    ]  # fmt: skip
    assert body(office.box.arrived[0]).count(f"{LAUNCH}?to=%2Fcustomers%2F") == 14
    office.at(days=1, hours=1)
    assert len(office.box.to("anne@firma.example")) == 2
    office.at(days=5, hours=1)  # Saturday
    office.at(days=6, hours=1)
    assert len(office.box.to("anne@firma.example")) == 2


def test_no_question_is_no_mail_also_when_one_opens_later_that_day(office: Office) -> None:
    office.person("anne", "user")
    office.at(hours=1)
    office.question(7)
    office.at(hours=2)
    assert office.box.arrived == []


def test_lost_access_is_told_admins_once_each_time(office: Office) -> None:
    office.person("anne", "user")
    office.person("mette", "admin")
    office.both.set(state="access_lost")
    office.at(minutes=1)
    office.at(minutes=2)
    assert [str(one["Subject"]) for one in office.box.arrived] == ["Clickmate har mistet adgangen til e-conomic"]
    assert office.box.arrived[0]["To"] == "mette@firma.example"
    office.both.set(state="on")
    office.at(minutes=3)
    office.both.set(state="access_lost")
    office.at(minutes=4)
    assert len(office.box.arrived) == 2


def stopped(office: Office) -> list[str]:
    """The mails that say that everything stands still, to whom."""
    return [
        str(one["To"]) for one in office.box.arrived if one["Subject"] == "Synkroniseringen med e-conomic er stoppet"
    ]


def test_a_write_that_waits_while_none_ends_is_told_once_though_the_adapter_tells_of_itself(office: Office) -> None:
    office.person("mette", "admin")
    office.both.time = office.time
    office.both.in_crm(office.both.new(name="Søgaard", cvr="11111119"))
    for minutes in range(1, 18):
        office.time = A_MONDAY + timedelta(minutes=minutes)
        office.heard()
        rounds.turn(office.post)
        assert stopped(office) == (["mette@firma.example"] if minutes > 15 else [])


def test_while_other_writes_end_nothing_stands_still(office: Office) -> None:
    office.person("mette", "admin")
    customer = office.both.linked(7, cvr="12345678")
    office.both.time = office.time
    office.both.in_crm(office.both.new(name="Søgaard", cvr="11111119"))
    office.both.said()
    office.both.time = A_MONDAY + timedelta(minutes=10)
    office.both.in_crm(customer.model_copy(update={"phone": "12345678"}), 2)
    (command,) = office.both.said_only(WriteEconomicCustomer)
    seen = there(customer, 7, "v2", phone="12345678")
    office.both.hear(economic_answered(command, done(command.parts[0].operation), customer=seen, version=2))
    for minutes, told in ((20, []), (26, ["mette@firma.example"])):
        office.time = A_MONDAY + timedelta(minutes=minutes)
        rounds.turn(office.post)
        assert stopped(office) == told


def test_what_waits_for_the_next_days_calls_has_not_stopped(office: Office) -> None:
    office.person("mette", "admin")
    customer = office.both.new(name="Søgaard", cvr="11111119")
    office.both.time = office.time
    office.both.in_crm(customer)
    (command,) = office.both.said_only(WriteEconomicCustomer)
    waits = Outcome(operation=command.parts[0].operation, result=Result.WAITING, reason=DAY_LIMIT)
    office.both.hear(economic_answered(command, waits))
    office.time = A_MONDAY + timedelta(minutes=20)
    rounds.turn(office.post)
    assert stopped(office) == []


def test_the_letter_tells_the_week_to_the_addresses_an_admin_set(office: Office) -> None:
    customer = office.both.linked(7, cvr="12345678")
    with office.both.engine.begin() as connection:
        people.choose(connection, TENANT, mailbox.LETTER_TO, ["bogholder@firma.example"])
    office.both.time = A_MONDAY + timedelta(days=2)
    edited = customer.model_copy(update={"phone": "87654321"})
    office.both.in_crm(edited, 2)
    (command,) = office.both.said_only(WriteEconomicCustomer)
    seen = there(edited, 7, "v2", contacts=())
    office.both.hear(economic_answered(command, done(command.parts[0].operation), customer=seen, version=2))
    office.at(days=3)
    assert office.box.arrived == []
    office.at(days=4, hours=1)
    office.at(days=4, hours=2)
    (letter,) = office.box.arrived
    assert letter["To"] == "bogholder@firma.example"
    assert letter["Subject"] == "1 oplysning hos jer er rettet fra Clickmate i denne uge"
    assert '-> "87 65 43 21"' in body(letter)
    office.at(days=11, hours=1)
    assert len(office.box.arrived) == 1


@pytest.mark.parametrize("receives", [("invoices", "orders"), ("orders",)])
def test_the_address_of_who_gets_copies_of_invoices_stands_with_what_is_on_them(
    office: Office, receives: tuple[Receives, ...]
) -> None:
    office.both.set(transfer="hand")
    customer = office.both.linked_by_hand(7, contacts=(a_person(name="Ida Holm", email="ida@firma.example"),))
    person = there(customer, 7, "v1").contacts[0].model_copy(update={"receives": receives})
    office.both.in_economic(there(customer, 7, "v1", contacts=(person,)), 2)
    with office.both.engine.begin() as connection:
        people.choose(connection, TENANT, mailbox.LETTER_TO, ["bogholder@firma.example"])
    office.both.time = A_MONDAY + timedelta(days=2)
    mine = customer.contacts[0].model_copy(update={"email": "holm@firma.example"})
    office.both.in_crm(customer.model_copy(update={"contacts": (mine,)}), 2)
    (command,) = office.both.said_only(WriteEconomicCustomer)
    now = person.model_copy(update={"email": "holm@firma.example", "object_version": "b"})
    seen = there(customer, 7, "v1", contacts=(now,))
    office.both.hear(economic_answered(command, done(command.parts[0].operation), customer=seen, version=3))
    office.at(days=4, hours=1)
    (letter,) = office.box.arrived
    assert "holm@firma.example" in body(letter)
    assert ("Fakturaoplysninger" in body(letter)) is ("invoices" in receives)


@pytest.mark.parametrize("receives", [("e_invoices", "orders"), ("orders",), None])
@pytest.mark.parametrize("links", [False, True])
def test_a_week_in_which_only_a_person_was_removed_is_told_without_a_way_back(
    office: Office, receives: tuple[Receives, ...] | None, *, links: bool
) -> None:
    office.post = replace(office.post, pages="https://sync.example")
    office.both.set(transfer="hand", gone_here="remove")
    customer = office.both.linked_by_hand(7, contacts=(a_person(name="Ida Holm", email="ida@firma.example"),))
    person = there(customer, 7, "v1").contacts[0].model_copy(update={"receives": receives})
    office.both.in_economic(there(customer, 7, "v1", contacts=(person,)), 2)
    with office.both.engine.begin() as connection:
        people.choose(connection, TENANT, mailbox.LETTER_TO, ["bogholder@firma.example"])
        people.choose(connection, TENANT, mailbox.LETTER_LINKS, links)
    office.both.time = A_MONDAY + timedelta(days=2)
    office.both.in_crm(customer.model_copy(update={"contacts": ()}), 2)
    (command,) = office.both.said_only(WriteEconomicCustomer)
    assert [part.action for part in command.parts] == ["remove"]
    seen = there(customer, 7, "v2", contacts=())
    office.both.hear(economic_answered(command, done(command.parts[0].operation), customer=seen, version=3))
    office.at(days=4, hours=1)
    (letter,) = office.box.arrived
    assert letter["Subject"] == "1 oplysning hos jer er rettet fra Clickmate i denne uge"
    lines = body(letter).splitlines()
    assert lines[lines.index(f"{customer.name} (Kundenr. 7)") + 1] == '  Kontaktperson fjernet i e-conomic: "Ida Holm"'
    assert ("Fakturaoplysninger" in body(letter)) is (receives is not None and "e_invoices" in receives)
    assert "Fortryd" not in body(letter)
    assert "https://" not in body(letter)
    with office.both.engine.connect() as connection:
        assert connection.execute(sa.text("select count(*) from sync.letter_link")).scalar() == 0


def test_a_server_that_is_away_gets_the_mail_later_and_the_failure_is_shown(office: Office) -> None:
    office.question(7)
    office.person("anne", "user")
    office.box.taken = "451 try again"
    office.at(hours=1)
    with office.both.engine.connect() as connection:
        shown = mailbox.post(connection, TENANT)
    assert (shown.failure, shown.given_up) == ("the server answered 451", False)
    office.box.taken = "250 kept"
    office.at(hours=1, seconds=30)
    office.at(hours=1, minutes=2)
    first, second = office.box.to("anne@firma.example")
    assert first["Message-ID"] == second["Message-ID"]
    with office.both.engine.connect() as connection:
        shown = mailbox.post(connection, TENANT)
        kept = connection.execute(sa.text("select body, due from sync.mail")).one()
    assert (shown.readers, shown.failure) == (1, "")
    assert tuple(kept) == ("", None)


def test_an_address_that_is_refused_for_good_is_not_tried_again_and_keeps_nobody_from_theirs(office: Office) -> None:
    office.question(7)
    office.person("anne", "user")
    office.person("bo", "user")
    office.box.refused["anne@firma.example"] = "550 no such person"
    office.at(hours=1)
    office.at(hours=3)
    assert [str(one["To"]) for one in office.box.arrived] == ["bo@firma.example"]
    with office.both.engine.connect() as connection:
        found = connection.execute(sa.text("select failure, tries, due from sync.mail where sent is null")).one()
        assert tuple(found) == ("the address was refused (550)", 1, None)
        shown = mailbox.post(connection, TENANT)
    assert (shown.address, shown.failure, shown.given_up) == (
        "anne@firma.example", "the address was refused (550)", True,
    )  # fmt: skip
    with office.both.engine.begin() as connection:
        mailbox.address(connection, TENANT, "anne", "anne@kontor.example")
        assert mailbox.post(connection, TENANT).failure == "", "nobody is written to there any more"


def test_a_pass_that_stopped_concerns_admins_alone(office: Office) -> None:
    office.person("anne", "user")
    office.person("mette", "admin")
    with office.both.engine.begin() as connection:
        connection.execute(
            sa.text("""
                insert into sync.task (id, tenant, agreement, run, kind, fingerprint, opened)
                select gen_random_uuid(), tenant, agreement, gen_random_uuid(), 'brake', 'x', :now from sync.agreement
            """),
            {"now": A_MONDAY},
        )
    office.at(hours=1)
    assert [str(one["To"]) for one in office.box.arrived] == ["mette@firma.example"]
