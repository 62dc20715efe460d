"""No bug passes in silence, and none stops the work."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt, qWarning
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel, QPlainTextEdit, QPushButton
from pytestqt.qtbot import QtBot

from app.errors import ErrorReporter, Log, ReportDialog
from app.theme import Theme
from core.errors import UserError


@pytest.fixture
def reporter(theme: Theme, tmp_path: Path, leaks_nothing: None) -> Iterator[ErrorReporter]:
    made = ErrorReporter(theme, Log(tmp_path / "logs" / "gosmith.log"))
    made.install()
    yield made
    made.remove()


def raised(error: Exception) -> Exception:
    try:
        raise error
    except Exception as caught:  # noqa: BLE001  to give it a traceback
        return caught


def test_a_bug_is_shown_once_and_more_of_them_are_counted(
    reporter: ErrorReporter, qtbot: QtBot, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    error = raised(ValueError("the answer is 41"))
    sys.excepthook(type(error), error, error.__traceback__)
    qtbot.waitUntil(lambda: reporter._dialog is not None)
    dialog = reporter._dialog
    assert isinstance(dialog, ReportDialog)
    assert not dialog.isModal()
    assert "ValueError: the answer is 41" in dialog._summary.text()
    reporter.report(raised(KeyError("second")))
    qtbot.waitUntil(lambda: len(dialog.reports) == 2)
    assert "2 errors so far" in dialog._summary.text()
    assert "the answer is 41" in (tmp_path / "logs" / "gosmith.log").read_text()
    assert "the answer is 41" in capsys.readouterr().err


def test_the_report_can_be_read_and_copied(
    reporter: ErrorReporter, qtbot: QtBot, capsys: pytest.CaptureFixture[str]
) -> None:
    reporter.report(raised(RuntimeError("odd")))
    qtbot.waitUntil(lambda: reporter._dialog is not None)
    dialog = reporter._dialog
    assert dialog is not None
    qtbot.mouseClick(dialog._details, Qt.MouseButton.LeftButton)
    assert dialog._trace.isVisible()
    assert "RuntimeError: odd" in dialog._trace.toPlainText()
    dialog._on_copy()
    assert "PySide6" in QGuiApplication.clipboard().text()
    QGuiApplication.clipboard().clear()


def test_what_a_user_can_mend_is_no_bug(reporter: ErrorReporter, qtbot: QtBot) -> None:
    with qtbot.waitSignal(reporter.problem) as told:
        reporter.report(UserError("The file is empty."))
    assert told.args[0].message == "The file is empty."
    assert reporter._dialog is None


def test_a_bug_on_any_thread_arrives(reporter: ErrorReporter, qtbot: QtBot, capsys: pytest.CaptureFixture[str]) -> None:
    thread = threading.Thread(target=lambda: {}["missing"])
    thread.start()
    thread.join()
    qtbot.waitUntil(lambda: reporter._dialog is not None)


def test_no_key_to_an_account_gets_into_a_report(
    reporter: ErrorReporter,
    qtbot: QtBot,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "team-key-0123456789")
    error = raised(ValueError("401: team-key-0123456789 is no key, nor is sk-proj-abcdef123456"))
    sys.excepthook(type(error), error, error.__traceback__)
    qtbot.waitUntil(lambda: reporter._dialog is not None)
    assert reporter._dialog is not None
    reporter._dialog.findChild(QPushButton, "errorCopy").click()
    written = [
        reporter._dialog.findChild(QPlainTextEdit, "errorTrace").toPlainText(),
        *(label.text() for label in reporter._dialog.findChildren(QLabel)),
        QGuiApplication.clipboard().text(),
        (tmp_path / "logs" / "gosmith.log").read_text(),
        capsys.readouterr().err,
    ]
    assert not [text for text in written if "0123456789" in text or "abcdef123456" in text]
    assert "[key] is no key, nor is [key]" in written[0]


@pytest.mark.qt_log_ignore("a word from Qt")
def test_what_qt_says_goes_to_the_log(reporter: ErrorReporter, tmp_path: Path) -> None:
    qWarning("a word from Qt")
    assert "a word from Qt" in (tmp_path / "logs" / "gosmith.log").read_text()


def test_a_crash_in_native_code_is_found_at_the_next_start(tmp_path: Path) -> None:
    crash = "import sys, pathlib, ctypes; from app.errors import CrashLog; log = CrashLog(pathlib.Path(sys.argv[1])); ctypes.string_at(0)"
    done = subprocess.run([sys.executable, "-c", crash, str(tmp_path)], capture_output=True, check=False)
    assert done.returncode != 0
    # faulthandler is the test runner's again afterwards
    asks = (
        "import sys, pathlib; from app.errors import CrashLog; log = CrashLog(pathlib.Path(sys.argv[1])); "
        "print(log.found, 'Segmentation' in log.previous.read_text()); log.close()"
    )
    answer = subprocess.run([sys.executable, "-c", asks, str(tmp_path)], capture_output=True, text=True, check=True)
    assert answer.stdout.split() == ["True", "True"]
    again = subprocess.run(
        [sys.executable, "-c", asks.replace("'Segmentation' in log.previous.read_text()", "0"), str(tmp_path)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert again.stdout.split() == ["False", "0"]


def test_a_log_does_not_grow_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text("x" * 1_100_000)
    Log(path).write("fresh")
    assert path.stat().st_size < 100
    assert (tmp_path / "a.old.log").exists()
