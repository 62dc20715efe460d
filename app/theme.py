"""Which colours are in force now, and telling every widget when that changes.

Widgets ask `Theme.tokens` and listen to `Theme.changed`; none of them asks the system. The choice is the user's
(system, light or dark); "system" follows the desktop while the window is open.
"""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication, QWidget

from app import fonts
from app.stylesheet import stylesheet
from app.tokens import DARK, LIGHT, Tokens

Preference = Literal["system", "light", "dark"]

_SCHEMES = {
    "system": Qt.ColorScheme.Unknown,
    "light": Qt.ColorScheme.Light,
    "dark": Qt.ColorScheme.Dark,
}


class Theme(QObject):
    """The look of the application.

    Attributes: tokens (the colours in force), preference (what the user chose).
    Signals: changed, after palette and style sheet are in place.
    """

    changed = Signal()

    def __init__(self, app: QApplication, preference: Preference = "system") -> None:
        super().__init__(app)
        self._app = app
        self.preference: Preference = preference
        app.setStyle("Fusion")
        app.setFont(fonts.ui_font())
        self.tokens = self._wanted()
        apply(app, self.tokens)
        self._tell_system()
        app.styleHints().colorSchemeChanged.connect(self._on_scheme_changed)

    def set_preference(self, preference: Preference) -> None:
        """Follow the system, or stay light or dark."""
        self.preference = preference
        self._tell_system()
        self._refresh()

    def toggle(self) -> Preference:
        """Change from light to dark or back, and stay there."""
        self.set_preference("light" if self.tokens.dark else "dark")
        return self.preference

    def _tell_system(self) -> None:
        hints = self._app.styleHints()
        wanted = _SCHEMES[self.preference]
        if wanted == Qt.ColorScheme.Unknown:
            hints.unsetColorScheme()
        else:
            hints.setColorScheme(wanted)

    def _wanted(self) -> Tokens:
        if self.preference == "system":
            return DARK if self._app.styleHints().colorScheme() == Qt.ColorScheme.Dark else LIGHT
        return DARK if self.preference == "dark" else LIGHT

    def _on_scheme_changed(self, _scheme: Qt.ColorScheme) -> None:
        self._refresh()

    def _refresh(self) -> None:
        wanted = self._wanted()
        if wanted is not self.tokens:
            self.tokens = wanted
            apply(self._app, wanted)
            self.changed.emit()


def apply(app: QApplication, tokens: Tokens) -> None:
    """Put palette and style sheet of these colours in force."""
    app.setPalette(palette(tokens))
    app.setStyleSheet(stylesheet(tokens))


def palette(tokens: Tokens) -> QPalette:
    """The colours as Qt's own widgets, menus and dialogs want them."""
    role = QPalette.ColorRole
    colours = {
        role.Window: tokens.canvas,
        role.WindowText: tokens.text,
        role.Base: tokens.surface,
        role.AlternateBase: tokens.canvas,
        role.Text: tokens.text,
        role.Button: tokens.raised,
        role.ButtonText: tokens.text,
        role.BrightText: tokens.bad,
        role.ToolTipBase: tokens.raised,
        role.ToolTipText: tokens.text,
        role.PlaceholderText: tokens.faint,
        role.Highlight: tokens.accent,
        role.HighlightedText: tokens.on_accent,
        role.Accent: tokens.accent,
        role.Link: tokens.accent,
        role.LinkVisited: tokens.accent,
        role.Light: tokens.raised,
        role.Midlight: tokens.hair,
        role.Mid: tokens.border,
        role.Dark: tokens.border,
        role.Shadow: tokens.border,
    }
    result = QPalette()
    for which, colour in colours.items():
        result.setColor(which, QColor(colour))
    for which in (role.WindowText, role.Text, role.ButtonText):
        result.setColor(QPalette.ColorGroup.Disabled, which, QColor(tokens.faint))
    return result


def set_property(widget: QWidget, name: str, value: object) -> None:
    """Set a dynamic property that the style sheet looks at, and have the widget look again."""
    if widget.property(name) == value:
        return
    widget.setProperty(name, value)
    widget.style().unpolish(widget)
    widget.style().polish(widget)
