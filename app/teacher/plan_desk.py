"""The inside of a dialog that asks for a plan: its form at the left, its forecast at the right, what is wrong and Start at the foot.

It shows what its draft finds; what the forecast says in words is the dialog's business. Nothing is sent before Start.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from app.teacher.plan_draft import PlanDraft, Told, without_key
from app.teacher.plan_side import PlanSide
from app.theme import Theme
from app.widgets.banner import Banner
from app.widgets.buttons import Button
from app.widgets.dialog_foot import dialog_foot
from app.widgets.labels import hairline, label
from core.errors import UserError

_NOT_YET = "The forecast follows when nothing is wrong with the plan."


class Form(Protocol):
    """What the desk needs of a form; keys are those of the plan."""

    def show_errors(self, errors: Mapping[str, str]) -> None: ...
    def caption(self, key: str) -> str: ...
    def blamed(self, error: UserError) -> str:
        """The key of the field that an error belongs to, "" for none."""


class PlanDesk(QWidget):
    """Attributes: banner, side, start (its button)."""

    def __init__(
        self,
        theme: Theme,
        draft: PlanDraft,
        form: Form,
        left: Sequence[QWidget],
        side: PlanSide,
        *,
        start: str,
        foot: Sequence[Button],
        parent: QDialog,
    ) -> None:
        """left: the form and what stands above it. start: the objectName of the button. foot: buttons before Cancel and Start."""
        super().__init__(parent)
        self._draft = draft
        self._form = form
        self.side = side
        self.banner = Banner(theme, name="planBanner")
        self.note_label = label(tone="dim", wrap=True, name="planNote")
        self.start = Button("Start", theme, icon="play", kind="primary", name=start)
        self.start.setEnabled(False)
        self.start.clicked.connect(self._on_start)
        cancel = Button("Cancel", theme, name="planCancel")
        row = dialog_foot(parent, cancel, self.start, self.note_label, *foot)
        row.setContentsMargins(20, 10, 20, 12)
        body = QHBoxLayout()
        body.setContentsMargins(0, 0, 0, 0)
        body.setSpacing(0)
        body.addWidget(_scrolled(left), 5)
        body.addWidget(hairline(vertical=True))
        body.addWidget(side, 6)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self.banner)
        whole.addLayout(body, 1)
        whole.addLayout(row)
        draft.checked.connect(self._on_checked)
        draft.told.connect(self._on_told)
        draft.refused.connect(self._on_refused)
        draft.failed.connect(self._on_failed)

    def note(self, text: str) -> None:
        """Say this at the foot."""
        self.note_label.setText(text)

    def _on_checked(self, errors: Mapping[str, str]) -> None:
        self._show_errors(errors)
        if errors:
            self.side.clear(_NOT_YET)
        else:
            self.side.set_stale()

    def _on_told(self, told: Told[Any, Any]) -> None:
        if told.key is not None:
            self.banner.say(str(told.key), "warn")
        elif not self._draft.starting:
            self.banner.clear()

    def _on_refused(self, error: UserError) -> None:
        key = self._form.blamed(error)
        if not key:
            self.banner.problem(error)
        self.side.clear(_NOT_YET)
        self.side.examples.show_prompts(())
        self._show_errors({key: without_key(key, str(error))})

    def _show_errors(self, errors: Mapping[str, str]) -> None:
        self._form.show_errors(errors)
        key = next(iter(errors), "")
        self.note(f"{self._form.caption(key)}: {errors[key]}" if key else "")
        self._offer()

    def _offer(self) -> None:
        self.start.setEnabled(self._draft.plan is not None and not self._draft.starting)

    def _on_start(self) -> None:
        self._draft.start()
        self._offer()
        self.note("Copying what the job needs …")

    def _on_failed(self, error: UserError) -> None:
        self.banner.problem(error)
        self.note("")
        self._offer()


def fit(dialog: QDialog) -> None:
    """As large as the window that the dialog belongs to has room for; it fits a window of 1024 by 640."""
    dialog.resize(960, 620)
    if (parent := dialog.parentWidget()) is not None:
        room = parent.window().size()
        dialog.resize(min(1180, max(960, room.width() - 80)), min(760, max(590, room.height() - 60)))


def _scrolled(widgets: Sequence[QWidget]) -> QScrollArea:
    inner = QWidget()
    inner.setProperty("kind", "page")
    column = QVBoxLayout(inner)
    column.setContentsMargins(20, 14, 16, 12)
    column.setSpacing(10)
    for widget in widgets:
        column.addWidget(widget)
    scroll = QScrollArea()
    scroll.setWidgetResizable(True)
    scroll.setFrameShape(QFrame.Shape.NoFrame)
    scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    scroll.setAccessibleName("The plan")
    scroll.setWidget(inner)
    return scroll
