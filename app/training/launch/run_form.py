"""The settings of a run as a form: what everybody sets in front, the rest in groups that stay closed until they are wanted.

It turns a nested configuration into fields and back, shows only what applies, marks what differs from the preset and what a
check complains of. It knows no bounds of its own: those stand in `core.training.sections`. The groups are built one by one after
the form is shown, because all of them at once would be felt.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QApplication, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from app import icons
from app.theme import Theme
from app.training.launch.run_form_cell import SettingCell
from app.training.launch.run_form_group import SettingGroup, two_columns
from app.training.launch.run_form_rules import RULES, Flat, effective, flattened, nested
from app.training.launch.run_form_settings import AMOUNT, FRONT, GPUS, GROUPS, PROCESSES, UNIT, Group, Setting
from app.widgets.fields import (
    Field,
    amount_field,
    choice_field,
    integer_field,
    names_field,
    switch_field,
    text_field,
)
from app.widgets.labels import label, section
from app.widgets.suggestions import Suggestions
from core.training.help import LINES, defaults, value_text
from core.training.machine import Machine

_HINTS = {
    UNIT: "Steps of the optimizer, or passes over the data; 1 to 3 passes are usual.",
    AMOUNT: "How many of them; parts of a pass such as 0.5 are fine.",
}
_USUAL = {"steps": 300, "epochs": 3}


class RunForm(QWidget):
    """Edits everything of a run configuration but its base and its snapshot, which the dialog asks for.

    Signals: edited, whenever a person changed a value; hinted(line), what the setting does that has the keyboard.
    """

    edited = Signal()
    hinted = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._filling = False
        self._preset: Flat = {}
        self._amounts: dict[str, object] = dict(_USUAL)
        self._unit = "steps"
        self.fields: dict[str, Field] = {}
        self.cells: dict[str, SettingCell] = {}
        self._suggested: dict[str, Sequence[str]] = {}
        front = QWidget()
        grid = two_columns(front)
        for place, setting in enumerate(FRONT):
            grid.addWidget(self._cell(setting), place // 2, place % 2)
        self.groups = [SettingGroup(group.title, theme) for group in GROUPS]
        for group in self.groups:
            group.opened.connect(self.complete)
        self._missing = list(zip(self.groups, GROUPS, strict=True))
        self._waiting = {setting.key: defaults()[setting.key] for group in GROUPS for setting in group.settings}
        self.filter = QLineEdit()
        self.filter.setObjectName("settingsFilter")
        self.filter.setPlaceholderText("Find a setting")
        self.filter.setAccessibleName("Find a setting")
        self.filter.setClearButtonEnabled(True)
        self.filter.textChanged.connect(self._on_filter_changed)
        self._lens = self.filter.addAction(
            icons.icon("magnifying-glass", theme.tokens.faint), QLineEdit.ActionPosition.LeadingPosition
        )
        theme.changed.connect(self._on_theme_changed)
        self._nothing = label("No setting matches.", tone="dim", name="noSetting")
        self._nothing.hide()
        head = QHBoxLayout()
        head.setContentsMargins(0, 6, 0, 0)
        head.setSpacing(14)
        head.addWidget(section("All settings"), 1)
        head.addWidget(self.filter, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(front)
        layout.addLayout(head)
        layout.addWidget(self._nothing)
        for group in self.groups:
            layout.addWidget(group)
        layout.addStretch(1)
        _in_tab_order([self.fields[setting.key].editor for setting in FRONT] + [self.filter, self.groups[0].header])
        self.set_machine(None)
        self._builder = QTimer(self, interval=0)
        self._builder.timeout.connect(self._on_idle)
        self._builder.start()
        QApplication.instance().focusChanged.connect(self._on_focus_changed)

    def _cell(self, setting: Setting) -> SettingCell:
        field = _field(setting)
        field.edited.connect(self._on_edited)
        self.fields[setting.key] = field
        cell = SettingCell(field, self._theme)
        cell.reset_wanted.connect(self._on_reset_wanted)
        self.cells[setting.key] = cell
        return cell

    def _on_idle(self) -> None:
        """Build the next group, and see whether there is another."""
        if self._missing:
            self._build(*self._missing.pop(0))
        if not self._missing:
            self._builder.stop()
        self._refresh()

    def complete(self) -> None:
        """Build at once what is not there yet."""
        while self._missing:
            self._build(*self._missing.pop(0))
        self._refresh()

    def _build(self, shell: SettingGroup, group: Group) -> None:
        shell.fill([self._cell(setting) for setting in group.settings])
        self._filling = True
        for setting in group.settings:
            self.fields[setting.key].write(self._waiting.pop(setting.key))
            self._offer(setting.key)
        self._filling = False
        _in_tab_order([shell.header, *(self.fields[setting.key].editor for setting in group.settings)])

    def suggest(self, key: str, words: Sequence[str]) -> None:
        """Offer these for a setting that is free text."""
        self._suggested[key] = words
        if key in self.fields:
            self._offer(key)

    def _offer(self, key: str) -> None:
        line = self.fields[key].editor
        if isinstance(line, QLineEdit) and (words := self._suggested.get(key)):
            Suggestions(line, words, self._theme)

    def set_machine(self, machine: Machine | None) -> None:
        """Offer the GPUs of this machine, or processes where there is none or none was found yet."""
        gpus = machine.gpus if machine is not None else 0
        chosen = self.fields[PROCESSES].read()
        box = self.fields[PROCESSES].editor
        self._filling = True
        box.clear()
        for count in range(1, (gpus or min(8, os.cpu_count() or 1)) + 1):
            box.addItem(f"{count} of {gpus}" if gpus else str(count), count)
        self.fields[PROCESSES].write(chosen if chosen is not None else 1)
        self._filling = False
        self.cells[PROCESSES].set_caption("GPUs" if gpus else "Processes")
        if machine is not None and gpus:
            box.setToolTip(
                f"{LINES[PROCESSES]} Here: {gpus} × {machine.device}, {machine.memory / 2**30:.0f} GiB each."
            )

    def values(self) -> dict[str, Any]:
        """What stands in the form, nested as in the file; wrong values as they were typed."""
        flat, _ = effective(self._typed())
        budget = {str(flat.pop(UNIT)): flat.pop(AMOUNT)}
        return {**nested(flat), "budget": budget}

    def _typed(self) -> Flat:
        return {**self._waiting, **{key: field.read() for key, field in self.fields.items()}}

    def set_values(self, values: Mapping[str, Any]) -> None:
        """Fill the form from a preset or a file; from now on, what differs from this is marked. Keys not shown are passed over."""
        flat = flattened(values)
        self._filling = True
        for unit, usual in _USUAL.items():
            self._amounts[unit] = flat.get(f"budget.{unit}", usual)
        given = [unit for unit in _USUAL if f"budget.{unit}" in flat]
        if given:
            self._unit = given[0]
            flat |= {UNIT: given[0], AMOUNT: self._amounts[given[0]]}
        for key, field in self.fields.items():
            if key in flat:
                field.write(flat[key])
        self._waiting |= {key: flat[key] for key in self._waiting if key in flat}
        self._preset = {**self._typed(), **{key: value for key, value in flat.items() if key in self.fields}}
        self._filling = False
        self._refresh()

    def take(self, values: Mapping[str, Any]) -> None:
        """Put single values in, as if a person had typed them."""
        self._filling = True
        for key, value in flattened(values).items():
            self.fields[key].write(value)
        self._filling = False
        self._on_edited()

    def _on_edited(self) -> None:
        if self._filling:
            return
        unit = str(self.fields[UNIT].read())
        if unit != self._unit:
            self._amounts[self._unit] = self.fields[AMOUNT].read()
            self._unit = unit
            self.fields[AMOUNT].write(self._amounts[unit])
        chosen = self._typed()[GPUS]
        if isinstance(chosen, list):
            self.fields[PROCESSES].write(len(chosen))
        self._refresh()
        self.edited.emit()

    def _on_reset_wanted(self, key: str) -> None:
        self.fields[key].write(self._preset[key])
        self.fields[key].editor.setFocus()
        self._on_edited()

    def _on_filter_changed(self) -> None:
        self.complete()

    def _refresh(self) -> None:
        """Show what applies, or what is looked for, and mark what is not as the preset says."""
        values, idle = effective(self._typed())
        words = self.filter.text().casefold().split()
        for key, cell in self.cells.items():
            usual = self._preset.get(key, values[key])
            changed = key not in idle and key != "name" and values[key] != usual
            cell.set_changed(value_text(usual) if changed else None)
            cell.set_idle(RULES[key][0] if key in idle else "")
        for group in self.groups:
            if words:
                keys = [key for key, cell in group.cells.items() if _matches(words, group.title, cell)]
            else:
                keys = [key for key in group.cells if key not in idle]
            if group.cells:
                group.arrange(keys, searched=bool(words))
        self._nothing.setVisible(bool(words) and all(group.isHidden() for group in self.groups))

    def show_errors(self, errors: Mapping[str, str]) -> None:
        """Mark the fields of these keys with a sentence, clear the others, and open what hides a wrong one."""
        if any(key in self._waiting for key in errors):
            self.complete()
        for key, field in self.fields.items():
            shown = errors.get(key, "")
            if key == AMOUNT:
                shown = next((text for name, text in errors.items() if name.startswith("budget")), "")
            field.show_error(shown)
            if shown:
                for group in self.groups:
                    if key in group.cells:
                        group.set_open(True)

    def _on_focus_changed(self, _old: QWidget | None, now: QWidget | None) -> None:
        if now is None or not self.isAncestorOf(now):
            return
        key = now.objectName().removeprefix("field-")
        if key in self.fields:
            self.hinted.emit(_hint(key))

    def _on_theme_changed(self) -> None:
        self._lens.setIcon(icons.icon("magnifying-glass", self._theme.tokens.faint))


def _in_tab_order(widgets: list[QWidget]) -> None:
    """The keyboard goes from one to the next, whenever they were made."""
    for before, after in pairwise(widgets):
        QWidget.setTabOrder(before, after)


def _field(setting: Setting) -> Field:
    tip = _hint(setting.key)
    if setting.kind == "choice":
        made = choice_field(setting.key, setting.caption, setting.choices, tip)
    elif setting.kind == "names":
        made = names_field(setting.key, setting.caption, tip, every=str(defaults()[setting.key]))
    else:
        make = {"text": text_field, "whole": integer_field, "number": amount_field, "switch": switch_field}
        made = make[setting.kind](setting.key, setting.caption, tip)
    made.editor.setAccessibleDescription(tip)
    return made


def _hint(key: str) -> str:
    return _HINTS.get(key) or LINES[key]


def _matches(words: list[str], title: str, cell: SettingCell) -> bool:
    """All words stand in what people read of a setting, or in its key."""
    field = cell.field
    text = f"{title} {field.caption} {field.key} {_hint(field.key)}".casefold()
    return all(word in text for word in words)
