"""A decision about very many is about what is shown, in its order, and nobody else; pressing it is as much work for many as for few."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from reconciler import bulking, bulks, differences, enlisted, suggesting, suggestions
from reconciler.enlisted import Made, Marked
from reconciler.narrowing import Filter
from reconciler.parts import Part
from tests.builders.sync import AGREEMENT, TENANT
from tests.integration.web.browsing import Pages
from tests.integration.web.shop import Clicks, Shop
from tests.integration.web.statements import carried_by
from tests.integration.web.test_differences import forty
from tests.integration.web.test_suggestions import look, pair

EVERY = suggestions.EVERY
WAYS = ("phone", "cvr", "email", "phone", "ean", "email", "phone")


@pytest.fixture
def shop(pages: Pages) -> Shop:
    return Shop(pages)


def made(shop: Shop, **given: str) -> Made:
    whole = {"tenant": TENANT, "kind": "settle", "what": "crm", "session": "s", "filter": "?f", **given}
    return Made(id=uuid4(), who=("Anne Holm", "u1"), now=shop.both.time, **whole)


def stored(connection: sa.Connection, bulk: UUID) -> list[bulks.Item]:
    return list(bulks.items(connection, TENANT, bulk))


def test_of_very_many_lines_those_that_are_shown_are_stored_in_their_order_and_no_others(shop: Shop) -> None:
    forty(shop)
    filters = [Filter(), Filter(detail="phone"), Filter(detail="name"), Filter(customer="c104")]
    with shop.pages.engine.begin() as connection:
        for wanted, most in product(filters, (1, 7, 19, 100)):
            shown = differences.shown(connection, TENANT, wanted, shop.both.resend, limit=most)
            expected: dict[UUID, list[Part]] = {}
            for line in shown:
                expected.setdefault(line.link, []).append(Part(detail=line.detail))
            one = made(shop)
            enlisted.lines(connection, one, wanted, most)
            told, items = bulks.find(connection, TENANT, one.id), stored(connection, one.id)
            assert told is not None
            assert (told.kind, told.what, told.who, told.who_id) == ("settle", "crm", "Anne Holm", "u1")
            assert (told.state, told.at, told.session, told.filter) == ("previewed", one.now, "s", "?f")
            assert (told.total, told.listed, told.excluded) == (len(shown), len(expected), 0)
            assert [(each.link, list(each.parts)) for each in items] == list(expected.items())
            assert [each.position for each in items] == list(range(1, len(expected) + 1))
            assert {(each.state, each.crm_id, each.number, each.decision) for each in items} == {
                ("listed", None, None, None)
            }
            assert differences.more_than(connection, TENANT, wanted, most) == (
                len(differences.shown(connection, TENANT, wanted, shop.both.resend, limit=100)) > most
            )


def test_of_nothing_there_is_no_decision_and_of_one_form_only_the_first(shop: Shop) -> None:
    forty(shop)
    first = made(shop)
    with shop.pages.engine.begin() as connection:
        enlisted.lines(connection, made(shop), Filter(detail="cvr"), 100)
        enlisted.lines(connection, made(shop, tenant="other"), Filter(), 100)
        assert not enlisted.pairs(connection, made(shop), AGREEMENT, Marked(everything_of=EVERY), EVERY, 100)
        assert connection.scalar(sa.text("select count(*) from sync.bulk")) == 0
        enlisted.lines(connection, first, Filter(detail="name"), 100)
        before = stored(connection, first.id)
        enlisted.lines(connection, first, Filter(), 100)
        enlisted.lines(connection, replace(first, tenant="other"), Filter(), 100)
        assert stored(connection, first.id) == before


def cases(every: list[tuple[str, int, str]]) -> Iterator[tuple[Marked, tuple[str, ...], int]]:
    """What may be marked of these, which groups may be linked, and how many at most."""
    pairs = [one[:2] for one in every]
    marks = [
        Marked(), Marked(pairs=pairs[1:5]), Marked(pairs=[*pairs[:2], ("nobody", 1), (pairs[3][0], pairs[4][1])]),
        Marked(everything_of=EVERY), Marked(everything_of=("phone",)), Marked(everything_of=("email", "cvr")),
        Marked(everything_of=EVERY, but=[*pairs[2:4], ("nobody", 1)]), Marked(everything_of=("phone",), but=pairs),
        Marked(everything_of=("ean",), pairs=pairs),
    ]  # fmt: skip
    yield from product(marks, (EVERY, suggestions.STRONG, ("phone",), ()), (2, 100))


def test_of_suggested_pairs_those_that_were_marked_and_may_be_linked_are_stored_the_strongest_first(shop: Shop) -> None:
    shop.both.set(state="off")
    for nth, way in enumerate(WAYS):
        pair(shop, nth, way)
    look(shop, shop.arrive())
    with shop.pages.engine.begin() as connection:
        shown = suggestions.shown(connection, TENANT, AGREEMENT, EVERY)
        every = [(one.crm_id, one.number, str(one.evidence)) for one in shown]
        assert len(every) == len(WAYS)
        for marked, able, most in cases(every):
            whole = bool(marked.everything_of)
            meant = [
                one for one in every
                if (one[2] in marked.everything_of and one[:2] not in marked.but if whole else one[:2] in marked.pairs)
            ]  # fmt: skip
            expected = [one for one in meant if one[2] in able]
            one = made(shop, kind="link", what="")
            assert enlisted.pairs(connection, one, AGREEMENT, marked, able, most) == bool(meant)
            told, items = bulks.find(connection, TENANT, one.id), stored(connection, one.id)
            assert (told is not None) == bool(expected)
            if told is not None:
                assert (told.kind, told.what, told.state, told.agreement) == ("link", "", "running", AGREEMENT)
                assert (told.total, told.excluded) == (len(items), 0 if whole else len(meant) - len(expected))
            assert [(each.crm_id, each.number, each.parts) for each in items] == [
                (crm_id, number, (Part(detail=evidence),)) for crm_id, number, evidence in expected[:most]
            ]
            assert {(each.state, each.link) for each in items} <= {("planned", None)}
            assert [each.position for each in items] == list(range(1, len(items) + 1))


def test_a_group_that_may_not_be_linked_takes_nobodys_place(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulking, "MOST", 2)
    shop.both.set(state="off")
    for nth in range(4):
        pair(shop, nth, ("email", "phone")[nth % 2])
    user = look(shop, shop.arrive("admin"))
    user.press("Godkend gruppen: Samme telefon (2)")
    user.follow("Vælg alle viste (2)").press("Tilknyt de markerede (2)")
    assert shop.bulk(user.at).total == 2, "as many as the button says"


def pressed(shop: Shop, by: Clicks, says: str) -> list[int]:
    """How much goes to and fro when that button is pressed."""
    target, fields = by.form(says)
    with carried_by(shop.pages.engine) as carried:
        answer = by.browser.post(target, fields)
    assert "/bulk/" in answer.headers["location"]
    by.open(answer.headers["location"])
    return carried


def test_one_choice_for_very_many_is_as_much_work_to_press_as_for_few(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulking, "AT_ONCE", 1)
    mine, found = shop.arrive(), []
    for first, many in ((100, 2), (102, 20)):
        for number in range(first, 100 + many):
            shop.linked(number, elsewhere={"phone": f"2222{number:04}"}, phone=f"1111{number:04}")
        found.append(pressed(shop, mine.open("/differences"), f"Brug e-conomic for alle viste ({many})"))
        assert shop.bulk(mine.at).listed == many
    assert found[0] == found[1]


def test_linking_very_many_is_as_much_work_to_press_as_for_few(shop: Shop) -> None:
    shop.both.set(state="off")
    mine, found = shop.arrive(), []
    for first, many in ((0, 2), (2, 20)):
        for nth in range(first, many):
            pair(shop, nth, "cvr")
        mine.browser.post("/suggestions/search", {"form_token": mine.browser.token()})
        suggesting.carry_on(shop.pages.engine, shop.both.clocked)
        mine.open("/suggestions")
        found.append(pressed(shop, mine.follow(f"Vælg alle viste ({many})"), f"Tilknyt de markerede ({many})"))
        assert shop.bulk(mine.at).total == many
    assert found[0] == found[1]
