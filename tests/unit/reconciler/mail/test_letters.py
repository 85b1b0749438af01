"""What mails say: counts in their subject and no customer, links that lead through the CRM, names of one line."""

from datetime import UTC, datetime, timedelta

from reconciler.contract import TaskKind
from reconciler.mail import letters
from reconciler.mailbox import Waiting, Written
from reconciler.web.words import Words

NOW = datetime(2026, 11, 27, 7, 0, tzinfo=UTC)
DANISH, ENGLISH = Words("da", NOW), Words("en", NOW)


def link(path: str) -> str:
    return f"https://crm.example/launch?to={path}"


def undo(one: Written) -> str:
    return link(letters.at(one.customer))


def waiting(name: str, days: int, customer: str | None = "1") -> Waiting:
    kind: TaskKind = "values"
    return Waiting(customer=customer, name=name, kind=kind, opened=NOW - timedelta(days=days))


def written(
    field: str, before: str, after: str, *, gets_invoices: bool = False, removed: bool = False, **more: str
) -> Written:
    record = more.get("record", "customer")
    assert record in {"customer", "contact"}
    return Written(
        write=1, customer="1", number=10042, name="Nordhavn ApS", field=field, before=before, after=after,
        record="contact" if record == "contact" else "customer", gets_invoices=gets_invoices, removed=removed,
    )  # fmt: skip


def test_a_digest_counts_customers_and_not_questions() -> None:
    said = letters.digest(DANISH, [waiting("Nordhavn", 1), waiting("Nordhavn", 2)], link)
    assert said.subject == "1 kunde venter på dit valg"
    assert "Den ældste har ventet siden 25. nov. 2026." in said.body
    said = letters.digest(ENGLISH, [waiting("Nordhavn", 1), waiting("Søgaard", 0, "2")], link)
    assert said.subject == "2 customers wait for your choice"


def test_no_subject_names_a_customer() -> None:
    said = letters.digest(DANISH, [waiting("Nordhavn", 1)], link)
    assert "Nordhavn" not in said.subject
    assert "Nordhavn" in said.body


def test_what_nobody_touched_for_three_working_days_stands_first() -> None:
    found = [waiting("new", 0, "1"), waiting("old", 6, "2"), waiting("older", 9, "3")]
    body = letters.digest(DANISH, found, link).body
    assert body.index("older") < body.index("old\n") < body.index("new")


def test_a_digest_names_twenty_and_says_how_many_more() -> None:
    found = [waiting(f"customer {n}", 0, str(n)) for n in range(23)]
    body = letters.digest(DANISH, found, link).body
    assert body.count("/customers/") == 20
    assert "og 3 til" in body


def test_a_name_cannot_write_lines_of_its_own() -> None:
    body = letters.digest(DANISH, [waiting("Nordhavn\r\nhttps://evil.example\u2028x", 1)], link).body
    assert "Nordhavn https://evil.example x\n" in body


def test_a_letter_has_what_is_on_invoices_first_and_each_with_its_way_back() -> None:
    changes = [written("phone", "12345678", "87654321"), written("name", "Nordhavn", "Nordhavn ApS")]
    said = letters.letter(DANISH, changes, undo)
    assert said.subject == "2 oplysninger hos jer er rettet fra Clickmate i denne uge"
    assert said.body.index("Fakturaoplysninger") < said.body.index('Navn: "Nordhavn" -> "Nordhavn ApS"')
    assert said.body.index('Navn: "Nordhavn"') < said.body.index("Andet")
    assert said.body.index("Andet") < said.body.index('Telefon: "12 34 56 78" -> "87 65 43 21"')
    assert said.body.count("Fortryd: https://crm.example/launch?to=/customers/1") == 2


def test_a_contact_persons_name_is_no_invoice_detail() -> None:
    said = letters.letter(DANISH, [written("name", "", "Jens", record="contact")], undo)
    assert said.subject == "1 oplysning hos jer er rettet fra Clickmate i denne uge"
    assert "Fakturaoplysninger" not in said.body
    assert 'Kontaktperson, Navn: (tomt) -> "Jens"' in said.body


def test_lost_access_says_since_when_and_where_to_go() -> None:
    said = letters.lost(ENGLISH, NOW, link)
    assert said.subject == "Clickmate has lost access to e-conomic"
    assert "e-conomic has refused our access since 08:00. Nothing is lost." in said.body
    assert link("/set-up") in said.body


def test_the_address_of_who_gets_copies_of_invoices_stands_with_what_is_on_them() -> None:
    theirs = written("email", "a@firma.example", "b@firma.example", record="contact", gets_invoices=True)
    changes = [
        written("phone", "12345678", "87654321", record="contact", gets_invoices=True),
        written("email", "c@firma.example", "d@firma.example", record="contact"),
        theirs,
    ]
    body = letters.letter(ENGLISH, changes, undo).body
    first, _, others = body.partition("Other")
    assert "Invoice details" in first
    assert 'Contact person, E-mail: "a@firma.example" -> "b@firma.example"' in first
    assert 'E-mail: "c@firma.example"' in others
    assert "Phone" in others


def test_whoever_was_removed_stands_in_the_letter_without_a_way_back() -> None:
    gone = written("name", "Ida Holm", "", record="contact", removed=True)
    said = letters.letter(DANISH, [gone], undo)
    assert said.subject == "1 oplysning hos jer er rettet fra Clickmate i denne uge"
    assert 'Nordhavn ApS (Kundenr. 10042)\n  Kontaktperson fjernet i e-conomic: "Ida Holm"\n' in said.body
    assert "Fakturaoplysninger" not in said.body
    assert "Fortryd" not in said.body
    assert "https://" not in said.body


def test_whoever_was_removed_and_got_copies_of_invoices_stands_with_what_is_on_them() -> None:
    changes = [
        written("phone", "12345678", "87654321"),
        written("name", "Bo Dam", "", record="contact", removed=True),
        written("name", "Ida Holm", "", record="contact", removed=True, gets_invoices=True),
    ]
    body = letters.letter(ENGLISH, changes, undo).body
    first, _, others = body.partition("Other")
    assert "Invoice details" in first
    assert 'Contact person removed in e-conomic: "Ida Holm"' in first
    assert "Undo" not in first
    assert 'Contact person removed in e-conomic: "Bo Dam"' in others
    assert others.count("Undo: ") == 1
