"""A letter's link shows one change and undoes it, once: without a sign-in, for its reader, as long as an admin allows it."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from crm_outbox.contract import Customer
from economic_adapter.contract import WriteEconomicCustomer
from reconciler import people
from reconciler.mail import rounds
from reconciler.mail.rounds import Post
from reconciler.rules import Transfer
from reconciler.settings import MailServer
from tests.builders.meeting import Both
from tests.builders.sync import TENANT, done, economic_answered, there
from tests.integration.mail.postbox import Opened, Postbox, body
from tests.integration.web.browsing import CRM, Browser, Pages, ask

LAUNCH = f"{CRM}/economic/launch"
A_FRIDAY = datetime(2026, 11, 27, 7, 0, tzinfo=UTC)
"""Eight on a Danish clock."""
READER = "bogholder@firma.example"


@dataclass
class Office:
    """A tenant in whose e-conomic Clickmate changed an address and a phone this week, and a reader of letters."""

    pages: Pages
    both: Both
    box: Postbox
    post: Post
    customer: Customer
    admin: Browser

    def allow(self, *, on: bool = True, to: str = READER) -> None:
        """As the admin's page does."""
        fields = {"form_token": self.admin.token("/set-up/mail"), "letter_to": to}
        answer = self.admin.post("/set-up/mail", {**fields, **({"letter_links": "yes"} if on else {})})
        assert answer.status_code == 303, answer.text

    def letter(self) -> str:
        """The newest letter that arrived by now."""
        rounds.turn(self.post)
        return body(self.box.arrived[-1])

    def paths(self) -> list[str]:
        """The links of the letter, as paths: of its address and of its phone."""
        found = re.findall(rf"{re.escape(self.pages.url)}(/letter/\S+)", self.letter())
        assert [found.count(one) for one in dict.fromkeys(found)] == [2, 1], "a group of details is one change"
        return list(dict.fromkeys(found))

    def written(self) -> list[dict[str, str]]:
        """What was told to be written to e-conomic since it was asked last."""
        return [part.fields for one in self.both.said_only(WriteEconomicCustomer) for part in one.parts]


@pytest.fixture
def office(pages: Pages) -> Iterator[Office]:
    opened = Opened()
    both = Both(engine=pages.engine, time=A_FRIDAY - timedelta(days=2))
    both.switch_on(Transfer.CREATED)
    customer = both.linked(7, cvr="12345678", name="Nordhavn", street="Havnegade 1", city="Odense", phone="11111111")
    edited = customer.model_copy(update={"street": "Havnegade 14", "city": "Aarhus", "phone": "22222222"})
    both.in_crm(edited, 2)
    (command,) = both.said_only(WriteEconomicCustomer)
    seen = there(edited, 7, "v2", contacts=())
    both.hear(economic_answered(command, done(command.parts[0].operation), customer=seen, version=2))
    both.said()
    pages.time = A_FRIDAY
    server = MailServer(host="127.0.0.1", port=opened.box.port, sender="Clickmate <sync@clickmate.example>", plain=True)
    post = Post(engine=pages.engine, now=lambda: pages.time, server=server, launch=LAUNCH, pages=pages.url)
    admin = pages.arrive(tenant=TENANT, role="admin", sub="u9", name="Mette Krogh")
    yield Office(pages, both, opened.box, post, edited, admin)
    opened.close()


def test_nobody_has_allowed_it_and_links_lead_through_the_crm(office: Office) -> None:
    assert "checked" not in office.admin.get("/set-up/mail").text
    office.allow(on=False)
    assert office.letter().count(f"Fortryd: {LAUNCH}?to=%2Fcustomers%2F{office.customer.id}") == 3
    assert "/letter/" not in body(office.box.arrived[-1])


