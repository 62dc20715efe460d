"""All suites: a table, below it what the chosen one is about and what of it is not as it should be, and what can be done with it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from app.context import AppContext
from app.evaluation.suites.standing import Standing
from app.evaluation.suites.suites_table import SuitesTable, soundness_in_words
from app.widgets.buttons import Button
from app.widgets.labels import ElidedLabel, hairline, label, section
from app.widgets.progress import ProgressLine
from core.evaluation.suites import OURS
from core.jobs import JobInfo

_MOST = 500


class Overview(QWidget):
    """Signals: import_wanted(), new_wanted(); open_wanted, copy_wanted, describe_wanted, delete_wanted, check_wanted (Standing); problem_wanted(Standing, name);
    stop_wanted().
    """

    import_wanted = Signal()
    new_wanted = Signal()
    open_wanted = Signal(object)
    copy_wanted = Signal(object)
    describe_wanted = Signal(object)
    delete_wanted = Signal(object)
    check_wanted = Signal(object)
    problem_wanted = Signal(object, str)
    stop_wanted = Signal()

    def __init__(self, context: AppContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        theme = context.theme
        self._checking: JobInfo | None = None
        self.table = SuitesTable(theme)
        self.table.chosen.connect(self._show)
        self.table.opened.connect(self.open_wanted)
        self.progress = ProgressLine(theme, name="suitesProgress")
        self.progress.cancelled.connect(self.stop_wanted)
        self._title = section("")
        self._about = label(tone="dim", wrap=True, name="suiteAboutText")
        self._state = ElidedLabel()
        self._state.setObjectName("suiteState")
        self.findings = QListWidget()
        self.findings.setObjectName("suitesFindings")
        self.findings.setAccessibleName("What is not as it should be")
        self.findings.setWordWrap(True)
        self.findings.setToolTip("Enter or a double click opens the problem")
        self.findings.itemActivated.connect(self._on_finding_activated)
        self.findings.setMinimumHeight(64)
        self.copy_findings = Button(
            "Copy all", theme, icon="clipboard-text", kind="quiet", name="suitesFindingsCopy", tip="Copies this list"
        )
        self.copy_findings.clicked.connect(self._on_copy_findings)
        self._build(context)

    def _build(self, context: AppContext) -> None:
        theme = context.theme
        self.add = Button(
            "Import…",
            theme,
            icon="upload-simple",
            name="suitesImport",
            tip="HumanEval-X, HumanEvalPack or MultiPL-E in Go, or HumanEval",
        )
        self.new = Button("New suite…", theme, icon="plus", name="suitesNew")
        self.copy = Button("Copy to edit…", theme, name="suitesCopy", tip="Makes a suite of your own from this one")
        self.describe = Button("Describe…", theme, name="suitesDescribe", tip="Its title, and what it measures")
        self.delete = Button("Delete…", theme, name="suitesDelete")
        self.check = Button(
            "Check",
            theme,
            icon="play",
            name="suitesCheck",
            tip="Do its tests compile, its references pass, stubs of them fail?",
        )
        self.open = Button("Open", theme, kind="primary", name="suitesOpen", tip="Enter")
        self.add.clicked.connect(self.import_wanted)
        self.new.clicked.connect(self.new_wanted)
        for button, signal in (
            (self.copy, self.copy_wanted), (self.describe, self.describe_wanted), (self.delete, self.delete_wanted), (self.check, self.check_wanted), (self.open, self.open_wanted),
        ):  # fmt: skip
            button.clicked.connect(lambda _checked=False, signal=signal: signal.emit(self.table.current))
        head = QHBoxLayout()
        head.setContentsMargins(20, 14, 20, 10)
        head.setSpacing(8)
        head.addWidget(section("Suites of problems"))
        head.addWidget(ElidedLabel("For measuring only: no model is trained on them.", tone="dim"), 1)
        head.addWidget(self.add)
        head.addWidget(self.new)
        below = QVBoxLayout()
        below.setContentsMargins(20, 10, 20, 8)
        below.setSpacing(6)
        line = QHBoxLayout()
        line.setSpacing(12)
        line.addWidget(self._title)
        line.addWidget(self._state, 1)
        line.addWidget(self.copy_findings)
        below.addLayout(line)
        below.addWidget(self._about)
        below.addWidget(self.findings, 1)
        below.addStretch(0)
        foot = QHBoxLayout()
        foot.setContentsMargins(20, 10, 20, 12)
        foot.setSpacing(8)
        foot.addWidget(self.delete)
        foot.addWidget(self.describe)
        foot.addWidget(self.copy)
        foot.addStretch(1)
        foot.addWidget(self.check)
        foot.addWidget(self.open)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self.table, 3)
        column.addWidget(self.progress)
        column.addLayout(below, 2)
        column.addWidget(hairline())
        column.addLayout(foot)
        for button in (
            self.add,
            self.new,
            self.copy,
            self.describe,
            self.delete,
            self.check,
            self.open,
            self.copy_findings,
        ):
            button.setAutoDefault(False)
        self._show(None)

    def set_rows(self, rows: Sequence[Standing]) -> None:
        """Show these suites."""
        self.table.set_rows(rows)
        self._show(self.table.current)

    def show_check(self, job: JobInfo | None) -> None:
        """How far the check under way is; None or one that has ended: none is."""
        before, self._checking = self._checking, job if job is not None and job.alive else None
        if self._checking is None:
            if before is not None:
                self.progress.finish()
        else:
            if before is None or before.id != self._checking.id:
                self.progress.start(self._checking.title.replace("Check", "Checking", 1))
            if self._checking.state == "stopping":
                self.progress.stopping()
            elif self._checking.step is not None:
                self.progress.advance(self._checking.step, self._checking.total)
        self._offer(self.table.current)

    # --- the chosen one ----------------------------------------------------------------------------------------

    def _show(self, standing: Standing | None) -> None:
        suite = standing.suite if standing is not None else None
        self._title.setText((suite.title or suite.name) if suite is not None else "")
        self._about.setText(suite.about if suite is not None else "")
        self._about.setVisible(bool(self._about.text()))
        words = complaints_of(standing) if standing is not None else []
        self.findings.clear()
        for problem, text in words[:_MOST]:
            item = QListWidgetItem(text, self.findings)
            item.setData(Qt.ItemDataRole.UserRole, problem)
        if len(words) > _MOST:
            self.findings.addItem(f"And {len(words) - _MOST:,} more; “Copy all” has them all.")
        self.findings.setVisible(bool(words))
        self.copy_findings.setVisible(bool(words))
        self._state.setText(_sentence(standing) if standing is not None else "")
        self._offer(standing)

    def _offer(self, standing: Standing | None) -> None:
        suite = standing.suite if standing is not None else None
        self.open.setEnabled(suite is not None and bool(suite.format))
        self.copy.setEnabled(suite is not None and suite.format == OURS)
        self.describe.setEnabled(standing is not None and standing.own)
        self.delete.setEnabled(suite is not None and suite.origin != "bundled")
        self.check.setEnabled(suite is not None and bool(suite.problems and suite.modes) and self._checking is None)

    def _on_copy_findings(self) -> None:
        if self.table.current is not None:
            QGuiApplication.clipboard().setText("\n".join(text for _, text in complaints_of(self.table.current)))

    def _on_finding_activated(self, item: QListWidgetItem) -> None:
        problem = item.data(Qt.ItemDataRole.UserRole)
        if problem and self.table.current is not None:
            self.problem_wanted.emit(self.table.current, problem)


def complaints_of(standing: Standing) -> list[tuple[str, str]]:
    """All that is wrong with a suite, each with the problem that is meant, "" for none: what cannot be read as file:line: reason, then what
    is not sound."""
    suite = standing.suite
    said = [("", suite.problem)] if suite.problem and not suite.format else []
    for row in suite.bad:
        problem = Path(row.file).stem if row.file.endswith(".md") else ""
        said.append((problem, f"{suite.folder / row.file if suite.folder else row.file}:{row.line}: {row.reason}"))
    return said + [(task, f"{task}: {complaint}") for task, complaint in standing.unsound]


def _sentence(standing: Standing) -> str:
    suite = standing.suite
    if not suite.format:
        return "It cannot be read."
    if not suite.problems:
        return "It holds no problem yet. Open it and write the first one." if standing.own else "It holds no problem."
    if not suite.modes:
        return "Its problems are in Python: it serves to find samples that give them away."
    if not standing.checked:
        return "Nobody has checked yet whether its tests compile, its references pass and stubs fail."
    words, tone = soundness_in_words(standing)
    if tone == "good":
        return f"All {suite.problems:,} problems are sound: tests compile, references pass, stubs fail."
    wrong, rest = len({name for name, _ in standing.unsound}), suite.problems - standing.checked
    if not wrong:
        return f"{words}; those are sound."
    said = f"{wrong:,} of {suite.problems:,} problems {'is' if wrong == 1 else 'are'} not sound."
    return f"{said} {rest:,} are not checked." if rest else said
