"""What the playground may expect of its modes: a widget, and a few words said to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from PySide6.QtCore import QSettings

from app.context import AppContext
from app.playground.model_list import ModelList
from app.playground.model_servers import ModelServers
from app.widgets.banner import Banner


@dataclass(frozen=True, slots=True)
class Bench:
    """What all modes work with."""

    context: AppContext
    models: ModelList
    servers: ModelServers
    banner: Banner


class Mode(Protocol):
    """A way to use models; also a QWidget."""

    def enter(self) -> None:
        """It comes to the front: want the models it needs, take the focus."""

    def leave(self) -> None:
        """Another mode comes to the front: end what is being answered."""

    def use_model(self, path: str) -> None:
        """Choose the model in this folder."""

    def save_state(self, state: QSettings) -> None:
        """Write what is to be there in the next window."""
