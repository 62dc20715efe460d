"""What is to be evaluated: a model, the starter and checkpoints among them, or a file of ready-made completions."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QFileDialog, QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from app.context import AppContext
from app.widgets.buttons import Button
from app.widgets.calm_combo import CalmCombo
from app.widgets.fields import text_field
from app.widgets.labels import label
from core.models import Model, list_models


class SubjectPicker(QWidget):
    """Attributes: models (the choice of a model). Signals: edited(), also when the program chose."""

    edited = Signal()

    def __init__(self, context: AppContext, wanted: str, parent: QWidget | None = None) -> None:
        """wanted: a model to begin with, by name or path; one that is not in the list is offered by its path."""
        super().__init__(parent)
        self._wanted = wanted
        self._problems: dict[str, str] = {}
        self._listed = False
        theme = context.theme
        self._kinds = QButtonGroup(self)
        kinds = QHBoxLayout()
        kinds.setSpacing(2)
        for place, (name, text) in enumerate(
            (("evaluateOfModel", "A model"), ("evaluateOfFile", "Ready-made answers"))
        ):
            button = Button(text, theme, kind="segment", name=name)
            button.setCheckable(True)
            button.setChecked(not place)
            self._kinds.addButton(button, place)
            kinds.addWidget(button)
        kinds.addStretch(1)
        self.models = CalmCombo()
        self.models.setObjectName("evaluateModel")
        self.models.setAccessibleName("Model")
        self.models.setMaxVisibleItems(20)
        self.models.currentIndexChanged.connect(lambda _place: self._on_model_chosen())
        self._about = label(tone="dim", size=12, wrap=True, name="evaluateModelAbout")
        self._file = text_field("file", "File of completions", 'A line of it is {"task_id": …, "completion": …}')
        self._file.editor.setObjectName("evaluateFile")
        self._file.edited.connect(lambda _text: self.edited.emit())
        choose = Button("Choose…", theme, name="evaluateFileChoose", tip="Choose a file of completions")
        choose.clicked.connect(self.ask_file)
        of_model = QWidget()
        column = QVBoxLayout(of_model)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        column.addWidget(self.models)
        column.addWidget(self._about)
        of_file = QWidget()
        below = QVBoxLayout(of_file)
        below.setContentsMargins(0, 0, 0, 0)
        below.setSpacing(3)
        line = QHBoxLayout()
        line.setSpacing(8)
        line.addWidget(self._file.editor, 1)
        line.addWidget(choose)
        below.addLayout(line)
        below.addWidget(label('Lines of {"task_id": "…", "completion": "…"}.', tone="dim", size=12))
        below.addWidget(self._file.note)
        self._stack = QStackedWidget()
        self._stack.addWidget(of_model)
        self._stack.addWidget(of_file)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(6)
        whole.addLayout(kinds)
        whole.addWidget(self._stack)
        self._kinds.idClicked.connect(self._on_kind_chosen)
        workspace = context.workspace
        context.tasks.run(lambda: list_models(workspace.models, workspace.jobs), self._on_listed, owner=self)

    @property
    def of_model(self) -> bool:
        """A model, not a file of completions."""
        return self._kinds.checkedId() == 0

    @property
    def model(self) -> str:
        """What `core.models.resolve` takes, "" for none."""
        return str(self.models.currentData() or "")

    @property
    def file(self) -> Path:
        """The file of completions."""
        return Path(str(self._file.read()).strip()).expanduser()

    @property
    def missing(self) -> str:
        """What is still to be chosen, in a sentence; "" for nothing."""
        if not self.of_model:
            return "" if str(self._file.read()).strip() else "Choose a file of completions."
        if not self._listed:
            return "Looking for models …"
        return self._problems.get(self.model, "") if self.model else "Choose a model."

    def show_error(self, text: str) -> None:
        """Say what is wrong with the file, below it."""
        self._file.show_error(text)

    def ask_file(self) -> None:
        """Ask for a file of completions."""
        name, _ = QFileDialog.getOpenFileName(
            self.window(), "Completions", str(Path.home()), "Completions (*.jsonl);;All files (*)"
        )
        if name:
            self._file.write(name)
            self.edited.emit()

    def _on_kind_chosen(self, place: int) -> None:
        self._stack.setCurrentIndex(place)
        self.edited.emit()

    def _on_listed(self, found: list[Model]) -> None:
        self._listed = True
        self._problems = {str(model.path): model.problem for model in found}
        known = {str(model.path): model.name for model in found}
        if self._wanted and self._wanted not in known and self._wanted not in known.values():
            known[self._wanted] = self._wanted
        self.models.blockSignals(True)
        for path, name in known.items():
            self.models.addItem(name, path)
        place = next((at for at, (path, name) in enumerate(known.items()) if self._wanted in (path, name)), 0)
        self.models.setCurrentIndex(place if known else -1)
        self.models.blockSignals(False)
        self._on_model_chosen()

    def _on_model_chosen(self) -> None:
        problem = self._problems.get(self.model, "")
        self._about.setText(problem or self.model)
        self.edited.emit()
