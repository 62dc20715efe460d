"""The choice of a recipe: its title in a list, what it makes below, and a way to its templates."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.teacher.named_picker import NamedPicker
from app.theme import Theme
from app.widgets.buttons import Button
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
    axes: tuple[str, ...] = ()
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
        topics, axes = tuple(file.topics()), tuple(file.axes)
        found.append(RecipeEntry(name, file.title, file.about, one.own, file.source, topics, axes))
    return sorted(found, key=lambda entry: entry.title.casefold())


class RecipePicker(QWidget):
    """Attributes: choice. Signals: chosen(RecipeEntry), also when the program chose; edit_wanted(name)."""

    chosen = Signal(object)
    edit_wanted = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.choice = NamedPicker("Recipe", name="recipePicker", about="recipeAbout")
        self.choice.chosen.connect(self.chosen)
        edit = Button(
            "Templates…", theme, name="recipeEdit", tip="Read the templates of this recipe, or edit a copy of it"
        )
        edit.clicked.connect(lambda: self.edit_wanted.emit(self.choice.name))
        self.choice.add_beside(edit)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.choice)
