"""The choice of what a run starts from: bases and checkpoints that can be read."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QWidget

from app.widgets.calm_combo import CalmCombo
from core.errors import UserError
from core.models import Model


class BasePicker(CalmCombo):
    """Attribute model: the chosen one, None before they are read and where there is none."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("basePicker")
        self._models: list[Model] = []

    @property
    def model(self) -> Model | None:
        place = self.currentIndex()
        return self._models[place] if 0 <= place < len(self._models) else None

    def set_models(self, models: Sequence[Model], wanted: str) -> UserError | None:
        """Offer these. wanted: the path of the one to begin with, "" for the first. Returns what is wrong with that."""
        self._models = [model for model in models if not model.problem]
        self.clear()
        for model in self._models:
            self.addItem(model.name, str(model.path))
        if wanted:
            self.setCurrentIndex(self.findData(wanted))
            if self.currentIndex() < 0:
                return UserError(f"The base of that run is no longer at {wanted}.", "Choose another one.")
        if not self._models:
            return UserError("There is no base to train.", "Put a model folder into the workspace's models folder.")
        return None

    def choose(self, base: str) -> bool:
        """The one of this name or path; False where there is none."""
        for place, model in enumerate(self._models):
            if base in (model.name, str(model.path)):
                self.setCurrentIndex(place)
                return True
        return False
