"""The Playground's part of `screenshots.py`: a conversation, a comparison of a run's checkpoints, and a file coloured by two models."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QCheckBox, QComboBox, QPlainTextEdit, QPushButton, QWidget

from app.context import AppContext
from app.playground.page import PlaygroundPage

QUESTION = "Write a function that reverses a slice of strings in place."
CODE = """package ring

import "errors"

// ErrEmpty means that there is nothing to take.
var ErrEmpty = errors.New("ring: empty")

// Ring is a queue of fixed size.
type Ring[T any] struct {
\tslots []T
\tfirst int
\tcount int
}

// Take removes the oldest value.
func (r *Ring[T]) Take() (T, error) {
\tvar none T
\tif r.count == 0 {
\t\treturn none, ErrEmpty
\t}
\tvalue := r.slots[r.first]
\tr.slots[r.first] = none
\tr.first = (r.first + 1) % len(r.slots)
\tr.count--
\treturn value, nil
}
"""

Settle = Callable[..., None]


def pictures(page: QWidget, context: AppContext, save: Callable[[str], None], settle: Settle) -> None:
    """One of each mode but Fill, which has nothing to show with a model that knows no gaps."""
    assert isinstance(page, PlaygroundPage)
    page.show_mode("Chat")
    settle(lambda: not context.tasks.busy())
    _press(page, "newConversation")
    _ask(page, "promptField", "sendButton", "stopButton", settle)
    _press(page, "answerCheck")
    settle(lambda: page.chat.turns.verdict.verdict is not None, 90.0)
    save("playground")
    page.show_mode("Compare")
    settle(lambda: not context.tasks.busy())
    _press(page, "compareRun")
    _ask(page, "comparePrompt", "compareAsk", "compareStop", settle)
    colour = page.findChild(QComboBox, "compareColour")
    assert colour is not None
    colour.setCurrentIndex(1)
    colour.activated.emit(1)
    settle(lambda: not context.tasks.busy())
    save("playground_compare")
    page.show_mode("Likelihood")
    settle(lambda: not context.tasks.busy())
    text = page.findChild(QPlainTextEdit, "heatText")
    against = page.findChild(QCheckBox, "heatTwo")
    assert text is not None
    assert against is not None
    text.setPlainText(CODE)
    against.setChecked(True)
    other = page.findChild(QWidget, "heatOther")
    assert other is not None
    page.modes["Likelihood"].other.setCurrentIndex(1)  # type: ignore[attr-defined]
    _press(page, "heatScore")
    settle(lambda: bool(page.modes["Likelihood"].side.lines.count()), 90.0)  # type: ignore[attr-defined]
    save("playground_likelihood")
    page.show_mode("Chat")
    page.unload()


def _ask(page: PlaygroundPage, prompt: str, send: str, stop: str, settle: Settle) -> None:
    field, button = page.findChild(QPlainTextEdit, prompt), page.findChild(QPushButton, stop)
    assert field is not None
    assert button is not None
    field.setPlainText(QUESTION)
    _press(page, send)
    settle(button.isEnabled, 5.0)
    settle(lambda: not button.isEnabled(), 120.0)


def _press(page: PlaygroundPage, name: str) -> None:
    button = page.findChild(QPushButton, name)
    assert button is not None, name
    button.click()
