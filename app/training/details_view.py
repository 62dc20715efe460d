"""What a run was made from and asked to do, and the checkpoints it saved: each says where it comes from and is one click from being tried."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QFrame, QGridLayout, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from app.theme import Theme
from app.training.origin_panel import OriginPanel
from app.widgets.buttons import Button
from app.widgets.labels import ElidedLabel, label, section
from core.files import read_json
from core.samples.language import Condition, Query, render
from core.training import origin
from core.training.origin import Origin


class DetailsView(QScrollArea):
    """Data, base, checkpoints and settings of one run.

    Signals: checkpoint_chosen(path), when the user wants to try a checkpoint or the base; evaluation_wanted(path), to evaluate one;
    samples_wanted(text), a search for the samples of the snapshot; copied(words).
    """

    checkpoint_chosen = Signal(str)
    evaluation_wanted = Signal(str)
    samples_wanted = Signal(str)
    copied = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._shown: tuple[object, ...] = ()
        self._output: Path | None = None
        self._chosen = ""
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("Settings and checkpoints")

    def show_run(self, request: dict[str, Any], output: Path) -> None:
        """Show what was asked of a run and what lies in its output folder; nothing happens when that is shown already."""
        shown = (repr(request), output, origin.stamps(output))
        if shown == self._shown:
            return
        self._shown = shown
        same = output == self._output
        place = self.verticalScrollBar().value() if same else 0
        focused = self._focused_name() if same else ""
        if not same:
            self._output, self._chosen = output, ""
        self._rebuild(request, origin.checkpoints(output))
        self.verticalScrollBar().setValue(place)
        again = self.findChild(QWidget, focused) if focused else None
        if again is not None:
            again.setFocus(Qt.FocusReason.OtherFocusReason)

    def _rebuild(self, request: dict[str, Any], checkpoints: Sequence[Origin]) -> None:
        body = QWidget()
        body.setProperty("kind", "page")
        layout = QVBoxLayout(body)
        layout.setContentsMargins(0, 4, 12, 4)
        layout.setSpacing(8)
        layout.addWidget(section("Made from"))
        layout.addLayout(self._snapshot_row(request, checkpoints))
        layout.addLayout(self._base_row(request))
        layout.addSpacing(8)
        layout.addWidget(section("Checkpoints"))
        if not checkpoints:
            layout.addWidget(label("None saved yet.", tone="dim"))
        else:
            self._add_checkpoints(layout, checkpoints)
        layout.addSpacing(8)
        layout.addWidget(section("Settings"))
        layout.addLayout(_settings_grid(request.get("config", {})))
        layout.addStretch(1)
        self.setWidget(body)

    def _focused_name(self) -> str:
        body = self.widget()
        focused = body.focusWidget() if body is not None else None
        return focused.objectName() if focused is not None and focused.hasFocus() else ""

    # --- what it was made from ---------------------------------------------------------------------------------

    def _snapshot_row(self, request: dict[str, Any], checkpoints: Sequence[Origin]) -> QHBoxLayout:
        name = str(request.get("config", {}).get("data", {}).get("snapshot", ""))
        manifest = read_json(Path(request.get("snapshot", "")) / "manifest.json")
        row = _row("Snapshot", name)
        words = "no longer there"
        if manifest is not None:
            words = f"{manifest.get('samples', 0):,} samples, {str(manifest.get('sha256', ''))[:12]}"
            trained_on = {one.snapshot_hash for one in checkpoints} - {""}
            if trained_on and str(manifest.get("sha256")) not in trained_on:
                words = "another snapshot has this name now"
        row.addWidget(ElidedLabel(words, tone="faint"), 1)
        if manifest is not None:
            show = Button("Show its samples", self._theme, kind="link", name="showSamples")
            show.setAccessibleName(f"Show the samples of snapshot {name}")
            show.clicked.connect(partial(self._on_samples_clicked, name))
            row.addWidget(show)
        return row

    def _on_samples_clicked(self, snapshot: str, _checked: bool = False) -> None:
        self.samples_wanted.emit(render(Query(conditions=(Condition("snapshot", (snapshot,)),))))

    def _base_row(self, request: dict[str, Any]) -> QHBoxLayout:
        named, path = str(request.get("config", {}).get("model", {}).get("base", "")), str(request.get("base", ""))
        row = _row("Base", named if len(named) <= 40 else "…" + named[-39:])
        row.addWidget(ElidedLabel(path, tone="faint"), 1)
        if path:
            row.addWidget(self._try_button(path, "the base", "try-base"))
            row.addWidget(self._evaluate_button(path, "the base", "evaluate-base"))
        return row

    def _try_button(self, path: str, what: str, name: str) -> Button:
        button = Button("Try in playground", self._theme, kind="link", name=name)
        button.setAccessibleName(f"Try {what} in the playground")
        button.clicked.connect(partial(self._on_try_clicked, path))
        return button

    def _on_try_clicked(self, path: str, _checked: bool = False) -> None:
        self.checkpoint_chosen.emit(path)

    def _evaluate_button(self, path: str, what: str, name: str) -> Button:
        button = Button("Evaluate…", self._theme, kind="link", name=name)
        button.setAccessibleName(f"Evaluate {what}")
        button.clicked.connect(partial(self._on_evaluate_clicked, path))
        return button

    def _on_evaluate_clicked(self, path: str, _checked: bool = False) -> None:
        self.evaluation_wanted.emit(path)

    # --- checkpoints -------------------------------------------------------------------------------------------

    def _add_checkpoints(self, layout: QVBoxLayout, checkpoints: Sequence[Origin]) -> None:
        panel = OriginPanel(self._theme)
        panel.copied.connect(self.copied)
        group = QButtonGroup(panel)
        chosen = next((one for one in checkpoints if one.path.name == self._chosen), checkpoints[0])
        for one in checkpoints:
            choose = Button(one.path.name, self._theme, kind="segment", name=f"origin-{one.path.name}")
            choose.setToolTip("Show where it comes from")
            choose.setAccessibleName(f"Where {one.path.name} comes from")
            choose.setCheckable(True)
            choose.setChecked(one is chosen)
            choose.toggled.connect(partial(self._on_origin_toggled, panel, one))
            group.addButton(choose)
            layout.addLayout(self._checkpoint_row(choose, one))
        panel.show_origin(chosen)
        layout.addWidget(panel)

    def _on_origin_toggled(self, panel: OriginPanel, one: Origin, checked: bool) -> None:
        if checked:
            self._chosen = one.path.name
            panel.show_origin(one)

    def _checkpoint_row(self, choose: Button, one: Origin) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(choose)
        losses = (("loss", one.loss), ("validation", one.validation_loss))
        words = ElidedLabel(
            " · ".join(f"{name} {value:.3f}" for name, value in losses if value is not None), tone="dim"
        )
        row.addWidget(words, 1)
        if one.best:
            best = label("best", tone="good")
            best.setToolTip("The lowest validation loss of those that are kept")
            row.addWidget(best)
        row.addWidget(self._try_button(str(one.path), one.path.name, f"try-{one.path.name}"))
        row.addWidget(self._evaluate_button(str(one.path), one.path.name, f"evaluate-{one.path.name}"))
        return row


def _row(name: str, value: str) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(8)
    caption = label(name, tone="dim")
    caption.setFixedWidth(72)
    row.addWidget(caption)
    row.addWidget(label(value))
    return row


def _settings_grid(config: dict[str, Any]) -> QGridLayout:
    grid = QGridLayout()
    grid.setHorizontalSpacing(24)
    grid.setVerticalSpacing(4)
    flat = [(name, value) for name, value in config.items() if not isinstance(value, dict)]
    for name, inner in config.items():
        if isinstance(inner, dict):
            flat += [(f"{name}.{key}", value) for key, value in inner.items()]
    for row, (key, value) in enumerate(flat):
        grid.addWidget(label(key, tone="dim"), row, 0)
        shown = label(str(value))
        shown.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        grid.addWidget(shown, row, 1)
    grid.setColumnStretch(1, 1)
    return grid