def test_looking_uses_nothing_and_a_press_undoes_that_change_alone_once(office: Office) -> None:
    office.allow()
    assert "checked" in office.admin.get("/set-up/mail").text
    address, _ = office.paths()
    reader = office.pages.browser()
    for _ in range(3):
        shown = reader.get(address)
        assert (shown.status_code, shown.headers["cache-control"]) == (200, "no-store")
        assert shown.headers["referrer-policy"] == "no-referrer"
        assert reader.client.head(reader.url + address).status_code == 200
        assert re.search(r"Nordhavn.*Havnegade 1<.*Havnegade 14<.*Odense.*Aarhus", shown.text, re.DOTALL)
        assert "11 11 11 11" not in shown.text
        assert "set-cookie" not in shown.headers
    assert office.written() == []
    pressed = reader.post(address, {})
    assert (pressed.status_code, pressed.headers["location"]) == (303, address)
    assert office.written() == [{"street": "Havnegade 1", "city": "Odense"}]
    for _ in range(2):
        after = reader.get(address)
        assert "Gemt. Det føres tilbage i e-conomic." in after.text
        assert "Nordhavn" not in after.text
        assert "<form" not in after.text
        reader.post(address, {})
    assert office.written() == []


def test_it_is_told_who_undid_it_and_the_colleagues_are_asked(office: Office) -> None:
    office.allow()
    _, phone = office.paths()
    reader = office.pages.browser()
    reader.post(phone, {})
    (command,) = office.both.said_only(WriteEconomicCustomer)
    assert command.parts[0].fields == {"phone": "11111111"}
    back = there(office.customer, 7, "v3", contacts=(), phone="11111111")
    office.both.hear(economic_answered(command, done(command.parts[0].operation), customer=back, version=3))
    assert "Fortrudt i dag kl. 08.00" in reader.get(phone).text
    assert "Undone today at 08:00" in reader.get(f"{phone}?lang=en").text
    user = office.pages.arrive(tenant=TENANT)
    assert READER in user.get("/history").text
    assert "Telefon" in user.get("/").text
    assert office.written() == []


def test_what_was_edited_since_stays_and_is_said(office: Office) -> None:
    office.allow()
    _, phone = office.paths()
    office.both.in_crm(office.customer.model_copy(update={"phone": "33333333"}), 3)
    (command,) = office.both.said_only(WriteEconomicCustomer)
    seen = there(office.customer, 7, "v3", contacts=(), phone="33333333")
    office.both.hear(economic_answered(command, done(command.parts[0].operation), customer=seen, version=3))
    office.both.said()
    reader = office.pages.browser()
    reader.post(phone, {})
    assert "Kan ikke fortrydes: oplysningen er rettet i mellemtiden" in reader.get(phone).text
    assert office.written() == []


def over(office: Office, path: str) -> None:
    """It opens nothing any more, and does nothing."""
    reader = office.pages.browser()
    shown = reader.get(path)
    assert shown.status_code == 404
    assert "Linket gælder ikke længere. Åbn siden fra Clickmate." in shown.text
    assert "Nordhavn" not in shown.text
    reader.post(path, {})
    assert office.written() == []


def test_it_opens_for_two_weeks(office: Office) -> None:
    office.allow()
    address, phone = office.paths()
    office.pages.time += timedelta(days=13, hours=23)
    assert office.pages.browser().get(address).status_code == 200
    office.pages.time += timedelta(hours=2)
    over(office, phone)


def test_turned_off_what_was_sent_ends_for_good(office: Office) -> None:
    office.allow()
    address, phone = office.paths()
    office.allow(on=False)
    over(office, address)
    office.allow()
    over(office, phone)


def test_who_is_written_to_no_more_holds_nothing(office: Office) -> None:
    office.allow()
    address, _ = office.paths()
    office.allow(to=f"other@firma.example\n{READER}")
    assert office.pages.browser().get(address).status_code == 200
    office.allow(to="other@firma.example")
    over(office, address)


def test_what_opens_it_stands_nowhere_but_in_the_mail(office: Office) -> None:
    office.allow()
    office.box.taken = "451 try again"
    tokens = re.findall(r"/letter/(\S+)", office.letter())
    with office.pages.engine.connect() as connection:
        names = connection.scalars(sa.text("select tablename from pg_tables where schemaname = 'sync'")).all()
        held = "".join(
            str(connection.scalars(sa.text(f"select cast(t as text) from sync.{name} t")).all()) for name in names
        )
    assert READER in held
    assert tokens
    assert not [one for one in tokens if one in held]


