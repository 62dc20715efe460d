"""The style sheet, written once over Fusion and filled in from the tokens.

Rules hang on a dynamic property `kind` or on an object name, never on deep selectors. There is no `::item` rule on
purpose: it makes Qt paint every table cell through the style sheet; delegates draw cells here.
"""

from __future__ import annotations

from dataclasses import asdict
from string import Template

from app.tokens import Tokens
from core.paths import resources

_SHEET = Template("""
QMainWindow, QDialog, QWidget[kind="page"], QStackedWidget { background: $canvas; }
QWidget[kind="rail"] { background: $canvas; border: none; border-right: 1px solid $border; }
QWidget[kind="surface"], QScrollArea[kind="surface"] { background: $surface; border: none; }
QFrame[kind="card"] { background: $surface; border: 1px solid $border; border-radius: 8px; }
QFrame[kind="line"] { background: $border; border: none; }
QFrame[kind="foot"] { background: $surface; border: none; border-top: 1px solid $hair; }
QFrame[kind="status"] { background: $canvas; border: none; border-top: 1px solid $border; }

QLabel { background: transparent; color: $text; }
QLabel[tone="dim"] { color: $dim; }
QLabel[tone="faint"] { color: $faint; }
QLabel[tone="good"] { color: $good; }
QLabel[tone="warn"] { color: $warn; }
QLabel[tone="bad"] { color: $bad; }

QPushButton, QToolButton { background: $raised; color: $text; border: 1px solid $border; border-radius: 6px; padding: 5px 12px; min-height: 18px; }
QPushButton:hover, QToolButton:hover { background: $hover; }
QPushButton:pressed, QToolButton:pressed { background: $pressed; }
QPushButton:focus, QToolButton:focus { border-color: $accent; }
QPushButton:disabled, QToolButton:disabled { color: $faint; background: $canvas; }
QPushButton:checked, QToolButton:checked { background: $accent_soft; border-color: $accent; color: $text; }
QPushButton[kind="primary"] { background: $accent; color: $on_accent; border-color: $accent; }
QPushButton[kind="primary"]:hover { background: $accent_hover; border-color: $accent_hover; }
QPushButton[kind="primary"]:focus { border: 2px solid $text; padding: 4px 11px; }
QPushButton[kind="primary"]:disabled { background: $border; border-color: $border; color: $dim; }
QPushButton[kind="quiet"], QToolButton[kind="quiet"] { background: transparent; border-color: transparent; color: $dim; padding: 5px 8px; }
QPushButton[kind="quiet"]:hover, QToolButton[kind="quiet"]:hover { background: $hover; color: $text; }
QPushButton[kind="quiet"]:focus, QToolButton[kind="quiet"]:focus { border-color: $accent; }
QPushButton[kind="link"] { background: transparent; border: 1px solid transparent; color: $accent; padding: 2px 4px; }
QPushButton[kind="link"]:hover { text-decoration: underline; }
QPushButton[kind="link"]:focus { border-color: $accent; }
QPushButton[kind="chip"] { border-radius: 14px; padding: 4px 11px; }
QPushButton[kind="chip"]:checked { color: $accent; }
QPushButton[kind="segment"] { border-radius: 6px; padding: 3px 10px; color: $dim; background: transparent; border-color: transparent; }
QPushButton[kind="segment"]:checked { background: $hover; border-color: $border; color: $text; }
QPushButton[kind="segment"]:focus { border-color: $accent; }
QToolButton::menu-indicator, QPushButton::menu-indicator { image: none; width: 0; }

QLineEdit, QComboBox, QSpinBox, QDoubleSpinBox, QPlainTextEdit, QTextEdit { background: $surface; color: $text; border: 1px solid $border; border-radius: 6px; padding: 5px 8px; selection-background-color: $accent; selection-color: $on_accent; }
QLineEdit, QSpinBox, QDoubleSpinBox, QComboBox { min-height: 18px; }
QLineEdit:focus, QComboBox:focus, QSpinBox:focus, QDoubleSpinBox:focus, QPlainTextEdit:focus, QTextEdit:focus { border-color: $accent; }
QLineEdit[invalid="true"], QComboBox[invalid="true"], QSpinBox[invalid="true"], QDoubleSpinBox[invalid="true"] { border-color: $bad; }
QLineEdit QToolButton { background: transparent; border: none; padding: 0; min-height: 0; }
QToolButton[kind="star"] { background: transparent; border: 1px solid transparent; padding: 1px; min-height: 0; }
QToolButton[kind="reset"] { background: transparent; border: 1px solid transparent; padding: 0; min-height: 0; }
QToolButton[kind="reset"]:hover { background: $hover; }
QToolButton[kind="reset"]:focus { border-color: $accent; }
QToolButton[kind="star"]:hover { background: $hover; }
QToolButton[kind="star"]:focus { border-color: $accent; }
QLineEdit[kind="flat"] { background: transparent; border-color: transparent; padding: 3px; }
QLineEdit[kind="flat"]:hover { border-color: $border; }
QLineEdit[kind="flat"]:focus { border-color: $accent; background: $surface; }
QLineEdit:disabled, QComboBox:disabled { color: $faint; }
QPlainTextEdit[kind="code"] { border: none; border-radius: 0; padding: 0; }
QPlainTextEdit[kind="code"][framed="true"] { border: 1px solid $border; border-radius: 6px; }
QPlainTextEdit[kind="code"][framed="true"]:focus { border-color: $accent; }
QComboBox::drop-down { border: none; width: 24px; }
QComboBox::down-arrow { image: url($arrow); width: 12px; height: 12px; }
QComboBox QAbstractItemView { background: $raised; border: 1px solid $border; selection-background-color: $selection; selection-color: $text; outline: none; padding: 4px; }

QCheckBox { spacing: 6px; }
QCheckBox:disabled { color: $faint; }
QCheckBox::indicator { width: 14px; height: 14px; background: $surface; border: 1px solid $faint; border-radius: 4px; }
QCheckBox::indicator:hover, QCheckBox::indicator:focus { border-color: $accent; }
QCheckBox::indicator:checked { background: $accent; border-color: $accent; image: url($check); }
QCheckBox::indicator:checked:focus { border-color: $text; }
QCheckBox::indicator:disabled { border-color: $border; }
QCheckBox::indicator:checked:disabled { background: $faint; }

QTableView, QListView, QTreeView { background: $surface; color: $text; border: none; outline: none; selection-background-color: $selection; selection-color: $text; }
QListView#searchSuggestions { background: $raised; border: 1px solid $border; border-radius: 6px; padding: 4px; }
QListView#searchSuggestions::item { padding: 4px 6px; }
QListView#clusterList::item, QListView#clusterMembers::item, QListView#answersQuestions::item, QListView#recipeList::item { padding: 6px 12px; }
QHeaderView { background: $surface; border: none; }
QHeaderView::section { background: $surface; color: $dim; border: none; border-bottom: 1px solid $border; padding: 0 8px; }
QHeaderView::section:hover { color: $text; }
QSplitter::handle { background: $border; }
QScrollBar:vertical { background: transparent; width: 10px; margin: 0; }
QScrollBar:horizontal { background: transparent; height: 10px; margin: 0; }
QScrollBar::handle { background: $scroll; border-radius: 3px; margin: 2px; }
QScrollBar::handle:vertical { min-height: 32px; }
QScrollBar::handle:horizontal { min-width: 32px; }
QScrollBar::handle:hover { background: $faint; }
QScrollBar::add-line, QScrollBar::sub-line, QScrollBar::add-page, QScrollBar::sub-page { background: none; border: none; width: 0; height: 0; }
QProgressBar { background: $border; border: none; border-radius: 3px; max-height: 6px; min-height: 6px; }
QProgressBar::chunk { background: $accent; border-radius: 3px; }
QMenu { background: $raised; color: $text; border: 1px solid $border; padding: 4px; }
QMenu::item { padding: 5px 24px 5px 10px; border-radius: 4px; }
QMenu::item:selected { background: $selection; }
QMenu::item:disabled { color: $faint; }
QMenu::separator { height: 1px; background: $hair; margin: 4px 6px; }
QToolTip { background: $raised; color: $text; border: 1px solid $border; padding: 4px 6px; }
""")


def stylesheet(tokens: Tokens) -> str:
    """The whole sheet in these colours."""
    icons, look = resources() / "icons", "dark" if tokens.dark else "light"
    arrow, check = icons / f"caret-{look}.svg", icons / f"check-{look}.svg"
    return _SHEET.substitute(asdict(tokens), arrow=arrow.as_posix(), check=check.as_posix())
