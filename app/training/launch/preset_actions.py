"""What a person does with settings as a whole: opens a file, saves one, keeps a preset, deletes one. Files are touched off the GUI thread."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from app.context import AppContext
from app.training.launch.preset_picker import PresetPicker
from app.training.launch.preset_question import PresetQuestion
from app.widgets.question import question
from core.errors import UserError
from core.training.config import RunConfig
from core.training.config_file import load_config, save_config
from core.training.presets import Preset, delete_preset, list_presets, save_preset

_FILES = "Run configurations (*.toml)"


class PresetActions(QObject):
    """Serves the menu of a picker.

    Signals: loaded(RunConfig, name of the file); presets_changed(presets, title to choose); noted(sentence); failed(UserError).
    """

    loaded = Signal(object, str)
    presets_changed = Signal(object, str)
    noted = Signal(str)
    failed = Signal(object)

    def __init__(self, context: AppContext, picker: PresetPicker, parent: QWidget) -> None:
        super().__init__(parent)
        self._context = context
        self._picker = picker
        self._parent = parent
        self._question: PresetQuestion | None = None
        self.config: RunConfig | None = None
        """What would be saved; None while something is wrong with it."""
        picker.open_wanted.connect(self._on_open_wanted)
        picker.save_wanted.connect(self._on_save_wanted)
        picker.keep_wanted.connect(self._on_keep_wanted)
        picker.delete_wanted.connect(self._on_delete_wanted)

    def _on_open_wanted(self) -> None:
        chosen, _ = QFileDialog.getOpenFileName(self._parent, "Open a configuration", str(Path.home()), _FILES)
        if chosen:
            self.open_file(Path(chosen))

    def open_file(self, path: Path) -> None:
        """Read a configuration; `loaded` or `failed` follows."""
        self._context.tasks.run(
            lambda: load_config(path), lambda config: self.loaded.emit(config, path.name), self.failed.emit, owner=self
        )

    def _on_save_wanted(self) -> None:
        if self.config is None:
            return
        suggested = Path.home() / f"{self.config.name.replace('/', '-')}.toml"
        chosen, _ = QFileDialog.getSaveFileName(self._parent, "Save the configuration", str(suggested), _FILES)
        if chosen:
            self.save_file(Path(chosen))

    def save_file(self, path: Path) -> None:
        """Write what stands in the dialog; `noted` or `failed` follows."""
        config = self.config
        if config is None:
            return

        def write() -> None:
            try:
                save_config(config, path)
            except OSError as error:
                raise UserError(f"{path} cannot be written: {error.strerror}.", "Choose another folder.") from error

        said = f"Saved to {path}; `gosmith train {path.name}` runs it."
        self._context.tasks.run(write, lambda _: self.noted.emit(said), self.failed.emit, owner=self)

    def _on_keep_wanted(self) -> None:
        if self.config is None:
            return
        own = [one.title for one in self._picker.presets if one.own]
        suggested = self._picker.preset.title if self._picker.preset.own else self.config.name
        self._question = PresetQuestion(self._context.theme, suggested, own, self._parent)
        self._question.accepted.connect(self._on_keep_confirmed)
        self._question.finished.connect(self._question.deleteLater)
        self._question.open()

    def _on_keep_confirmed(self) -> None:
        if self._question is not None and self.config is not None:
            self.keep(*self._question.answer, self.config)

    def keep(self, title: str, when: str, config: RunConfig) -> None:
        """Save a preset; `presets_changed` or `failed` follows."""

        def save() -> tuple[list[Preset], str]:
            made = save_preset(title, when, config)
            return list_presets(), made.title

        self._context.tasks.run(save, lambda made: self.presets_changed.emit(*made), self.failed.emit, owner=self)

    def _on_delete_wanted(self, preset: Preset) -> None:
        more = "Runs that were started from it keep their settings."
        text = f"Delete the preset “{preset.title}”?"
        question(
            self._parent, "presetDelete", "Delete a preset", text, more, "Delete", lambda: self.delete(preset)
        ).open()

    def delete(self, preset: Preset) -> None:
        """Delete a preset of a person's own; `presets_changed` or `failed` follows."""

        def remove() -> list[Preset]:
            delete_preset(preset)
            return list_presets()

        self._context.tasks.run(
            remove, lambda found: self.presets_changed.emit(found, ""), self.failed.emit, owner=self
        )
