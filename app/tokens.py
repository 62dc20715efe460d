"""The colours of Gosmith: one table for light, one for dark, and nothing else decides a colour.

The same value drives QPalette, the style sheet, chart pens and syntax colours. Every text colour is readable
(4.5 : 1, WCAG AA) on canvas, surface, hover and selection, except `faint`, which is for canvas and surface only;
a test computes all pairs.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tokens:
    """Colours as #rrggbb.

    canvas, surface, raised: window, cards and editors, buttons and menus.
    border, hair: outlines of controls, lines between rows.
    accent, on_accent, accent_soft: the one strong colour, text on it, and its tint behind text.
    good, warn, bad (+ _soft): states; always beside a word.
    added, removed (+ _strong): backgrounds of a diff, the strong ones for the words that differ.
    code_*: syntax colours. chart_*: pens; `chart_raw` is opaque and pre-mixed, because alpha is slow on noisy lines.
    """

    dark: bool
    canvas: str
    surface: str
    raised: str
    border: str
    hair: str
    text: str
    dim: str
    faint: str
    hover: str
    pressed: str
    selection: str
    accent: str
    on_accent: str
    accent_hover: str
    accent_soft: str
    good: str
    good_soft: str
    warn: str
    warn_soft: str
    bad: str
    bad_soft: str
    added: str
    added_strong: str
    removed: str
    removed_strong: str
    code_keyword: str
    code_string: str
    code_number: str
    code_comment: str
    code_builtin: str
    code_type: str
    code_function: str
    chart_raw: str
    chart_smooth: str
    chart_second: str
    chart_third: str
    chart_fourth: str
    scroll: str

    def tone(self, name: str) -> tuple[str, str]:
        """Strong colour and tint of a tone: info, good, warn, bad; every other name is plain text on hover grey."""
        match name:
            case "info":
                return self.accent, self.accent_soft
            case "good":
                return self.good, self.good_soft
            case "warn":
                return self.warn, self.warn_soft
            case "bad":
                return self.bad, self.bad_soft
            case _:
                return self.dim, self.hover


LIGHT = Tokens(
    dark=False,
    canvas="#F7F7F5",
    surface="#FFFFFF",
    raised="#FFFFFF",
    border="#E3E3DF",
    hair="#EDEDEA",
    text="#1F2328",
    dim="#5B626A",
    faint="#6B7178",
    hover="#EFEFEC",
    pressed="#E6E6E2",
    selection="#E8EEF9",
    accent="#2F5FD0",
    on_accent="#FFFFFF",
    accent_hover="#2853B8",
    accent_soft="#E8EEF9",
    good="#1B6F46",
    good_soft="#E7F3EC",
    warn="#855900",
    warn_soft="#FBF1DC",
    bad="#B3261E",
    bad_soft="#FBEAE8",
    added="#E6F4EA",
    added_strong="#B9E2C6",
    removed="#FBE9E7",
    removed_strong="#F4C3BD",
    code_keyword="#7A36C2",
    code_string="#1B6F46",
    code_number="#8F4E00",
    code_comment="#6B7178",
    code_builtin="#8F4E00",
    code_type="#1D5F8A",
    code_function="#1F2328",
    chart_raw="#A9BCE9",
    chart_smooth="#2F5FD0",
    chart_second="#BE5A14",
    chart_third="#1B6F46",
    chart_fourth="#5B626A",
    scroll="#D5D5D0",
)

DARK = Tokens(
    dark=True,
    canvas="#17181B",
    surface="#1D1F23",
    raised="#24262B",
    border="#33363D",
    hair="#292C32",
    text="#E6E8EB",
    dim="#A0A6AE",
    faint="#8A9099",
    hover="#26292E",
    pressed="#2C3036",
    selection="#25324D",
    accent="#7AA2F7",
    on_accent="#10131A",
    accent_hover="#93B4F9",
    accent_soft="#25324D",
    good="#5FBF8F",
    good_soft="#1E332A",
    warn="#D9A441",
    warn_soft="#352C1B",
    bad="#F0837A",
    bad_soft="#3A2423",
    added="#1B3227",
    added_strong="#28543E",
    removed="#3A2324",
    removed_strong="#6A3432",
    code_keyword="#C29BF4",
    code_string="#7CCFA4",
    code_number="#E0AE6A",
    code_comment="#8A9099",
    code_builtin="#E0AE6A",
    code_type="#83BDE6",
    code_function="#E6E8EB",
    chart_raw="#3D5482",
    chart_smooth="#7AA2F7",
    chart_second="#E39A5B",
    chart_third="#5FBF8F",
    chart_fourth="#A0A6AE",
    scroll="#3A3D44",
)
