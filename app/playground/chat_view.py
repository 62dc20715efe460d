"""Chat: pick a model, set how it samples, read the answer as it streams, branch off where it went wrong.

The model runs in a process of its own (`app.playground.model_servers`), the conversation lives in `talk`; this widget puts the parts side by
side and sees to it that a model is up before it is asked.
"""

from __future__ import annotations

from PySide6.QtCore import QSettings
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QVBoxLayout, QWidget

from app.playground.context_meter import ContextMeter
from app.playground.conversation_actions import ConversationActions
from app.playground.conversation_picker import ConversationPicker
from app.playground.examples_panel import ExamplesPanel
from app.playground.keeper import Keeper
from app.playground.look_ahead import LookAhead
from app.playground.mode import Bench
from app.playground.model_picker import ModelPicker
from app.playground.model_servers import Served
from app.playground.prompt_edit import PromptEdit
from app.playground.prompt_view import PromptView
from app.playground.sampling_panel import SamplingPanel
from app.playground.side_panel import SidePanel
from app.playground.talk import Talk, Wish
from app.playground.transcript import Transcript
from app.playground.turn_actions import TurnActions
from app.playground.turn_bar import TurnBar
from app.playground.turns import turns_of
from app.state import window_state
from app.widgets.buttons import Button
from app.widgets.labels import ElidedLabel
from core.errors import UserError
from core.inference import Finish
from core.inference import conversation as tree
from core.inference.conversation import Message
from core.models import Model


