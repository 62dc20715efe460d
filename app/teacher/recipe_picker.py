"""The choice of a recipe: its title in a list, what it makes below, and a way to its templates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.theme import Theme
from app.widgets.buttons import Button
from app.widgets.calm_combo import CalmCombo
from app.widgets.labels import label
from core.errors import UserError
from core.teacher import recipes


@dataclass(frozen=True, slots=True)
class RecipeEntry:
    """A recipe as lists show it. problem: why it cannot be used, "" when it can."""

    name: str
    title: str
    about: str = ""
    own: bool = False
    source: str = "none"
    topics: tuple[str, ...] = ()
    problem: str = ""


def listed(workspace: Path) -> list[RecipeEntry]:
    """All recipes; a broken one is among them and says so."""
    found = []
    for name in recipes.names(workspace):
        try:
            one = recipes.find(name, workspace)
        except UserError as error:
            found.append(RecipeEntry(name, name, own=True, problem=str(error)))
            continue
        file = one.file
        found.append(RecipeEntry(name, file.title, file.about, one.own, file.source, tuple(file.topics())))
    return sorted(found, key=lambda entry: entry.title.casefold())


class RecipePicker(QWidget):
    """Signals: chosen(RecipeEntry), also when the program chose; edit_wanted(name)."""

    chosen = Signal(object)
    edit_wanted = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._entries: list[RecipeEntry] = []
        self.box = CalmCombo()
        self.box.setObjectName("recipePicker")
        self.box.setAccessibleName("Recipe")
        self.box.activated.connect(self._on_activated)
        caption = label("Recipe", tone="dim", size=12)
        caption.setBuddy(self.box)
        self._about = label(tone="dim", size=12, wrap=True, name="recipeAbout")
        edit = Button(
            "Templates…", theme, name="recipeEdit", tip="Read the templates of this recipe, or edit a copy of it"
        )
        edit.clicked.connect(lambda: self.edit_wanted.emit(self.recipe))
        line = QHBoxLayout()
        line.setSpacing(8)
        line.addWidget(self.box, 1)
        line.addWidget(edit)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        column.addWidget(caption)
        column.addLayout(line)
        column.addWidget(self._about)

    @property
    def recipe(self) -> str:
        """The name of the chosen one, "" for none."""
        place = self.box.currentIndex()
        return self._entries[place].name if 0 <= place < len(self._entries) else ""

    def set_recipes(self, entries: Sequence[RecipeEntry], wanted: str) -> None:
        """Offer these and choose one."""
        self._entries = list(entries)
        self.box.clear()
        for entry in entries:
            self.box.addItem(f"{entry.title}, your copy" if entry.own else entry.title, entry.name)
        if not self.choose(wanted) and entries:
            self.choose(entries[0].name)

    def choose(self, name: str) -> bool:
        """Choose this one; False when there is none."""
        place = self.box.findData(name)
        if place < 0:
            return False
        self.box.setCurrentIndex(place)
        self._on_activated(place)
        return True

    def _on_activated(self, place: int) -> None:
        entry = self._entries[place]
        self._about.setText(entry.problem or entry.about)
        self.chosen.emit(entry)
