"""Chat: pick a model, set how it samples, read the answer as it streams.

The model runs in a process of its own (`app.playground.model_servers`); this widget only holds the conversation.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QSettings, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QScrollArea, QSplitter, QVBoxLayout, QWidget

from app.playground.mode import Bench
from app.playground.model_picker import ModelPicker
from app.playground.model_servers import Served
from app.playground.sampling_panel import SamplingPanel
from app.playground.stream import AnswerStream
from app.playground.transcript import Transcript
from app.state import window_state
from app.widgets.buttons import Button
from app.widgets.labels import label
from core.errors import UserError
from core.inference import Finish, Sampling, stream_chat, stream_completion
from core.models import Model

Message = dict[str, str]


class ChatView(QWidget):
    """A conversation with one model at a time."""

    def __init__(self, bench: Bench, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        context = bench.context
        theme = context.theme
        self._bench = bench
        self._messages: list[Message] = []
        self._answer = ""
        self._stream: AnswerStream | None = None
        self._waiting: tuple[str, Sampling] | None = None
        bench.servers.ready.connect(self._on_ready)
        bench.servers.failed.connect(self._on_failed)
        bench.servers.unloaded.connect(self._on_unloaded)
        self.picker = ModelPicker(bench.models)
        self.picker.model_chosen.connect(self._on_model_chosen)
        self._clear = Button("New conversation", theme, icon="plus", name="newConversation")
        self._clear.clicked.connect(self.clear)
        self.transcript = Transcript(theme)
        self.transcript.setPlaceholderText("Ask for some Go. The model loads with the first question.")
        self.prompt = QPlainTextEdit()
        self.prompt.setObjectName("promptField")
        self.prompt.setAccessibleName("Prompt")
        self.prompt.setPlaceholderText("Write a prompt. Enter sends, Shift+Enter breaks the line.")
        self.prompt.setFixedHeight(76)
        self.prompt.setTabChangesFocus(True)
        self.prompt.installEventFilter(self)
        self._send = Button("Send", theme, icon="paper-plane-right", kind="primary", name="sendButton")
        self._send.clicked.connect(self.send)
        self._stop = Button("Stop", theme, icon="stop", name="stopButton")
        self._stop.clicked.connect(self.stop)
        self._stop.setEnabled(False)
        self._state = label(tone="dim", size=12, name="modelState")
        self._unload = Button(
            "Unload", theme, kind="link", name="unloadModel", tip="End the model's process and free its memory"
        )
        self._unload.clicked.connect(self.unload)
        self._unload.hide()
        self.panel = SamplingPanel(theme)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._split())
        state = window_state()
        self.panel.restore(str(state.value("playground/panel", "")))
        self.picker.remember(str(state.value("playground/model", "")))

    def _split(self) -> QWidget:
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        top = QHBoxLayout()
        top.setContentsMargins(20, 4, 14, 8)
        top.setSpacing(8)
        top.addWidget(self.picker)
        top.addStretch(1)
        top.addWidget(self._clear)
        column.addLayout(top)
        column.addWidget(self.transcript, 1)
        foot = QHBoxLayout()
        foot.setContentsMargins(20, 10, 14, 12)
        foot.setSpacing(8)
        buttons = QVBoxLayout()
        buttons.addWidget(self._send)
        buttons.addWidget(self._stop)
        foot.addWidget(self.prompt, 1)
        foot.addLayout(buttons)
        state = QHBoxLayout()
        state.setContentsMargins(20, 4, 14, 0)
        state.setSpacing(8)
        state.addWidget(self._state)
        state.addWidget(self._unload)
        state.addStretch(1)
        column.addLayout(state)
        column.addLayout(foot)
        scroll = QScrollArea()
        scroll.setProperty("kind", "surface")
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(self.panel)
        scroll.setMinimumWidth(260)
        scroll.setAccessibleName("Sampling")
        splitter = QSplitter()
        splitter.setHandleWidth(1)
        splitter.setChildrenCollapsible(False)
        splitter.addWidget(left)
        splitter.addWidget(scroll)
        splitter.setStretchFactor(0, 1)
        splitter.setSizes([760, 290])
        return splitter

    def enter(self) -> None:
        """Come to the front; the model loads with the first question."""
        self.prompt.setFocus()

    def leave(self) -> None:
        """Give way to another mode."""
        self.stop()

    def use_model(self, path: str) -> None:
        """Choose the model in this folder."""
        self.picker.choose(path)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.prompt and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
            if enter and not event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
                self.send()
                return True
            if event.key() == Qt.Key.Key_Escape and self._stream is not None:
                self.stop()
                return True
        return super().eventFilter(watched, event)

    @property
    def _model(self) -> Model | None:
        return self.picker.model

    def _on_model_chosen(self, _model: Model) -> None:
        """Another model begins loading at once, so that it is up when the question is written."""
        self.stop()
        self._load()

    def _load(self) -> None:
        model = self._model
        if model is not None:
            self._bench.banner.clear()
            self._state.setText(f"Loading {model.name}…")
            self._bench.servers.want([model])

    def send(self) -> None:
        """Send what stands in the prompt field; the model is loaded first when it is not there."""
        text = self.prompt.toPlainText()
        sampling = self.panel.sampling()
        if self._stream is not None or self._waiting is not None or not text.strip():
            return
        if sampling is None:
            self._bench.banner.problem(
                UserError("A sampling setting is wrong.", "It is marked in the panel at the right.")
            )
            return
        if self._model is None:
            self._bench.banner.problem(
                UserError("There is no model to ask.", "Put a base model into the workspace's models folder.")
            )
            return
        self._waiting = (text, sampling)
        self._show_busy(True)
        self._load()

    def stop(self) -> None:
        """End the answer that is being written; what has arrived stays."""
        self._waiting = None
        if self._stream is not None:
            self._stream.stop()
        else:
            self._show_busy(False)

    def unload(self) -> None:
        """End the model's process; the next question starts it again."""
        self.stop()
        self._bench.servers.unload()

    def clear(self) -> None:
        """Begin anew, with the same model and settings."""
        self._waiting = None
        if self._stream is not None:
            self._stream.abandon()
            self._end_stream()
        self._show_busy(False)
        self._messages = []
        self.transcript.clear()
        self.prompt.setFocus()

    def _on_ready(self, path: str, served: Served) -> None:
        model = self._model
        if model is None or path != str(model.path):
            return
        self._state.setText(f"{model.name} is loaded")
        self._unload.show()
        if self._waiting is None:
            return
        (text, sampling), self._waiting = self._waiting, None
        self.prompt.clear()
        name = model.name
        if self.panel.chat:
            system = self.panel.system.toPlainText().strip()
            self._messages.append({"role": "user", "content": text})
            self.transcript.speaker("You")
            self.transcript.append(text)
            self.transcript.speaker(name)
            head = [{"role": "system", "content": system}] if system else []
            answer = stream_chat(served.address, [*head, *self._messages], sampling, model=served.name)
        else:
            self.transcript.speaker(f"{name}, going on from")
            self.transcript.append(text)
            answer = stream_completion(served.address, text, sampling, model=served.name)
        self._answer = ""
        self._stream = AnswerStream(self._bench.context.tasks, answer, self)
        self._stream.text_arrived.connect(self._on_text)
        self._stream.finished.connect(self._on_finished)
        self._stream.failed.connect(self._on_stream_failed)

    def _on_text(self, text: str) -> None:
        self._answer += text
        self.transcript.append(text)

    def _on_finished(self, finish: Finish | None) -> None:
        self._keep_answer()
        if finish is not None:
            self.panel.show_finish(finish)
            self._state.setText(
                f"{finish.tokens:,} tokens"
                + (f" at {speed:,.1f} a second" if (speed := finish.tokens_per_second) else "")
            )
        else:
            self._state.setText("Stopped")
        self._end_stream()

    def _on_stream_failed(self, error: UserError) -> None:
        self._keep_answer()
        self._state.setText("Broken off")
        self._bench.banner.problem(error)
        self._end_stream()

    def _keep_answer(self) -> None:
        """Make the answer a turn of the conversation; without one, the question goes back to be sent again."""
        if not self._messages or self._messages[-1]["role"] != "user":
            return
        if self._answer:
            self._messages.append({"role": "assistant", "content": self._answer})
            return
        question = self._messages.pop()["content"]
        self.transcript.append("(no answer)")
        if not self.prompt.toPlainText():
            self.prompt.setPlainText(question)

    def _end_stream(self) -> None:
        self._stream = None
        self._show_busy(False)

    def _show_busy(self, busy: bool) -> None:
        self._send.setEnabled(not busy)
        self._stop.setEnabled(busy)

    def _on_failed(self, path: str, error: UserError) -> None:
        if self._model is None or path != str(self._model.path):
            return
        self._waiting = None
        self._state.setText("")
        self._bench.banner.problem(error)
        self._show_busy(False)

    def _on_unloaded(self, path: str) -> None:
        model = self._model
        if model is None or path != str(model.path):
            return
        self._unload.hide()
        if self._stream is None and not self._bench.servers.loading(model):
            self._state.setText("Not loaded")

    def save_state(self, state: QSettings) -> None:
        state.setValue("playground/panel", self.panel.state())
        state.setValue("playground/model", str(self._model.path) if self._model else "")
