"""Which customers are found to be one: certain only by CVR or EAN one each way, everything else asked or suggested."""

import pytest

from reconciler.matching import Evidence, Found, Matching, Record, candidates, match
from reconciler.rules import System

CVR, OTHER_CVR = "13748136", "25313763"
EAN, OTHER_EAN = "5790000123456", "5790000654321"


def record(number: object, **values: str) -> Record:
    return Record(id=str(number), values=values)


def pairs(found: tuple[Found, ...]) -> set[tuple[str, str]]:
    return {(one.crm, one.economic) for one in found}


def nothing(found: Matching) -> bool:
    return not (found.certain or found.suggested or found.contested)


def test_one_cvr_number_each_way_is_certain_however_it_is_spelled() -> None:
    found = match([record("a", cvr="DK 13 74 81 36")], [record(1, cvr="13748136", name="Helt Andet ApS")])
    assert [(one.evidence, one.certain, one.reasons) for one in found.certain] == [(Evidence.CVR, True, ("cvr",))]


def test_a_cvr_number_that_fails_the_check_digit_still_counts() -> None:
    assert pairs(match([record("a", cvr="12345678")], [record(1, cvr="12345678")]).certain) == {("a", "1")}


@pytest.mark.parametrize("filler", ["00000000", "11111111", "1234", "123456789", "ukendt", ""])
def test_a_filler_is_no_cvr_number(filler: str) -> None:
    assert nothing(match([record("a", cvr=filler)], [record(1, cvr=filler)]))


def test_foreign_vat_numbers_count_with_their_letters() -> None:
    assert pairs(match([record("a", cvr="DE 811 569 869")], [record(1, cvr="de811569869")]).certain) == {("a", "1")}
    assert nothing(match([record("a", cvr="DE12345678")], [record(1, cvr="12345678")]))


def test_different_cvr_numbers_are_never_one_customer_whatever_else_agrees() -> None:
    same = {"name": "Nordhavn ApS", "postcode": "8000", "phone": "86123456", "email": "a@nordhavn.dk", "ean": EAN}
    assert nothing(match([record("a", cvr=CVR, **same)], [record(1, cvr=OTHER_CVR, **same)]))


def test_a_cvr_number_is_asked_about_where_the_ean_numbers_differ() -> None:
    found = match([record("a", cvr=CVR, ean=EAN)], [record(1, cvr=CVR, ean=OTHER_EAN)])
    assert found.certain == ()
    assert [one.reasons for one in found.contested] == [("cvr", "ean_differs")]


def test_a_cvr_number_is_asked_about_where_name_and_place_are_anothers() -> None:
    found = match(
        [record("a", cvr=CVR, name="Lystrup Skole", postcode="8520")],
        [record(1, cvr=CVR, name="Plejehjemmet Vejlby", postcode="8240")],
    )
    assert [one.reasons for one in found.contested] == [("cvr", "name_differs", "postcode_differs")]
    moved = match(
        [record("a", cvr=CVR, name="Lystrup Smede A/S", postcode="8520")],
        [record(1, cvr=CVR, name="Lystrup Smede", postcode="8240")],
    )
    assert pairs(moved.certain) == {("a", "1")}


def test_two_numbers_that_agree_outweigh_a_name_and_a_place_that_differ() -> None:
    found = match(
        [record("a", cvr=CVR, ean=EAN, name="Lystrup Skole", postcode="8520")],
        [record(1, cvr=CVR, ean=EAN, name="Afdelingen for børn", postcode="8240")],
    )
    assert [one.reasons for one in found.certain] == [("cvr", "ean")]


def test_one_ean_number_each_way_is_certain() -> None:
    found = match([record("a", ean="5790 0001 23456")], [record(1, ean=EAN)])
    assert [(one.evidence, one.crm, one.economic) for one in found.certain] == [(Evidence.EAN, "a", "1")]


