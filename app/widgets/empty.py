"""What a page says while it has nothing to show: one sentence, at most one action, at most one quiet link."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app import icons
from app.theme import Theme
from app.widgets.buttons import Button
from app.widgets.labels import label


class EmptyState(QWidget):
    """Centred icon, sentence, action and link."""

    def __init__(
        self,
        theme: Theme,
        icon: str,
        sentence: str,
        *,
        action: tuple[str, Callable[[], object]] | None = None,
        link: tuple[str, Callable[[], object]] | None = None,
        name: str = "emptyState",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self._theme = theme
        self._icon = icon
        self._glyph = QLabel(alignment=Qt.AlignmentFlag.AlignHCenter)
        self._sentence = label(sentence, tone="dim", wrap=True)
        self._sentence.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self._sentence.setMinimumWidth(220)
        self._sentence.setMaximumWidth(440)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 24, 24, 24)
        column.setSpacing(12)
        column.addStretch(2)
        column.addWidget(self._glyph)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(self._sentence, 4)
        row.addStretch(1)
        column.addLayout(row)
        for entry, kind in ((action, ""), (link, "link")):
            if entry is not None:
                button = Button(entry[0], theme, kind=kind)
                button.clicked.connect(entry[1])
                column.addWidget(button, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(3)
        theme.changed.connect(self._retint)
        self._retint()

    @property
    def sentence(self) -> str:
        """What the page says."""
        return self._sentence.text()

    def say(self, sentence: str) -> None:
        """Change the sentence."""
        self._sentence.setText(sentence)

    def _retint(self) -> None:
        picture = icons.pixmap(self._icon, self._theme.tokens.faint, 32, self.devicePixelRatioF())
        self._glyph.setPixmap(picture)
