"""Samples in, out and to Go, through the window: nothing without a preview, nothing without a word at the end."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QApplication, QComboBox, QFileDialog, QLabel, QLineEdit, QPushButton, QTableWidget
from pytestqt.qtbot import QtBot

from app.context import AppContext
from app.samples.export_dialog import ExportDialog
from app.samples.import_dialog import ImportDialog, RejectedDialog
from app.samples.page import SamplesPage
from core.samples import edits, reviews, store
from core.samples.query import parse
from core.workspace import Workspace
from tests.core.evaluation import problems

Calm = Callable[[], None]


def chat(prompt: str, answer: str = "```go\npackage a\n```") -> str:
    turns = [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}]
    return json.dumps({"messages": turns})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Three good rows and one that is cut off."""
    path = tmp_path / "chats.jsonl"
    path.write_text("\n".join([chat("One?"), chat("Two?"), '{"messages": [', chat("Three?")]) + "\n")
    return path


def click(page: SamplesPage, name: str, qtbot: QtBot) -> None:
    found = page.window().findChild(QPushButton, name)
    assert found is not None
    qtbot.mouseClick(found, Qt.MouseButton.LeftButton)


def act(page: SamplesPage, text: str, qtbot: QtBot) -> None:
    """Press an action of the banner."""
    found = next(one for one in page.banner.findChildren(QPushButton) if one.text() == text and one.isVisible())
    qtbot.mouseClick(found, Qt.MouseButton.LeftButton)


def import_dialog(page: SamplesPage, qtbot: QtBot) -> ImportDialog:
    dialog = page.transfer.dialog
    assert isinstance(dialog, ImportDialog)
    qtbot.waitUntil(lambda: dialog.preview is not None)
    return dialog


def test_a_file_is_chosen_looked_at_and_imported(
    page: SamplesPage, file: Path, qtbot: QtBot, calm: Calm, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = len(page.model.ids)
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_: ([str(file)], ""))
    click(page, "samplesImport", qtbot)
    dialog = import_dialog(page, qtbot)
    rows = dialog.findChild(QTableWidget, "importRows")
    assert isinstance(rows, QTableWidget)
    assert [rows.item(row, 0).text() for row in range(3)] == ["One?", "Two?", "Three?"]
    assert "line 3" in dialog.findChild(QLabel, "importRejected").text()  # type: ignore[union-attr]
    source = dialog.findChild(QLineEdit, "importSource")
    tags = dialog.findChild(QLineEdit, "importTags")
    assert source is not None
    assert tags is not None
    qtbot.keyClicks(source, "gpt-4")
    qtbot.keyClicks(tags, "first, gold rush")
    click(page, "importConfirm", qtbot)
    calm()
    assert page.banner.text == "3 samples imported, 1 could not be read."
    assert len(page.model.ids) == before + 3
    page.search_for('source:gpt-4 tag:"gold rush"')
    calm()
    assert len(page.model.ids) == 3


def test_rows_left_out_are_listed_and_can_be_copied(page: SamplesPage, file: Path, qtbot: QtBot, calm: Calm) -> None:
    page.transfer.preview([file])
    import_dialog(page, qtbot)
    click(page, "importConfirm", qtbot)
    calm()
    act(page, "Show what was left out", qtbot)
    dialog = page.transfer.dialog
    assert isinstance(dialog, RejectedDialog)
    click(page, "rejectedCopy", qtbot)
    copied = QApplication.clipboard().text()
    assert copied.startswith(f"{file}:3: ")
    QApplication.clipboard().clear()
    dialog.accept()


def test_an_import_is_undone_in_one_step(page: SamplesPage, file: Path, qtbot: QtBot, calm: Calm) -> None:
    before = list(page.model.ids)
    page.transfer.preview([file])
    import_dialog(page, qtbot)
    click(page, "importConfirm", qtbot)
    calm()
    act(page, "Undo", qtbot)
    calm()
    assert list(page.model.ids) == before


def test_what_cannot_be_read_is_said_in_the_dialog(page: SamplesPage, tmp_path: Path, qtbot: QtBot) -> None:
    empty = tmp_path / "empty.jsonl"
    empty.touch()
    page.transfer.preview([empty])
    dialog = page.transfer.dialog
    assert isinstance(dialog, ImportDialog)
    qtbot.waitUntil(lambda: "is empty" in dialog._summary.text())
    assert not dialog._go.isEnabled()
    dialog.reject()


def test_another_format_is_tried_at_once(page: SamplesPage, file: Path, qtbot: QtBot) -> None:
    page.transfer.preview([file])
    dialog = import_dialog(page, qtbot)
    formats = dialog.findChild(QComboBox, "importFormat")
    assert formats is not None
    formats.setCurrentIndex(formats.findData("alpaca"))
    qtbot.waitUntil(lambda: dialog.preview is not None)
    assert dialog.preview is not None
    assert dialog.preview.samples == ()
    assert not dialog._go.isEnabled()
    dialog.reject()


