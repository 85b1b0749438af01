"""The mark of an answer is told again only for the same question and all that it was made from, and only so many are remembered."""

from reconciler.web.etag import Marks


def test_a_mark_is_told_of_the_same_question_made_from_the_same() -> None:
    marks = Marks()
    assert marks.of("q", (1, "a")) is None
    marks.keep("q", (1, "a"), "first")
    assert [marks.of("q", (1, "a")), marks.of("q", (2, "a")), marks.of("r", (1, "a"))] == ["first", None, None]
    marks.keep("q", (2, "a"), "second")
    assert [marks.of("q", (1, "a")), marks.of("q", (2, "a"))] == [None, "second"]


def test_only_so_many_are_remembered_those_of_last() -> None:
    marks = Marks(most=2)
    for asked in ("a", "b", "a", "c"):
        marks.keep(asked, 0, asked)
    assert [marks.of(one, 0) for one in ("a", "b", "c")] == ["a", None, "c"]
