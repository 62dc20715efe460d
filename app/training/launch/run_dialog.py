"""The dialog that starts a run: what it trains on, from which base, with which settings, and what that will cost.

Everything is checked while it is typed; the forecast follows at once, the first batch a few seconds later. What would train
on garbage is refused here, with the row named. Starting freezes the samples first, so that the run can be repeated.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QDialog, QHBoxLayout, QVBoxLayout, QWidget

from app.context import AppContext
from app.training.launch.batch_preview import PreviewRow
from app.training.launch.begin_run import begin_run
from app.training.launch.dialog_data import DataSource, Draft, Scope
from app.training.launch.find_button import FindButton
from app.training.launch.finder_dialog import FinderDialog
from app.training.launch.finder_run import Question
from app.training.launch.preset_actions import PresetActions
from app.training.launch.preview_run import PreviewRun
from app.training.launch.run_form_column import RunColumn
from app.training.launch.run_form_rules import flattened, nested
from app.training.launch.run_form_side import RunSide
from app.training.launch.start_time import StartTime
from app.widgets.banner import Banner
from app.widgets.buttons import Button
from app.widgets.dialog_foot import dialog_foot
from app.widgets.labels import hairline, label
from core.errors import UserError
from core.jobs import JobFolder
from core.models import Model, list_models
from core.samples.named_suites import Listed, list_suites
from core.training import launch, machine
from core.training.config import RunConfig
from core.training.help import defaults
from core.training.plan import forecast
from core.training.presets import Preset, list_presets, settings_of
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
        if parent is not None:
            room = parent.window().size()
            self.resize(min(1180, max(960, room.width() - 80)), min(760, max(590, room.height() - 60)))
        self._context = context
        self._config: RunConfig | None = None
        self._refused = ""
        self._wrong = ""
        self._noted = ""
        self._wanted_base = str(cloned["base"]) if cloned is not None else ""
        self._others: list[Preset] = []
        name = f"run {datetime.now():%b %d %H:%M}"
        snapshot = ""
        if cloned is not None:
            written = launch.written(cloned)
            name, snapshot = _next_name(written["name"]), written["data"]["snapshot"]
            self._others.append(_preset_of(written))
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
        self._form.fields["name"].write(name)
        self._picker.set_presets(self._others + list_presets())
        self._on_preset_chosen(self._picker.preset)
        workspace = context.workspace
        context.tasks.run(lambda: list_models(workspace.models, workspace.jobs), self._on_models, owner=self)
        context.tasks.run(machine.look, self._form.set_machine, owner=self)
        context.tasks.run_query(
            lambda connection: list_suites(connection, workspace.suites), self._on_suites, owner=self
        )
        self._source.load()

    def _build(self) -> None:
        theme = self._context.theme
        self._banner = Banner(theme, name="runDialogBanner")
        self._column = RunColumn(theme, self._source.picker)
        self._picker, self._base, self._form = self._column.presets, self._column.base, self._column.form
        self._picker.preset_chosen.connect(self._on_preset_chosen)
        self._actions = PresetActions(self._context, self._picker, self)
        self._actions.loaded.connect(self._on_loaded)
        self._actions.presets_changed.connect(self._on_presets_changed)
        self._actions.noted.connect(self._on_noted)
        self._actions.failed.connect(self._on_problem)
        self._base.activated.connect(self._on_edited)
        self._form.edited.connect(self._on_typed)
        self._side = RunSide(self._context)
        self._start = Button("Start training", theme, icon="play", kind="primary", name="runStart")
        self._start.setEnabled(False)
        self._start.clicked.connect(self._on_start)
        cancel = Button("Cancel", theme, name="runCancel")
        self._find = FindButton(theme)
        self._find.wanted.connect(self._on_find)
        self._start_time = StartTime()
        self._foot = label(tone="dim", wrap=True, name="runDialogNote")
        foot = dialog_foot(self, cancel, self._start, self._foot, self._find, self._start_time)
        foot.setContentsMargins(20, 10, 20, 12)
        body = QHBoxLayout()
        body.setContentsMargins(0, 0, 0, 0)
        body.setSpacing(0)
        body.addWidget(self._column, 5)
        body.addWidget(hairline(vertical=True))
        body.addWidget(self._side, 6)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self._banner)
        whole.addLayout(body, 1)
        whole.addLayout(foot)

    def _on_preset_chosen(self, preset: Preset) -> None:
        """Start from this preset, but keep the name."""
        self._column.set_when(preset.when)
        if preset.problem:
            self._on_problem(UserError(preset.problem, "Mend the file, or delete the preset."))
            return
        flat = flattened(preset.settings)
        usual = {key: value for key, value in defaults().items() if key != "name"}
        if "budget.epochs" in flat:
            del usual["budget.steps"]
        self._form.set_values(nested({**usual, **flat}))
        self._on_edited()

    def _on_presets_changed(self, presets: list[Preset], title: str) -> None:
        """A preset was saved or deleted: what stands in the form stays as it is."""
        self._picker.set_presets(self._others + presets, title)
        if title:
            self._on_preset_chosen(self._picker.preset)
            self._on_noted(f"Kept as the preset “{title}”.")
        else:
            self._column.set_when("")

    def _on_loaded(self, config: RunConfig, name: str) -> None:
        """Take over all that a file says; its base and its snapshot as far as they are here."""
        made = Preset("file", f"From {name}", "All settings of that file.", settings_of(config))
        self._others = [one for one in self._others if one.title != made.title] + [made]
        bundled = [one for one in self._picker.presets if one.name not in ("file", "clone")]
        self._picker.set_presets(self._others + bundled, made.title)
        self._form.fields["name"].write(config.name)
        self._on_preset_chosen(made)
        missing = []
        if not self._base.choose(config.model.base):
            missing.append(f"the base “{config.model.base}”")
        if not self._source.choose(config.data.snapshot):
            missing.append(f"the snapshot “{config.data.snapshot}”")
        if missing:
            self._on_problem(UserError(f"{name} names {' and '.join(missing)}, not found here.", "Choose another."))
        else:
            self._banner.clear()
            self._on_noted(f"All settings are those of {name}.")

    def _on_noted(self, text: str) -> None:
        """Say this in the foot until something is changed."""
        self._noted = text
        self._update_start()

    def _on_models(self, models: list[Model]) -> None:
        if (problem := self._base.set_models(models, self._wanted_base)) is not None:
            self._on_problem(problem)
        self._on_edited()

    def _on_suites(self, suites: list[Listed]) -> None:
        self._form.suggest("evaluation.suite", [one.reference for one in suites if not one.problem])

    def _on_measured(self) -> None:
        self._on_edited()

    def _on_typed(self) -> None:
        self._noted = ""
        self._on_edited()

    def _on_edited(self) -> None:
        self._check_timer.start()

    def values(self) -> dict[str, Any]:
        """The configuration as it stands in the dialog."""
        base = self._base.model
        values = self._form.values()
        values["model"] = {"base": base.name if base is not None else ""}
        values.setdefault("data", {})["snapshot"] = self._source.snapshot_name or ""
        return values

    def _check(self) -> None:
        """Check what is typed; a right configuration gets a forecast, and a preview soon."""
        checked = check(self.values())
        self._config = checked if isinstance(checked, RunConfig) else None
        wrong = [] if isinstance(checked, RunConfig) else checked
        self._form.show_errors({problem.key: _sentence(problem) for problem in wrong})
        self._picker.set_complete(self._config is not None)
        self._actions.config = self._config
        self._side.set_config(self._config)
        if self._config is not None:
            self._show_forecast(self._config)
            self._preview_timer.start()
        typed = [problem for problem in wrong if problem.key not in ("model.base", "data.snapshot")]
        self._wrong = _sentence(typed[0]) if typed else ""
        self._update_start()

    def _show_forecast(self, config: RunConfig) -> None:
        draft, model = self._source.draft, self._base.model
        if draft is None or model is None:
            self._side.forecast.clear()
            return
        self._context.tasks.run(
            lambda: forecast(config, model, draft.folder, self._context.workspace.jobs),
            lambda plan: self._side.forecast.show_plan(plan, draft.train, config, model),
            self._on_problem,
            owner=self,
        )

    def _ask_preview(self) -> None:
        draft, model = self._source.draft, self._base.model
        if self._config is not None and draft is not None and model is not None:
            self._side.set_note("Reading the first batch…")
            self._preview_run.ask(self._config, model, draft.folder)

    def _on_preview(self, preview: dict[str, Any]) -> None:
        self._side.set_rows([PreviewRow.from_json(row) for row in preview["rows"]])
        refused = preview["refused"]
        self._refused = ""
        if refused:
            first = refused[0]
            more = f" and {len(refused) - 1:,} more" if len(refused) > 1 else ""
            self._refused = f"Sample {first['sample']} (row {first['line']}) {first['reason']}{more}."
            self._on_problem(UserError(self._refused, "Mend or reject these samples, or raise the longest row."))
        else:
            self._banner.clear()
        self._update_start()

    def _on_preview_failed(self, error: UserError) -> None:
        self._side.set_note("")
        self._on_problem(error)

    def _update_start(self) -> None:
        draft = self._source.draft
        self._start.setEnabled(self._config is not None and draft is not None and not self._refused)
        self._find.setEnabled(self._start.isEnabled())
        self._foot.setText(self._wrong or self._noted or (draft.sentence if draft is not None else ""))

    def _on_find(self, finder: str) -> None:
        draft, model = self._source.draft, self._base.model
        if self._config is None or draft is None or model is None:
            return
        question = Question(finder, self._config, model.path, draft.folder)
        search = FinderDialog(self._context, question, self)
        search.chosen.connect(self._form.take)
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
        self._context.tasks.run(
            lambda: begin_run(workspace, checked, not_before), self._on_started, self._on_start_failed, owner=self
        )

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
        self._side.forecast.forget()
        self._source.close()
        super().done(result)


def _preset_of(config: Mapping[str, Any]) -> Preset:
    """The settings of a run as a starting point for another, checked later like anything that is typed."""
    settings = {key: value for key, value in config.items() if key not in ("name", "model")}
    settings["data"] = {key: value for key, value in settings["data"].items() if key != "snapshot"}
    return Preset("clone", f"As “{config['name']}”", "All settings of that run; change what you want to try.", settings)


def _next_name(name: str) -> str:
    """`errgroup` becomes `errgroup 2`, and that `errgroup 3`."""
    stem, _, number = name.rpartition(" ")
    return f"{stem} {int(number) + 1}" if stem and number.isdecimal() else f"{name} 2"


def _sentence(problem: Problem) -> str:
    return f"{problem.message} {problem.hint}".strip()