class ChatView(QWidget):
    """A conversation with one model at a time.

    Attributes: talk; transcript, turns, prompt, panel, examples, meter, prompt_view, side, conversations, picker (its parts); turn_actions, files,
    ahead (what is done with them).
    """

    def __init__(self, bench: Bench, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        context = bench.context
        theme, tasks = context.theme, context.tasks
        folder = context.workspace.conversations
        self._bench = bench
        self._wish: Wish | None = None
        self._editing = ""
        self.talk = Talk(tasks, Keeper(folder, tasks, self), self)
        self.picker = ModelPicker(bench.models)
        self.picker.setMinimumWidth(150)
        self.picker.model_chosen.connect(self._on_model_chosen)
        self.conversations = ConversationPicker(theme, tasks, folder)
        self._new = Button("", theme, icon="plus", name="newConversation", tip="New conversation")
        self._new.clicked.connect(self.clear)
        self.transcript = Transcript(theme)
        self.transcript.setPlaceholderText("Ask for some Go. The model loads with the first question.")
        self.turns = TurnBar(theme, tasks)
        self.prompt = PromptEdit()
        self._send = Button("Send", theme, icon="paper-plane-right", kind="primary", name="sendButton")
        self._stop = Button("Stop", theme, icon="stop", name="stopButton")
        self._stop.setEnabled(False)
        self._state = ElidedLabel(tone="dim")
        self._state.setObjectName("modelState")
        self._unload = Button(
            "Unload", theme, kind="link", name="unloadModel", tip="End the model's process and free its memory"
        )
        self._unload.hide()
        self.panel = SamplingPanel(theme)
        self.examples = ExamplesPanel(theme, tasks)
        self.prompt_view = PromptView(theme)
        self.meter = ContextMeter(theme, (self._state, self._unload))
        self.side = SidePanel(theme, self.panel, self.examples, self.prompt_view)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._split())
        self.turn_actions = TurnActions(self, bench)
        self.files = ConversationActions(self, bench)
        self.ahead = LookAhead(self, bench)
        self._connect()
        state = window_state()
        self.panel.restore(str(state.value("playground/panel", "")))
        self.picker.remember(str(state.value("playground/model", "")))
        self.files.restore(str(state.value("playground/conversation", "")))

    def _split(self) -> QWidget:
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        top = QHBoxLayout()
        top.setContentsMargins(20, 4, 14, 8)
        top.setSpacing(8)
        top.addWidget(self.picker)
        top.addWidget(self.conversations, 1)
        top.addWidget(self._new)
        buttons = QVBoxLayout()
        buttons.addWidget(self._send)
        buttons.addWidget(self._stop)
        foot = QHBoxLayout()
        foot.setContentsMargins(20, 6, 14, 12)
        foot.setSpacing(8)
        foot.addWidget(self.prompt, 1)
        foot.addLayout(buttons)
        self.meter.setContentsMargins(20, 2, 14, 0)
        column.addLayout(top)
        column.addWidget(self.transcript, 1)
        column.addWidget(self.turns)
        column.addWidget(self.meter)
        column.addLayout(foot)
        splitter = QSplitter()
        splitter.setHandleWidth(1)
        splitter.setChildrenCollapsible(False)
        splitter.addWidget(left)
        splitter.addWidget(self.side)
        splitter.setStretchFactor(0, 1)
        splitter.setSizes([760, 290])
        return splitter

    def _connect(self) -> None:
        servers = self._bench.servers
        servers.ready.connect(self._on_ready)
        servers.failed.connect(self._on_failed)
        servers.unloaded.connect(self._on_unloaded)
        self._send.clicked.connect(self.send)
        self._stop.clicked.connect(self.stop)
        self._unload.clicked.connect(self.unload)
        self.prompt.sent.connect(self.send)
        self.prompt.escaped.connect(self._on_escaped)
        self.panel.presets.failed.connect(self._bench.banner.problem)
        self.talk.room = lambda: not self.prompt.toPlainText()
        self.talk.changed.connect(self.show_conversation)
        self.talk.text_arrived.connect(self.transcript.append)
        self.talk.ended.connect(self._on_ended)
        self.talk.taken_back.connect(self._on_taken_back)
        self.transcript.turn_entered.connect(lambda _id: self._show_turn())

    # --- as a mode ---------------------------------------------------------------------------------------------

    def enter(self) -> None:
        """Come to the front; the model loads with the first question."""
        self.prompt.setFocus()

    def leave(self) -> None:
        """Give way to another mode."""
        self.stop()

    def use_model(self, path: str) -> None:
        """Choose the model in this folder."""
        self.picker.choose(path)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.conversations.refresh()
        self.ahead.look()

    def save_state(self, state: QSettings) -> None:
        """Write what the next window begins with; an answer that is being written is kept as far as it came."""
        self.talk.put_away()
        state.setValue("playground/panel", self.panel.state())
        state.setValue("playground/model", str(self.model.path) if self.model else "")
        state.setValue("playground/conversation", self.talk.conversation.id if self.talk.conversation.messages else "")

    # --- asking ------------------------------------------------------------------------------------------------

    @property
    def model(self) -> Model | None:
        """The one in the picker."""
        return self.picker.model

    @property
    def editing(self) -> str:
        """The question that is asked anew, "" for none."""
        return self._editing

    @property
    def busy(self) -> bool:
        """Is a model being asked, or loaded in order to be asked?"""
        return self._wish is not None or self.talk.busy

    def send(self) -> None:
        """Send what stands in the prompt field; the model is loaded first when it is not there."""
        text = self.prompt.toPlainText()
        if text.strip():
            self._ask(text=text, instead_of=self._editing)

    def answer_again(self, message: Message) -> None:
        """Have the question of this turn answered once more."""
        question = message.parent if message.answers else message.id
        self._ask(again=question, chat=message.role in (tree.USER, tree.ASSISTANT))

    def edit(self, message: Message | None) -> None:
        """Take a question up again, to be asked anew; None asks the next one."""
        self._editing = "" if message is None else message.id
        if message is not None:
            self.prompt.setPlainText(message.text)
            self.prompt.moveCursor(self.prompt.textCursor().MoveOperation.End)
            self._state.setText("Asking anew: the old question stays as another branch. Esc leaves it.")
        self.prompt.setFocus()
        self.ahead.look()

    def _ask(self, text: str = "", instead_of: str = "", again: str = "", chat: bool | None = None) -> None:
        sampling = self.panel.sampling()
        if self.busy:
            return
        if sampling is None:
            self._bench.banner.problem(
                UserError("A sampling setting is wrong.", "It is marked in the panel at the right.")
            )
            return
        if self.model is None:
            self._bench.banner.problem(
                UserError("There is no model to ask.", "Put a base model into the workspace's models folder.")
            )
            return
        system = self.panel.system.toPlainText().strip()
        self._wish = Wish(text, sampling, system, self.panel.chat if chat is None else chat, instead_of, again)
        self._show_busy()
        self._load()

    def stop(self) -> None:
        """End the answer that is being written; what has arrived stays."""
        self._wish = None
        self.talk.stop()
        self._show_busy()

    def unload(self) -> None:
        """End the model's process; the next question starts it again."""
        self.stop()
        self._bench.servers.unload()

    def clear(self) -> None:
        """Begin anew, with the same model and settings."""
        self._wish = None
        self._editing = ""
        self.files.open(None)
        self._show_busy()
        self.prompt.setFocus()

    def _load(self) -> None:
        if self.model is not None:
            self._bench.banner.clear()
            self._state.setText(f"Loading {self.model.name}…")
            self._bench.servers.want([self.model])

    def _on_model_chosen(self, _model: Model) -> None:
        """Another model begins loading at once, so that it is up when the question is written."""
        self.stop()
        self._load()

    def _on_ready(self, path: str, served: Served) -> None:
        model = self.model
        if model is None or path != str(model.path):
            return
        self._state.setText(f"{model.name} is loaded")
        self._unload.show()
        wish, self._wish = self._wish, None
        if wish is None:
            self.ahead.look()
            return
        if not wish.again:
            self.prompt.clear()
        self._editing = ""
        self.talk.ask(wish, model, served)
        self._show_busy()

    def _on_failed(self, path: str, error: UserError) -> None:
        if self.model is None or path != str(self.model.path):
            return
        self._wish = None
        self._state.setText("")
        self._bench.banner.problem(error)
        self._show_busy()

    def _on_unloaded(self, path: str) -> None:
        if self.model is None or path != str(self.model.path):
            return
        self._unload.hide()
        if not self.talk.streaming and not self._bench.servers.loading(self.model):
            self._state.setText("Not loaded")
        self.ahead.look()

    def _on_ended(self, finish: Finish | None, error: UserError | None) -> None:
        if finish is not None:
            self.panel.show_finish(finish)
            speed = finish.tokens_per_second
            self._state.setText(f"{finish.tokens:,} tokens" + (f" at {speed:,.1f} a second" if speed else ""))
        else:
            self._state.setText("Broken off" if error is not None else "Stopped")
        if error is not None:
            self._bench.banner.problem(error)
        self.show_conversation()
        self.conversations.refresh()

    def _on_taken_back(self, text: str) -> None:
        if not self.prompt.toPlainText():
            self.prompt.setPlainText(text)

    def _on_escaped(self) -> None:
        if self.busy:
            self.stop()
        elif self._editing:
            self.prompt.clear()
            self._state.setText("")
            self.edit(None)

    # --- what is shown -----------------------------------------------------------------------------------------

    def show_conversation(self) -> None:
        """Show the branch that is read, as it is now."""
        conversation = self.talk.conversation
        writing = conversation.leaf if self.talk.busy else ""
        if all(message.id != self._editing for message in conversation.messages):
            self._editing = ""
        self.transcript.show_turns(turns_of(conversation, writing=writing, unfolded=self.turn_actions.unfolded))
        if self.examples.shots != conversation.shots:
            self.examples.set_shots(conversation.shots)
        self.conversations.mark(conversation.id if conversation.messages else "")
        self._show_busy()
        self.ahead.look()

    def _show_busy(self) -> None:
        self._send.setEnabled(not self.busy)
        self._stop.setEnabled(self.busy)
        self._show_turn()

    def _show_turn(self) -> None:
        self.turns.show_turn(self.talk.conversation, self.turn_actions.message, busy=self.busy)
