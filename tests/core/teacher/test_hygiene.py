"""What is refused before it is paid for, and what a job knows of the workspace without opening its database."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from core.database import transaction
from core.samples import adding, contamination
from core.samples.conversation import Message, NewSample
from core.teacher.hygiene import Hygiene, Known, read_known, task_key, write_known
from core.teacher.recipes import Limits
from tests.core.teacher.scripted import code, task


def add(connection: sqlite3.Connection, prompt: str, answer: str) -> int:
    with transaction(connection):
        added = adding.add(
            connection, [NewSample((Message("user", prompt), Message("assistant", answer)))], author="test"
        )
    return added.ids[0]


def test_the_nearest_is_found_among_what_is_given_and_what_is_added(
    tmp_path: Path, connection: sqlite3.Connection
) -> None:
    ids = [add(connection, task(n), f"```go\n{code(n)}```") for n in range(12)]
    write_known(tmp_path / "known", connection)
    known = read_known(tmp_path / "known")
    assert known.tasks.nearest(task(7)) == (f"sample:{ids[7]}", 1.0)
    assert known.codes.nearest(code(3)) == (f"sample:{ids[3]}", 1.0)
    assert known.tasks.nearest(task(99))[1] < 0.5
    for number in range(100, 230):
        known.tasks.add(task_key(number), task(number))
    assert known.tasks.nearest(task(229)) == ("job:229", 1.0)


def test_nothing_is_like_what_nobody_knows() -> None:
    assert Known().nearest("anything at all") == ("", 0.0)
    assert read_known(Path("/nowhere")).refuse(task(1), Limits()) is None


def test_deleted_samples_are_not_known(tmp_path: Path, connection: sqlite3.Connection) -> None:
    key = add(connection, task(1), "Nothing.")
    connection.execute("UPDATE review SET deleted = 1 WHERE sample_id = ?", (key,))
    write_known(tmp_path / "known", connection)
    assert read_known(tmp_path / "known").tasks.nearest(task(1)) == ("", 0.0)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Too short.", "length"),
        ("long " * 3000, "length"),
        ("Напишите функцию, которая складывает два числа и возвращает сумму.", "language"),
        (
            "请写一个函数,返回两个数的和,并且处理溢出的情况。请写一个函数,返回两个数的和,并且处理溢出的情况。",
            "language",
        ),
        (
            "Schreibe eine Funktion, die zwei Listen von Messwerten zusammenführt, doppelte Werte entfernt und bei leerer Eingabe einen Fehler liefert.",
            "language",
        ),
        ("Write a server with github.com/gorilla/mux that counts its visitors.", "packages"),
        ("Use golang.org/x/sync/errgroup to fetch all pages of the report at once.", "packages"),
    ],
)
def test_tasks_of_no_use_are_refused(text: str, kind: str) -> None:
    refusal = Hygiene().refuse(text, Limits())
    assert refusal is not None
    assert refusal.kind == kind


def test_names_and_code_in_other_letters_are_fine() -> None:
    text = 'Count the runes of a greeting such as "Grüße, 世界" for a terminal.\n\n```go\nvar s = "これは日本語のテキストですこれは日本語のテキストです"\n```\n'
    assert Hygiene().refuse(text, Limits()) is None


def test_problems_of_suites_are_found_in_tasks_and_in_answers(tmp_path: Path, connection: sqlite3.Connection) -> None:
    problem = {
        "task_id": "Go/0",
        "prompt": "import (\n    \"math\"\n)\n\n// Check if in given list of numbers, are any two numbers closer to each other than given threshold.\nfunc HasCloseElements(numbers []float64, threshold float64) bool {\n",
        "declaration": "\nfunc HasCloseElements(numbers []float64, threshold float64) bool {\n",
        "canonical_solution": "    for i := 0; i < len(numbers); i++ {\n        for j := i + 1; j < len(numbers); j++ {\n            if math.Abs(numbers[i]-numbers[j]) < threshold {\n                return true\n            }\n        }\n    }\n    return false\n}\n",
        "test": "func TestHasCloseElements(t *testing.T) {\n}\n",
        "example_test": "",
        "import": "",
        "test_setup": "package main\n",
    }  # fmt: skip
    (tmp_path / "suite.jsonl").write_text(json.dumps(problem) + "\n")
    contamination.add_suite(connection, tmp_path / "suite.jsonl")
    write_known(tmp_path / "known", connection)
    known = read_known(tmp_path / "known")
    refusal = known.refuse(
        "Write HasCloseElements for our sensors, which tells whether two readings are close.", Limits()
    )
    assert refusal is not None
    assert refusal.kind == "contaminated"
    response = "```go\npackage a\n\nfunc HasCloseElements(a []float64, t float64) bool { return false }\n```"
    found = known.contaminated("Tell whether two readings are close.", response, "")
    assert [(one.kind, one.part) for one in found] == [("name", "response")]
    assert response[found[0].start : found[0].end] == "HasCloseElements"
