"""The window of suites: what there is, what of it is wrong, and making, adding, copying, deleting and checking whole suites."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QGuiApplication
from PySide6.QtWidgets import QFileDialog, QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.context import AppContext
from app.evaluation.page import EvaluationPage
from app.evaluation.suites import SuitesDialog
from app.evaluation.suites.describe_dialog import DescribeDialog
from app.evaluation.suites.name_dialog import NameDialog
from core.errors import UserError
from core.evaluation import soundness
from core.workspace import Workspace
from tests.app.evaluation.suites.conftest import LONG
from tests.core.evaluation import problems
from tests.core.evaluation.problems import TASKS


def row(suites: SuitesDialog, name: str) -> list[str]:
    """What the table says of a suite."""
    model = suites.overview.table.rows
    found = {model.index(at, 0).data(): at for at in range(model.rowCount())}
    return [model.index(found[name], column).data() for column in range(model.columnCount())]


def listed(suites: SuitesDialog) -> list[str]:
    return [one.suite.name for one in suites.overview.table.rows.rows]


def findings(suites: SuitesDialog) -> list[str]:
    return [suites.overview.findings.item(at).text() for at in range(suites.overview.findings.count())]


def add(suites: SuitesDialog, path: Path, qtbot: QtBot, press: Callable[..., None]) -> None:
    press(suites, "suitesImport")
    box = suites.findChild(QFileDialog, "suitesFile")
    assert box is not None
    box.fileSelected.emit(str(path))
    box.reject()
    qtbot.waitUntil(lambda: bool(suites.banner.text), timeout=LONG)


def named(suites: SuitesDialog) -> NameDialog:
    (dialog,) = [one for one in suites.findChildren(NameDialog) if one.isVisible()]
    return dialog


def test_all_suites_are_listed_with_what_is_wrong_with_them(suites: SuitesDialog, own: Path, qtbot: QtBot) -> None:
    assert row(suites, "workshop") == ["workshop", "Gosmith's", "Markdown", "80", "", "Not checked", ""]
    assert row(suites, "mine") == ["mine", "Yours", "Markdown", "3", "1", "Not checked", ""]
    suites.overview.table.choose("mine")
    assert suites.overview._title.text() == "Ours"
    assert suites.overview._about.text() == "Of work."
    assert findings(suites) == [
        f"{own}/parcels/broken.md:2: there is no field “topik”; known are topic, difficulty, entry, signature"
    ]
    qtbot.mouseClick(suites.overview.copy_findings, Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text() == findings(suites)[0]


def test_a_file_of_others_is_added_and_its_bad_rows_are_named(
    suites: SuitesDialog, tmp_path: Path, qtbot: QtBot, press: Any, context: AppContext
) -> None:
    rows = [
        problems.x_row(TASKS[0], 0),
        "nonsense",
        problems.x_row(TASKS[0], 0),
        problems.multipl_row(TASKS[1], 1),
        {"task_id": "x"},
    ]
    file = problems.write(tmp_path / "published.jsonl", rows)
    add(suites, file, qtbot, press)
    assert suites.banner.text.splitlines() == [
        "Added “published” (humaneval-x): 1 problems, 4 rows rejected:",
        f"{file}:2: this is not JSON", f"{file}:3: the task “Go/0” comes twice",
        f"{file}:4: this row is of multipl-e, the rows before are of humaneval-x", f"{file}:5: the row is no problem of a known suite",
    ]  # fmt: skip
    qtbot.waitUntil(lambda: "published" in listed(suites), timeout=LONG)
    assert row(suites, "published")[:4] == ["published", "Added", "humaneval-x", "1"]
    qtbot.mouseClick(suites.banner._actions[0], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: suites.banner.text == "No sample gives away a problem.", timeout=LONG)


@pytest.mark.parametrize(
    ("rows", "what"), [([], "holds no problem that Gosmith knows"), (["words"], "Line 1: this is not JSON")]
)
def test_a_file_without_problems_is_refused_in_a_sentence(
    suites: SuitesDialog, tmp_path: Path, qtbot: QtBot, press: Any, rows: list[Any], what: str
) -> None:
    add(suites, problems.write(tmp_path / "none.jsonl", rows), qtbot, press)
    assert what in suites.banner.text
    assert listed(suites) == ["workshop", "mine"]


def test_a_name_that_another_suite_has_is_refused(
    suites: SuitesDialog, tmp_path: Path, qtbot: QtBot, press: Any
) -> None:
    add(suites, problems.write(tmp_path / "mine.jsonl", [problems.x_row(TASKS[0], 0)]), qtbot, press)
    assert suites.banner.text.startswith("There is a suite “mine” already.")


def test_a_new_suite_is_named_and_opens_empty(
    suites: SuitesDialog, workspace: Workspace, qtbot: QtBot, press: Any
) -> None:
    press(suites, "suitesNew")
    dialog = named(suites)
    editor = dialog.findChild(QLineEdit, "suiteName")
    assert editor is not None
    for wrong, why in (
        ("a b", "A name holds letters"),
        ("mine", "There is a suite of that name already."),
        (".x", "A name begins with"),
    ):
        editor.clear()
        qtbot.keyClicks(editor, wrong)
        assert dialog.name.note.text().startswith(why)
        assert not dialog.confirm.isEnabled()
    editor.clear()
    qtbot.keyClicks(editor, "logs")
    dialog.title.write("Logs")
    qtbot.mouseClick(dialog.confirm, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: suites.editor.isVisible() and suites.editor._empty.isVisible(), timeout=LONG)
    assert suites.editor._empty.sentence == "This suite holds no problem yet. Write the first one."
    assert (workspace.suites / "logs" / "suite.toml").read_text() == 'title = "Logs"\n'


def test_a_suite_of_ones_own_is_described(suites: SuitesDialog, own: Path, qtbot: QtBot, press: Any) -> None:
    suites.overview.table.choose("workshop")
    assert not suites.overview.describe.isEnabled()
    suites.overview.table.choose("mine")
    press(suites, "suitesDescribe")
    (dialog,) = [one for one in suites.findChildren(DescribeDialog) if one.isVisible()]
    assert (dialog.title.read(), dialog.about.read()) == ("Ours", "Of work.")
    dialog.about.write("Of parcels and ships.")
    qtbot.mouseClick(dialog.confirm, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: suites.overview._about.text() == "Of parcels and ships.", timeout=LONG)
    assert "parcels and ships" in (own / "suite.toml").read_text()
    assert suites.overview._title.text() == "Ours"


def test_a_bundled_suite_is_copied_to_be_edited(
    suites: SuitesDialog, workspace: Workspace, qtbot: QtBot, press: Any
) -> None:
    suites.overview.table.choose("workshop")
    press(suites, "suitesCopy")
    dialog = named(suites)
    assert dialog.name.read() == "our-workshop"
    cancel = dialog.findChild(QPushButton, "suiteNameCancel")
    assert cancel is not None
    cancel.setFocus()
    qtbot.keyClick(cancel, Qt.Key.Key_Return)
    assert not dialog.isVisible()
    assert listed(suites) == ["workshop", "mine"]
    press(suites, "suitesCopy")
    dialog = named(suites)
    qtbot.mouseClick(dialog.confirm, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: suites.editor.draft.is_open and suites.editor.draft.editable, timeout=LONG)
    assert len(suites.editor.list.rows.all) == 80
    assert len(list((workspace.suites / "our-workshop").rglob("*.md"))) == 80


def test_ones_own_and_added_suites_are_deleted_after_a_question(
    suites: SuitesDialog, own: Path, tmp_path: Path, qtbot: QtBot, press: Any, answer: Any
) -> None:
    add(suites, problems.write(tmp_path / "published.jsonl", [problems.x_row(TASKS[0], 0)]), qtbot, press)
    qtbot.waitUntil(lambda: "published" in listed(suites), timeout=LONG)
    suites.overview.table.choose("workshop")
    assert not suites.overview.delete.isEnabled()
    suites.overview.table.choose("mine")
    press(suites, "suitesDelete")
    assert f"Its 3 problems in {own} are removed" in answer(suites, "suitesDeleteQuestion", "Cancel")
    assert own.exists()
    press(suites, "suitesDelete")
    answer(suites, "suitesDeleteQuestion", "Confirm")
    qtbot.waitUntil(lambda: listed(suites) == ["workshop", "published"], timeout=LONG)
    assert not own.exists()
    suites.overview.table.choose("published")
    press(suites, "suitesDelete")
    answer(suites, "suitesDeleteQuestion", "Confirm")
    qtbot.waitUntil(lambda: listed(suites) == ["workshop"], timeout=LONG)


def test_a_check_goes_on_without_the_window_and_names_what_is_not_sound(
    suites: SuitesDialog, context: AppContext, qtbot: QtBot, press: Any
) -> None:
    suites.overview.table.choose("mine")
    press(suites, "suitesCheck")
    qtbot.waitUntil(lambda: suites.desk.running_check() is not None, timeout=LONG)
    qtbot.waitUntil(lambda: suites.overview.progress.isVisible(), timeout=LONG)
    assert suites.overview.progress.text.startswith("Checking mine")
    assert not suites.overview.check.isEnabled()
    page = suites.parent()
    assert isinstance(page, EvaluationPage)
    suites.reject()
    assert page.suites.now is None
    qtbot.waitUntil(lambda: not context.jobs.running(soundness.KIND), timeout=LONG)
    page.open_suites()
    again = page.suites.now
    assert again is not None
    qtbot.waitUntil(lambda: len(again.overview.table.rows.rows) == 2, timeout=LONG)
    again.overview.table.choose("mine")
    assert row(again, "mine")[5] == "1 not sound"
    assert findings(again)[1].startswith("mine/wrong-sum: the reference does not pass (wrong answer)")
    assert again.overview._state.text() == "1 of 3 problems is not sound."
    again.overview.findings.itemActivated.emit(again.overview.findings.item(1))
    qtbot.waitUntil(lambda: again.editor.draft.is_open, timeout=LONG)
    assert again.editor.draft.draft.name == "wrong-sum"
    assert again.editor.pane.verdict.text.startswith("Not sound: the reference does not pass")
    states = {one.name: one.state[0] for one in again.editor.list.rows.all}
    assert states == {"broken": "No problem", "shout-words": "Sound", "total-weight": "Sound", "wrong-sum": "Not sound"}


def test_a_check_that_cannot_start_says_why(
    suites: SuitesDialog, qtbot: QtBot, press: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_go() -> None:
        raise UserError("There is no Go toolchain.", "Put one on PATH.")

    monkeypatch.setattr(soundness, "find", no_go)
    suites.overview.table.choose("mine")
    press(suites, "suitesCheck")
    qtbot.waitUntil(lambda: bool(suites.banner.text), timeout=LONG)
    assert suites.banner.text == "There is no Go toolchain. Put one on PATH."
    assert suites.overview.check.isEnabled()


def test_problems_in_python_are_not_checked(suites: SuitesDialog, tmp_path: Path, qtbot: QtBot, press: Any) -> None:
    add(suites, problems.write(tmp_path / "python.jsonl", [problems.humaneval()]), qtbot, press)
    qtbot.waitUntil(lambda: "python" in listed(suites), timeout=LONG)
    suites.overview.table.choose("python")
    assert suites.overview._state.text().startswith("Its problems are in Python")
    assert not suites.overview.check.isEnabled()


def test_enter_opens_a_suite_and_alt_left_leads_back(suites: SuitesDialog, qtbot: QtBot) -> None:
    suites.overview.table.choose("mine")
    qtbot.keyClick(suites.overview.table, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: suites.editor.draft.is_open, timeout=LONG)
    assert suites.editor._title.text() == "Ours"
    qtbot.keyClick(suites.editor.list, Qt.Key.Key_Left, Qt.KeyboardModifier.AltModifier)
    qtbot.waitUntil(lambda: suites.overview.isVisible())


def test_everything_has_a_name_and_fits_a_small_window(suites: SuitesDialog, qtbot: QtBot) -> None:
    suites.open_suite(suites.overview.table.rows.rows[1])
    qtbot.waitUntil(lambda: suites.editor.draft.is_open, timeout=LONG)
    roles = (
        QAccessible.Role.Button,
        QAccessible.Role.EditableText,
        QAccessible.Role.ComboBox,
        QAccessible.Role.Table,
        QAccessible.Role.List,
    )
    nameless = []
    for widget in suites.findChildren(QWidget):
        face = QAccessible.queryAccessibleInterface(widget)
        if face is not None and face.role() in roles and not face.text(QAccessible.Text.Name) and widget.isVisible():
            nameless.append(widget)
    assert nameless == []
    assert suites.minimumSizeHint().width() <= 984
    assert suites.minimumSizeHint().height() <= 600
