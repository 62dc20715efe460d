"""The left half of the launch dialog: what is trained on, from which base and preset, all settings, and what the one in hand does."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QFrame, QGridLayout, QScrollArea, QVBoxLayout, QWidget

from app.theme import Theme
from app.training.launch.base_picker import BasePicker
from app.training.launch.preset_picker import PresetPicker
from app.training.launch.run_form import RunForm
from app.widgets.labels import hairline, label

HINT = "In a setting, its meaning and its usual values stand here."


class RunColumn(QWidget):
    """Puts the pickers and the form one below the other. data: the picker of what is trained on."""

    def __init__(self, theme: Theme, data: QComboBox, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        inner = QWidget()
        inner.setProperty("kind", "page")
        data.setParent(inner)  # first, and so the first for the keyboard
        self.base = BasePicker(inner)
        self.presets = PresetPicker(theme, inner)
        self.form = RunForm(theme, inner)
        self._when = label(tone="dim", size=12, wrap=True, name="presetWhen")
        self._hint = label(HINT, tone="dim", size=12, wrap=True, name="settingHint")
        self._hint.setFixedHeight(2 * self._hint.fontMetrics().lineSpacing() + 4)
        self._hint.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.form.hinted.connect(self._hint.setText)
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setColumnStretch(1, 1)
        editors = (("Data", data, data), ("Base", self.base, self.base), ("Preset", self.presets.box, self.presets))
        for row, (caption, editor, cell) in enumerate(editors):
            text = label(caption, tone="dim")
            text.setBuddy(editor)
            editor.setAccessibleName(caption)
            grid.addWidget(text, row, 0)
            grid.addWidget(cell, row, 1)
        grid.addWidget(self._when, 3, 1)
        column = QVBoxLayout(inner)
        column.setContentsMargins(20, 14, 16, 8)
        column.setSpacing(10)
        column.addLayout(grid)
        column.addWidget(self.form)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(inner)
        scroll.setAccessibleName("Settings of the run")
        strip = QVBoxLayout()
        strip.setContentsMargins(20, 6, 16, 0)
        strip.addWidget(self._hint)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(scroll, 1)
        whole.addWidget(hairline())
        whole.addLayout(strip)

    def set_when(self, text: str) -> None:
        """Say when the chosen preset is the right one."""
        self._when.setText(text)
        self._when.setVisible(bool(text))
