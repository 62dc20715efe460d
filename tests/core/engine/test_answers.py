"""While a run goes on, its answers to validation questions are checked by Go: shares as an event, the answers themselves in a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.engine import answers, loop
from core.engine.parallel import Group
from core.golang import toolchain
from core.golang.checker import Checker
from tests.core.engine.conftest import Notes, config, conversation, write_snapshot

GOOD = "Here:\n```go\npackage p\n\nfunc Sum(a, b int) int { return a + b }\n```\n"
UNTYPED = "```go\npackage p\n\nfunc Sum(a, b int) int { return c }\n```\n"
BROKEN = "```go\npackage p\n\nfunc Sum(a, b int int {\n```\n"


@pytest.mark.usefixtures("go_ready")
def test_an_answer_compiles_or_parses_or_fails_and_says_why() -> None:
    with Checker(toolchain.find()) as checker:
        told = answers.graded(checker, ["q"] * 4, [GOOD, UNTYPED, BROKEN, "I do not know."])
    assert [answer.verdict for answer in told] == ["compiles", "parses", "fails", "fails"]
    assert told[0].message == ""
    assert "undefined: c" in told[1].message
    assert told[2].message
    assert "no Go code" in told[3].message


def test_questions_are_spread_over_the_file_and_end_before_the_last_answer(tmp_path: Path) -> None:
    rows = [{"sample": f"s{i}", "messages": conversation(i) + conversation(100 + i)} for i in range(10)]
    folder = write_snapshot(tmp_path / "s", rows, rows)
    asked = answers.questions(folder / "validation.jsonl", 3)
    assert [question[-1]["content"] for question in asked] == ["Write Sum100.", "Write Sum103.", "Write Sum106."]
    assert [message["role"] for message in asked[0]] == ["user", "assistant", "user"]
    assert len(answers.questions(folder / "validation.jsonl", 99)) == 10


@pytest.mark.usefixtures("go_ready")
def test_a_run_holds_its_exam_with_every_validation_and_trains_the_same(
    base: Path, snapshot: Path, tmp_path: Path
) -> None:
    plain, asked = Notes(), Notes()
    for notes, count, out in ((plain, 0, "plain"), (asked, 2, "asked")):
        settings = config(validation={"every": 3, "answers": count})
        loop.train(settings, base, snapshot, tmp_path / out, run="r", monitor=notes, group=Group())
    assert asked.losses() == plain.losses(), "answering leaves no trace in the training"
    told = asked.of("answers")
    assert [event["step"] for event in told] == [3, 6]
    assert all(0 <= event["compiled"] <= event["parsed"] <= 1 and event["count"] == 2 for event in told)
    written = json.loads(Path(told[-1]["path"]).read_text())
    assert written["step"] == 6
    assert {answer["verdict"] for answer in written["answers"]} <= {"compiles", "parses", "fails"}
    assert written["answers"][0]["prompt"].startswith("Write Sum")
