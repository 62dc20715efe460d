"""What a person does in a conversation, and what the tests look at afterwards."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton
from pytestqt.qtbot import QtBot

from app.playground.chat_view import ChatView
from core.inference import conversation as tree
from core.inference import conversation_files as files
from core.inference.conversation import Conversation
from core.workspace import Workspace

CODE = "package a\n\n// Sum adds.\nfunc Sum(a, b int) int { return a + b }\n"
ANSWER = f"So:\n\n```go\n{CODE}```\n"
Ask = Callable[..., None]


def settle(view: ChatView, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: not view.busy and not view._bench.context.tasks.busy(), timeout=10_000)


def branch(view: ChatView) -> list[str]:
    return [message.text for message in tree.path(view.talk.conversation)]


def on_disk(workspace: Workspace) -> Conversation:
    [path] = workspace.conversations.glob("*.json")
    return files.load(workspace.conversations, path.stem).conversation


def press(view: ChatView, name: str, qtbot: QtBot) -> None:
    button = view.findChild(QAbstractButton, name)
    assert button.isEnabled(), name
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
