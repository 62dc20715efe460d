"""The Playground: ways to use a model by hand, one at a time in front. What they share is a `Bench`; the modes know nothing of each other.

The conversation is built with the page, every other mode when it first comes to the front.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSettings
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QButtonGroup, QStackedWidget, QWidget

from app.context import AppContext
from app.pages import Page
from app.playground.chat_view import ChatView
from app.playground.mode import Bench, Mode
from app.playground.model_list import ModelList
from app.playground.model_servers import ModelServers
from app.state import window_state
from app.widgets.buttons import Button


def _compare(bench: Bench) -> Mode:
    from app.playground.compare_view import CompareView

    return CompareView(bench)


def _likelihood(bench: Bench) -> Mode:
    from app.playground.heat_view import HeatView

    return HeatView(bench)


def _fill(bench: Bench) -> Mode:
    from app.playground.fill_view import FillView

    return FillView(bench)


MODES: dict[str, Callable[[Bench], Mode]] = {
    "Chat": ChatView, "Compare": _compare, "Likelihood": _likelihood, "Fill": _fill,
}  # fmt: skip


class PlaygroundPage(Page):
    """Attributes: bench; chat (a mode); modes that are built, by name."""

    def __init__(self, context: AppContext) -> None:
        super().__init__(context, "Playground")
        servers = ModelServers(context.workspace, context.tasks, self)
        self.bench = Bench(context, ModelList(context, self), servers, self.banner)
        self._reason = ""
        servers.waits.connect(self._on_waits)
        servers.ready.connect(lambda _path, _served: self._on_waiting_over())
        servers.unloaded.connect(lambda _path: self._on_waiting_over())
        self.chat = ChatView(self.bench)
        self.modes: dict[str, Mode] = {"Chat": self.chat}
        self._stack = QStackedWidget()
        self._stack.addWidget(self.chat)
        self._group = QButtonGroup(self)
        for place, name in enumerate(MODES):
            button = Button(name, context.theme, kind="segment", name=f"playground{name}")
            button.setCheckable(True)
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
        if name in MODES:
            self._group.button(list(MODES).index(name)).setChecked(True)

    def mode(self, name: str) -> Mode:
        """The mode of that name, built now if it is not there yet."""
        if name not in self.modes:
            made = self.modes[name] = MODES[name](self.bench)
            assert isinstance(made, QWidget)
            self._stack.addWidget(made)
        return self.modes[name]

    def unload(self) -> None:
        """End every model's process."""
        self._mode.leave()
        self.bench.servers.unload()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.bench.models.refresh()
        self._mode.enter()

    def save_state(self, state: QSettings) -> None:
        state.setValue("playground/mode", self._name)
        for mode in self.modes.values():
            mode.save_state(state)

    @property
    def _name(self) -> str:
        return list(MODES)[self._group.checkedId()]

    @property
    def _mode(self) -> Mode:
        return self.mode(self._name)

    def _on_mode_toggled(self, _place: int, chosen: bool) -> None:
        mode = self._mode if chosen else None
        if isinstance(mode, QWidget) and mode is not self._stack.currentWidget():
            before = next(one for one in self.modes.values() if one is self._stack.currentWidget())
            before.leave()
            self._stack.setCurrentWidget(mode)
            self.banner.clear()
            mode.enter()

    def _on_waits(self, _path: str, reason: str) -> None:
        self._reason = reason
        self.banner.say(reason, "warn")

    def _on_waiting_over(self) -> None:
        if self._reason and self.banner.text == self._reason:
            self.banner.clear()
        self._reason = ""

    def _take_request(self) -> None:
        path = self.context.to_playground.take()
        if path is not None:
            self._mode.use_model(path)
