"""A combo box of models that keeps its choice while the list behind it changes, and remembers one that is not there yet."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QWidget

from app.playground.model_list import ModelList
from core.models import Model


class ModelPicker(QComboBox):
    """Signals: model_chosen(Model), when a person chose one, or when one that was asked for has appeared."""

    model_chosen = Signal(object)

    def __init__(self, models: ModelList, *, name: str = "modelPicker", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setAccessibleName("Model")
        self.setMinimumWidth(200)
        self._models: list[Model] = []
        self._wanted: str | None = None
        self._remembered = ""
        self._list = models
        models.listed.connect(self._on_listed)
        self.activated.connect(lambda _place: self._tell())
        self._on_listed(models.models)

    @property
    def model(self) -> Model | None:
        """The chosen one."""
        place = self.currentIndex()
        return self._models[place] if 0 <= place < len(self._models) else None

    def choose(self, path: str) -> None:
        """Choose the model in this folder, now or as soon as it is found, and tell."""
        self._wanted = path
        self._on_listed(self._list.models)
        self._list.refresh()

    def remember(self, path: str) -> None:
        """Choose the model in this folder silently if it is there when models are first listed."""
        self._remembered = path
        if (place := self.findData(path)) >= 0:
            self.setCurrentIndex(place)

    def _on_listed(self, models: list[Model]) -> None:
        chosen = self._wanted or (str(self.model.path) if self.model else self._remembered)
        if models != self._models:
            self._models = list(models)
            self.clear()
            for model in self._models:
                self.addItem(model.name, str(model.path))
                self.setItemData(self.count() - 1, str(model.path), Qt.ItemDataRole.ToolTipRole)
        place = self.findData(chosen) if chosen else 0
        self.setCurrentIndex(max(place, 0))
        if self._wanted is not None and place >= 0:
            self._wanted = None
            self._tell()

    def _tell(self) -> None:
        if self.model is not None:
            self.model_chosen.emit(self.model)
