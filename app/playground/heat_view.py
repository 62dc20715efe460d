"""Likelihood: a Go file as a model sees it, each token coloured by how little it expected it; or by what two models make of it.

The file is read here and sent to nobody but the model's own process. A file that is longer than the model reads is scored in windows
(`core.inference.windows`). Editing takes the colours away: they would lie.
"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSettings
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QCheckBox, QFileDialog, QHBoxLayout, QSplitter, QVBoxLayout, QWidget

from app.playground.heat_run import HeatRun, Scored
from app.playground.heat_side import HeatSide
from app.playground.mode import Bench
from app.playground.model_picker import ModelPicker
from app.playground.token_colours import PROBABILITY
from app.playground.token_legend import TokenLegend
from app.playground.token_view import TokenView
from app.state import window_state
from app.widgets.buttons import Button
from app.widgets.labels import ElidedLabel
from app.widgets.progress import ProgressLine, byte_size
from core.errors import UserError

MOST_BYTES = 256 * 1024
BY_BYTES = "Where the two cut the text into different tokens, nats are spread over bytes."


class HeatView(QWidget):
    """Attributes: view, side, picker, other (the second picker), run (what is scored now)."""

    def __init__(self, bench: Bench, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        theme = bench.context.theme
        self._bench = bench
        self.picker = ModelPicker(bench.models, name="heatModel")
        self.other = ModelPicker(bench.models, name="heatOther")
        self.other.setAccessibleName("Second model")
        self.other.setEnabled(False)
        for picker in (self.picker, self.other):
            picker.setMinimumWidth(120)
        self.two = QCheckBox("against")
        self.two.setObjectName("heatTwo")
        self.two.setToolTip("Colour by the difference between two models")
        self.two.toggled.connect(self.other.setEnabled)
        self._open = Button("Open…", theme, icon="folder-open", name="heatOpen", tip="Open a Go file")
        self._open.clicked.connect(self.choose_file)
        self._score = Button("Colour", theme, kind="primary", name="heatScore")
        self._score.clicked.connect(self.score)
        self.view = TokenView(theme, name="heatText", accessible_name="Go file", editable=True)
        self.view.setPlaceholderText("Paste Go code, or drop a file here.")
        self.view.setAcceptDrops(False)  # so that a file dropped here is opened, not its address pasted
        self.view.textChanged.connect(self._on_text_changed)
        self.side = HeatSide(theme)
        self.side.line_chosen.connect(self.view.go_to_line)
        self.legend = TokenLegend(theme, name="heatLegend")
        self._token = ElidedLabel(tone="dim")
        self._token.setObjectName("heatToken")
        self.view.pointed.connect(self._token.setText)
        self.progress = ProgressLine(theme, name="heatProgress")
        self.progress.cancelled.connect(self.stop)
        self.run = HeatRun(bench, self)
        self.run.progressed.connect(self.progress.advance)
        self.run.finished.connect(self._on_finished)
        self.run.failed.connect(self._on_failed)
        self.run.ended.connect(self._on_ended)
        self.setAcceptDrops(True)
        self._lay_out()
        state = window_state()
        self.picker.remember(str(state.value("playground/heatModel", "")))
        self.other.remember(str(state.value("playground/heatOther", "")))
        self.two.setChecked(str(state.value("playground/heatTwo", "")) == "true")

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.setContentsMargins(20, 4, 14, 8)
        top.setSpacing(8)
        top.addWidget(self._open)
        top.addWidget(self.picker, 1)
        top.addWidget(self.two)
        top.addWidget(self.other, 1)
        top.addStretch(1)
        top.addWidget(self._score)
        foot = QVBoxLayout()
        foot.setContentsMargins(20, 4, 14, 6)
        foot.setSpacing(2)
        foot.addWidget(self._token)
        foot.addWidget(self.legend)
        splitter = QSplitter()
        splitter.setHandleWidth(1)
        splitter.setChildrenCollapsible(False)
        splitter.addWidget(self.view)
        splitter.addWidget(self.side)
        splitter.setStretchFactor(0, 1)
        splitter.setSizes([640, 240])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(top)
        layout.addWidget(self.progress)
        layout.addWidget(splitter, 1)
        layout.addLayout(foot)

    # --- as a mode ---------------------------------------------------------------------------------------------

    def enter(self) -> None:
        """Come to the front; models load with the first file."""
        self.view.setFocus()

    def leave(self) -> None:
        """Give way to another mode."""
        self.stop()

    def use_model(self, path: str) -> None:
        """Choose the model in this folder."""
        self.picker.choose(path)

    def save_state(self, state: QSettings) -> None:
        for key, picker in (("heatModel", self.picker), ("heatOther", self.other)):
            state.setValue(f"playground/{key}", str(picker.model.path) if picker.model else "")
        state.setValue("playground/heatTwo", "true" if self.two.isChecked() else "")

    # --- files -------------------------------------------------------------------------------------------------

    def choose_file(self) -> None:
        """Ask for a file and open it."""
        name, _ = QFileDialog.getOpenFileName(self, "Open a Go file", "", "Go files (*.go);;All files (*)")
        if name:
            self.open(Path(name))

    def open(self, path: Path) -> None:
        """Show a file's text; one that is too large or no text is a sentence."""

        def read() -> str:
            try:
                with path.open("rb") as file:
                    data = file.read(MOST_BYTES + 1)
            except OSError as error:
                raise UserError(f"{path} cannot be read: {error.strerror}.", "Choose another file.") from error
            if len(data) > MOST_BYTES:
                raise UserError(
                    f"{path.name} is larger than {byte_size(MOST_BYTES)}.", "Paste the part that you want to see."
                )
            try:
                return data.decode("utf-8-sig").replace("\r\n", "\n")
            except UnicodeDecodeError:
                raise UserError(f"{path.name} is not UTF-8 text.", "Choose a Go file.") from None

        self._bench.context.tasks.run(read, self._on_read, self._bench.banner.problem, owner=self)

    def _on_read(self, text: str) -> None:
        self.stop()
        self.view.set_code(text)
        self._bench.banner.clear()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasUrls() or event.mimeData().hasText():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        files = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        if files:
            self.open(files[0])
        elif event.mimeData().hasText():
            self.view.set_code(event.mimeData().text())
        event.acceptProposedAction()

    # --- scoring -----------------------------------------------------------------------------------------------

    def score(self) -> None:
        """Have the text scored by the chosen models."""
        text = self.view.toPlainText()
        wanted = [self.picker.model, self.other.model] if self.two.isChecked() else [self.picker.model]
        models = [one for one in wanted if one is not None]
        problem = None
        if not text.strip():
            problem = UserError("There is no text to colour.", "Paste some Go, or open a file.")
        elif len(text.encode()) > MOST_BYTES:
            problem = UserError(f"The text is larger than {byte_size(MOST_BYTES)}.", "Take a part of it.")
        elif len(models) < len(wanted):
            problem = UserError("There is no model to ask.", "Put a base model into the workspace's models folder.")
        elif len(models) == 2 and models[0] == models[1]:
            problem = UserError("A model does not differ from itself.", "Choose another as the second.")
        if problem is not None:
            self._bench.banner.problem(problem)
            return
        self._bench.banner.clear()
        self._score.setEnabled(False)
        self.progress.start("Reading", show=lambda count: f"{count:,} tokens")
        self.run.start(text, models)

    def stop(self) -> None:
        """End what is being scored."""
        self.run.stop()

    def _on_finished(self, scored: Scored) -> None:
        if scored.heat.text != self.view.toPlainText():
            return
        self.view.show_heat(scored.heat)
        self.side.show_scored(scored)
        if scored.heat.kind == PROBABILITY:
            self.legend.show_kind(PROBABILITY)
            return
        names = scored.heat.names
        self.legend.show_kind(scored.heat.kind, f"nats · blue: likelier to {names[1]}, orange: to {names[0]}", BY_BYTES)

    def _on_failed(self, error: UserError) -> None:
        self._bench.banner.problem(error)

    def _on_ended(self) -> None:
        self.progress.finish()
        self._score.setEnabled(True)

    def _on_text_changed(self) -> None:
        if self.view.heat is None:
            self.legend.show_kind("")
            self.side.clear()
