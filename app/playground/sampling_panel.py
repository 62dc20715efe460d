"""How the next answer is sampled, and below it what the last answer was really sampled with."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QGridLayout, QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from app.playground.preset_picker import PresetPicker
from app.theme import Theme
from app.widgets.buttons import Button
from app.widgets.fields import Field, integer_field, number_field, text_field
from app.widgets.labels import hairline, label, section
from core.errors import UserError
from core.inference import Finish, Sampling, validate
from core.inference.presets import Preset

NAMES = {
    "temperature": "temperatureField",
    "top_p": "topPField",
    "top_k": "topKField",
    "min_p": "minPField",
    "repetition_penalty": "repetitionPenaltyField",
    "max_tokens": "maxTokensField",
    "seed": "seedField",
    "stop": "stopField",
}

_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\t": "\\t", " ": "\\s"}
"""How white space is typed into the field of stop strings; the first one first."""


class SamplingPanel(QWidget):
    """Fields for every sampling setting; a wrong one says so below itself.

    Attributes: presets (a PresetPicker), system (the field of the system prompt). Signals: edited.
    """

    edited = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "surface")
        self._fields: list[Field] = [
            number_field("temperature", "Temperature", "0 always takes the likeliest token; up to 2."),
            number_field("top_p", "Top-p", "Only the likeliest tokens that add up to this share."),
            integer_field("top_k", "Top-k", "Only so many of the likeliest tokens; 0 for all."),
            number_field("min_p", "Min-p", "Only tokens at least this likely beside the likeliest; 0 for all."),
            number_field("repetition_penalty", "Repetition penalty", "1 for none. More than 1.1 hurts code."),
            integer_field("max_tokens", "Max new tokens"),
            text_field("seed", "Seed", "Empty for a new one each time. The same seed gives the same answer."),
            text_field("stop", "Stop strings", "Separated by spaces; \\n is a line end, \\s a space."),
        ]
        grid = QGridLayout()
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(8)
        for place, field in enumerate(self._fields):
            field.editor.setObjectName(NAMES[field.key])
            field.edited.connect(self._on_edited)
            grid.addWidget(field.cell(), place // 2, place % 2)
        self._chat = Button("Chat", theme, kind="segment", name="modeChat")
        self._plain = Button("Completion", theme, kind="segment", name="modeCompletion")
        modes = QHBoxLayout()
        group = QButtonGroup(self)
        for button in (self._chat, self._plain):
            button.setCheckable(True)
            group.addButton(button)
            modes.addWidget(button)
        modes.addStretch(1)
        self._chat.setChecked(True)
        group.buttonClicked.connect(self._on_edited)
        self.system = QPlainTextEdit()
        self.system.setObjectName("systemField")
        self.system.setAccessibleName("System prompt")
        self.system.setPlaceholderText("System prompt (optional)")
        self.system.setFixedHeight(56)
        self.system.setTabChangesFocus(True)
        self._used = label("Nothing was generated yet.", tone="dim", size=12, wrap=True, name="settingsUsed")
        self._speed = label(tone="dim", size=12, wrap=True, name="answerSpeed")
        self._speed.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 10, 14, 10)
        layout.setSpacing(8)
        self.presets = PresetPicker(theme, self._for_preset)
        self.presets.chosen.connect(self._on_preset)
        self.system.textChanged.connect(self.edited)
        layout.addLayout(modes)
        layout.addWidget(self.presets)
        layout.addLayout(grid)
        layout.addWidget(self.system)
        layout.addWidget(hairline())
        layout.addWidget(section("Last answer"))
        layout.addWidget(self._speed)
        layout.addWidget(self._used)
        layout.addStretch(1)
        self._fill(Sampling())

    @property
    def chat(self) -> bool:
        """Is the prompt a turn of a chat, not the start of a text?"""
        return self._chat.isChecked()

    def _fill(self, sampling: Sampling) -> None:
        for field in self._fields:
            if field.key == "seed":
                field.write("" if sampling.seed is None else sampling.seed)
            elif field.key == "stop":
                field.write(" ".join(map(_written, sampling.stop)))
            else:
                field.write(getattr(sampling, field.key))

    def state(self) -> str:
        """Mode, system prompt and settings as text, for the next window; settings that are wrong are not kept."""
        sampling = self.sampling()
        kept = {"chat": self.chat, "system": self.system.toPlainText(), "sampling": sampling and asdict(sampling)}
        return json.dumps(kept)

    def restore(self, state: str) -> None:
        """Take what `state` gave an earlier window, as far as it is understood."""
        try:
            kept = json.loads(state)
            sampling = validate(**kept["sampling"]) if kept["sampling"] else Sampling()
            (self._chat if kept["chat"] else self._plain).setChecked(True)
            self.system.setPlainText(str(kept["system"]))
        except (ValueError, TypeError, KeyError, UserError):
            return
        self._fill(sampling)

    def sampling(self) -> Sampling | None:
        """What the fields say, or None while one of them is wrong; it is marked."""
        values: dict[str, Any] = {}
        for field in self._fields:
            field.show_error("")
            values[field.key] = field.read()
        seed = str(values.pop("seed")).strip()
        if seed:
            values["seed"] = int(seed) if seed.isdecimal() else seed
        stops = str(values.pop("stop")).split()
        values["stop"] = tuple(map(_read, stops))
        try:
            return validate(**values)
        except UserError as error:
            wrong = next((f for f in self._fields if f.key in error.message), self._fields[0])
            wrong.show_error(str(error))
            return None

    def _for_preset(self) -> tuple[Sampling, str] | None:
        sampling = self.sampling()
        return None if sampling is None else (sampling, self.system.toPlainText())

    def _on_preset(self, preset: Preset) -> None:
        self._fill(preset.applied(self.sampling() or Sampling()))
        if preset.system is not None:
            self.system.setPlainText(preset.system)
        self.sampling()
        self.edited.emit()

    def show_finish(self, finish: Finish) -> None:
        """Show what the answer was sampled with, how fast it came and why it ended."""
        used = ", ".join(f"{name} {value}" for name, value in finish.settings.items() if value not in (None, (), []))
        self._used.setText(f"Really used: {used}")
        facts = [f"{finish.tokens:,} tokens"]
        if finish.tokens_per_second is not None:
            facts.append(f"{finish.tokens_per_second:,.1f} tokens/s")
        if finish.time_to_first_token is not None:
            facts.append(f"first after {finish.time_to_first_token * 1000:,.0f} ms")
        facts.append({"stop": "ended by itself", "length": "cut at max new tokens"}.get(finish.reason, finish.reason))
        self._speed.setText(", ".join(facts))
        self._speed.show()

    def _on_edited(self) -> None:
        self.presets.forget()
        self.sampling()
        self.edited.emit()


def _written(stop: str) -> str:
    """A stop string as it is typed: without white space, which parts one from the next."""
    for letter, escape in _ESCAPES.items():
        stop = stop.replace(letter, escape)
    return stop


def _read(typed: str) -> str:
    letters = {escape: letter for letter, escape in _ESCAPES.items()}
    return re.sub(r"\\[\\nts]", lambda found: letters[found[0]], typed)
