"""A diff tells the truth: each side can be read back from it."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from app.widgets.diffing import side_by_side, unified

texts = st.lists(st.sampled_from(["", "a", "b", "return nil", "return err", "\treturn nil", "}"]), max_size=14).map(
    "\n".join
)


def test_equal_texts_have_no_diff() -> None:
    assert unified("a\nb", "a\nb") == []


def test_what_changed_inside_a_line_is_named() -> None:
    removed, added = [line for line in unified("return nil, x", "return err, x") if line.kind != "same"]
    assert (removed.kind, added.kind) == ("removed", "added")
    assert [removed.text[a:b] for a, b in removed.spans] == ["nil"]
    assert [added.text[a:b] for a, b in added.spans] == ["err"]


def test_a_line_that_is_wholly_other_is_not_compared_word_by_word() -> None:
    assert all(line.spans == () for line in unified("aaaa bbbb", "if x := <-c; !ok {"))


def test_unchanged_lines_far_away_are_left_out_and_counted() -> None:
    before = "\n".join(str(number) for number in range(40))
    gaps = [line.text for line in unified(before, before.replace("\n20\n", "\ntwenty\n")) if line.kind == "gap"]
    assert gaps == ["17", "16"]


@settings(max_examples=200, deadline=None)
@given(texts, texts)
def test_either_side_can_be_read_back(before: str, after: str) -> None:
    lines = unified(before, after, context=1000)
    if before == after:
        assert lines == []
        return
    assert "\n".join(line.text for line in lines if line.old is not None) == before
    assert "\n".join(line.text for line in lines if line.new is not None) == after
    assert [line.old for line in lines if line.old] == list(range(1, before.count("\n") + 2))
    for line in lines:
        assert all(0 <= start < end <= len(line.text) for start, end in line.spans)


@settings(max_examples=200, deadline=None)
@given(texts, texts)
def test_side_by_side_both_texts_are_whole_and_what_is_equal_stands_at_the_same_place(before: str, after: str) -> None:
    left, right = side_by_side(before, after)
    assert len(left) == len(right)
    assert [line.text for line in left if line.kind != "blank"] == before.split("\n")
    assert [line.text for line in right if line.kind != "blank"] == after.split("\n")
    for one, other in zip(left, right, strict=True):
        assert (one.kind == "same") == (other.kind == "same")
        if one.kind == "same":
            assert one.text == other.text
        else:
            assert (one.kind, other.kind) != ("blank", "blank")
