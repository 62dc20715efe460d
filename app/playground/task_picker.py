"""The choice of a prompt that has a test: a problem of a suite, bundled, private or added, or a sample whose answer holds a test."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QModelIndex, QSortFilterProxyModel, QStringListModel, Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QHBoxLayout,
    QLineEdit,
    QListView,
    QPlainTextEdit,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from app.context import AppContext
from app.widgets.buttons import Button
from app.widgets.dialog_foot import dialog_foot
from app.widgets.labels import label
from core.errors import UserError
from core.evaluation import finding
from core.evaluation.suites import Problem
from core.evaluation.tasks import Task, of_problem
from core.samples import query, store
from core.samples.tested import Tested, with_tests

SAMPLES = "Samples with tests"
MOST_SAMPLES = 300
SEARCH_MS = 200


class TaskPicker(QDialog):
    """Attributes: source, search, found (the list), prompt. Signals: chosen(Task)."""

    chosen = Signal(object)

    def __init__(self, context: AppContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("taskPicker")
        self.setWindowTitle("Take a problem")
        self._context = context
        self._tasks: list[Task | Tested] = []
        self._number = 0
        self.source = QComboBox()
        self.source.setObjectName("taskSource")
        self.source.setAccessibleName("Where problems come from")
        self.search = QLineEdit()
        self.search.setObjectName("taskSearch")
        self.search.setAccessibleName("Search")
        self.search.setPlaceholderText("Search")
        self.search.setClearButtonEnabled(True)
        self.found = QListView()
        self.found.setObjectName("taskList")
        self.found.setAccessibleName("Problems")
        self.found.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self._names = QStringListModel(self)
        self._shown = QSortFilterProxyModel(self)
        self._shown.setSourceModel(self._names)
        self._shown.setFilterCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.found.setModel(self._shown)
        self.prompt = QPlainTextEdit()
        self.prompt.setReadOnly(True)
        self.prompt.setAccessibleName("Prompt")
        self.prompt.setPlaceholderText("The prompt of what is chosen")
        self._state = label(tone="dim", size=12, wrap=True, name="taskState")
        self._take = Button("Take it", context.theme, kind="primary", name="taskTake")
        self._take.setEnabled(False)
        self._take.clicked.connect(self._on_take)
        cancel = Button("Cancel", context.theme, name="taskCancel")
        self._pause = QTimer(self, singleShot=True, interval=SEARCH_MS)
        self._pause.timeout.connect(self._look_for_samples)
        self._lay_out(cancel)
        self.search.textChanged.connect(self._on_search)
        self.source.currentIndexChanged.connect(lambda _place: self._load())
        self.found.selectionModel().currentChanged.connect(self._on_current)
        self.found.doubleClicked.connect(lambda _index: self._on_take())
        for name, origin, folder in finding.available(context.workspace.suites):
            self.source.addItem(f"{name} ({origin})", str(folder))
        self.source.addItem(SAMPLES, "")

    def _lay_out(self, cancel: Button) -> None:
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(self.source, 1)
        top.addWidget(self.search, 1)
        splitter = QSplitter()
        splitter.addWidget(self.found)
        splitter.addWidget(self.prompt)
        splitter.setSizes([300, 420])
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 12)
        column.setSpacing(10)
        column.addLayout(top)
        column.addWidget(splitter, 1)
        column.addLayout(dialog_foot(self, cancel, self._take, self._state))
        self.resize(780, 480)

    def _load(self) -> None:
        """Read what is chosen above; the newest choice counts."""
        self._number += 1
        number, folder = self._number, self.source.currentData()
        self._fill([])
        if not folder:
            self._look_for_samples()
            return
        self._shown.setFilterFixedString(self.search.text())
        self._state.setText("Reading…")

        def read() -> list[Task | Tested]:
            suite = finding.open_suite(folder, None).suite
            return [of_problem(suite.format, one) for one in suite.problems]

        self._context.tasks.run(read, partial(self._on_read, number), partial(self._on_failed, number), owner=self)

    def _look_for_samples(self) -> None:
        if self.source.currentData():
            return
        self._number += 1
        number, words = self._number, self.search.text()
        self._shown.setFilterFixedString("")
        self._context.tasks.run_query(
            lambda connection: list(with_tests(connection, query.parse(words), MOST_SAMPLES)),
            partial(self._on_read, number),
            partial(self._on_failed, number),
            owner=self,
        )

    def _on_read(self, number: int, tasks: Sequence[Task | Tested]) -> None:
        if number == self._number:
            self._fill(tasks)
            what = "problem" if self.source.currentData() else "sample with a test"
            self._state.setText(f"There is no {what} here." if not tasks else "")

    def _on_failed(self, number: int, error: UserError) -> None:
        if number == self._number:
            self._state.setText(str(error))

    def _fill(self, tasks: Sequence[Task | Tested]) -> None:
        self._tasks = list(tasks)
        self._names.setStringList([_title(one) for one in self._tasks])
        self.prompt.clear()
        self._take.setEnabled(False)
        if self._tasks:
            self.found.setCurrentIndex(self._shown.index(0, 0))

    def _on_search(self, text: str) -> None:
        if self.source.currentData():
            self._shown.setFilterFixedString(text)
        else:
            self._pause.start()

    def _at(self, index: QModelIndex) -> Task | Tested | None:
        place = self._shown.mapToSource(index).row()
        return self._tasks[place] if 0 <= place < len(self._tasks) else None

    def _on_current(self, index: QModelIndex, _before: QModelIndex) -> None:
        one = self._at(index)
        self._take.setEnabled(one is not None)
        if isinstance(one, Task):
            self.prompt.setPlainText(one.prompt)
        elif one is not None:
            self.prompt.setPlainText(store.sample(self._context.reader(), one.id).prompt)

    def _on_take(self) -> None:
        one = self._at(self.found.currentIndex())
        if one is None:
            return
        if isinstance(one, Tested):
            sample = store.sample(self._context.reader(), one.id)
            one = Task(sample_title(sample.id, one.title), sample.prompt, sample.test)
        self.chosen.emit(one)
        self.accept()


def sample_title(number: int, title: str) -> str:
    """What a sample is called as a task."""
    return f"sample {number}: {title}"[:80]


def _title(one: Task | Tested) -> str:
    if isinstance(one, Tested):
        return sample_title(one.id, one.title)
    problem: Problem | None = one.problem
    return (
        f"{one.title} · {problem.topic}, {problem.difficulty}" if problem is not None and problem.topic else one.title
    )
