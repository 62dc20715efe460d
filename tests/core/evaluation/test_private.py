"""Suites of a workspace's own are made, copied and changed, each time as a whole; nothing of anybody else is overwritten."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import UserError
from core.evaluation import ours, private
from core.evaluation.drafting import draft_of
from core.paths import resources
from tests.core.evaluation import problems
from tests.core.evaluation.problems import TASKS
from tests.core.rights import no_privileges

GOOD = draft_of(ours.parse("set", "total-weight", problems.our_text(TASKS[0])))
WORKSHOP = resources() / "suites" / "workshop"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty suite."""
    return private.create(tmp_path / "suites", "mine")


def test_a_new_suite_is_empty_and_says_what_it_is(tmp_path: Path) -> None:
    made = private.create(tmp_path / "suites", "mine", "Parsers \x7f “ours”", 'Those\nof "work".')
    suite = ours.load(made)
    assert (suite.problems, suite.bad) == ((), ())
    assert (suite.title, suite.about) == ("Parsers \x7f “ours”", 'Those of "work".')
    with pytest.raises(UserError, match="holds no problem"):
        ours.read(made)


def test_what_a_suite_says_of_itself_is_changed_and_nothing_else(tmp_path: Path) -> None:
    suites = tmp_path / "suites"
    made = private.create(suites, "mine", "Parsers")
    (made / ours.FACTS).write_text('title = "Parsers"\nowner = "us"\n')
    private.describe(suites, "mine", "Better\n parsers", "Of work.")
    suite = ours.load(made)
    assert (suite.title, suite.about) == ("Better parsers", "Of work.")
    assert 'owner = "us"' in (made / ours.FACTS).read_text()
    (made / ours.FACTS).write_text("title = ")
    with pytest.raises(UserError, match=r"suite\.toml is not TOML"):
        private.describe(suites, "mine", "Parsers", "")
    assert (made / ours.FACTS).read_text() == "title = "
    (made / ours.FACTS).unlink()
    private.describe(suites, "mine", "", "")
    assert not (made / ours.FACTS).exists()
    with pytest.raises(UserError, match="workshop"):
        private.describe(suites, "workshop", "Ours", "")


def test_a_copy_holds_the_same_problems(tmp_path: Path) -> None:
    made = private.copy(WORKSHOP, tmp_path / "suites", "mine")
    copied, original = ours.read(made), ours.read(WORKSHOP)
    assert (copied.sha256, copied.title) == (original.sha256, original.title)
    assert not (made / "README.md").exists()


@pytest.mark.parametrize("name", ["", "a/b", "..", ".x", "-x", "two words", "tab\t", "n" * 81, "x\x00", 'a"b'])
def test_a_name_that_is_no_file_name_is_refused_in_a_sentence(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match="A suite cannot be called"):
        private.create(tmp_path / "suites", name)
    assert not (tmp_path / "suites").exists()


def test_a_name_that_is_taken_is_refused(tmp_path: Path, folder: Path) -> None:
    for name in ("mine", "workshop"):
        with pytest.raises(UserError, match=f"is a suite “{name}” already"):
            private.copy(WORKSHOP, tmp_path / "suites", name)
    assert [one.name for one in (tmp_path / "suites").iterdir()] == ["mine"]


def test_a_problem_is_written_changed_renamed_and_removed(folder: Path) -> None:
    first = private.save(folder, GOOD)
    assert first.path == folder / "total-weight.md"
    assert draft_of(ours.read(folder).problems[0]) == GOOD
    changed = private.save(folder, replace(GOOD, prompt="Other words.", topic="ships"), first)
    assert (changed.path, changed.draft.prompt) == (first.path, "Other words.")
    renamed = private.save(folder, replace(changed.draft, name="weigh"), changed)
    assert [one.name for one in folder.iterdir()] == ["weigh.md"]
    private.remove(folder, renamed)
    assert private.problems(folder) == []


def test_a_problem_stays_in_its_folder(tmp_path: Path) -> None:
    folder = problems.write_ours(tmp_path / "set", {"x": problems.our_text(TASKS[0])})
    kept = private.find(folder, "set/x")
    assert private.save(folder, replace(kept.draft, name="y"), kept).path == folder / "parcels/y.md"


