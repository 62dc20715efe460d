"""Where a sample of a teacher's comes from, on its page: a line, and its conversation when it is wanted."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.samples.page import SamplesPage
from core.samples import answered
from core.samples.answered import Answered
from core.samples.conversation import Message
from core.samples.language import parse
from core.teacher import intake, starting
from core.teacher.plan import plan_from
from core.workspace import Workspace
from tests.core.teacher.outcomes import done, write


@pytest.fixture
def job(workspace: Workspace) -> str:
    """A job with a sample that was made, and one that failed."""
    plan = plan_from({"recipe": "topic-grid", "model": "gpt-4.1", "samples": 9, "seed": 3})
    with closing(workspace.connect()) as connection:
        folder = starting.launch(plan, workspace.root, connection)
        write(folder, done(0), done(1, result="failed", reason="No.", made=()))
        intake.take_in(connection, folder)
    return folder.id


def test_a_teachers_sample_tells_its_recipe_and_shows_its_conversation(
    job: str, page: SamplesPage, calm: Callable[[], None], qtbot: QtBot
) -> None:
    page.search.set_query(parse(f"job:{job}"))
    origin = page.detail.origin
    qtbot.waitUntil(origin.isVisible)
    assert origin.line == "topic-grid · 1 request · $0.0006"
    assert not origin.text.isVisible()
    assert origin.text.toPlainText() == ""
    qtbot.mouseClick(origin.header, Qt.MouseButton.LeftButton)
    assert origin.text.isVisible()
    text = origin.text.toPlainText()
    assert f"job       {job}, sample 0 of seed 3" in text
    assert "drawn     package = time" in text
    assert "solution, system\nBe good." in text
    assert "solution, gpt-4.1-2025-04-14  100 tokens read, 50 written, $0.0006" in text
    assert "## Notes\nIt adds them up." in text
    page.context.theme.toggle()
    assert origin.text.toPlainText() == text
    page.search.set_query(parse("tag:bundled"))
    calm()
    qtbot.waitUntil(lambda: not origin.isVisible())


def test_an_answer_of_the_playground_tells_its_model_and_what_was_changed(
    workspace: Workspace, page: SamplesPage, qtbot: QtBot
) -> None:
    settings = {"temperature": 0.2, "seed": 11}
    made = Answered("gold/step-300", "/jobs/r1/checkpoint-300", "r1", 300, "talk-1", "m1", settings, "func F() { }")
    said = [Message("user", "Write F."), Message("assistant", "```go\npackage a\n\nfunc F() {}\n```\n")]
    with closing(workspace.connect()) as connection:
        answered.save(connection, said, made)
    page.search.set_query(parse('source:"gold/step-300"'))
    origin = page.detail.answered
    qtbot.waitUntil(origin.isVisible)
    assert origin.line == "gold/step-300 · step 300 · seed 11 · edited"
    qtbot.mouseClick(origin.header, Qt.MouseButton.LeftButton)
    text = origin.text.toPlainText()
    for part in (
        "/jobs/r1/checkpoint-300",
        "r1, step 300",
        "temperature 0.2, seed 11",
        "talk-1, message m1",
        "func F() { }",
    ):
        assert part in text
