"""The code view shows code as it is written and complaints where they belong."""

from __future__ import annotations

import time

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont, QTextBlock
from PySide6.QtWidgets import QTextEdit
from pytestqt.qtbot import QtBot

from app.theme import Theme
from app.widgets.code_view import CodeView, Mark
from app.widgets.diff_view import DiffView
from app.widgets.go_syntax import go_runs
from app.widgets.side_by_side import SideBySide

GO = 'package a\n\nfunc F() string {\n\treturn "x"\n}'


def view(theme: Theme, qtbot: QtBot, **options: bool) -> CodeView:
    made = CodeView(theme, **options)  # type: ignore[arg-type]
    qtbot.addWidget(made)
    made.resize(500, 300)
    made.show()
    return made


def colours(block: QTextBlock) -> dict[str, str]:
    return {
        block.text()[part.start : part.start + part.length]: part.format.foreground().color().name().upper()
        for part in block.layout().formats()
    }


def test_ligatures_are_off() -> None:
    from app.fonts import code_font

    font = code_font()
    assert font.featureValue(QFont.Tag("calt")) == 0
    assert font.featureValue(QFont.Tag("liga")) == 0


def test_code_is_coloured_and_again_when_the_look_changes(theme: Theme, qtbot: QtBot) -> None:
    shown = view(theme, qtbot)
    shown.set_code(GO)
    line = shown.document().findBlockByNumber(3)

    def coloured() -> bool:
        return colours(line) == {"return": theme.tokens.code_keyword, '"x"': theme.tokens.code_string}

    qtbot.waitUntil(coloured)
    theme.set_preference("dark")
    assert not theme.tokens.code_keyword.startswith("#7A")
    qtbot.waitUntil(coloured)


def test_typing_is_coloured_soon_after(theme: Theme, qtbot: QtBot) -> None:
    shown = view(theme, qtbot, editable=True)
    shown.set_code(GO)
    qtbot.keyClicks(shown, "// hi")
    first = shown.document().findBlockByNumber(0)
    qtbot.waitUntil(lambda: "// hipackage a" in colours(first))


def test_ten_thousand_lines_are_coloured_in_slices(theme: Theme, qtbot: QtBot) -> None:
    shown = view(theme, qtbot)
    code = "\n".join(f'var v{number} = "text" // {number}' for number in range(10_000))
    start = time.perf_counter()
    shown.set_code(code)
    set_in = time.perf_counter() - start
    last = shown.document().lastBlock()
    assert not last.layout().formats(), "the first slice must not do everything"
    start = time.perf_counter()
    for _ in go_runs(code):
        pass
    assert set_in < (time.perf_counter() - start), "showing must not wait for the lexer"
    qtbot.waitUntil(lambda: bool(last.layout().formats()), timeout=20_000)


def test_complaints_are_underlined_listed_and_reached(theme: Theme, qtbot: QtBot) -> None:
    shown = view(theme, qtbot)
    marks = [Mark(4, 9, "types: cannot use"), Mark(99, 1, "past the end"), Mark(1, 0, "the whole line")]
    shown.set_code(GO, marks)
    assert [mark.text for mark in shown.marks] == ["the whole line", "types: cannot use", "past the end"]
    waves = [
        part.cursor.selectedText()
        for part in shown.extraSelections()
        if part.format.underlineStyle() == QTextEdit.ExtraSelection().format.UnderlineStyle.WaveUnderline
    ]
    assert waves[0] == '"'
    shown.go_to(marks[0])
    assert (shown.textCursor().blockNumber(), shown.textCursor().positionInBlock()) == (3, 8)


def test_a_column_behind_an_emoji_is_found(theme: Theme, qtbot: QtBot) -> None:
    shown = view(theme, qtbot)
    shown.set_code('x("😀", wrong)', [Mark(1, 8, "types: undefined: wrong")])
    assert [part.cursor.selectedText() for part in shown.extraSelections()][-1] == "wrong"


def test_enter_keeps_the_indentation(theme: Theme, qtbot: QtBot) -> None:
    shown = view(theme, qtbot, editable=True)
    shown.set_code("\tif x {")
    shown.moveCursor(shown.textCursor().MoveOperation.End)
    qtbot.keyClick(shown, Qt.Key.Key_Return)
    qtbot.keyClicks(shown, "y()")
    qtbot.keyClick(shown, Qt.Key.Key_Return)
    assert shown.toPlainText() == "\tif x {\n\t\ty()\n\t\t"


def test_tab_indents_where_one_types_and_leaves_where_one_reads(theme: Theme, qtbot: QtBot) -> None:
    writing = view(theme, qtbot, editable=True)
    qtbot.keyClick(writing, Qt.Key.Key_Tab)
    assert writing.toPlainText() == "\t"
    assert view(theme, qtbot).tabChangesFocus()


def test_escape_is_reported(theme: Theme, qtbot: QtBot) -> None:
    shown = view(theme, qtbot, editable=True)
    with qtbot.waitSignal(shown.escaped):
        qtbot.keyClick(shown, Qt.Key.Key_Escape)


def test_a_fitted_view_is_as_tall_as_its_code(theme: Theme, qtbot: QtBot) -> None:
    shown = view(theme, qtbot, fit=True)
    shown.set_code("a\nb\nc")
    small = shown.height()
    shown.set_code("\n".join("x" * 30))
    assert shown.height() > small
    assert not shown.verticalScrollBar().isVisible()


def test_two_texts_are_shown_from_where_they_begin_to_differ(theme: Theme, qtbot: QtBot) -> None:
    both = SideBySide(theme)
    qtbot.addWidget(both)
    both.resize(600, 200)
    both.show()
    head = "".join(f"line {number}\n" for number in range(40))
    both.show_texts(f"{head}one\n{head}", f"{head}other\n{head}", "left", "right")
    for view in (both.left, both.right):
        assert view.firstVisibleBlock().blockNumber() == 38
    both.show_texts(head, head, "left", "right")
    assert both.left.firstVisibleBlock().blockNumber() == 0


def test_the_diff_view_counts_and_shows_both_sides(theme: Theme, qtbot: QtBot) -> None:
    diff = DiffView(theme)
    qtbot.addWidget(diff)
    diff.resize(400, 200)
    diff.show()
    diff.show_diff("a\nreturn nil\nc", "a\nreturn err\nc\nd")
    assert diff.changed_lines == (2, 1)
    assert diff.toPlainText().split("\n") == ["a", "return nil", "return err", "c", "d"]
    diff.show_diff("same", "same")
    assert diff.toPlainText() == ""
    theme.set_preference("dark")