def test_a_name_is_given_once_in_a_suite_in_whatever_folder(tmp_path: Path) -> None:
    folder = problems.write_ours(tmp_path / "set", {"x": problems.our_text(TASKS[0]), "y": "words"})
    for name in ("x", "y"):  # what cannot be read has a name, too
        with pytest.raises(UserError, match=f"is a problem “{name}” in this suite already"):
            private.save(folder, replace(GOOD, name=name))
    kept = private.find(folder, "x")
    with pytest.raises(UserError, match="a problem “y”"):
        private.save(folder, replace(kept.draft, name="y"), kept)
    assert private.find(folder, "x").text == kept.text


def test_what_is_no_problem_is_not_written(folder: Path) -> None:
    with pytest.raises(UserError, match=r"cannot be saved so \(prompt, line 2\)"):
        private.save(folder, replace(GOOD, prompt="a\n## b"))
    with pytest.raises(UserError, match=r"x.md:1: there is no front matter"):
        private.save_text(folder, "x", "words")
    assert list(folder.iterdir()) == []


def test_what_another_program_changed_meanwhile_is_not_overwritten(folder: Path) -> None:
    kept = private.save(folder, GOOD)
    kept.path.write_text(kept.text + "\n")
    for act in (lambda: private.save(folder, GOOD, kept), lambda: private.remove(folder, kept)):
        with pytest.raises(UserError, match="changed by another program"):
            act()
    assert kept.path.read_text() == kept.text + "\n"


def test_what_another_program_removed_meanwhile_is_written_again(folder: Path) -> None:
    kept = private.save(folder, GOOD)
    kept.path.unlink()
    assert private.save(folder, replace(GOOD, name="other"), kept).path.read_text() == kept.text
    assert len(list(folder.iterdir())) == 1


def test_what_is_broken_is_kept_as_text_and_can_be_mended(tmp_path: Path) -> None:
    good = problems.our_text(TASKS[0])
    folder = problems.write_ours(tmp_path / "set", {"bad": good.replace("topic:", "topik:"), "x": good})
    (folder / "x.md").write_text(good)
    (folder / "noise.md").write_bytes(b"---\n\xff")
    found = {str(one.path.relative_to(folder)): one for one in private.problems(folder)}
    bad = found["parcels/bad.md"]
    assert (bad.line, bad.complaint) == (2, "there is no field “topik”; known are topic, difficulty, entry, signature")
    assert found["noise.md"].complaint == "the text is not UTF-8"
    assert found["x.md"].complaint == "the name comes twice: parcels/x.md has it, too"
    assert private.save_text(folder, "bad", good, bad).complaint == ""


def test_a_suite_is_deleted_whole_and_those_that_ship_with_gosmith_never(tmp_path: Path, folder: Path) -> None:
    private.save(folder, GOOD)
    private.delete(tmp_path / "suites", "mine")
    assert list((tmp_path / "suites").iterdir()) == []
    with pytest.raises(UserError, match="ships with Gosmith"):
        private.delete(tmp_path / "suites", "workshop")
    for name in ("mine", "..", ""):
        with pytest.raises(UserError, match="no private suite"):
            private.delete(tmp_path / "suites", name)


def test_a_folder_that_may_not_be_written_is_a_sentence(folder: Path) -> None:
    folder.chmod(0o555)
    with no_privileges(), pytest.raises(UserError, match="cannot be written"):
        private.save(folder, GOOD)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("title = 3\n", 1, "“title” is none of the texts"),
        ('name = "x"\n', 1, "“name” is none of the texts"),
        ('title = "x"\nabout =\n', 2, "this is not TOML"),
    ],
)
def test_a_suite_that_says_nonsense_of_itself_is_named(folder: Path, text: str, line: int, what: str) -> None:
    private.save(folder, GOOD)
    (folder / "suite.toml").write_text(text)
    suite = ours.read(folder)
    (bad,) = suite.bad
    assert (bad.file, bad.line) == ("suite.toml", line)
    assert what in bad.reason
    assert len(suite.problems) == 1
