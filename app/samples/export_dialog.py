"""Where samples go and in which of the five formats."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtGui import QFont
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from app import fonts
from app.context import AppContext
from app.samples.columns import number
from app.widgets.buttons import Button
from app.widgets.dialog_foot import dialog_foot
from app.widgets.labels import label

_FORMATS = (
    ("openai", "OpenAI chat (.jsonl)", ".jsonl"),
    ("alpaca", "Alpaca (.jsonl)", ".jsonl"),
    ("sharegpt", "ShareGPT (.jsonl)", ".jsonl"),
    ("prompt-completion", "Prompt and completion (.jsonl)", ".jsonl"),
    ("parquet", "Parquet (.parquet)", ".parquet"),
)


class ExportDialog(QDialog):
    """Signals: confirmed(path, format)."""

    confirmed = Signal(object, str)

    def __init__(self, context: AppContext, query_text: str, count: int, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("exportDialog")
        self.setWindowTitle("Export samples")
        self.setMinimumWidth(560)
        title = QLabel(f"Export {number(count)} sample{'s' if count != 1 else ''}")
        title.setFont(fonts.ui_font(fonts.TITLE_SIZE, QFont.Weight.DemiBold))
        what = f"What the search “{query_text}” finds" if query_text else "All samples of the workspace"
        self._format = QComboBox()
        self._format.setObjectName("exportFormat")
        self._format.setAccessibleName("Format")
        for name, shown, _suffix in _FORMATS:
            self._format.addItem(shown, name)
        self._format.currentIndexChanged.connect(self._on_format)
        self._path = QLineEdit(str(Path.home() / "gosmith-samples.jsonl"))
        self._path.setObjectName("exportPath")
        self._path.setAccessibleName("File")
        self._path.textChanged.connect(self._on_path)
        browse = Button("Browse…", context.theme, name="exportBrowse")
        browse.clicked.connect(self._on_browse)
        place = QHBoxLayout()
        place.setSpacing(8)
        place.addWidget(self._path, 1)
        place.addWidget(browse)
        form = QFormLayout()
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(8)
        form.addRow(label("Format", tone="dim"), self._format)
        form.addRow(label("File", tone="dim"), place)
        self._warning = label(tone="warn", size=12, wrap=True, name="exportWarning")
        self._go = Button("Export", context.theme, kind="primary", name="exportConfirm")
        self._go.clicked.connect(self._confirm)
        cancel = Button("Cancel", context.theme, name="exportCancel")
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 16, 20, 16)
        column.setSpacing(12)
        column.addWidget(title)
        column.addWidget(label(f"{what}. A manifest with its hash is written beside it.", tone="dim", wrap=True))
        column.addLayout(form)
        column.addWidget(self._warning)
        column.addLayout(dialog_foot(self, cancel, self._go))
        self._on_path()

    @property
    def path(self) -> Path:
        """Where to."""
        return Path(self._path.text().strip()).expanduser()

    def _on_format(self) -> None:
        suffix = _FORMATS[self._format.currentIndex()][2]
        if self.path.suffix in (".jsonl", ".parquet", ".json"):
            self._path.setText(str(self.path.with_suffix(suffix)))

    def _on_path(self) -> None:
        text = self._path.text().strip()
        self._go.setEnabled(bool(text) and not self.path.is_dir())
        exists = bool(text) and self.path.is_file()
        self._warning.setText("This file is there already; it will be replaced." if exists else "")

    def _on_browse(self) -> None:
        chosen, _ = QFileDialog.getSaveFileName(
            self, "Export samples to", str(self.path), options=QFileDialog.Option.DontConfirmOverwrite
        )
        if chosen:
            self._path.setText(chosen)

    def _confirm(self) -> None:
        self.confirmed.emit(self.path, str(self._format.currentData()))
        self.accept()