def test_files_are_dropped_on_the_page(page: SamplesPage, file: Path, qtbot: QtBot) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(file))])
    none = Qt.KeyboardModifier.NoModifier
    drop = QDropEvent(QPoint(5, 5), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, none)
    page.dropEvent(drop)
    assert drop.isAccepted()
    import_dialog(page, qtbot).reject()


def test_what_the_search_finds_is_exported(page: SamplesPage, tmp_path: Path, qtbot: QtBot, calm: Calm) -> None:
    page.search_for("topic:time")
    calm()
    count = len(page.model.ids)
    click(page, "samplesExport", qtbot)
    dialog = page.transfer.dialog
    assert isinstance(dialog, ExportDialog)
    path = dialog.findChild(QLineEdit, "exportPath")
    assert path is not None
    target = tmp_path / "out.jsonl"
    path.setText(str(target))
    click(page, "exportConfirm", qtbot)
    calm()
    assert page.banner.text.startswith(f"{count} samples written to {target} (sha256 ")
    assert len(target.read_text().splitlines()) == count


def test_an_export_that_fails_says_why(page: SamplesPage, tmp_path: Path, qtbot: QtBot, calm: Calm) -> None:
    page.export()
    dialog = page.transfer.dialog
    assert isinstance(dialog, ExportDialog)
    path = dialog.findChild(QLineEdit, "exportPath")
    assert path is not None
    path.setText(str(tmp_path / "no such folder" / "out.jsonl"))
    click(page, "exportConfirm", qtbot)
    calm()
    assert "no such folder" in page.banner.text
    assert not page.transfer._work.busy


def test_go_checks_what_the_search_finds_and_verdicts_appear(
    go_ready: None, page: SamplesPage, context: AppContext, workspace: Workspace, qtbot: QtBot, calm: Calm
) -> None:
    context.jobs.start()
    page.search_for("id:1..12")
    calm()
    page.check()
    qtbot.waitUntil(lambda: page.banner.text.startswith("Go checked 12 samples"), timeout=60_000)
    calm()
    rows = [page.model.row(place) for place in range(12)]
    assert all(row is not None and row.verdict.types is not None for row in rows)
    assert not page.progress.isVisible()
    failing = sum(row.verdict.types == "fail" for row in rows if row is not None)
    if failing:
        act(page, "Show what fails", qtbot)
        calm()
        assert page.search.field.text() == "verdict:fail"


def test_verdicts_of_a_check_that_ended_without_a_window_are_taken_in_at_the_start(
    go_ready: None, context: AppContext, workspace: Workspace, page: SamplesPage, qtbot: QtBot, calm: Calm
) -> None:
    from contextlib import closing

    from core.jobs.status import ENDED, info
    from core.samples import checking, query

    with closing(workspace.connect(readonly=True)) as connection:
        folder = checking.start_check(workspace.jobs, connection, query.parse("id:1..3"))
    qtbot.waitUntil(lambda: info(folder).state in ENDED, timeout=60_000)
    assert info(folder).state == "done"
    context.jobs.start()
    qtbot.waitUntil(lambda: all(page.model.row(place).verdict.parse for place in range(3)), timeout=20_000)  # type: ignore[union-attr]
    calm()
    assert "Go checked" not in page.banner.text, "nobody asked for it now"


def test_nothing_to_check_is_said(page: SamplesPage, qtbot: QtBot, calm: Calm) -> None:
    page.search_for("nosuchword")
    calm()
    page.check()
    qtbot.waitUntil(lambda: "nothing to check" in page.banner.text)


def test_a_check_is_stopped_from_the_line_that_shows_it(
    go_ready: None, page: SamplesPage, context: AppContext, workspace: Workspace, qtbot: QtBot, calm: Calm
) -> None:
    context.jobs.start()
    context.commands.run("samples.check_test")
    qtbot.waitUntil(page.progress.isVisible, timeout=60_000)
    click(page, "progressStop", qtbot)
    qtbot.waitUntil(lambda: page.banner.text.startswith("The check was stopped"), timeout=120_000)
    calm()
    assert not page.progress.isVisible()
    assert not context.jobs.running()


def test_a_new_workspace_offers_the_check(page: SamplesPage, qtbot: QtBot, calm: Calm) -> None:
    assert page.banner.text == f"Go has not checked these {len(page.model.ids)} samples yet."
    page.banner.clear()
    page.refresh()
    calm()
    assert page.banner.text == "", "it is said once"


