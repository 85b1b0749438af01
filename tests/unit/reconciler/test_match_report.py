"""On customers of whom it is known who is who: no wrong automatic link, and at least so much found."""

import pytest

from reconciler import match_report
from reconciler.matching import Evidence, Found, Matching, Record


def test_the_danish_set_is_large_and_holds_what_is_not_the_same() -> None:
    labelled = match_report.danish()
    assert len(labelled.true) >= 200
    lone = len(labelled.crm) + len(labelled.economic) - 2 * len(labelled.true)
    assert lone >= 80
    assert len(set(labelled.kinds.values())) >= 20


def test_no_danish_customer_is_linked_wrongly_and_nearly_all_are_found() -> None:
    score = match_report.score(match_report.danish())
    assert score.wrong_links == ()
    assert score.recall >= 0.94
    assert score.precision >= 0.97
    assert score.missed <= 2
    assert {evidence for evidence, certain in score.found if certain} == {Evidence.CVR, Evidence.EAN}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "recall"), [("febrl1", 0.58), ("febrl2", 0.73), ("febrl3", 0.71), ("febrl4", 0.60)])
def test_of_persons_known_by_name_and_address_none_is_linked_by_itself_and_suggestions_are_right(
    name: str, recall: float
) -> None:
    score = match_report.score(match_report.febrl(name))
    assert not any(certain for _, certain in score.found)
    assert score.precision >= 0.999
    assert score.recall >= recall


def test_a_wrong_link_is_seen_and_told() -> None:
    labelled = match_report.Labelled(
        name="two",
        crm=(Record(id="a", values={}), Record(id="b", values={})),
        economic=(Record(id="1", values={}), Record(id="2", values={})),
        crm_truth={"a": "x", "b": "y"},
        economic_truth={"1": "y", "2": "x"},
        kinds={"x": "chain", "y": "chain"},
    )
    link = Found(crm="a", economic="1", evidence=Evidence.CVR, reasons=("cvr",), certain=True)
    asked = Found(crm="b", economic="1", evidence=Evidence.CVR, reasons=("cvr",))
    found = Matching(certain=(link,), suggested=(), contested=(asked,), crm_only=(), economic_only=())
    score = match_report.score(labelled, found)
    assert score.wrong_links == (("a", "1"),)
    assert (score.asked, score.missed, score.recall, score.precision) == (1, 1, 0.0, 0.0)
    lines = "\n".join(match_report.table(score))
    assert "wrong automatic links: 1" in lines
    assert "missed: chain 1" in lines


def test_missing_files_are_told_with_the_way_to_get_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(match_report.DataMissing, match=r"\./run setup"):
        match_report.febrl("febrl1")
