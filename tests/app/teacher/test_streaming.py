"""Samples stream into the table under a reviewer's hands: what is shown, selected and being read stays where it is."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

import pytest
from pytestqt.qtbot import QtBot

from app.samples.page import SamplesPage
from app.tasks import TaskRunner
from app.teacher_intake import TeacherIntake
from core.changes import Changes
from core.errors import UserError
from core.jobs import JobFolder, info
from core.samples import query
from core.samples.language import parse
from core.teacher import intake, starting
from core.teacher.plan import plan_from
from core.workspace import Workspace
from tests.core.teacher.outcomes import done, write

NEWS = Changes(membership=True, added=True, verdict=True, ids=None)


@pytest.fixture
def job(workspace: Workspace) -> JobFolder:
    plan = plan_from({"recipe": "topic-grid", "model": "gpt-4.1", "samples": 99, "seed": 3})
    with closing(workspace.connect()) as connection:
        return starting.launch(plan, workspace.root, connection)


def ended(page: SamplesPage, job: JobFolder) -> None:
    """As the list of jobs tells of it."""
    page.context.jobs.job_ended.emit(info(job))


def test_arrivals_come_after_what_is_shown_and_a_selection_stays(
    page: SamplesPage, job: JobFolder, calm: Callable[[], None], qtbot: QtBot
) -> None:
    shown = list(page.model.ids)
    page.table.choose(3)
    page.table.selectionModel().select(
        page.model.index(5, 0), page.table.selectionModel().SelectionFlag.Select | page.table.selectionModel().SelectionFlag.Rows
    )  # fmt: skip
    chosen = list(page.table.selected_ids())
    assert len(chosen) == 2
    for batch in ((0, 1), (2,)):
        write(job, *(done(number) for number in batch))
        ended(page, job)
        qtbot.waitUntil(lambda batch=batch: len(page.model.ids) == len(shown) + batch[-1] + 1)
        assert list(page.model.ids)[: len(shown)] == shown
        assert list(page.table.selected_ids()) == chosen
        assert page.table.currentIndex().row() == 3
    calm()
    assert page.header.detail.text().startswith(f"{len(shown) + 3} samples")


def test_what_was_decided_stays_in_its_row_while_others_arrive(
    page: SamplesPage, job: JobFolder, calm: Callable[[], None], qtbot: QtBot
) -> None:
    page.search.set_query(parse("status:new topic:errors,time sort:-tokens"))
    calm()
    before = list(page.model.ids)
    page.table.choose(0)
    page.context.commands.run("review.accept")
    calm()
    assert list(page.model.ids) == before
    write(job, done(0), done(1, topic="io"))
    ended(page, job)
    qtbot.waitUntil(lambda: len(page.model.ids) == len(before) + 1)
    assert list(page.model.ids)[:-1] == before
    page.refresh()
    calm()
    assert len(page.model.ids) == len(before)


def test_an_empty_answer_fills_when_something_arrives(
    page: SamplesPage, job: JobFolder, calm: Callable[[], None]
) -> None:
    page.search.set_query(parse(f"job:{job.id}"))
    calm()
    assert len(page.model.ids) == 0
    write(job, done(0))
    ended(page, job)
    calm()
    assert len(page.model.ids) == 1
    assert page.detail.sample is not None


def test_changes_are_additions_only_while_nothing_else_is_among_them() -> None:
    assert NEWS.merged(NEWS).added
    assert NEWS.merged(Changes(review=True)).added
    assert not NEWS.merged(Changes(membership=True)).added
    assert not Changes().merged(Changes(review=True)).added


def test_a_job_whose_output_cannot_be_taken_in_complains_once_and_loses_nothing(
    page: SamplesPage, job: JobFolder, workspace: Workspace, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object) -> None:
        raise UserError("The disk is full.", "Free some space.")

    teacher: TeacherIntake = page.context.teacher
    complaints: list[UserError] = []
    teacher.failed.connect(complaints.append)
    write(job, done(0))
    with monkeypatch.context() as patched:
        patched.setattr(intake, "take_in_steps", refuse)
        for _ in range(3):
            ended(page, job)
            tasks: TaskRunner = page.context.tasks
            qtbot.waitUntil(lambda tasks=tasks: not tasks.busy())
    assert len(complaints) == 1
    assert "The disk is full." in page.banner.text
    with qtbot.waitSignal(teacher.taken):
        ended(page, job)
    with closing(workspace.connect(readonly=True)) as connection:
        assert query.count(connection, query.parse(f"job:{job.id}")) == 1