def test_departments_of_one_cvr_number_are_told_apart_by_ean_then_unit_then_name_and_place() -> None:
    crm = [
        record("a", cvr=CVR, name="Aarhus Kommune", ean=EAN),
        record("b", cvr=CVR, name="Aarhus Kommune", pnumber="1003000001"),
        record("c", cvr=CVR, name="Aarhus Kommune, Skolen", postcode="8000"),
        record("d", cvr=CVR, name="Aarhus Kommune, Havnen"),
        record("e", cvr=CVR, name="Aarhus Kommune, Stadion", postcode="8000"),
    ]
    economic = [
        record(1, cvr=CVR, name="Afdeling 1", ean=EAN),
        record(2, cvr=CVR, name="Afdeling 2", pnumber="1003000001"),
        record(3, cvr=CVR, name="Århus Kommune - Skolen", postcode="8000"),
        record(4, cvr=CVR, name="Århus Kommune: Havnen", postcode="8000"),
        record(5, cvr=CVR, name="Noget tredje", postcode="8000"),
    ]
    found = match(crm, economic)
    assert pairs(found.certain) == {("a", "1"), ("b", "2"), ("c", "3"), ("d", "4")}
    assert pairs(found.contested) == {("e", "5")}


def test_what_is_left_of_one_cvr_number_is_asked_about_with_every_candidate() -> None:
    found = match([record("a", cvr=CVR, name="Kæde A/S")], [record(1, cvr=CVR), record(2, cvr=CVR)])
    assert found.certain == found.suggested == ()
    assert pairs(found.contested) == {("a", "1"), ("a", "2")}
    assert (found.crm_asked, found.economic_asked) == (("a",), ("1", "2"))


def test_a_record_that_two_numbers_give_to_two_others_is_asked_about() -> None:
    found = match([record("a", cvr=CVR, ean=EAN)], [record(1, cvr=CVR), record(2, ean=EAN)])
    assert found.certain == ()
    assert pairs(found.contested) == {("a", "1"), ("a", "2")}


def test_a_number_that_a_linked_customer_holds_is_not_anothers_alone() -> None:
    crm = [record("a", cvr=CVR), record("b", cvr=CVR, name="Nord ApS")]
    economic = [record(1, cvr=CVR), record(2, cvr=CVR, name="Syd ApS")]
    found = match(crm, economic, linked=[("a", "1")])
    assert (pairs(found.certain), pairs(found.contested)) == (set(), {("b", "2")})


def test_not_the_same_excludes_for_good() -> None:
    same = {"cvr": CVR, "name": "Nordhavn ApS", "postcode": "8000", "phone": "86123456"}
    found = match([record("a", **same)], [record(1, **same)], apart=[("a", "1")])
    assert nothing(found)
    assert (found.crm_only, found.economic_only) == (("a",), ("1",))


def test_customer_numbers_prove_nothing() -> None:
    assert nothing(match([record(1042, name="Nord ApS")], [record(1042, name="Syd ApS")]))


@pytest.mark.parametrize(
    ("one", "other", "evidence"),
    [
        ({"name": "Åby Smede A/S", "postcode": "8230"}, {"name": "Aaby Smede", "postcode": "DK-8230"}, "name_postcode"),
        ({"name": "Vest & Co", "phone": "+45 86 12 34 56"}, {"name": "Vest og Co", "mobile": "86123456"}, "name_phone"),
        (
            {"name": "Øens Bageri", "email": "a@oens.dk"},
            {"name": "Øens bageri ApS", "email": "b@oens.dk"},
            "name_email",
        ),
        ({"name": "Nord ApS", "email": "Kontakt@nord.dk"}, {"name": "Syd", "email": "kontakt@nord.dk"}, "email"),
        ({"name": "Nord ApS", "phone": "86123456"}, {"name": "Syd ApS", "phone": "86123456"}, "phone"),
        ({"name": "Bo Byg ApS", "city": "Århus C"}, {"name": "Bo Byg", "city": "Aarhus N"}, "name_city"),
    ],
)
def test_weaker_evidence_is_only_suggested(one: dict[str, str], other: dict[str, str], evidence: str) -> None:
    found = match([record("a", **one)], [record(1, **other)])
    assert (found.certain, found.contested) == ((), ())
    assert [str(one.evidence) for one in found.suggested] == [evidence]


@pytest.mark.parametrize(
    "same",
    [
        {"name": "Jens Hansen"},
        {"name": "Jens Hansen", "city": "Odense"},
    ],
)
def test_private_persons_are_never_found_by_name_alone(same: dict[str, str]) -> None:
    assert nothing(match([record("a", **same)], [record(1, **same)]))


