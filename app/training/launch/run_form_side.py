"""The right half of the launch dialog: what the run will cost, and below it either its first batch or its configuration as TOML."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QPlainTextEdit, QStackedWidget, QVBoxLayout, QWidget

from app import fonts
from app.context import AppContext
from app.training.launch.batch_preview import BatchPreview, PreviewRow
from app.training.launch.forecast_panel import ForecastPanel
from app.widgets.buttons import Button
from app.widgets.labels import label
from core.training.config import RunConfig
from core.training.config_file import dump_config

_COLOURS = "Coloured tokens count in the loss; grey ones are only read."
_WHOLE = "Every key, as `gosmith train` reads it."


class RunSide(QWidget):
    """Shows what it is given; it computes and asks nothing."""

    def __init__(self, context: AppContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        theme = context.theme
        self.forecast = ForecastPanel(context)
        self._preview = BatchPreview(theme)
        self._preview_note = _COLOURS
        self._text = QPlainTextEdit()
        self._text.setReadOnly(True)
        self._text.setProperty("kind", "code")
        self._text.setProperty("framed", True)
        self._text.setFont(fonts.code_font())
        self._text.setObjectName("configText")
        self._text.setAccessibleName("Configuration as TOML")
        self._stack = QStackedWidget()
        self._stack.addWidget(self._preview)
        self._stack.addWidget(self._text)
        self._note = label(tone="dim", size=12, wrap=True, name="previewNote")
        self._copy = Button("Copy", theme, icon="copy", kind="quiet", name="configCopy", tip="Copy the configuration")
        self._copy.clicked.connect(self._on_copy)
        segments = QButtonGroup(self)
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        for place, (text, name) in enumerate((("First batch", "showBatch"), ("As TOML", "showConfig"))):
            button = Button(text, theme, kind="segment", name=name)
            button.setCheckable(True)
            button.setChecked(place == 0)
            segments.addButton(button, place)
            row.addWidget(button)
        segments.idClicked.connect(self._on_segment_clicked)
        row.addStretch(1)
        row.addWidget(self._copy)
        keep = self._copy.sizePolicy()
        keep.setRetainSizeWhenHidden(True)
        self._copy.setSizePolicy(keep)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 14, 20, 8)
        column.setSpacing(8)
        column.addWidget(self.forecast)
        column.addLayout(row)
        column.addWidget(self._note)
        column.addWidget(self._stack, 1)
        self._on_segment_clicked(0)

    def _on_segment_clicked(self, place: int) -> None:
        self._stack.setCurrentIndex(place)
        self._copy.setVisible(place == 1)
        self._show_note()

    def _show_note(self) -> None:
        self._note.setText(_WHOLE if self._stack.currentWidget() is self._text else self._preview_note)

    def set_note(self, text: str) -> None:
        """Say what goes on with the preview."""
        self._preview_note = text
        self._show_note()

    def set_rows(self, rows: Sequence[PreviewRow]) -> None:
        """Show the first batch."""
        self._preview.set_rows(rows)
        self.set_note(_COLOURS)

    def set_config(self, config: RunConfig | None) -> None:
        """Show this configuration; None while something is wrong with it."""
        text = dump_config(config).strip() if config is not None else ""
        if text != self._text.toPlainText():
            self._text.setPlainText(text)
        self._text.setPlaceholderText("The configuration stands here when nothing is wrong with the settings.")
        self._copy.setEnabled(bool(text))

    def _on_copy(self) -> None:
        QGuiApplication.clipboard().setText(self._text.toPlainText() + "\n")
