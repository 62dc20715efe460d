"""Suites by name: bundled, private, added; what cannot be used is listed with the reason."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from core.errors import UserError
from core.samples import contamination, named_suites
from core.workspace import Workspace, open_workspace
from tests.core.evaluation import problems
from tests.core.evaluation.problems import TASKS


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    root = tmp_path_factory.mktemp("suites")
    workspace = open_workspace(root / "workspace")
    problems.write_ours(workspace.suites / "mine", {"p0": problems.our_text(TASKS[0]), "bad": "words"})
    (workspace.suites / "hollow").mkdir()
    rows = [problems.x_row(task, at) for at, task in enumerate(TASKS)]
    with closing(workspace.connect()) as connection:
        contamination.add_suite(connection, problems.write(root / "published.jsonl", rows))
        contamination.add_suite(connection, problems.write(root / "python.jsonl", [problems.humaneval()]))
    return workspace


def test_all_suites_are_listed_with_what_they_are_good_for(space: Workspace) -> None:
    with closing(space.connect(readonly=True)) as connection:
        found = {one.name: one for one in named_suites.list_suites(connection, space.suites)}
    assert (found["workshop"].origin, found["workshop"].problems, found["workshop"].modes) == (
        "bundled",
        80,
        ("fixed",),
    )
    assert (found["mine"].origin, found["mine"].problems) == ("private", 1)
    assert [row.file for row in found["mine"].bad] == ["parcels/bad.md"]
    assert (found["published"].origin, found["published"].modes) == ("added", ("fixed", "paper"))
    assert found["python"].modes == ()
    assert "Python" in found["python"].problem
    assert found["hollow"].problem


def test_a_suite_is_opened_by_its_name_or_its_file(space: Workspace, tmp_path: Path) -> None:
    with closing(space.connect(readonly=True)) as connection:
        assert named_suites.open_suite(connection, "published", space.suites).origin == "added"
        assert named_suites.open_suite(connection, "mine", space.suites).origin == "private"
        assert named_suites.open_suite(connection, "workshop", None).origin == "bundled"
        with pytest.raises(UserError, match="no suite “nowhere”"):
            named_suites.open_suite(connection, "nowhere", space.suites)
    file = problems.write(tmp_path / "own.jsonl", [problems.x_row(TASKS[0], 0), "{"])
    one = named_suites.from_file(file)
    assert (one.name, one.origin, one.reference, one.problems, len(one.bad)) == ("own", "file", str(file), 1, 1)
    with pytest.raises(UserError):
        named_suites.from_file(tmp_path / "none.jsonl")
