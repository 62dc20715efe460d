"""The Playground: pick a model, set how it samples, read the answer as it streams.

The model runs in a process of its own (`app.playground.model_server`); this page only holds the conversation.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QSettings, Qt, QTimer
from PySide6.QtGui import QKeyEvent, QShowEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QPlainTextEdit, QScrollArea, QSplitter, QVBoxLayout, QWidget

from app.context import AppContext
from app.pages import Page
from app.playground.model_server import ModelServer
from app.playground.sampling_panel import SamplingPanel
from app.playground.stream import AnswerStream
from app.playground.transcript import Transcript
from app.state import window_state
from app.widgets.buttons import Button
from app.widgets.labels import label
from core.errors import UserError
from core.inference import Finish, Sampling, ServerAddress, stream_chat, stream_completion
from core.jobs import JobInfo
from core.models import Model, list_models

REFRESH_MS = 2000

Message = dict[str, str]


class PlaygroundPage(Page):
    """A conversation with one model at a time."""

    def __init__(self, context: AppContext) -> None:
        super().__init__(context, "Playground")
        theme = context.theme
        self._models: list[Model] = []
        self._messages: list[Message] = []
        self._answer = ""
        self._stream: AnswerStream | None = None
        self._waiting: tuple[str, Sampling] | None = None
        self._wanted_path: str | None = None
        self._remembered_path: str | None = None
        self._refresh_timer = QTimer(self, singleShot=True, interval=REFRESH_MS)
        self._refresh_timer.timeout.connect(self._refresh_models)
        self._server = ModelServer(context.workspace, context.tasks, self)
        self._server.ready.connect(self._on_ready)
        self._server.waits.connect(lambda reason: self._state.setText(reason))
        self._server.failed.connect(self._on_failed)
        self._server.unloaded.connect(self._on_unloaded)
        self._picker = QComboBox()
        self._picker.setObjectName("modelPicker")
        self._picker.setAccessibleName("Model")
        self._picker.setMinimumWidth(240)
        self._picker.activated.connect(self._on_model_chosen)
        self._clear = Button("New conversation", theme, icon="plus", name="newConversation")
        self._clear.clicked.connect(self.clear)
        self.header.add(self._picker)
        self.header.add(self._clear)
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
        self.body.addWidget(self._split(), 1)
        context.to_playground.made.connect(lambda _path: self._take_request())
        context.jobs.job_changed.connect(self._on_job_changed)
        self._restore()
        self._take_request()

    def _split(self) -> QWidget:
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
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

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._refresh_models()
        self.prompt.setFocus()

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

    def _take_request(self) -> None:
        path = self.context.to_playground.take()
        if path is not None:
            self._wanted_path = path
            self._refresh_models()

    def _refresh_models(self) -> None:
        workspace = self.context.workspace
        self.context.tasks.run(lambda: list_models(workspace.models, workspace.jobs), self._on_models, owner=self)

    def _on_job_changed(self, job: JobInfo) -> None:
        """A run may have saved a checkpoint."""
        if job.kind == "train" and self.isVisible() and not self._refresh_timer.isActive():
            self._refresh_timer.start()

    def _on_models(self, found: list[Model]) -> None:
        chosen = self._wanted_path or (str(self._model.path) if self._model else self._remembered_path)
        if found == self._models and self._wanted_path is None:
            return
        self._models = list(found)
        self._picker.clear()
        for model in self._models:
            self._picker.addItem(model.name, str(model.path))
            self._picker.setItemData(self._picker.count() - 1, str(model.path), Qt.ItemDataRole.ToolTipRole)
        position = self._picker.findData(chosen) if chosen else 0
        self._picker.setCurrentIndex(max(position, 0))
        if self._wanted_path is not None and position >= 0:
            self._wanted_path = None
            self._on_model_chosen(position)

    @property
    def _model(self) -> Model | None:
        place = self._picker.currentIndex()
        return self._models[place] if 0 <= place < len(self._models) else None

    def _on_model_chosen(self, _place: int) -> None:
        """Another model begins loading at once, so that it is up when the question is written."""
        self.stop()
        self._load()

    def _load(self) -> None:
        model = self._model
        if model is not None:
            self.banner.clear()
            self._state.setText(f"Loading {model.name}…")
            self._server.load(model)

    def send(self) -> None:
        """Send what stands in the prompt field; the model is loaded first when it is not there."""
        text = self.prompt.toPlainText()
        sampling = self.panel.sampling()
        if self._stream is not None or self._waiting is not None or not text.strip():
            return
        if sampling is None:
            self.banner.problem(UserError("A sampling setting is wrong.", "It is marked in the panel at the right."))
            return
        if self._model is None:
            self.banner.problem(
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
        self._server.unload()

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

    def _on_ready(self, address: ServerAddress) -> None:
        model = self._model
        self._state.setText(f"{model.name} is loaded" if model else "")
        self._unload.show()
        if self._waiting is None:
            return
        (text, sampling), self._waiting = self._waiting, None
        self.prompt.clear()
        name = model.name if model else "Model"
        if self.panel.chat:
            system = self.panel.system.toPlainText().strip()
            self._messages.append({"role": "user", "content": text})
            self.transcript.speaker("You")
            self.transcript.append(text)
            self.transcript.speaker(name)
            head = [{"role": "system", "content": system}] if system else []
            answer = stream_chat(address, [*head, *self._messages], sampling)
        else:
            self.transcript.speaker(f"{name}, going on from")
            self.transcript.append(text)
            answer = stream_completion(address, text, sampling)
        self._answer = ""
        self._stream = AnswerStream(self.context.tasks, answer, self)
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
        self.banner.problem(error)
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

    def _on_failed(self, error: UserError) -> None:
        self._waiting = None
        self._state.setText("")
        self.banner.problem(error)
        self._show_busy(False)

    def _on_unloaded(self) -> None:
        self._unload.hide()
        if self._stream is None and not self._server.loading:
            self._state.setText("Not loaded")

    def save_state(self, state: QSettings) -> None:
        state.setValue("playground/panel", self.panel.state())
        state.setValue("playground/model", str(self._model.path) if self._model else "")

    def _restore(self) -> None:
        state = window_state()
        self.panel.restore(str(state.value("playground/panel", "")))
        self._remembered_path = str(state.value("playground/model", "")) or None