def test_near_copies_are_found_marked_and_shown(page: SamplesPage, qtbot: QtBot, calm: Calm) -> None:
    page.find_near_copies()
    calm()
    assert page.banner.text.endswith("resemble another one that is worth keeping.")
    act(page, "Show the copies", qtbot)
    calm()
    assert page.search.field.text() == "dup:yes"
    rows = [page.model.row(place) for place in range(page.model.rowCount())]
    assert rows
    assert all(row is not None and row.duplicate for row in rows)
    chip = page.findChild(QPushButton, "filter_dup_yes")
    assert chip is not None
    assert chip.text() == f"Near copies  {len(rows)}"


def test_the_apprentice_learns_from_decisions_and_puts_the_uncertain_first(
    page: SamplesPage, context: AppContext, workspace: Workspace, qtbot: QtBot, calm: Calm
) -> None:
    context.commands.run("samples.score")
    calm()
    assert page.banner.text.startswith("There are 0 accepted and 0 rejected samples: too few to learn from.")
    with closing(workspace.connect()) as connection:
        edits.review(connection, list(page.model.ids[:60:2]), status="accepted")
        edits.review(connection, list(page.model.ids[1:60:2]), status="rejected")
    context.commands.run("samples.score")
    calm()
    assert page.banner.text.startswith("The apprentice would have made ")
    act(page, "Most uncertain first", qtbot)
    calm()
    assert page.search.field.text() == "status:new sort:uncertain"
    scores = [row.score for place in range(page.model.rowCount()) if (row := page.model.row(place))]
    assert len(scores) > 200
    assert None not in scores
    assert [abs(score - 50) for score in scores if score is not None] == sorted(
        abs(score - 50) for score in scores if score is not None
    )


def test_code_of_all_that_the_search_finds_is_formatted_and_undone_in_one_step(
    page: SamplesPage, context: AppContext, workspace: Workspace, go_ready: None, qtbot: QtBot, calm: Calm
) -> None:
    context.commands.run("samples.gofmt")
    calm()
    assert page.banner.text.startswith("Done: Format ")
    with closing(workspace.connect(readonly=True)) as connection:
        changed = [key for key in page.model.ids if len(store.versions(connection, key)) == 2]
        assert changed
        assert all(store.sample(connection, key).verdict.format == "pass" for key in changed)
    act(page, "Undo", qtbot)
    calm()
    with closing(workspace.connect(readonly=True)) as connection:
        assert {store.sample(connection, key).version for key in changed} == {
            store.versions(connection, key)[0].id for key in changed
        }
    page.search_for("tag:none")
    calm()
    context.commands.run("samples.fix_imports")
    calm()
    assert page.banner.text == "There was nothing to mend."


def test_a_suite_is_added_and_what_gives_it_away_is_found_and_named(
    page: SamplesPage, context: AppContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot, calm: Calm
) -> None:
    task = problems.humaneval_x(0)
    suite = problems.write(tmp_path / "held.jsonl", [task])
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(suite), ""))
    context.commands.run("samples.add_suite")
    calm()
    assert page.banner.text == "No sample gives away a problem."
    with closing(context.workspace.connect()) as connection:
        first = page.model.ids[0]
        version = store.sample(connection, first).version
        answer = f"```go\n{task['prompt']}{task['canonical_solution']}```"
        edits.edit(connection, first, answer, base_version=version)
    context.commands.run("samples.contaminated")
    calm()
    assert page.banner.text.startswith("1 sample gives away problems of a suite")
    act(page, "Show them", qtbot)
    calm()
    assert list(page.model.ids) == [first]
    assert page.detail._used.text().startswith("Gives away held Go/0 (")


def test_reviews_are_exported_and_those_of_another_are_merged_and_undone(
    page: SamplesPage,
    context: AppContext,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    qtbot: QtBot,
    calm: Calm,
    statuses: Callable[[list[int]], list[str]],
) -> None:
    ids = list(page.model.ids[:3])
    bundle = tmp_path / "ann.gz"
    with closing(context.workspace.connect()) as connection:
        edits.review(connection, ids, status="accepted", author="ann")
        reviews.export_reviews(connection, bundle, "ann", parse("reviewer:ann"))
        edits.undo(connection)
        edits.review(connection, ids[:1], status="rejected", author="me")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(bundle), ""))
    context.commands.run("samples.merge_reviews")
    calm()
    assert page.banner.text == "3 samples by ann: 0 new, 2 decided for you, 0 agree, 1 disagree."
    assert statuses(ids) == ["rejected", "accepted", "accepted"]
    act(page, "Show where you disagree", qtbot)
    calm()
    assert list(page.model.ids) == ids[:1]
    context.commands.run("app.undo")
    calm()
    assert statuses(ids) == ["rejected", "new", "new"]

    page.clear_search()
    calm()
    mine = tmp_path / "mine.gz"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(mine), ""))
    context.commands.run("samples.export_reviews")
    calm()
    assert "with the decisions of “me” written to" in page.banner.text
    assert mine.exists()
