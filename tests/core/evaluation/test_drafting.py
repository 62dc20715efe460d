"""A draft is written as a file that reads back the same, or what is wrong with it is named with its part and line."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import UserError
from core.evaluation import drafting, ours
from core.evaluation.drafting import Complaint, Draft, complaints, draft_of, markdown, normal
from core.paths import resources
from tests.core.evaluation import problems

GOOD = draft_of(ours.parse("set", "total-weight", problems.our_text(problems.TASKS[0])))


def test_the_bundled_suite_is_written_as_it_is() -> None:
    folder = resources() / "suites" / "workshop"
    for path in ours.files(folder):
        text = path.read_text(encoding="utf-8")
        draft = draft_of(ours.parse("workshop", path.stem, text))
        assert complaints(draft) == [], path
        assert markdown(draft) == text
        assert drafting.entry_of(draft.signature) == draft.entry


def test_a_draft_reads_back_as_it_was() -> None:
    assert draft_of(drafting.problem_of("set", GOOD)) == GOOD
    assert drafting.problem_of("set", GOOD).task == "set/total-weight"


@pytest.mark.parametrize(
    ("change", "part", "line", "what"),
    [
        ({"name": ""}, "name", 0, "needs a name"),
        ({"name": "a/b"}, "name", 0, "letters, digits and . + - _ alone"),
        ({"name": "two words"}, "name", 0, "letters, digits and . + - _ alone"),
        ({"name": "..", "topic": "x"}, "name", 0, "begins with a letter"),
        ({"name": "n" * 81}, "name", 0, "at most 80 bytes"),
        ({"name": "README"}, "name", 0, "is no problem of a suite"),
        ({"topic": " "}, "topic", 0, "the topic is empty"),
        ({"topic": "a\nb"}, "topic", 0, "one line"),
        ({"difficulty": "brutal"}, "difficulty", 0, "none of easy, medium, hard"),
        ({"signature": "", "entry": ""}, "signature", 0, "the signature is empty"),
        ({"signature": "the weight", "entry": ""}, "signature", 0, "declares nothing"),
        ({"signature": "func Other()"}, "signature", 0, "does not name TotalWeight"),
        ({"entry": "Total Weight"}, "entry", 0, "not a Go name"),
        ({"entry": "Other"}, "reference", 0, "does not declare Other"),
        ({"prompt": ""}, "prompt", 0, "the prompt is empty"),
        ({"prompt": "Add.\n\n## Test\n"}, "prompt", 3, "## is the heading"),
        ({"prompt": "Add.\n```go\nfunc x()"}, "prompt", 2, "never closed"),
        ({"prompt": "```\na\n```\n~~~\n"}, "prompt", 4, "never closed"),
        ({"prompt": "half \ud800"}, "prompt", 0, "half of a character"),
        ({"reference": "package main\n"}, "reference", 1, "not “solution”"),
        ({"reference": "package solution\n"}, "reference", 0, "does not declare TotalWeight"),
        ({"test": ""}, "test", 0, "the test is empty"),
        ({"test": "package solution\n\nfunc testX() {}\n"}, "test", 0, "no function Test"),
        ({"test": "func TestX() {}\n"}, "test", 1, "not “solution”"),
    ],
)
def test_what_is_wrong_is_named_with_part_and_line(change: dict[str, str], part: str, line: int, what: str) -> None:
    draft = replace(GOOD, **change)
    first = complaints(draft)[0]
    assert (first.part, first.line) == (part, line)
    assert what in first.text
    with pytest.raises(UserError, match="cannot be saved so"):
        markdown(draft)


def test_all_parts_are_complained_of_at_once() -> None:
    assert [one.part for one in complaints(Draft())] == ["name", "topic", "signature", "prompt", "reference", "test"]
    assert complaints(Draft())[1] == Complaint("topic", 0, "the topic is empty")


def test_code_may_hold_fences_and_headings() -> None:
    code = GOOD.reference.replace("func Total", "/*\n## Test\n````go\n~~~~\n*/\nfunc Total", 1)
    draft = replace(GOOD, reference=code, prompt="```go\n## Test\n```")
    assert complaints(draft) == []
    assert draft_of(drafting.problem_of("set", draft)) == draft


@pytest.mark.parametrize(
    ("signature", "entry"),
    [
        ("func Reverse(s string) string", "Reverse"),
        ("type Parcel int\nfunc Weigh(p Parcel) int", "Weigh"),
        ("type Cache struct", "Cache"),
        ("type Cache struct\nfunc (c *Cache) Get(key string) string", "Get"),
        ("words", ""),
    ],
)
def test_what_is_asked_for_is_the_last_function_of_the_signature(signature: str, entry: str) -> None:
    assert drafting.entry_of(signature) == entry


LINES = st.lists(
    st.one_of(
        st.sampled_from(["```", "````go", "~~~", "  ```go", "## Test", "##", "---", "topic: x", "", " ", "\t", "\r", "package solution", "\x85", "\u2028", "```a`b", "\\## x"]),
        st.text(max_size=12),
    ),
    max_size=8,
).map("\n".join)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(
    name=st.one_of(st.just("one"), st.text(max_size=10)),
    topic=st.one_of(st.just("parcels"), LINES),
    prompt=LINES.map(lambda text: f"Add them.\n{text}"),
    before=LINES,
    after=LINES,
    signature=st.one_of(st.just(GOOD.signature), LINES.map(lambda text: f"{text}\n{GOOD.signature}")),
)
def test_any_text_reads_back_as_it_was_written_or_is_named(
    name: str, topic: str, prompt: str, before: str, after: str, signature: str
) -> None:
    draft = Draft(
        name,
        topic,
        "hard",
        "",
        signature,
        prompt,
        f"{GOOD.reference}\n/*\n{before}\n*/\n",
        f"{GOOD.test}\n/*\n{after}\n*/",
    )
    wrong = complaints(draft)
    if wrong:
        assert {one.part for one in wrong} <= set(drafting.PARTS)
        with pytest.raises(UserError):
            markdown(draft)
        return
    text = markdown(draft)
    text.encode()
    assert draft_of(ours.parse("set", draft.name.strip(), text)) == normal(draft)


@settings(max_examples=200, deadline=None)
@given(code=LINES)
def test_any_code_between_fences_reads_back(code: str) -> None:
    draft = replace(
        GOOD, reference=f"{GOOD.reference}\n{code}\n", prompt=f"Add them.\n\n````\n{code.replace('````', '')}\n````"
    )
    assert [one for one in complaints(draft) if one.part == "reference" and "half" not in one.text] == []
