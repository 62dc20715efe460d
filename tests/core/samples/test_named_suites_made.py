"""One name for one suite, whoever keeps it: made, copied, added and deleted by that name."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from core.errors import UserError
from core.samples import named_suites
from core.workspace import Workspace, open_workspace
from tests.core.evaluation import problems
from tests.core.evaluation.problems import TASKS


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return open_workspace(tmp_path / "space")


@pytest.fixture
def connection(workspace: Workspace) -> Iterator[sqlite3.Connection]:
    with closing(workspace.connect()) as made:
        yield made


def test_suites_of_all_origins_have_one_namespace(
    tmp_path: Path, workspace: Workspace, connection: sqlite3.Connection
) -> None:
    own = workspace.suites
    file = problems.write(tmp_path / "published.jsonl", [problems.x_row(TASKS[0], 0), "nonsense"])
    named_suites.create(connection, own, "mine", "Ours", "Of work.")
    assert named_suites.copy(connection, own, "workshop", "copied") == own / "copied"
    name, suite = named_suites.add(connection, own, file)
    assert (name, len(suite.problems), [(row.line, row.reason) for row in suite.bad]) == (
        "published",
        1,
        [(2, "this is not JSON")],
    )
    found = {one.name: one for one in named_suites.list_suites(connection, own)}
    assert {name: (one.origin, one.problems) for name, one in found.items()} == {
        "workshop": ("bundled", 80), "copied": ("private", 80), "mine": ("private", 0), "published": ("added", 1),
    }  # fmt: skip
    assert (found["mine"].title, found["mine"].about, found["mine"].problem) == (
        "Ours",
        "Of work.",
        "It holds no problem yet.",
    )
    assert found["workshop"].title.startswith("Workshop")
    for taken in found:
        for make in (
            lambda taken=taken: named_suites.create(connection, own, taken),
            lambda taken=taken: named_suites.copy(connection, own, "workshop", taken),
            lambda taken=taken: named_suites.add(connection, own, file, taken),
        ):
            with pytest.raises(UserError, match=f"There is a suite “{taken}” already"):
                make()
    assert named_suites.delete(connection, own, "published") == "added"
    assert named_suites.delete(connection, own, "copied") == "private"
    with pytest.raises(UserError, match="ships with Gosmith"):
        named_suites.delete(connection, own, "workshop")
    assert [one.name for one in named_suites.list_suites(connection, own)] == ["workshop", "mine"]


def test_only_folders_are_copied(tmp_path: Path, workspace: Workspace, connection: sqlite3.Connection) -> None:
    own = workspace.suites
    file = problems.write(tmp_path / "published.jsonl", [problems.x_row(TASKS[0], 0)])
    named_suites.add(connection, own, file)
    for source in ("published", str(file)):
        with pytest.raises(UserError, match="is a file of others"):
            named_suites.copy(connection, own, source, "mine")
    with pytest.raises(UserError, match="no suite “nowhere”"):
        named_suites.copy(connection, own, "nowhere", "mine")
    folder = problems.write_ours(tmp_path / "elsewhere", {"x": problems.our_text(TASKS[0])})
    assert named_suites.copy(connection, own, str(folder), "mine") == own / "mine"
    assert (own / "mine" / "parcels" / "x.md").is_file()
