"""Colours sit on the characters they belong to, in whatever text comes."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from app.widgets.go_syntax import go_runs, markdown_runs, utf16_length


def kinds(source: str) -> list[list[tuple[str, str]]]:
    """Each run as its text and kind."""
    return [
        [
            (line.encode("utf-16-le")[2 * start : 2 * (start + length)].decode("utf-16-le"), kind)
            for start, length, kind in runs
        ]
        for line, runs in zip(source.split("\n"), go_runs(source), strict=True)
    ]


def test_go_is_coloured_by_kind() -> None:
    assert kinds('func f() string { return "a" } // why') == [
        [("func", "keyword"), ("string", "type"), ("return", "keyword"), ('"a"', "string"), ("// why", "comment")]
    ]


def test_a_raw_string_and_a_comment_go_over_lines() -> None:
    found = kinds("x := `one\ntwo` /* a\nb */ + 1")
    assert found[0][-1] == ("`one", "string")
    assert found[1] == [("two`", "string"), ("/* a", "comment")]
    assert found[2][0] == ("b */", "comment")


def test_an_emoji_does_not_shift_the_colours_after_it() -> None:
    assert kinds('s := "😀" + "b" // c')[0] == [('"😀"', "string"), ('"b"', "string"), ("// c", "comment")]


def test_only_fenced_go_is_coloured_in_an_answer() -> None:
    answer = "Use func.\n\n```go\nfunc f() {}\n```\n\n```sh\nfunc\n```\nreturn"
    found = list(markdown_runs(answer))
    assert len(found) == answer.count("\n") + 1
    assert found[0] == []
    assert found[3][0] == (0, 4, "keyword")
    assert found[7] == []
    assert found[9] == []


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\r"), max_size=200))
def test_runs_never_leave_their_line(source: str) -> None:
    for lexer in (go_runs, markdown_runs):
        lines = source.split("\n")
        found = list(lexer(source))
        assert len(found) == len(lines)
        for line, runs in zip(lines, found, strict=True):
            end = 0
            for start, length, _kind in runs:
                assert start >= end
                assert length > 0
                end = start + length
            assert end <= utf16_length(line)
