"""What judges say of a sample: a number in the table, a line on its page, and the reasons when they are wanted."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.samples.columns import COLUMNS
from app.samples.page import SamplesPage
from core.samples import edits, store
from core.samples.language import parse
from core.workspace import Workspace
from tests.core.samples.judged import judged

Calm = Callable[[], None]
JUDGE = next(place for place, column in enumerate(COLUMNS) if column.key == "judge")


def score(workspace: Workspace) -> None:
    """Three samples have scores, the first was judged twice; the fourth was judged in vain."""
    with closing(workspace.connect()) as connection:
        judged(connection, 1, 40, points={"task": 2})
        judged(connection, 1, 85, points={"task": 5, "idiom": 4}, summary="It is good.")
        judged(connection, 2, 60)
        judged(connection, 3, 95)
        judged(connection, 4, None)


def test_the_table_shows_sorts_and_finds_scores(page: SamplesPage, workspace: Workspace, calm: Calm) -> None:
    score(workspace)
    assert page.table.isColumnHidden(JUDGE)
    page.search.set_query(parse("sort:-judge"))
    calm()
    assert not page.table.isColumnHidden(JUDGE), "what the rows are sorted by is shown"
    page.search.set_query(parse(""))
    calm()
    assert page.table.isColumnHidden(JUDGE)
    page.table._want("judge", True)
    assert not page.table.isColumnHidden(JUDGE)
    page.table._on_header_clicked(JUDGE)
    calm()
    assert page.search.field.text() == "sort:-judge"
    assert [page.model.index(row, JUDGE).data() for row in range(4)] == ["95", "85", "60", ""]
    page.search.set_query(parse("judge:>=80 sort:judge"))
    calm()
    assert list(page.model.ids) == [1, 3]


def test_a_sample_s_page_tells_the_newest_score_with_its_reasons_and_older_ones_below(
    page: SamplesPage, workspace: Workspace, calm: Calm, qtbot: QtBot
) -> None:
    score(workspace)
    page.search.set_query(parse("id:1"))
    panel = page.detail.judged
    qtbot.waitUntil(panel.isVisible)
    assert panel.line == "85 · go-sample 1 · gpt-4.1-2025-04-14 · $0.0006 · 1 older"
    assert not panel.text.isVisible()
    assert panel.text.toPlainText() == ""
    qtbot.mouseClick(panel.header, Qt.MouseButton.LeftButton)
    text = panel.text.toPlainText()
    assert text.startswith("85 of 100  gpt-4.1-2025-04-14 by go-sample 1 (d1), ")
    assert "It is good.\n\ntask: 5\nSo.\n\nidiom: 4\nSo.\n\n100 tokens read, 50 written, $0.0006" in text
    assert text.index("40 of 100") > text.index("idiom: 4")
    page.search.set_query(parse("id:4"))
    qtbot.waitUntil(lambda: panel.line.startswith("no score"))
    assert "It was cut off." in panel.text.toPlainText()
    page.search.set_query(parse("id:5"))
    calm()
    qtbot.waitUntil(lambda: not panel.isVisible())


def test_an_edited_sample_has_no_judgement_until_it_is_judged_again(
    page: SamplesPage, workspace: Workspace, calm: Calm, qtbot: QtBot
) -> None:
    score(workspace)
    page.search.set_query(parse("id:3"))
    qtbot.waitUntil(page.detail.judged.isVisible)
    with closing(workspace.connect()) as connection:
        old = store.sample(connection, 3)
        done = edits.edit(connection, 3, f"{old.response}\n\nAnd more.", base_version=old.version)
    page.context.report(done.changes)
    qtbot.waitUntil(lambda: not page.detail.judged.isVisible())
    calm()
    assert not page.detail.judged.isVisible()
    assert page.model.index(0, JUDGE).data() == ""


def test_the_search_on_show_is_handed_to_the_judge(page: SamplesPage, calm: Calm, qtbot: QtBot) -> None:
    page.search.set_query(parse("topic:errors"))
    calm()
    with qtbot.waitSignal(page.context.to_judging.made) as wanted:
        qtbot.keyClick(page.table, Qt.Key.Key_J, Qt.KeyboardModifier.ControlModifier)
    assert wanted.args == ["topic:errors"]
    teacher = page.window().pages["teacher"]
    assert teacher.judge_dialog.now.form.fields["query"].read() == "topic:errors"
    qtbot.waitUntil(lambda: teacher.judge_dialog.now.draft.plan is not None, timeout=40_000)
    teacher.judge_dialog.now.reject()
    calm()
