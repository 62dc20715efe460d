"""Buttons that carry a tinted icon, keep the keyboard where it was, and always have an accessible name."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QPushButton, QWidget

from app import fonts, icons
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
        self._gap = 0
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setProperty("kind", kind)
        self.setObjectName(name)
        self.setToolTip(tip)
        self.setAccessibleName(text.replace("…", "") or tip)
        if kind == "primary":
            self.setFont(fonts.section_font())
        if kind == "chip":
            self.setCheckable(True)
        if icon:
            self._gap = 3 if text else 0
            self.setIconSize(QSize(16 + self._gap, 16))
            self._retint()
            theme.changed.connect(self._retint)

    def set_icon(self, icon: str) -> None:
        """Show another icon."""
        self._icon = icon
        self._retint()

    def _retint(self) -> None:
        tokens = self._theme.tokens
        colour = {"primary": tokens.on_accent, "link": tokens.accent}.get(self._kind, tokens.dim)
        self.setIcon(icons.icon(self._icon, colour, 16, self._gap))


class Chip(Button):
    """A filter that is on or off, with the number of samples it would show."""

    def __init__(
        self, text: str, theme: Theme, *, name: str = "", tip: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(text, theme, kind="chip", name=name, tip=tip, parent=parent)
        self._label = text

    def set_count(self, count: int | None) -> None:
        """Show how many samples this filter would leave; None while that is not known."""
        text = self._label if count is None else f"{self._label}  {compact(count)}"
        if text != self.text():
            self.setText(text)
            self.setAccessibleName(self._label if count is None else f"{self._label}, {count} samples")


def compact(count: int) -> str:
    """A count in at most five characters: 9,999, 51k, 1.2M."""
    if count < 10_000:
        return f"{count:,}"
    if count < 999_500:
        return f"{count / 1_000:.0f}k"
    return f"{count / 1_000_000:.1f}M"
