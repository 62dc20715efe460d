"""What gofmt would write: seen as a diff beside the sample, taken with one key, and undone like everything else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.samples.page import SamplesPage
from core.samples import edits, store
from core.workspace import Workspace

Calm = Callable[[], None]
UNTIDY = "package p\n\nfunc  F( ) int {\nreturn 1\n}\n"
TIDY = "package p\n\nfunc F() int {\n\treturn 1\n}\n"


@pytest.fixture
def untidy(go_ready: None, page: SamplesPage, workspace: Workspace, qtbot: QtBot, calm: Calm) -> Iterator[int]:
    """The second sample, which gofmt would write otherwise; it is not in front yet."""
    key = page.model.ids[1]
    with closing(workspace.connect()) as connection:
        sample = store.sample(connection, key)
        edits.edit(connection, key, f"Here:\n\n```go\n{UNTIDY}```\n", base_version=sample.version)
        states = {"parse": "pass", "format": "fail", "types": "pass"}
        store.save_verdicts(connection, [store.VerdictRecord(store.sample(connection, key).version, states)])
    yield key
    page.checker.close()


def proposed(page: SamplesPage, key: int) -> bool:
    draft = page.detail.proposal.draft()
    return draft is not None and draft[0].id == key and draft[2] is not None


def test_it_is_shown_and_taken_with_one_key_and_undone(
    page: SamplesPage, workspace: Workspace, untidy: int, qtbot: QtBot, calm: Calm
) -> None:
    assert not page.detail.proposal.isVisible()
    qtbot.keyClick(page.table, Qt.Key.Key_J)
    qtbot.waitUntil(lambda: proposed(page, untidy), timeout=30_000)
    assert page.detail.proposal.isVisible()
    assert page.detail.proposal.diff.changed_lines == (2, 2)
    qtbot.keyClick(page.table, Qt.Key.Key_F)
    calm()
    assert not page.detail.proposal.isVisible()
    with closing(workspace.connect(readonly=True)) as connection:
        taken = store.sample(connection, untidy)
    assert taken.code == TIDY
    assert taken.response == f"Here:\n\n```go\n{TIDY}```\n"
    assert taken.verdict.format == "pass", "Go was asked about what is proposed before it was taken"
    qtbot.keyClick(page.table, Qt.Key.Key_U)
    calm()
    with closing(workspace.connect(readonly=True)) as connection:
        assert store.sample(connection, untidy).code == UNTIDY


def test_without_a_proposal_the_key_does_nothing(
    page: SamplesPage, workspace: Workspace, qtbot: QtBot, calm: Calm
) -> None:
    first = page.model.ids[0]
    with closing(workspace.connect(readonly=True)) as connection:
        before = store.sample(connection, first).version
    qtbot.keyClick(page.table, Qt.Key.Key_F)
    calm()
    with closing(workspace.connect(readonly=True)) as connection:
        assert store.sample(connection, first).version == before


def test_an_answer_that_comes_too_late_is_passed_over(page: SamplesPage, untidy: int, qtbot: QtBot, calm: Calm) -> None:
    qtbot.keyClick(page.table, Qt.Key.Key_J)
    qtbot.keyClick(page.table, Qt.Key.Key_J)
    with qtbot.waitSignal(page.checker.checked, timeout=30_000):
        pass
    assert not page.detail.proposal.isVisible()
    assert page.detail.proposal.draft() is None


def test_a_sample_that_changed_meanwhile_is_not_overwritten(
    page: SamplesPage, workspace: Workspace, untidy: int, qtbot: QtBot, calm: Calm
) -> None:
    qtbot.keyClick(page.table, Qt.Key.Key_J)
    qtbot.waitUntil(lambda: proposed(page, untidy), timeout=30_000)
    with closing(workspace.connect()) as connection:
        edits.edit(
            connection,
            untidy,
            "other\n\n```go\npackage q\n```\n",
            base_version=store.sample(connection, untidy).version,
        )
    qtbot.keyClick(page.table, Qt.Key.Key_F)
    calm()
    with closing(workspace.connect(readonly=True)) as connection:
        assert store.sample(connection, untidy).code == "package q\n"
    assert "meanwhile" in page.banner.text or "changed" in page.banner.text