@pytest.mark.parametrize(("street", "reason"), [("Nygade 7", "street_differs"), ("", "street_unknown")])
def test_private_persons_of_one_name_and_postcode_are_asked_about_singly(street: str, reason: str) -> None:
    same = {"name": "Jens Hansen", "postcode": "5000"}
    found = match([record("a", **same, street="Vestergade 3")], [record(1, **same, street=street)])
    assert (found.certain, found.suggested) == ((), ())
    assert [one.reasons for one in found.contested] == [("name", "postcode", reason)]


def test_namesakes_of_one_town_are_not_asked_about_when_they_are_many() -> None:
    crm = [record(f"a{nth}", name="Jens Hansen", postcode="5000", street=f"Vestergade {nth}") for nth in range(1, 4)]
    assert nothing(match(crm, [record(1, name="Jens Hansen", postcode="5000", street="Nygade 7")]))


def test_private_persons_are_suggested_by_name_and_the_same_door() -> None:
    same = {"name": "Jens Hansen", "postcode": "5000", "street": "Vestergade 3, 2. tv"}
    assert pairs(match([record("a", **same)], [record(1, **same | {"street": "Vestergade 3"})]).suggested) == {
        ("a", "1")
    }


def test_values_that_more_than_two_customers_of_a_side_hold_are_no_evidence() -> None:
    shared = {"email": "faktura@regnskab.dk", "phone": "70101010"}
    crm = [record(name, name=f"{name} ApS", **shared) for name in ("Alfa", "Beta", "Gamma")]
    assert nothing(match(crm, [record(1, name="Delta", **shared)]))
    assert nothing(match([record("a", name="Delta", **shared)], [record(n, **shared) for n in (1, 2, 3)]))


def test_a_contact_persons_address_counts_only_when_it_is_one_customers() -> None:
    person = ({"email": "mette@nord.dk"},)
    one = Record(id="a", values={"name": "Nord"}, persons=person)
    assert pairs(match([one], [record(1, name="Syd", email="mette@nord.dk")]).suggested) == {("a", "1")}
    second = Record(id="b", values={"name": "Vest"}, persons=person)
    assert nothing(match([one, second], [record(1, name="Syd", email="mette@nord.dk")]))


def test_the_best_whole_is_chosen_where_a_greedy_one_goes_wrong() -> None:
    crm = [
        record("a", name="Havnens Smedje", postcode="9000", street="Kajen 1", phone="98111111", email="h@smedje.dk"),
        record("b", name="Havnens Smedje", postcode="9000", street="Kajen 1"),
    ]
    economic = [
        record(1, name="Havnens Smedje", postcode="9000", street="Kajen 1", phone="98111111"),
        record(2, name="Smedjen i Nord", postcode="9000", email="h@smedje.dk"),
    ]
    strongest = max(candidates(crm[0], economic), key=lambda one: one.score)
    assert strongest.economic == "1"
    assert pairs(match(crm, economic).suggested) == {("a", "2"), ("b", "1")}


def test_two_equally_good_pairings_are_a_question() -> None:
    same = {"name": "Nord ApS", "postcode": "8000"}
    found = match([record("a", **same), record("b", **same)], [record(1, **same)])
    assert found.suggested == ()
    assert pairs(found.contested) == {("a", "1"), ("b", "1")}


@pytest.mark.slow
def test_five_thousand_customers_of_one_cvr_number_are_all_asked_about_and_do_not_explode() -> None:
    crm = [record(f"a{nth}", cvr=CVR, name=f"Afdeling {nth % 90}", postcode="8000") for nth in range(5000)]
    economic = [record(nth, cvr=CVR, name=f"Kontor {nth % 70}", postcode="8000") for nth in range(5000)]
    found = match(crm, economic)
    assert (found.certain, found.suggested, found.crm_only, found.economic_only) == ((), (), (), ())
    assert len(found.crm_asked) == len(found.economic_asked) == 5000
    assert len(found.contested) <= 100_000


