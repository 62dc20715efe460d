"""The two type faces that ship with Gosmith, and the few sizes it uses.

Text is Inter with tabular figures, so that numbers in columns line up. Code is JetBrains Mono without ligatures: a review
tool must show `!=` and `:=` as they are written.
"""

from __future__ import annotations

from PySide6.QtGui import QFont, QFontDatabase

from core.paths import resources

UI_SIZE = 13
CAPTION_SIZE = 12
TITLE_SIZE = 18
CODE_SIZE = 12


def load() -> None:
    """Register the bundled faces with Qt. Needs a QGuiApplication; costs about 6 ms."""
    for face in sorted((resources() / "fonts").glob("*.[ot]tf")):
        QFontDatabase.addApplicationFont(str(face))


def ui_font(size: int = UI_SIZE, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
    """Inter, `size` in logical pixels."""
    font = QFont("Inter")
    font.setPixelSize(size)
    font.setWeight(weight)
    font.setFeature(QFont.Tag("tnum"), 1)
    return font


def section_font() -> QFont:
    """The heading of a section: as large as text, but heavier."""
    return ui_font(UI_SIZE, QFont.Weight.DemiBold)


def code_font(size: int = CODE_SIZE) -> QFont:
    """JetBrains Mono with ligatures off, `size` in logical pixels."""
    font = QFont("JetBrains Mono")
    font.setPixelSize(size)
    font.setStyleHint(QFont.StyleHint.Monospace)
    font.setFixedPitch(True)
    for feature in ("calt", "liga"):
        font.setFeature(QFont.Tag(feature), 0)
    return font
