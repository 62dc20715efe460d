"""The dialog that starts a run: what it trains on, from which base, with which settings, and what that will cost.

Everything is checked while it is typed; the forecast follows at once, the first batch a few seconds later. What would train
on garbage is refused here, with the row named. Starting freezes the samples first, so that the run can be repeated.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QComboBox, QDialog, QFrame, QGridLayout, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from app.context import AppContext
from app.training.batch_preview import BatchPreview, PreviewRow
from app.training.dialog_data import DataSource, Draft, Scope
from app.training.find_button import FindButton
from app.training.finder_dialog import FinderDialog
from app.training.finder_run import Question
from app.training.forecast_panel import ForecastPanel
from app.training.preview_run import PreviewRun
from app.training.run_form import RunForm
from app.training.start_time import StartTime
from app.widgets.banner import Banner
from app.widgets.buttons import Button
from app.widgets.labels import label, section
from core.errors import UserError
from core.jobs import JobFolder, start
from core.models import Model, list_models
from core.training import launch
from core.training.config import RunConfig
from core.training.config_file import to_mapping
from core.training.plan import forecast
from core.training.presets import Preset, list_presets
from core.training.problems import Problem, check

CHECK_MS = 120
PREVIEW_MS = 700


class RunDialog(QDialog):
    """Asks for a run.

    query: train on what this search finds (frozen on start); None: on a snapshot that exists. cloned: what was asked of
    a run that the new one shall be like; all its settings are kept, those too that the form does not show.
    Signals: run_started(job id).
    """

    run_started = Signal(str)

    def __init__(
        self,
        context: AppContext,
        query: str | None,
        parent: QWidget | None = None,
        *,
        cloned: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("runDialog")
        self.setWindowTitle("New run")
        self.resize(960, 620)
        self._context = context
        self._models: list[Model] = []
        self._config: RunConfig | None = None
        self._refused = ""
        self._wanted_base = str(cloned["base"]) if cloned is not None else ""
        self._kept: dict[str, Any] = {}
        self._presets = list_presets()
        name = f"run {datetime.now():%b %d %H:%M}"
        snapshot = ""
        if cloned is not None:
            written = launch.written(cloned)
            name, snapshot = _next_name(written["name"]), written["data"]["snapshot"]
            self._presets.insert(0, _preset_of(written))
        self._source = DataSource(context, Scope(query, snapshot), self)
        self._source.measured.connect(self._on_measured)
        self._source.failed.connect(self._on_problem)
        self._preview_run = PreviewRun(context, self)
        self._preview_run.arrived.connect(self._on_preview)
        self._preview_run.failed.connect(self._on_preview_failed)
        self._build()
        self._check_timer = QTimer(self, singleShot=True, interval=CHECK_MS)
        self._check_timer.timeout.connect(self._check)
        self._preview_timer = QTimer(self, singleShot=True, interval=PREVIEW_MS)
        self._preview_timer.timeout.connect(self._ask_preview)
        self._choose_preset(0)
        self._form.fields["name"].write(name)
        workspace = context.workspace
        context.tasks.run(lambda: list_models(workspace.models, workspace.jobs), self._on_models, owner=self)
        self._source.load()

    def _build(self) -> None:
        theme = self._context.theme
        self._banner = Banner(theme, name="runDialogBanner")
        self._preset = QComboBox()
        self._preset.setObjectName("presetPicker")
        for preset in self._presets:
            self._preset.addItem(preset.title)
        self._preset.activated.connect(self._choose_preset)
        self._when = label(tone="dim", size=12, wrap=True)
        self._base = QComboBox()
        self._base.setObjectName("basePicker")
        self._base.activated.connect(self._on_edited)
        self._form = RunForm(theme)
        self._form.edited.connect(self._on_edited)
        self._forecast = ForecastPanel(self._context)
        self._preview = BatchPreview(theme)
        self._preview_note = label(
            "Coloured tokens count in the loss.", tone="dim", size=12, wrap=True, name="previewNote"
        )
        self._start = Button("Start training", theme, icon="play", kind="primary", name="runStart")
        self._start.setDefault(True)
        self._start.setEnabled(False)
        self._start.clicked.connect(self._on_start)
        cancel = Button("Cancel", theme, name="runCancel")
        cancel.clicked.connect(self.reject)
        self._find = FindButton(theme)
        self._find.wanted.connect(self._on_find)
        self._start_time = StartTime()
        self._foot = label(tone="dim", wrap=True, name="runDialogNote")
        foot = QHBoxLayout()
        foot.setContentsMargins(20, 10, 20, 12)
        foot.setSpacing(8)
        foot.addWidget(self._foot, 1)
        foot.addWidget(self._find)
        foot.addWidget(self._start_time)
        foot.addWidget(cancel)
        foot.addWidget(self._start)
        body = QHBoxLayout()
        body.setContentsMargins(0, 0, 0, 0)
        body.setSpacing(0)
        body.addWidget(self._left(), 5)
        body.addWidget(self._right(), 6)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self._banner)
        whole.addLayout(body, 1)
        whole.addLayout(foot)

    def _left(self) -> QWidget:
        inner = QWidget()
        inner.setProperty("kind", "page")
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setColumnStretch(1, 1)
        for row, (caption, editor) in enumerate(
            (("Data", self._source.picker), ("Base", self._base), ("Preset", self._preset))
        ):
            text = label(caption, tone="dim")
            text.setBuddy(editor)
            editor.setAccessibleName(caption)
            grid.addWidget(text, row, 0)
            grid.addWidget(editor, row, 1)
        column = QVBoxLayout(inner)
        column.setContentsMargins(20, 14, 16, 8)
        column.setSpacing(8)
        column.addLayout(grid)
        column.addWidget(self._when)
        column.addWidget(self._form)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(inner)
        scroll.setAccessibleName("Settings of the run")
        return scroll

    def _right(self) -> QWidget:
        side = QWidget()
        column = QVBoxLayout(side)
        column.setContentsMargins(12, 14, 20, 8)
        column.setSpacing(8)
        column.addWidget(self._forecast)
        column.addWidget(section("First batch"))
        column.addWidget(self._preview_note)
        column.addWidget(self._preview, 1)
        return side

    def _choose_preset(self, place: int) -> None:
        preset = self._presets[place]
        self._when.setText(preset.when)
        name = self._form.fields["name"].read()
        defaults = check({"model": {"base": "starter"}, "data": {"snapshot": "x"}})
        assert isinstance(defaults, RunConfig)
        values = _merged(to_mapping(defaults), dict(preset.settings))
        if "budget" in preset.settings:
            values["budget"] = dict(preset.settings["budget"])
        self._kept = values
        self._form.set_values({**values, "name": name or "run"})

    def _on_models(self, models: list[Model]) -> None:
        self._models = [model for model in models if not model.problem]
        self._base.clear()
        for model in self._models:
            self._base.addItem(model.name, str(model.path))
        if not self._models:
            self._on_problem(
                UserError("There is no base to train.", "Put a model folder into the workspace's models folder.")
            )
        if self._wanted_base:
            self._base.setCurrentIndex(self._base.findData(self._wanted_base))
            if self._base.currentIndex() < 0:
                self._on_problem(
                    UserError(f"The base of that run is no longer at {self._wanted_base}.", "Choose another one.")
                )
        self._on_edited()

    def _on_measured(self) -> None:
        self._on_edited()

    def _on_edited(self) -> None:
        self._check_timer.start()

    def values(self) -> dict[str, Any]:
        """The configuration as it stands in the dialog."""
        place = self._base.currentIndex()
        base = self._models[place] if 0 <= place < len(self._models) else None
        shown = self._form.values()
        values = {**_merged(self._kept, shown), "budget": shown["budget"]}
        values["model"] = {"base": base.name if base else ""}
        values.setdefault("data", {})["snapshot"] = self._source.snapshot_name or ""
        return values

    def _check(self) -> None:
        """Check what is typed; a right configuration gets a forecast, and a preview soon."""
        checked = check(self.values())
        if isinstance(checked, RunConfig):
            self._form.show_errors({})
            self._config = checked
            self._show_forecast(checked)
            self._preview_timer.start()
        else:
            self._config = None
            self._form.show_errors({problem.key: _sentence(problem) for problem in checked})
        self._update_start()

    def _show_forecast(self, config: RunConfig) -> None:
        draft, place = self._source.draft, self._base.currentIndex()
        if draft is None or not 0 <= place < len(self._models):
            self._forecast.clear()
            return
        model = self._models[place]
        self._context.tasks.run(
            lambda: forecast(config, model, draft.folder, self._context.workspace.jobs),
            lambda plan: self._forecast.show_plan(plan, draft.train, config, model),
            self._on_problem,
            owner=self,
        )

    def _ask_preview(self) -> None:
        draft, place = self._source.draft, self._base.currentIndex()
        if self._config is not None and draft is not None and 0 <= place < len(self._models):
            self._preview_note.setText("Reading the first batch…")
            self._preview_run.ask(self._config, self._models[place], draft.folder)

    def _on_preview(self, preview: dict[str, Any]) -> None:
        self._preview.set_rows([PreviewRow.from_json(row) for row in preview["rows"]])
        refused = preview["refused"]
        self._refused = ""
        if refused:
            first = refused[0]
            more = f" and {len(refused) - 1:,} more" if len(refused) > 1 else ""
            self._refused = f"Sample {first['sample']} (row {first['line']}) {first['reason']}{more}."
            self._on_problem(UserError(self._refused, "Mend or reject these samples, or raise the longest row."))
        else:
            self._banner.clear()
        self._preview_note.setText("Coloured tokens count in the loss; grey ones are only read.")
        self._update_start()

    def _on_preview_failed(self, error: UserError) -> None:
        self._preview_note.setText("")
        self._on_problem(error)

    def _update_start(self) -> None:
        draft = self._source.draft
        self._start.setEnabled(self._config is not None and draft is not None and not self._refused)
        self._find.setEnabled(self._start.isEnabled())
        if draft is not None:
            self._foot.setText(draft.sentence)

    def _on_find(self, finder: str) -> None:
        draft, place = self._source.draft, self._base.currentIndex()
        if self._config is None or draft is None or not 0 <= place < len(self._models):
            return
        question = Question(finder, self._config, self._models[place].path, draft.folder)
        search = FinderDialog(self._context, question, self)
        search.chosen.connect(self._form.set_values)
        search.finished.connect(search.deleteLater)
        self.finished.connect(search.reject)
        search.open()

    def _on_start(self) -> None:
        if self._config is None:
            return
        self._start.setEnabled(False)
        self._foot.setText("Freezing the samples…" if self._source.new else "Starting…")
        self._source.freeze(self._on_frozen, self._on_start_failed)

    def _on_frozen(self, draft: Draft) -> None:
        values = self.values()
        values["data"]["snapshot"] = draft.name
        checked = check(values)
        assert isinstance(checked, RunConfig)
        workspace, not_before = self._context.workspace, self._start_time.not_before()

        def begin() -> JobFolder:
            folder = launch.launch(
                checked,
                jobs=workspace.jobs,
                snapshots=workspace.snapshots,
                models=workspace.models,
                not_before=not_before,
            )
            start(folder)
            return folder

        self._context.tasks.run(begin, self._on_started, self._on_start_failed, owner=self)

    def _on_started(self, folder: JobFolder) -> None:
        self.run_started.emit(folder.id)
        self.accept()

    def _on_start_failed(self, error: UserError) -> None:
        self._on_problem(error)
        self._update_start()

    def _on_problem(self, error: UserError) -> None:
        self._banner.problem(error)

    def done(self, result: int) -> None:
        self._preview_run.close()
        self._forecast.forget()
        self._source.close()
        super().done(result)


def _merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        merged[key] = _merged(merged.get(key, {}), dict(value)) if isinstance(value, dict) else value
    return merged


def _preset_of(config: Mapping[str, Any]) -> Preset:
    """The settings of a run as a starting point for another."""
    settings = {key: value for key, value in config.items() if key not in ("name", "model")}
    settings["data"] = {key: value for key, value in settings["data"].items() if key != "snapshot"}
    return Preset("clone", f"As “{config['name']}”", "All settings of that run; change what you want to try.", settings)


def _next_name(name: str) -> str:
    """`errgroup` becomes `errgroup 2`, and that `errgroup 3`."""
    stem, _, number = name.rpartition(" ")
    return f"{stem} {int(number) + 1}" if stem and number.isdecimal() else f"{name} 2"


def _sentence(problem: Problem) -> str:
    return f"{problem.message} {problem.hint}".strip()
