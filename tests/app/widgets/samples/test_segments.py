"""A sample is read in the order it was written, and nothing of it is lost."""

from __future__ import annotations

from app.widgets.samples.segments import segments
from core.samples.conversation import Message
from core.samples.store import Sample, Verdicts

GO = "```go\npackage a\n```"
TEST = '```go\npackage a\n\nimport "testing"\n\nfunc TestA(t *testing.T) {}\n```'


def sample(answer: str, *before: Message) -> Sample:
    messages = (*(before or (Message("user", "Why?"),)), Message("assistant", answer))
    return Sample(
        1, "u", 1, messages, "Why?", answer, "", "", "new", None, (), "", "io", "gpt-4", (), Verdicts(), (), "", False, False, "", 0, 0, None, None, ()
    )  # fmt: skip


def shapes(answer: str, *before: Message) -> list[tuple[str, str, str]]:
    return [(one.kind, one.caption, one.text) for one in segments(sample(answer, *before))]


def test_prose_code_prose_and_test_stay_in_their_order() -> None:
    assert shapes(f"First.\n\n{GO}\n\nThen a test:\n\n{TEST}\n\nDone.")[1:] == [
        ("text", "Answer", "First."),
        ("code", "Code", "package a"),
        ("text", "", "Then a test:"),
        ("test", "Test", 'package a\n\nimport "testing"\n\nfunc TestA(t *testing.T) {}'),
        ("text", "", "Done."),
    ]


def test_earlier_turns_come_first() -> None:
    turns = (
        Message("system", "Be brief."),
        Message("user", "One?"),
        Message("assistant", "Yes."),
        Message("user", "Two?"),
    )
    assert [(caption, text) for _, caption, text in shapes("No.", *turns)] == [
        ("System", "Be brief."),
        ("Prompt", "One?"),
        ("Earlier answer", "Yes."),
        ("Prompt", "Two?"),
        ("Answer", "No."),
    ]


def test_other_blocks_are_shown_as_what_they_are() -> None:
    assert shapes(f"{GO}\n```sh\ngo run .\n```")[1:] == [("code", "Code", "package a"), ("block", "sh", "go run .")]


def test_an_answer_that_is_code_without_a_fence() -> None:
    assert shapes("package a\n\nfunc F() {}\n")[1][0] == "code"


def test_a_fence_that_is_never_closed() -> None:
    assert shapes("```go\npackage a\nfunc F() {}")[1:] == [("code", "Code", "package a\nfunc F() {}")]
