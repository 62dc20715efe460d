"""Settings under a name, above the fields: choose one, keep what the fields say as one, rename and delete one's own."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QMenu, QWidget

from app.theme import Theme
from app.widgets.buttons import Button
from app.widgets.calm_combo import CalmCombo
from app.widgets.name_question import NameQuestion
from core.errors import UserError
from core.inference import Sampling, presets
from core.inference.presets import Preset

_NONE = "Presets"


class PresetPicker(QWidget):
    """Reads and writes a file of a few kilobytes, on the spot.

    Signals: chosen(Preset); failed(UserError); deleted(Preset), which `presets.save` puts back.
    """

    chosen = Signal(object)
    failed = Signal(object)
    deleted = Signal(object)

    def __init__(
        self, theme: Theme, read: Callable[[], tuple[Sampling, str] | None], parent: QWidget | None = None
    ) -> None:
        """read: sampling and system prompt as they stand in the fields; None while one is wrong."""
        super().__init__(parent)
        self._theme = theme
        self._read = read
        self._presets: dict[str, Preset] = {}
        self._box = CalmCombo()
        self._box.setObjectName("presetPicker")
        self._box.setAccessibleName("Preset")
        self._box.activated.connect(self._on_activated)
        menu = QMenu(self)
        self._save = menu.addAction("Keep these settings as a preset…", self.save)
        self._rename = menu.addAction("Rename the preset…", self.rename)
        self._delete = menu.addAction("Delete the preset", self.delete)
        menu.aboutToShow.connect(self._on_menu)
        more = Button(
            "", theme, icon="dots-three", kind="quiet", name="presetMenu", tip="Keep, rename or delete a preset"
        )
        more.setMenu(menu)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        row.addWidget(self._box, 1)
        row.addWidget(more)
        self.refresh()

    @property
    def preset(self) -> Preset | None:
        """The one whose name is shown."""
        return self._presets.get(self._box.currentText())

    def refresh(self, name: str = "") -> None:
        """Read the presets anew and show this name."""
        try:
            found = presets.load()
        except UserError as error:
            found = presets.BUNDLED
            self.failed.emit(error)
        self._presets = {preset.name: preset for preset in found}
        self._box.clear()
        self._box.addItems([_NONE, *self._presets])
        self._box.setCurrentIndex(max(0, self._box.findText(name)))

    def forget(self) -> None:
        """The fields say something else now."""
        self._box.setCurrentIndex(0)

    def save(self) -> None:
        """Ask for a name, and keep what the fields say."""
        read = self._read()
        if read is None:
            self.failed.emit(
                UserError("A sampling setting is wrong.", "It is marked; a preset holds only what can be used.")
            )
            return
        own = self.preset.name if self.preset is not None and not self.preset.bundled else ""
        self._ask("Keep a preset", own, lambda name: presets.save(presets.of(name, *read)))

    def rename(self) -> None:
        """Ask for another name."""
        if self.preset is None:
            return
        old = self.preset.name
        self._ask("Rename the preset", old, lambda name: presets.rename(old, name))

    def delete(self) -> None:
        """Forget the preset on show; it can be put back."""
        preset = self.preset
        if preset is not None and self._try(lambda: presets.delete(preset.name), ""):
            self.deleted.emit(preset)

    def _ask(self, title: str, text: str, change: Callable[[str], object]) -> None:
        question = NameQuestion(self._theme, title, "", text=text, key="preset", parent=self)
        question.accepted.connect(lambda: self._try(lambda: change(question.name.text()), " ".join(question.name.text().split())))  # fmt: skip
        question.open()

    def _try(self, change: Callable[[], object], name: str) -> bool:
        try:
            change()
        except UserError as error:
            self.failed.emit(error)
            return False
        self.refresh(name)
        return True

    def _on_menu(self) -> None:
        own = self.preset is not None and not self.preset.bundled
        self._rename.setEnabled(own)
        self._delete.setEnabled(own)

    def _on_activated(self, _place: int) -> None:
        if self.preset is not None:
            self.chosen.emit(self.preset)
