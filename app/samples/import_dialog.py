"""Before anything is imported: what kind of file it is, what its first rows become, and which rows cannot be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFont, QGuiApplication
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QDialog,
    QFormLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app import fonts
from app.context import AppContext
from app.samples.columns import number
from app.widgets.buttons import Button
from app.widgets.dialog_foot import dialog_foot
from app.widgets.labels import ElidedLabel, label
from core.errors import UserError
from core.samples import importing
from core.samples.formats import FORMATS
from core.samples.importing import Preview

_TITLES = {
    "openai": "OpenAI chat",
    "alpaca": "Alpaca",
    "sharegpt": "ShareGPT",
    "preference": "Preference (the chosen answer)",
    "prompt-completion": "Prompt and completion",
    "parquet": "Parquet",
}
_AUTOMATIC = ""


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """What the user decided. format: None for "as detected"."""

    paths: tuple[Path, ...]
    format: str | None
    source: str | None
    tags: tuple[str, ...]


class ImportDialog(QDialog):
    """Signals: confirmed(ImportRequest)."""

    confirmed = Signal(object)

    def __init__(self, context: AppContext, paths: Sequence[Path], parent: QWidget) -> None:
        super().__init__(parent)
        self._context = context
        self._paths = tuple(paths)
        self._preview: Preview | None = None
        names = paths[0].name if len(paths) == 1 else f"{len(paths)} files"
        self.setObjectName("importDialog")
        self.setWindowTitle("Import samples")
        self.resize(820, 560)
        title = QLabel(f"Import {names}")
        title.setFont(fonts.ui_font(fonts.TITLE_SIZE, QFont.Weight.DemiBold))
        self._summary = label("Reading …", tone="dim", wrap=True, name="importSummary")
        self._format = QComboBox()
        self._format.setObjectName("importFormat")
        self._format.setAccessibleName("Format")
        self._format.addItem("As detected", _AUTOMATIC)
        for name in FORMATS:
            self._format.addItem(_TITLES.get(name, name), name)
        self._format.currentIndexChanged.connect(self._look)
        self._source = QLineEdit()
        self._source.setObjectName("importSource")
        self._source.setAccessibleName("Source")
        self._source.setPlaceholderText("As the rows say, or imported; for example gpt-4")
        self._tags = QLineEdit()
        self._tags.setObjectName("importTags")
        self._tags.setAccessibleName("Tags")
        self._tags.setPlaceholderText("With commas between them")
        form = QFormLayout()
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(8)
        for caption, field in (("Format", self._format), ("Source", self._source), ("Tags", self._tags)):
            form.addRow(label(caption, tone="dim"), field)
        self._rows = _rows()
        self._bad = ElidedLabel(tone="warn")
        self._bad.setObjectName("importRejected")
        self._bad.setVisible(False)
        self._go = Button("Import", context.theme, kind="primary", name="importConfirm")
        self._go.setEnabled(False)
        self._go.clicked.connect(self._confirm)
        cancel = Button("Cancel", context.theme, name="importCancel")
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 16, 20, 16)
        column.setSpacing(12)
        for widget in (title, self._summary):
            column.addWidget(widget)
        column.addLayout(form)
        column.addWidget(self._rows, 1)
        column.addWidget(self._bad)
        column.addLayout(dialog_foot(self, cancel, self._go))
        self._look()

    @property
    def preview(self) -> Preview | None:
        """What the files hold; None while they are being read or cannot be."""
        return self._preview

    def _look(self) -> None:
        self._preview = None
        self._go.setEnabled(False)
        self._summary.setText("Reading …")
        paths, chosen = self._paths, self._format.currentData() or None
        self._context.tasks.run(
            lambda: (chosen, importing.preview(paths, chosen)), self._on_preview, self._on_problem, owner=self
        )

    def _on_preview(self, found: tuple[str | None, Preview]) -> None:
        chosen, preview = found
        if chosen != (self._format.currentData() or None):
            return
        self._preview = preview
        kind = _TITLES.get(preview.format, preview.format)
        amount = f"{number(preview.total)} rows" if preview.total is not None else "rows"
        self._summary.setText(f"{kind}, {amount}. The first {len(preview.samples)} become:")
        self._rows.setRowCount(len(preview.samples))
        for row, sample in enumerate(preview.samples):
            lines = sample.code.count("\n") + 1 if sample.code.strip() else 0
            cells = (
                " ".join(sample.prompt.split())[:300],
                " ".join(sample.response.split())[:300],
                f"{lines} lines" if lines else "no Go code",
            )
            for place, text in enumerate(cells):
                self._rows.setItem(row, place, QTableWidgetItem(text))
        if preview.rejected:
            first = preview.rejected[0]
            count = len(preview.rejected)
            self._bad.setText(
                f"{number(count)} row{'s' if count != 1 else ''} will be left out. {Path(first.file).name}, line {first.line}: {first.reason}."
            )
        self._bad.setVisible(bool(preview.rejected))
        self._go.setEnabled(bool(preview.samples))

    def _on_problem(self, error: UserError) -> None:
        self._rows.setRowCount(0)
        self._bad.setVisible(False)
        self._summary.setText(str(error))

    def _confirm(self) -> None:
        tags = tuple(" ".join(tag.split()) for tag in self._tags.text().split(",") if tag.strip())
        self.confirmed.emit(
            ImportRequest(self._paths, self._format.currentData() or None, self._source.text().strip() or None, tags)
        )
        self.accept()


class RejectedDialog(QDialog):
    """The rows that were not imported, each with its file, line and reason, to be read and copied."""

    def __init__(self, context: AppContext, rejected: Sequence[importing.Rejected], parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("rejectedDialog")
        self.setWindowTitle("Rows that were not imported")
        self.resize(760, 420)
        self._rejected = rejected
        table = _rows(("File", "Line", "Reason"))
        table.setObjectName("rejectedRows")
        table.setAccessibleName("Rows that were not imported")
        shown = rejected[:1000]
        table.setRowCount(len(shown))
        for row, one in enumerate(shown):
            for place, text in enumerate((Path(one.file).name, number(one.line), one.reason)):
                table.setItem(row, place, QTableWidgetItem(text))
        header = table.horizontalHeader()
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Interactive)
        header.resizeSection(0, 180)
        header.setSectionResizeMode(2, QHeaderView.ResizeMode.Stretch)
        copy = Button("Copy all", context.theme, icon="copy", name="rejectedCopy")
        copy.clicked.connect(self._on_copy)
        close = Button("Close", context.theme, name="rejectedClose")
        close.clicked.connect(self.accept)
        row_of_buttons = QHBoxLayout()
        row_of_buttons.addWidget(copy)
        row_of_buttons.addStretch(1)
        row_of_buttons.addWidget(close)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 16, 20, 16)
        column.setSpacing(12)
        rest = f" The first {number(len(shown))} are listed." if len(shown) < len(rejected) else ""
        column.addWidget(label(f"{number(len(rejected))} rows were not imported; all others were.{rest}", wrap=True))
        column.addWidget(table, 1)
        column.addLayout(row_of_buttons)

    def _on_copy(self) -> None:
        text = "\n".join(f"{one.file}:{one.line}: {one.reason}" for one in self._rejected)
        QGuiApplication.clipboard().setText(text)


def _rows(titles: tuple[str, str, str] = ("Prompt", "Answer", "Go")) -> QTableWidget:
    table = QTableWidget(0, 3)
    table.setObjectName("importRows")
    table.setAccessibleName("First rows")
    table.setHorizontalHeaderLabels(list(titles))
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setShowGrid(False)
    table.setWordWrap(False)
    table.setTabKeyNavigation(False)
    table.verticalHeader().hide()
    table.verticalHeader().setDefaultSectionSize(28)
    header = table.horizontalHeader()
    header.setHighlightSections(False)
    header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
    header.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
    header.resizeSection(2, 100)
    return table
