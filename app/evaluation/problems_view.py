"""The problems of an evaluation: a table to narrow and sort at the left; at the right what it all comes to, or the chosen problem."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from app.evaluation import words
from app.evaluation.overview import Overview
from app.evaluation.problem_view import ProblemView
from app.evaluation.rows_model import Cell, Column, Row
from app.evaluation.rows_table import RowsTable
from app.theme import Theme
from app.widgets.buttons import Button, Chip
from app.widgets.empty import EmptyState
from app.widgets.jobs.job_tabs import JobTabs
from core.evaluation.contents import Contents

_COLUMNS = (
    Column("Problem", 0),
    Column("Passed", 74, numeric=True),
    Column("What became of them", 156, wide=360),
    Column("Topic", 104, wide=480),
    Column("Difficulty", 84, wide=570),
)


class ProblemsView(QWidget):
    """Attributes: table, filter, failed (the chip), overview, problem, tabs."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._contents: Contents | None = None
        self._suite = ""
        self._rows: list[Row] = []
        self._narrow: dict[str, str] = {}
        self.filter = QLineEdit()
        self.filter.setObjectName("problemsFilter")
        self.filter.setAccessibleName("Filter the problems")
        self.filter.setToolTip("Words of a name, a topic or a difficulty")
        self.filter.setPlaceholderText("Filter")
        self.filter.setClearButtonEnabled(True)
        self.filter.textChanged.connect(self._fill)
        self.failed = Chip(
            "Failed only", theme, name="problemsFailed", tip="Only problems with an answer that does not pass"
        )
        self.failed.toggled.connect(self._fill)
        self._widen = Button("", theme, icon="x", kind="link", name="problemsWiden", tip="Show the others again")
        self._widen.clicked.connect(self.widen)
        self._widen.hide()
        self.table = RowsTable(
            theme, _COLUMNS, name="problemsTable", says="Problems", sort_by=(0, Qt.SortOrder.AscendingOrder)
        )
        self.table.row_chosen.connect(self._on_problem_chosen)
        self._nothing = EmptyState(
            theme, "funnel", "", action=("Show all problems", self.widen), name="problemsNothing"
        )
        self._waiting = EmptyState(
            theme, "hourglass", "No answer was judged yet. They come here as they are.", name="problemsWaiting"
        )
        self._stack = QStackedWidget()
        for page in (self.table, self._nothing, self._waiting):
            self._stack.addWidget(page)
        self.overview = Overview(theme)
        self.overview.narrowed.connect(self._on_narrowed)
        self.problem = ProblemView(theme)
        self.tabs = JobTabs(
            theme, (("problemsOverview", "Overview", self.overview), ("problemsChosen", "Problem", self.problem))
        )
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._split())
        self.restart()

    def _split(self) -> QSplitter:
        line = QHBoxLayout()
        line.setSpacing(6)
        line.addWidget(self.filter, 1)
        line.addWidget(self.failed)
        left = QWidget()
        side = QVBoxLayout(left)
        side.setContentsMargins(0, 0, 8, 0)
        side.setSpacing(6)
        side.addLayout(line)
        side.addWidget(self._widen, 0, Qt.AlignmentFlag.AlignLeft)
        side.addWidget(self._stack, 1)
        left.setMinimumWidth(206)
        right = QWidget()
        other = QVBoxLayout(right)
        other.setContentsMargins(8, 0, 0, 0)
        other.addWidget(self.tabs)
        right.setMinimumWidth(346)
        splitter = QSplitter()
        splitter.setHandleWidth(1)
        splitter.setChildrenCollapsible(False)
        splitter.addWidget(left)
        splitter.addWidget(right)
        splitter.setSizes([480, 520])
        splitter.setStretchFactor(0, 1)
        splitter.setStretchFactor(1, 1)
        return splitter

    def restart(self) -> None:
        """Another evaluation: nothing is known yet."""
        self._contents, self._rows, self._narrow = None, [], {}
        self.problem.restart()
        self.tabs.open(self.overview)
        self._fill()

    def show_contents(self, found: Contents) -> None:
        """Show these; filter, sorting and the chosen problem stay."""
        self._contents, self._suite = found, str(found.request.get("suite", ""))
        self._rows = [_row(task, found, self._suite) for task in found.problems]
        self._fill()
        self._show_problem(self.table.chosen)

    def show_problem(self, task: str) -> bool:
        """Choose this problem and bring it to the front; False when it is not in the table."""
        if not self.table.choose(task):
            return False
        self._on_problem_chosen(task)
        return True

    def narrow(self, what: str, key: str) -> None:
        """Show only the problems of this status, topic or difficulty. what: which of these."""
        self._narrow = {what: key}
        self._fill()

    def widen(self) -> None:
        """Show all problems again."""
        self._narrow = {}
        self.filter.clear()
        self.failed.setChecked(False)
        self._fill()

    def _on_narrowed(self, what: str, key: str) -> None:
        if self._narrow.get(what) == key:
            del self._narrow[what]
        else:
            self._narrow[what] = key
        self._fill()

    def _on_problem_chosen(self, task: str) -> None:
        if task:
            self._show_problem(task)
            self.tabs.open(self.problem)
        else:
            self.problem.restart()
            self.tabs.open(self.overview)

    def _show_problem(self, task: str) -> None:
        found = self._contents
        if found is not None and task in found.problems:
            self.problem.show_problem(found.problems[task], found.candidates.get(task, ()), self._suite)

    # --- the table ---------------------------------------------------------------------------------------------

    def _fill(self) -> None:
        found = self._contents
        rows = [] if found is None else [row for row in self._rows if self._wanted(row.key, found)]
        self.table.show_rows(rows)
        self.overview.show_contents(found, self._narrow)
        narrowed = [words.WORDS.get(key, key) for key in self._narrow.values()]
        self._widen.setText("Only " + ", ".join(narrowed))
        self._widen.setAccessibleName(f"Only {', '.join(narrowed)}: show the others again")
        self._widen.setVisible(bool(narrowed))
        self.failed.set_count(None if found is None else sum(_fails(task, found) for task in found.problems))
        judged = found is not None and (bool(found.candidates) or found.evaluation is not None)
        self._stack.setCurrentWidget(self.table if rows and judged else self._nothing if judged else self._waiting)
        self._nothing.say(f"None of the {words.counted(len(self._rows), 'problem')} fits.")

    def _wanted(self, task: str, found: Contents) -> bool:
        problem = found.problems[task]
        text = f"{task} {problem.topic} {problem.difficulty} {problem.entry_point}".lower()
        if not all(word in text for word in self.filter.text().lower().split()):
            return False
        if self.failed.isChecked() and not _fails(task, found):
            return False
        status = self._narrow.get("status")
        if status and not found.became.get(task, {}).get(status):
            return False
        return all(
            self._narrow.get(what) in (None, value)
            for what, value in (("topic", problem.topic), ("difficulty", problem.difficulty))
        )


def _fails(task: str, found: Contents) -> bool:
    return any(status not in ("pass", "sandbox_error") for status in found.became.get(task, ()))


def _row(task: str, found: Contents, suite: str) -> Row:
    problem, became = found.problems[task], found.became.get(task, {})
    judged = sum(count for status, count in became.items() if status != "sandbox_error")
    passed = became.get("pass", 0)
    tone = "dim" if not judged else "good" if passed == judged else "bad" if not passed else "warn"
    return Row(
        task,
        (
            Cell(words.short(task, suite), tip=task),
            Cell(*words.passed_of(passed, judged), tone),
            Cell(words.statuses(became), tone="dim"),
            Cell(problem.topic),
            Cell(problem.difficulty),
        ),
    )