def test_a_companys_name_alone_is_asked_about() -> None:
    one, other = record("a", name="Struer Stole", postcode="7600"), record(1, name="Struer Stole ApS", postcode="3700")
    found = match([one], [other])
    assert found.suggested == ()
    assert [(one.evidence, one.reasons) for one in found.contested] == [(Evidence.NAME, ("name", "postcode_differs"))]
    second = record(2, name="Struer Stole A/S", postcode="2100")
    assert pairs(match([one], [other, second]).contested) == {("a", "1"), ("a", "2")}


def test_companies_of_one_name_and_postcode_are_asked_about_however_many_up_to_twenty() -> None:
    same = {"name": "Struer Stole ApS", "postcode": "7600"}
    many = [record(nth, **same) for nth in range(21)]
    for some in (many[:3], many[:20]):
        found = match([record("a", cvr=CVR, **same)], some)
        assert (found.certain, found.suggested) == ((), ())
        assert len(found.contested) == len(some)
        assert found.crm_only == ()
    assert match([record("a", cvr=CVR, **same)], many).contested == ()


def test_a_company_of_a_name_whose_partner_is_found_is_no_candidate_of_its_namesake_elsewhere() -> None:
    mine = record("a", name="Struer Stole ApS", postcode="7600")
    found = match(
        [mine], [record(1, name="Struer Stole", postcode="7600"), record(2, name="Struer Stole A/S", postcode="2100")]
    )
    assert (pairs(found.suggested), found.contested, found.economic_only) == ({("a", "1")}, (), ("2",))


def test_companies_of_one_name_that_pair_by_their_places_are_no_question() -> None:
    crm = [record(name, name="Struer Stole", postcode=name) for name in ("7600", "3700", "2100")]
    economic = [record(nth, name="Struer Stole ApS", postcode=one.id) for nth, one in enumerate(crm, 1)]
    found = match(crm, economic)
    assert pairs(found.suggested) == {("7600", "1"), ("3700", "2"), ("2100", "3")}
    assert found.contested == ()


def test_firms_of_one_name_at_one_door_are_asked_about_singly() -> None:
    same = {"street": "Havnen 1", "postcode": "8000"}
    found = match([record("a", name="Lund ApS", **same)], [record(1, name="Lund Holding ApS", cvr=CVR, **same)])
    assert found.suggested == ()
    assert [one.reasons for one in found.contested] == [("street", "postcode", "name_differs")]


def test_barred_customers_are_matched_like_others() -> None:
    barred = Record(id="1", values={"cvr": CVR}, barred=True)
    assert pairs(match([record("a", cvr=CVR)], [barred]).certain) == {("a", "1")}


def test_names_of_nothing_of_marks_and_of_a_page_are_fine() -> None:
    odd = ["", "\x00\x1f", "\u202eSpA trohdroN\u202c", "!!!", "x" * 100_000, "A/S", "v/", "\u200f"]
    crm = [record(f"c{nth}", name=name, postcode="8000") for nth, name in enumerate(odd)]
    economic = [record(nth, name=name, postcode="8000") for nth, name in enumerate(odd)]
    found = match(crm, economic)
    assert found.certain == ()
    assert {one.crm for one in found.suggested} <= {"c2", "c4", "c5", "c6"}


def test_candidates_of_one_record_come_best_first_and_a_certain_one_alone() -> None:
    mine = record("a", cvr=CVR, name="Nord ApS", postcode="8000", phone="86123456")
    found = candidates(mine, [record(1, phone="86123456"), record(2, name="Nord", postcode="8000")])
    assert [(one.economic, one.certain) for one in found] == [("2", False), ("1", False)]
    found = candidates(mine, [record(1, phone="86123456"), record(2, cvr=CVR)])
    assert [(one.economic, one.certain) for one in found] == [("2", True)]


def test_candidates_are_uncertain_while_another_of_its_own_side_has_the_number_too() -> None:
    theirs = record(7, cvr=CVR)
    found = candidates(theirs, [record("a", cvr=CVR)], side=System.ECONOMIC, own=[theirs, record(8, cvr=CVR)])
    assert [(one.crm, one.economic, one.certain) for one in found] == [("a", "7", False)]
    assert candidates(theirs, [record("a", cvr=CVR)], [("a", "7")], side=System.ECONOMIC) == ()
