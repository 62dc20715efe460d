"""The answers of a run, read from its output folder."""

from __future__ import annotations

import json
from pathlib import Path

from core.training import answers
from core.training.answers import Answer

ONE = {"prompt": "Write F.", "text": "```go\nfunc F() {}\n```", "verdict": "parses", "message": "no package"}


def test_exams_are_listed_newest_first_and_read_in_order(tmp_path: Path) -> None:
    for step in (20, 100, 3):
        told = {"step": step, "answers": [ONE, {**ONE, "verdict": "compiles", "message": ""}]}
        (tmp_path / f"answers-{step:06d}.json").write_text(json.dumps(told))
    (tmp_path / "answers-final.json").write_text("{}")
    exams = answers.listed(tmp_path)
    assert [step for step, _ in exams] == [100, 20, 3]
    assert answers.read(exams[0][1]) == (Answer(**ONE), Answer(ONE["prompt"], ONE["text"], "compiles"))


def test_damaged_files_hold_no_answers(tmp_path: Path) -> None:
    for text in ("", "[]", '{"answers": 3}', '{"answers": [7]}'):
        (tmp_path / "answers-000001.json").write_text(text)
        assert answers.read(tmp_path / "answers-000001.json") == ()
    (tmp_path / "answers-000001.json").write_text('{"answers": [{"verdict": "superb"}]}')
    assert answers.read(tmp_path / "answers-000001.json") == (Answer("", "", "fails"),)
    assert answers.read(tmp_path / "missing.json") == ()
