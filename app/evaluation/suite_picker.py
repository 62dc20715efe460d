"""The choice of a suite: those that come along, the workspace's own, those that were added, or a file that nobody keeps."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QStandardItemModel
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QVBoxLayout, QWidget

from app.context import AppContext
from app.evaluation import words
from app.widgets.buttons import Button
from app.widgets.calm_combo import CalmCombo
from app.widgets.labels import label
from core.errors import UserError
from core.samples import named_suites
from core.samples.named_suites import Listed

_ORIGINS = {"bundled": "comes along", "private": "your own", "added": "added", "file": "from a file"}


class SuitePicker(QWidget):
    """Attributes: box, suite (the chosen one, None before they are read). Signals: chosen(), also when the program chose."""

    chosen = Signal()

    def __init__(self, context: AppContext, wanted: str, parent: QWidget | None = None) -> None:
        """wanted: what finds the suite to begin with, "" for the first."""
        super().__init__(parent)
        self._context = context
        self._wanted = wanted
        self._suites: list[Listed] = []
        self.box = CalmCombo()
        self.box.setObjectName("evaluateSuite")
        self.box.setAccessibleName("Suite")
        self.box.currentIndexChanged.connect(lambda _place: self._on_chosen())
        caption = label("Suite", tone="dim", size=12)
        caption.setBuddy(self.box)
        file = Button(
            "From a file…", context.theme, name="evaluateSuiteFile",
            tip="HumanEval-X, HumanEvalPack or MultiPL-E in Go, as published",
        )  # fmt: skip
        file.clicked.connect(self.ask_open)
        self._about = label(tone="dim", size=12, wrap=True, name="evaluateSuiteAbout")
        line = QHBoxLayout()
        line.setSpacing(8)
        line.addWidget(self.box, 1)
        line.addWidget(file)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        column.addWidget(caption)
        column.addLayout(line)
        column.addWidget(self._about)
        private = context.workspace.suites
        context.tasks.run_query(
            lambda connection: named_suites.list_suites(connection, private), self._on_listed, owner=self
        )

    @property
    def suite(self) -> Listed | None:
        """The chosen one."""
        place = self.box.currentIndex()
        return self._suites[place] if 0 <= place < len(self._suites) else None

    def ask_open(self) -> None:
        """Ask for a file of problems."""
        name, _ = QFileDialog.getOpenFileName(
            self.window(), "A suite of problems", str(Path.home()), "Suites (*.jsonl *.jsonl.gz *.json);;All files (*)"
        )
        if name:
            self.open_file(Path(name))

    def open_file(self, path: Path) -> None:
        """Offer the problems of this file, and choose them."""
        self._context.tasks.run(lambda: named_suites.from_file(path), self._on_opened, self._on_failed, owner=self)

    def _on_listed(self, found: list[Listed]) -> None:
        self._show([*found, *(one for one in self._suites if one.origin == "file")], self._wanted)
        if self._wanted and all(one.reference != self._wanted for one in self._suites):
            self.open_file(Path(self._wanted)) if "/" in self._wanted else None

    def _on_opened(self, one: Listed) -> None:
        self._show([*(each for each in self._suites if each.reference != one.reference), one], one.reference)

    def _on_failed(self, error: UserError) -> None:
        self._about.setText(str(error))

    def _show(self, suites: Sequence[Listed], wanted: str) -> None:
        self._suites = list(suites)
        with QSignalBlocker(self.box):
            self.box.clear()
            model = self.box.model()
            assert isinstance(model, QStandardItemModel)
            for place, one in enumerate(self._suites):
                self.box.addItem(f"{one.name} ({_ORIGINS[one.origin]})", one.reference)
                self.box.setItemData(place, one.problem or None, Qt.ItemDataRole.ToolTipRole)
                model.item(place).setEnabled(bool(one.modes) and not one.problem)
            usable = [one for one in self._suites if one.modes and not one.problem]
            chosen = next((one for one in usable if one.reference == wanted), usable[0] if usable else None)
            self.box.setCurrentIndex(self._suites.index(chosen) if chosen is not None else -1)
        self._on_chosen()

    def _on_chosen(self) -> None:
        one = self.suite
        if one is None:
            self._about.setText("There is no suite that can be used." if self._suites else "")
        else:
            said = f"{words.counted(one.problems, 'problem')}, {words.FORMATS.get(one.format, one.format)}."
            if one.bad:
                first = one.bad[0]
                place = ":".join(part for part in (first.file, str(first.line)) if part)
                said += f" {words.counted(len(one.bad), 'row')} left out: {place}: {first.reason}."
            self._about.setText(said)
        self.chosen.emit()
