"""A setting in the form: its caption, its editor, what is wrong with it, and a way back to what the preset says."""

from __future__ import annotations

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from app import icons
from app.theme import Theme
from app.widgets.fields import Field
from app.widgets.labels import label

_HEAD = 18


class SettingCell(QWidget):
    """Shows a field. The caption is strong and an arrow stands beside it while the value is not the preset's.

    Signals: reset_wanted(key).
    """

    reset_wanted = Signal(str)

    def __init__(self, field: Field, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.field = field
        self._theme = theme
        self._reset: QToolButton | None = None
        self._reason: QLabel | None = None
        self.caption = label(field.caption, tone="dim", size=12)
        self.caption.setBuddy(field.editor)
        self.caption.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._head = QHBoxLayout()
        self._head.setContentsMargins(0, 0, 0, 0)
        self._head.setSpacing(4)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(3)
        self._column.addLayout(self._head)
        self.is_switch = isinstance(field.editor, QCheckBox)
        if isinstance(field.editor, QCheckBox):
            field.editor.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            self.caption.setParent(self)
            self.caption.hide()
            field.editor.setText(field.caption)
            self._head.addWidget(field.editor, 1)
        else:
            self.caption.setFixedHeight(_HEAD)
            self._head.addWidget(self.caption, 1)
            self._column.addWidget(field.editor)
        self._column.addWidget(field.note)

    def set_caption(self, text: str) -> None:
        """Call the setting something else."""
        self.caption.setText(text)
        self.field.editor.setAccessibleName(text)

    def set_changed(self, preset_value: str | None) -> None:
        """Mark that the preset says this instead; None: it says the same."""
        if self._reset is None:
            if preset_value is None:
                return
            self._reset = self._arrow()
        changed = preset_value is not None
        if changed:
            self._reset.setToolTip(f"Back to {preset_value}, as in the preset")
            self._reset.setAccessibleName(f"Reset {self.field.editor.accessibleName()} to {preset_value}")
        if self._reset.isHidden() == changed:
            self._reset.setVisible(changed)
            self.caption.setProperty("tone", "" if changed else "dim")
            self.caption.style().unpolish(self.caption)
            self.caption.style().polish(self.caption)

    @property
    def changed(self) -> bool:
        """Is its value another than the preset's?"""
        return self._reset is not None and not self._reset.isHidden()

    def set_idle(self, reason: str) -> None:
        """It has no effect, for this reason; "" means that it has."""
        self.field.editor.setEnabled(not reason)
        if self._reason is None:
            if not reason:
                return
            self._reason = label(tone="faint", size=12, wrap=True)
            self._column.addWidget(self._reason)
        self._reason.setText(reason)
        self._reason.setVisible(bool(reason))

    def _arrow(self) -> QToolButton:
        button = QToolButton(self)
        button.setProperty("kind", "reset")
        button.setObjectName(f"reset-{self.field.key}")
        button.setIconSize(QSize(14, 14))
        button.setFixedSize(_HEAD, _HEAD)
        button.hide()
        button.clicked.connect(lambda: self.reset_wanted.emit(self.field.key))
        self._head.addWidget(button)
        self._theme.changed.connect(self._retint)
        button.setIcon(icons.icon("arrow-counter-clockwise", self._theme.tokens.accent, 14))
        QWidget.setTabOrder(self.field.editor, button)
        return button

    def _retint(self) -> None:
        if self._reset is not None:
            self._reset.setIcon(icons.icon("arrow-counter-clockwise", self._theme.tokens.accent, 14))
