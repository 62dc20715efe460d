"""The Playground: ways to use a model by hand, one at a time in front. What they share is a `Bench`; the modes know nothing of each other."""

from __future__ import annotations

from PySide6.QtCore import QSettings
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QButtonGroup, QStackedWidget

from app.context import AppContext
from app.pages import Page
from app.playground.chat_view import ChatView
from app.playground.mode import Bench, Mode
from app.playground.model_list import ModelList
from app.playground.model_servers import ModelServers
from app.state import window_state
from app.widgets.buttons import Button


class PlaygroundPage(Page):
    """Attributes: bench; chat (a mode); modes by name."""

    def __init__(self, context: AppContext) -> None:
        super().__init__(context, "Playground")
        servers = ModelServers(context.workspace, context.tasks, self)
        self.bench = Bench(context, ModelList(context, self), servers, self.banner)
        self.chat = ChatView(self.bench)
        self.modes: dict[str, Mode] = {"Chat": self.chat}
        self._stack = QStackedWidget()
        self._group = QButtonGroup(self)
        for place, (name, mode) in enumerate(self.modes.items()):
            self._stack.addWidget(mode)
            button = Button(name, context.theme, kind="segment", name=f"playground{name.replace(' ', '')}")
            button.setCheckable(True)
            button.setVisible(len(self.modes) > 1)
            self._group.addButton(button, place)
            self.header.add(button)
        self._group.button(0).setChecked(True)
        self._group.idToggled.connect(self._on_mode_toggled)
        self.body.addWidget(self._stack, 1)
        self.show_mode(str(window_state().value("playground/mode", "")))
        context.to_playground.made.connect(lambda _path: self._take_request())
        self._take_request()

    def show_mode(self, name: str) -> None:
        """Bring a mode to the front; a name that there is none of is passed over."""
        if name in self.modes:
            self._group.button(list(self.modes).index(name)).setChecked(True)

    def unload(self) -> None:
        """End every model's process."""
        self._mode.leave()
        self.bench.servers.unload()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.bench.models.refresh()
        self._mode.enter()

    def save_state(self, state: QSettings) -> None:
        state.setValue("playground/mode", list(self.modes)[self._stack.currentIndex()])
        for mode in self.modes.values():
            mode.save_state(state)

    @property
    def _mode(self) -> Mode:
        return list(self.modes.values())[self._stack.currentIndex()]

    def _on_mode_toggled(self, place: int, chosen: bool) -> None:
        if chosen and place != self._stack.currentIndex():
            self._mode.leave()
            self._stack.setCurrentIndex(place)
            self.banner.clear()
            self._mode.enter()

    def _take_request(self) -> None:
        path = self.context.to_playground.take()
        if path is not None:
            self._mode.use_model(path)
