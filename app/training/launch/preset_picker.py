"""The list of starting points and what can be done with settings as a whole: open, save, keep as a preset, delete a preset."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QMenu, QWidget

from app.theme import Theme
from app.widgets.buttons import Button
from app.widgets.calm_combo import CalmCombo
from core.training.presets import Preset


class PresetPicker(QWidget):
    """A choice of presets and a menu beside it. It reads and writes no file.

    Signals: preset_chosen(Preset), by a person; open_wanted(); save_wanted(); keep_wanted(); delete_wanted(Preset).
    """

    preset_chosen = Signal(object)
    open_wanted = Signal()
    save_wanted = Signal()
    keep_wanted = Signal()
    delete_wanted = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._presets: list[Preset] = []
        self.box = CalmCombo()
        self.box.setObjectName("presetPicker")
        self.box.setMaxVisibleItems(20)
        self.box.activated.connect(self._on_activated)
        self.setFocusProxy(self.box)
        more = Button(
            "", theme, icon="dots-three", kind="quiet", name="presetMore", tip="Open, save or keep these settings"
        )
        self._menu = QMenu(more)
        self._menu.setObjectName("presetMenu")
        self._menu.addAction("From a file…", self.open_wanted.emit)
        self.save_action = self._menu.addAction("Save as…", self.save_wanted.emit)
        self._menu.addSeparator()
        self.keep_action = self._menu.addAction("Save as preset…", self.keep_wanted.emit)
        self.delete_action = self._menu.addAction("Delete this preset…", self._on_delete)
        more.setMenu(self._menu)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(self.box, 1)
        row.addWidget(more)

    def set_presets(self, presets: Sequence[Preset], chosen: str = "") -> None:
        """Offer these, a person's own below a line. chosen: the title to stand there, "" for the first."""
        self._presets = list(presets)
        self.box.clear()
        for place, preset in enumerate(presets):
            if preset.own and place and not presets[place - 1].own:
                self.box.insertSeparator(self.box.count())
            self.box.addItem(preset.title, place)
        self.box.setCurrentIndex(max(0, self.box.findText(chosen)))
        self._update()

    def set_complete(self, complete: bool) -> None:
        """Only settings without a mistake can be saved."""
        self.save_action.setEnabled(complete)
        self.keep_action.setEnabled(complete)

    @property
    def preset(self) -> Preset:
        """The one that stands there."""
        return self._presets[self.box.currentData()]

    @property
    def presets(self) -> tuple[Preset, ...]:
        """All that are offered."""
        return tuple(self._presets)

    def _on_activated(self) -> None:
        self._update()
        self.preset_chosen.emit(self.preset)

    def _update(self) -> None:
        self.delete_action.setEnabled(self.preset.own)

    def _on_delete(self) -> None:
        self.delete_wanted.emit(self.preset)