def test_a_mail_that_was_tried_again_has_links_that_are_used_together(office: Office) -> None:
    office.allow()
    office.box.taken = "451 try again"
    rounds.turn(office.post)
    office.pages.time += timedelta(minutes=2)
    rounds.turn(office.post)
    first, second = (re.findall(r"/letter/\S+", body(one))[-1] for one in office.box.arrived)
    assert first != second
    reader = office.pages.browser()
    reader.post(first, {})
    assert office.written() == [{"phone": "11111111"}]
    reader.post(second, {})
    assert office.written() == []
    assert "Gemt. Det føres tilbage i e-conomic." in reader.get(second).text


def test_turned_off_before_the_mail_left_its_links_lead_through_the_crm(office: Office) -> None:
    office.allow()
    office.box.taken = "451 try again"
    rounds.turn(office.post)
    office.allow(on=False)
    office.pages.time += timedelta(minutes=2)
    assert office.letter().count(f"Fortryd: {LAUNCH}?to=") == 3


def test_pressed_many_times_at_once_it_is_one_decision(office: Office) -> None:
    office.allow()
    _, phone = office.paths()
    browsers = [office.pages.browser() for _ in range(6)]
    with ThreadPoolExecutor(6) as threads:
        statuses = [one.status_code for one in threads.map(lambda one: one.post(phone, {}), browsers)]
    assert statuses == [303] * 6
    assert office.written() == [{"phone": "11111111"}]
    with office.pages.engine.connect() as connection:
        assert connection.scalar(sa.text("select count(*) from sync.decision")) == 1


def test_another_site_presses_nothing(office: Office) -> None:
    office.allow()
    address, _ = office.paths()
    client = office.pages.browser().client
    for headers in ({}, {"sec-fetch-site": "cross-site"}, {"origin": CRM}):
        assert client.post(office.pages.url + address, headers=headers).status_code == 403
    assert office.written() == []


def test_a_service_undoes_the_same_by_the_history(office: Office) -> None:
    with office.pages.engine.begin() as connection:
        _, key = people.make_key(connection, TENANT, "crm", "user", office.pages.time)
        _, other = people.make_key(connection, "other", "crm", "admin", office.pages.time)
    where, held = f"{office.pages.url}/api/v1/history", {"authorization": f"Bearer {key}"}
    written = next(
        one
        for one in ask("GET", where, headers=held).json()["history"]
        if (one["system"], one["action"]) == ("economic", "change")
    )
    undo = f"{where}/{written['id']}/phone/undo"
    assert ask("POST", undo, headers={"authorization": f"Bearer {other}"}).status_code == 404
    assert ask("POST", f"{where}/{written['id']}/email/undo", headers=held).status_code == 409, "it wrote none"
    first, second = (ask("POST", undo, headers=held) for _ in range(2))
    assert (first.status_code, first.json()) == (200, second.json())
    assert office.written() == [{"phone": "11111111"}]


def test_a_service_allows_it_as_the_page_does(office: Office) -> None:
    with office.pages.engine.begin() as connection:
        _, key = people.make_key(connection, TENANT, "crm", "admin", office.pages.time)
    where, held = f"{office.pages.url}/api/v1/set-up/mail", {"authorization": f"Bearer {key}"}
    assert ask("GET", where, headers=held).json()["letter_links"] is False
    given = {"letter_to": [READER], "letter_links": True}
    assert ask("PATCH", where, json=given, headers=held).json()["letter_links"] is True
    address, _ = office.paths()
    assert ask("PATCH", where, json={"letter_to": [READER]}, headers=held).json()["letter_links"] is True
    assert office.pages.browser().get(address).status_code == 200
    assert ask("PATCH", where, json={"letter_links": False}, headers=held).json()["letter_links"] is False
    over(office, address)
    assert ask("PATCH", where, json={"letter_links": "yes"}, headers=held).status_code == 422
