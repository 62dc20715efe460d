"""Evaluating, comparing and looking at suites from a shell: what the answers hold, and sentences for what does not fit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.cli.root import main
from tests.core.evaluation import problems
from tests.core.evaluation.problems import TASKS


@pytest.fixture
def space(tmp_path: Path) -> Path:
    """A workspace with a private suite."""
    folder = tmp_path / "space"
    texts = {f"p{at}": problems.our_text(task) for at, task in enumerate(TASKS)}
    problems.write_ours(folder / "suites" / "mine", texts)
    return folder


@pytest.fixture
def say(space: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run a command; its exit code and its JSON answer."""

    def run(*words: str) -> tuple[int, dict[str, Any]]:
        capsys.readouterr()
        code = main(["--workspace", str(space), "--json", *words])
        return code, json.loads(capsys.readouterr().out)

    return run


def completions(path: Path, texts: dict[str, list[str]]) -> str:
    rows = [{"task_id": task, "completion": text} for task, some in texts.items() for text in some]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


@pytest.mark.slow
def test_two_files_of_completions_are_evaluated_and_compared(tmp_path: Path, say: Any) -> None:
    bodies = [task.body for task in TASKS]
    a = completions(tmp_path / "a.jsonl", {f"mine/p{at}": [TASKS[at].wrong, TASKS[at].wrong] for at in range(3)})
    b = completions(
        tmp_path / "b.jsonl", {f"mine/p{at}": [bodies[at], "no"] if at else [bodies[at]] * 2 for at in range(3)}
    )
    code, first = say("evaluate", "--completions", a, "--problems", "mine")
    assert (code, first["problems"], first["pass_at"], first["missing"]) == (0, 4, {"1": 0.0}, ["mine/p3"])
    code, second = say("evaluate", "--completions", b, "--problems", "mine", "-k", "1,2", "--timeout", "5")
    assert code == 0
    assert second["pass_at"] == {"1": 0.5, "2": 0.75}, "a problem without completions is not solved"
    assert (second["statuses"]["pass"], second["statuses"]["extract"]) == (4, 2)
    assert second["seconds"] > 0
    assert second["origin"]["limits"]["seconds"] == 5.0
    code, found = say("compare", first["job"], second["folder"])
    assert code == 0
    assert found["difference"] == 0.5
    assert found["interval"][0] < found["difference"] < found["interval"][1]
    assert 0 <= found["p_value"] <= 1
    assert [one["task"] for one in found["flips"]["gained"]] == ["mine/p0"]
    assert found["flips"]["lost"] == []
    assert TASKS[0].body == found["flips"]["gained"][0]["completion_b"]
    code, refused = say("evaluate", "--completions", a, "--problems", "mine", "-k", "3")
    assert code == 1
    assert "pass@3 needs 3" in refused["error"]


@pytest.mark.slow
def test_suites_are_listed_shown_and_checked(tmp_path: Path, space: Path, say: Any) -> None:
    published = problems.write(
        tmp_path / "published.jsonl", [problems.x_row(task, at) for at, task in enumerate(TASKS)]
    )
    assert say("suites", "add", str(published))[0] == 0
    code, listed = say("suites", "list")
    assert code == 0
    found = {one["name"]: (one["origin"], one["format"], one["problems"]) for one in listed["suites"]}
    assert found["mine"] == ("private", "gosmith", 4)
    assert found["published"] == ("added", "humaneval-x", 4)
    code, shown = say("suites", "show", "published")
    assert [one["task"] for one in shown["problems"]] == ["Go/0", "Go/1", "Go/2", "Go/3"]
    code, one = say("suites", "show", "mine", "p2")
    assert (one["entry_point"], one["difficulty"]) == ("RingStep", "easy")
    code, checked = say("suites", "check", "published")
    assert (code, checked["problems"], checked["sound"], checked["wrong"]) == (0, 4, 4, [])
    path = space / "suites/mine/parcels/p0.md"
    path.write_text(path.read_text().replace("total += w", "total -= w"))
    (space / "suites/mine/parcels/bad.md").write_text("words")
    code, checked = say("suites", "check", "mine")
    assert (code, checked["sound"]) == (1, 3)
    assert checked["wrong"][0]["task"] == "mine/p0"
    assert "does not pass" in checked["wrong"][0]["complaints"][0]
    assert checked["rejected"][0]["file"] == "parcels/bad.md"


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("suites", "show", "nowhere"), "no suite “nowhere”"),
        (("suites", "show", "mine", "p9"), "no problem “p9”"),
        (("evaluate", "--completions", "none.jsonl", "--problems", "mine"), "cannot be read"),
        (("evaluate", "--completions", "none.jsonl", "--problems", "mine", "--mode", "paper"), "no mode “paper”"),
        (("compare", "nowhere", "nowhere"), "no job “nowhere”"),
    ],
)
def test_what_is_not_there_is_a_sentence(say: Any, words: tuple[str, ...], what: str) -> None:
    code, answer = say(*words)
    assert code == 1
    assert what in answer["error"]
    assert answer["hint"]


@pytest.mark.parametrize("k", ["0", "1,x", ""])
def test_k_is_whole_numbers(space: Path, k: str) -> None:
    words = ["evaluate", "--completions", "c", "--problems", "p", "-k", k]
    assert main(["--workspace", str(space), *words]) == 2


def test_one_is_named_to_evaluate_and_only_one(tmp_path: Path, say: Any) -> None:
    code, answer = say("evaluate", "--problems", "mine")
    assert (code, answer["error"]) == (1, "Nobody is named to evaluate.")
    code, answer = say("evaluate", "starter", "--completions", str(tmp_path / "c.jsonl"), "--problems", "mine")
    assert (code, answer["error"]) == (1, "A model and completions are named both.")
    code, answer = say("evaluate", "starter", "--problems", "mine", "--temperature", "3")
    assert code == 1
    assert "temperature is 3.0, which is out of range" in answer["error"]


@pytest.mark.slow
def test_a_model_is_evaluated(say: Any) -> None:
    words = ["--problems", "mine", "--samples", "2", "--max-tokens", "16", "--seed", "5", "-k", "1,2"]
    code, answer = say("evaluate", "starter", *words)
    assert code == 0
    assert (answer["problems"], set(answer["pass_at"])) == (len(TASKS), {"1", "2"})
    assert sum(answer["statuses"].values()) == 2 * len(TASKS)
    code, again = say("compare", answer["job"], answer["job"])
    assert (code, again["difference"], again["flips"]) == (0, 0.0, {"gained": [], "lost": []})
