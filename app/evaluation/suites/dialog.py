"""The window of suites: all of them first, one of them opened in the same place.

Closing it stops nothing: a check is a job. What was typed and not saved is asked about.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from PySide6.QtWidgets import QDialog, QFileDialog, QStackedWidget, QVBoxLayout, QWidget

from app.context import AppContext
from app.evaluation.suites.describe_dialog import DescribeDialog
from app.evaluation.suites.desk import Desk
from app.evaluation.suites.name_dialog import NameDialog
from app.evaluation.suites.overview import Overview
from app.evaluation.suites.standing import Standing
from app.evaluation.suites.suite_editor import SuiteEditor
from app.widgets.banner import Action, Banner
from app.widgets.question import question
from core.errors import UserError
from core.evaluation.suites import Suite
from core.jobs import JobInfo

_FILES = "Problems (*.jsonl *.gz);;All files (*)"
_NAMED = 8
"""Bad rows that are named after an import; the others are counted."""


class SuitesDialog(QDialog):
    """Attributes: desk, overview, editor, banner."""

    def __init__(self, context: AppContext, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("suitesDialog")
        self.setWindowTitle("Suites")
        room = parent.window().size()
        self.resize(min(1240, max(960, room.width() - 40)), min(800, max(590, room.height() - 40)))
        self._context = context
        self._rows: Sequence[Standing] = ()
        self._open_next = ""
        self.desk = Desk(context, self)
        self.banner = Banner(context.theme, name="suitesBanner")
        self.overview = Overview(context)
        self.editor = SuiteEditor(context, self.desk)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.overview)
        self._stack.addWidget(self.editor)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.banner)
        column.addWidget(self._stack, 1)
        self._connect()
        self.overview.table.setFocus()
        self.desk.reload()

    def _connect(self) -> None:
        desk, overview, editor = self.desk, self.overview, self.editor
        desk.listed.connect(self._on_listed)
        desk.added.connect(self._on_added)
        desk.made.connect(self._on_made)
        desk.changed.connect(self._on_changed)
        desk.compared.connect(self._on_compared)
        desk.progressed.connect(overview.progress.advance)
        desk.checking.connect(self._on_checking)
        desk.failed.connect(self._on_failed)
        overview.import_wanted.connect(self._ask_file)
        overview.new_wanted.connect(lambda: self._ask_name(""))
        overview.copy_wanted.connect(lambda standing: self._ask_name(standing.suite.name))
        overview.open_wanted.connect(self.open_suite)
        overview.problem_wanted.connect(self.open_suite)
        overview.describe_wanted.connect(self._ask_description)
        overview.delete_wanted.connect(self._ask_delete)
        overview.check_wanted.connect(lambda standing: desk.check(standing.suite.name))
        overview.stop_wanted.connect(self._on_stop_wanted)
        overview.table.chosen.connect(lambda _standing: self._show_check())
        editor.back_wanted.connect(self.show_all)
        editor.copy_wanted.connect(lambda standing: self._ask_name(standing.suite.name))
        editor.changed.connect(desk.reload)

    # --- all of them, and one of them --------------------------------------------------------------------------

    def _on_listed(self, rows: Sequence[Standing]) -> None:
        self._rows = rows
        self.overview.set_rows(rows)
        self._show_check()
        wanted, self._open_next = self._open_next, ""
        if standing := next((one for one in rows if one.suite.name == wanted), None):
            self.open_suite(standing)

    def open_suite(self, standing: Standing, problem: str = "") -> None:
        """Show the problems of this suite, that one in front, else the first."""
        self.banner.clear()
        self._stack.setCurrentWidget(self.editor)
        self.editor.open(standing, problem)
        self.editor.list.setFocus()

    def show_all(self) -> None:
        """Show all suites."""
        self._stack.setCurrentWidget(self.overview)
        self.overview.table.setFocus()
        self.desk.reload()

    # --- import ------------------------------------------------------------------------------------------------

    def _ask_file(self) -> None:
        box = QFileDialog(self, "Add a suite of problems", str(Path.home()), _FILES)
        box.setObjectName("suitesFile")
        box.setFileMode(QFileDialog.FileMode.ExistingFile)
        box.fileSelected.connect(lambda name: self.desk.add(Path(name)))
        box.finished.connect(box.deleteLater)
        box.open()

    def _on_added(self, name: str, suite: Suite, path: Path) -> None:
        rows = [f"{path}:{row.line}: {row.reason}" for row in suite.bad]
        words = f"Added “{name}” ({suite.format}): {len(suite.problems):,} problems."
        if rows:
            words = f"{words[:-1]}, {len(rows):,} rows rejected:\n" + "\n".join(rows[:_NAMED])
            words += f"\nand {len(rows) - _NAMED:,} more." if len(rows) > _NAMED else ""
        find: Action = ("Look for it in the samples", self._compare)
        self.banner.say(words, "warn" if rows else "good", [find])
        self.overview.table.choose(name)
        self.desk.reload()

    def _compare(self) -> None:
        self.overview.progress.start("Looking for problems of suites in the samples", stoppable=False)
        self.desk.compare()

    def _on_compared(self, count: int) -> None:
        self.overview.progress.finish()
        if count:
            words = f"{count:,} sample{'s give' if count != 1 else ' gives'} away problems of a suite and will never leave the workspace."
            self.banner.say(words, "warn", [("Show them", self._show_contaminated)])
        else:
            self.banner.say("No sample gives away a problem.", "good")
        self.desk.reload()

    def _show_contaminated(self) -> None:
        self.reject()
        self._context.to_samples.make("contaminated:yes")

    # --- make, copy, delete ------------------------------------------------------------------------------------

    def _ask_name(self, source: str) -> None:
        box = NameDialog(self._context.theme, source, [one.suite.name for one in self._rows], self)
        if source:
            box.confirmed.connect(lambda name, _title, _about: self.desk.copy(source, name))
        else:
            box.confirmed.connect(self.desk.create)
        box.finished.connect(box.deleteLater)
        box.open()

    def _on_made(self, name: str, _sentence: str) -> None:
        self._open_next = name
        self.overview.table.choose(name)
        self.desk.reload()

    def _ask_delete(self, standing: Standing) -> None:
        suite = standing.suite
        more = (
            f"Its {suite.problems:,} problems in {suite.folder} are removed from the disk. This cannot be undone."
            if standing.own
            else "Its problems, and what was found of them in the samples, are forgotten. The file that it came from stays."
        )
        text = f"Delete the suite “{suite.name}”?"
        question(
            self, "suitesDeleteQuestion", "Suites", text, more, "Delete", lambda: self.desk.delete(suite.name)
        ).open()

    def _ask_description(self, standing: Standing) -> None:
        box = DescribeDialog(self._context.theme, standing.suite, self)
        box.confirmed.connect(partial(self.desk.describe, standing.suite.name))
        box.finished.connect(box.deleteLater)
        box.open()

    def _on_changed(self, sentence: str) -> None:
        self.banner.say(sentence, "good")
        self.desk.reload()

    # --- checks ------------------------------------------------------------------------------------------------

    def _show_check(self) -> None:
        """The check of the chosen suite, or another one under way."""
        standing = self.overview.table.current
        job = self.desk.check_of(standing.suite.name) if standing is not None else None
        self.overview.show_check(job if job is not None and job.alive else self.desk.running_check())

    def _on_checking(self, job: JobInfo) -> None:
        self._show_check()
        if job.state == "failed":
            self.banner.say(
                f"{job.title} did not end: {job.message} {job.hint}".strip(),
                "bad",
                [("Go on", lambda: self.desk.resume_check(job))],
            )
        self.desk.reload()
        self.editor.refresh()

    def _on_stop_wanted(self) -> None:
        if (job := self.desk.running_check()) is not None:
            self.overview.progress.stopping()
            self.desk.stop_check(job)

    def _on_failed(self, error: UserError) -> None:
        if self.desk.running_check() is None:
            self.overview.progress.finish()
        (self.editor.pane.banner if self._stack.currentWidget() is self.editor else self.banner).problem(error)

    # --- closing -----------------------------------------------------------------------------------------------

    def reject(self) -> None:
        """Close, after a question when something is not saved."""
        self.editor.ask_before(lambda: self.done(0))

    def done(self, result: int) -> None:
        """Leave nothing at work behind but jobs."""
        self.editor.draft.close()
        super().done(result)
