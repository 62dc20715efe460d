"""The small window that stands there while a new workspace is filled, and when a workspace cannot be opened."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QVBoxLayout, QWidget

from app import fonts
from app.theme import Theme, set_property
from app.widgets.buttons import Button
from app.widgets.labels import label
from core.errors import UserError


class StartWindow(QWidget):
    """Signals: folder_wanted(), quit_wanted()."""

    folder_wanted = Signal()
    quit_wanted = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("startWindow")
        self.setProperty("kind", "page")
        self.setWindowTitle("Gosmith")
        self.setFixedSize(520, 220)
        title = QLabel("Gosmith")
        title.setFont(fonts.ui_font(fonts.TITLE_SIZE, QFont.Weight.DemiBold))
        self._text = label("Opening the workspace …", tone="dim", wrap=True, name="startText")
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName("Opening the workspace")
        self._bar.setRange(0, 0)
        self._choose = Button("Choose another folder…", theme, kind="primary", name="startChoose")
        self._choose.clicked.connect(self.folder_wanted)
        self._quit = Button("Quit", theme, name="startQuit")
        self._quit.clicked.connect(self.quit_wanted)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(self._quit)
        row.addWidget(self._choose)
        column = QVBoxLayout(self)
        column.setContentsMargins(28, 24, 28, 20)
        column.setSpacing(12)
        column.addWidget(title)
        column.addWidget(self._text)
        column.addWidget(self._bar)
        column.addStretch(1)
        column.addLayout(row)
        self._choose.setVisible(False)
        self._quit.setVisible(False)

    def show_progress(self, done: int, total: int) -> None:
        """How far the new workspace is filled."""
        self._text.setText("Making a new workspace with the bundled samples …")
        self._bar.setRange(0, total if done else 0)
        self._bar.setValue(done)

    def show_problem(self, error: UserError) -> None:
        """Why the workspace cannot be opened, and what can be done."""
        set_property(self._text, "tone", "")
        self._text.setText(str(error))
        self._bar.setVisible(False)
        self._choose.setVisible(True)
        self._quit.setVisible(True)
