"""Buttons that carry a tinted icon, keep the keyboard where it was, and always have an accessible name."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QPushButton, QWidget

from app import icons
from app.theme import Theme


class Button(QPushButton):
    """A push button of one of the kinds of the style sheet: "", primary, quiet, link, chip, segment.

    It takes focus from Tab but not from a click: after a click on Accept the next key still goes to the table.
    """

    def __init__(
        self,
        text: str,
        theme: Theme,
        *,
        icon: str = "",
        kind: str = "",
        name: str = "",
        tip: str = "",
        parent: QWidget | None = None,
    ) -> None:
        """name: the objectName; text: without it (an icon button), `tip` is the accessible name."""
        super().__init__(text, parent)
        self._theme = theme
        self._icon = icon
        self._kind = kind
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setProperty("kind", kind)
        self.setObjectName(name)
        self.setToolTip(tip)
        self.setAccessibleName(text.replace("…", "") or tip)
        if kind == "chip":
            self.setCheckable(True)
        if icon:
            self.setIconSize(QSize(16, 16))
            self._retint()
            theme.changed.connect(self._retint)

    def set_icon(self, icon: str) -> None:
        """Show another icon."""
        self._icon = icon
        self._retint()

    def _retint(self) -> None:
        tokens = self._theme.tokens
        colour = {"primary": tokens.on_accent, "link": tokens.accent}.get(self._kind, tokens.dim)
        self.setIcon(icons.icon(self._icon, colour))


class Chip(Button):
    """A filter that is on or off, with the number of samples it would show."""

    def __init__(
        self, text: str, theme: Theme, *, name: str = "", tip: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(text, theme, kind="chip", name=name, tip=tip, parent=parent)
        self._label = text

    def set_count(self, count: int | None) -> None:
        """Show how many samples this filter would leave; None while that is not known."""
        text = self._label if count is None else f"{self._label}  {self.locale().toString(count)}"
        if text != self.text():
            self.setText(text)
            self.setAccessibleName(self._label if count is None else f"{self._label}, {count} samples")
