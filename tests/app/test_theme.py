"""One table of colours, readable in every pair that is used, and one switch."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app import icons
from app.stylesheet import stylesheet
from app.theme import Theme
from app.tokens import DARK, LIGHT, Tokens


def luminance(colour: str) -> float:
    """Relative luminance as in WCAG 2."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("tokens", [LIGHT, DARK], ids=["light", "dark"])
def test_every_text_colour_is_readable_where_it_is_used(tokens: Tokens) -> None:
    pairs = [
        (text, ground)
        for text in (tokens.text, tokens.dim, tokens.good, tokens.warn, tokens.bad)
        for ground in (tokens.canvas, tokens.surface, tokens.hover, tokens.selection)
    ]
    pairs += [(tokens.faint, tokens.canvas), (tokens.faint, tokens.surface), (tokens.on_accent, tokens.accent)]
    pairs += [(tokens.accent, tokens.accent_soft), (tokens.accent, tokens.surface)]
    pairs += [tokens.tone(tone) for tone in ("info", "good", "warn", "bad", "")]
    pairs += [
        (code, ground)
        for code in (
            tokens.code_keyword,
            tokens.code_string,
            tokens.code_number,
            tokens.code_builtin,
            tokens.code_type,
            tokens.text,
        )
        for ground in (tokens.surface, tokens.added, tokens.removed, tokens.bad_soft)
    ]
    pairs.append((tokens.code_comment, tokens.surface))
    poor = {pair: round(contrast(*pair), 2) for pair in pairs if contrast(*pair) < 4.5}
    assert not poor


def test_the_style_sheet_uses_only_tokens() -> None:
    assert "$" not in stylesheet(LIGHT)
    assert stylesheet(LIGHT) != stylesheet(DARK)


def test_changing_the_look_changes_palette_and_tells_once(qapp: QApplication, theme: Theme, qtbot: QtBot) -> None:
    with qtbot.waitSignal(theme.changed):
        theme.set_preference("dark")
    assert theme.tokens is DARK
    assert qapp.palette().color(QPalette.ColorRole.Base).name().upper() == DARK.surface
    with qtbot.assertNotEmitted(theme.changed):
        theme.set_preference("dark")
    assert theme.toggle() == "light"
    assert theme.tokens is LIGHT


def test_icons_are_tinted_and_sharp_at_any_scale(qapp: QApplication) -> None:
    picture = icons.pixmap("table", "#FF0000", 16, 2.0)
    assert (picture.width(), picture.devicePixelRatio()) == (32, 2.0)
    colours = {
        picture.toImage().pixelColor(x, y).name()
        for x in range(32)
        for y in range(32)
        if picture.toImage().pixelColor(x, y).alpha() == 255
    }
    assert colours == {"#ff0000"}
    with pytest.raises(KeyError):
        icons.icon("no-such-icon", "#000000")
