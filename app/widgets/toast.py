"""A short message at the foot of the window that leaves by itself, with at most one action."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QAbstractAnimation, QEvent, QObject, QPropertyAnimation, Qt, QTimer
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QGraphicsOpacityEffect, QHBoxLayout, QLabel, QWidget

from app.theme import Theme
from app.widgets.buttons import Button

_FADE_MS = 120
_STAY_MS = 4_000


class Toast(QFrame):
    """Laid over its parent, centred at the foot. It takes no focus, and the latest message wins."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("toast")
        self._theme = theme
        self._over = parent
        self._text = QLabel()
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._action = Button("", theme, kind="link", tip="Take it back")
        self._action.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._action.clicked.connect(self._on_action)
        self._run: Callable[[], object] | None = None
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 6, 10, 6)
        row.setSpacing(8)
        row.addWidget(self._text)
        row.addWidget(self._action)
        self._effect = QGraphicsOpacityEffect(self)
        self.setGraphicsEffect(self._effect)
        self._fade = QPropertyAnimation(self._effect, b"opacity", self)
        self._fade.setDuration(_FADE_MS)
        self._fade.finished.connect(self._on_faded)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_STAY_MS)
        self._timer.timeout.connect(self._leave)
        self.setVisible(False)
        parent.installEventFilter(self)

    @property
    def text(self) -> str:
        """What the toast says; empty while it is hidden."""
        return "" if self.isHidden() else self._text.text()

    def say(self, text: str, action: str = "", run: Callable[[], object] | None = None) -> None:
        """Show a message for four seconds."""
        self._text.setText(text)
        self.setAccessibleName(text)
        self._run = run
        self._action.setText(action)
        self._action.setAccessibleName(action or "Close this message")
        self._action.setVisible(bool(action))
        self._fade.stop()
        self._effect.setOpacity(1.0)
        self.setVisible(True)
        self._place()
        self.raise_()
        self._timer.start()

    def dismiss(self) -> None:
        """Take it away at once."""
        self._timer.stop()
        self._fade.stop()
        self.setVisible(False)

    def _on_action(self) -> None:
        run = self._run
        self.dismiss()
        if run is not None:
            run()

    def _leave(self) -> None:
        self._fade.setStartValue(1.0)
        self._fade.setEndValue(0.0)
        self._fade.start(QAbstractAnimation.DeletionPolicy.KeepWhenStopped)

    def _on_faded(self) -> None:
        self.setVisible(False)

    def _place(self) -> None:
        self.adjustSize()
        area = self._over.rect()
        self.move((area.width() - self.width()) // 2, area.height() - self.height() - 48)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and not self.isHidden():
            self._place()
        return False

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens = self._theme.tokens
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(tokens.border), 1))
        painter.setBrush(QColor(tokens.raised))
        painter.drawRoundedRect(self.rect().adjusted(0, 0, -1, -1), 8, 8)
        painter.end()
