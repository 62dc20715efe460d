"""Suites of one's own, made and changed from a shell: all that the window's editor does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.cli.root import main
from tests.core.evaluation import problems
from tests.core.evaluation.problems import TASKS

GOOD = problems.our_text(TASKS[0])


@pytest.fixture
def say(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run a command; its exit code and its JSON answer."""

    def run(*words: object) -> tuple[int, dict[str, Any]]:
        capsys.readouterr()
        code = main(["--workspace", str(tmp_path / "space"), "--json", *map(str, words)])
        return code, json.loads(capsys.readouterr().out)

    return run


def test_a_suite_is_made_filled_renamed_and_deleted(tmp_path: Path, say: Any) -> None:
    file = tmp_path / "total-weight.md"
    file.write_text(GOOD)
    assert say("suites", "new", "mine", "--title", "Ours", "--about", "Of work.")[0] == 0
    listed = {one["name"]: one for one in say("suites", "list")[1]["suites"]}
    assert (listed["mine"]["problems"], listed["mine"]["title"], listed["mine"]["about"]) == (0, "Ours", "Of work.")
    code, saved = say("suites", "save", "mine", file)
    assert (code, saved["problem"], saved["new"]) == (0, "mine/total-weight", True)
    file.write_text(GOOD.replace("topic: parcels", "topic: ships"))
    code, saved = say("suites", "save", "mine", file, "--as", "total-weight")
    assert (code, saved["new"]) == (0, False)
    assert say("suites", "rename", "mine", "total-weight", "weigh")[1]["problem"] == "mine/weigh"
    shown = say("suites", "show", "mine")[1]
    assert [(one["task"], one["topic"]) for one in shown["problems"]] == [("mine/weigh", "ships")]
    assert (shown["title"], shown["about"]) == ("Ours", "Of work.")
    assert say("suites", "describe", "mine", "--about", "Of parcels.")[1]["title"] == "Ours"
    shown = say("suites", "show", "mine")[1]
    assert (shown["title"], shown["about"]) == ("Ours", "Of parcels.")
    assert say("suites", "copy", "mine", "second")[1]["problems"] == 1
    assert say("suites", "new", "third", "--from", "workshop")[1]["problems"] == 80
    assert say("suites", "remove", "mine", "mine/weigh")[1]["removed"] == "mine/weigh"
    code, refused = say("suites", "delete", "second")
    assert (code, refused["error"]) == (1, "“second” is a suite of your own; its 1 problems would be gone.")
    assert say("suites", "delete", "second", "--yes") == (0, {"deleted": "second"})
    assert {one["name"] for one in say("suites", "list")[1]["suites"]} == {"workshop", "mine", "third"}


def test_a_problem_is_tried_before_it_is_kept(tmp_path: Path, say: Any) -> None:
    file = tmp_path / "total-weight.md"
    file.write_text(GOOD)
    code, said = say("suites", "try", file)
    assert (code, said["sound"], said["tests"]) == (0, True, 1)
    assert said["sentence"].endswith("The stub fails, as it should.")
    file.write_text(GOOD.replace("return total\n", "return totl\n"))
    code, said = say("suites", "try", file)
    (one,) = said["complaints"]
    assert (code, said["sound"], one["part"], one["text"]) == (1, False, "reference", "undefined: totl")
    assert file.read_text().splitlines()[one["line"] - 1].strip() == "return totl"


@pytest.mark.parametrize(
    ("words", "code", "what"),
    [
        (("new", "a/b"), 1, "A suite cannot be called “a/b”"),
        (("new", "workshop"), 1, "There is a suite “workshop” already"),
        (("copy", "nowhere", "mine"), 1, "There is no suite “nowhere”"),
        (("save", "workshop", "GOOD"), 1, "“workshop” ships with Gosmith"),
        (("save", "nowhere", "GOOD"), 1, "There is no private suite “nowhere”"),
        (("save", "own", "BAD"), 1, "bad.md:1: there is no front matter"),
        (("save", "own", "GOOD", "--as", "a b"), 1, "A problem cannot be called “a b”"),
        (("save", "own", "missing.md"), 1, "missing.md cannot be read: No such file"),
        (("try", "BAD"), 1, "bad.md:1: there is no front matter"),
        (("rename", "own", "x", "y"), 1, "has no problem “x”"),
        (("remove", "own", "x"), 1, "has no problem “x”"),
        (("delete", "workshop"), 1, "ships with Gosmith"),
        (("delete", "nowhere"), 1, "no private suite “nowhere”"),
    ],
)
def test_what_does_not_fit_is_a_sentence(
    tmp_path: Path, say: Any, words: tuple[str, ...], code: int, what: str
) -> None:
    (tmp_path / "good.md").write_text(GOOD)
    (tmp_path / "bad.md").write_text("words")
    (tmp_path / "space" / "suites" / "own").mkdir(parents=True)
    places = {"GOOD": tmp_path / "good.md", "BAD": tmp_path / "bad.md"}
    ended, answer = say("suites", *(places.get(word, word) for word in words))
    assert ended == code
    assert what in answer["error"]
