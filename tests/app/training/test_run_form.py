"""The form of a run: every key of the configuration goes in and comes out, and what is wrong is marked where it stands."""

from __future__ import annotations

from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

from app.theme import Theme
from app.training.run_form import RunForm
from core.training.config import RunConfig
from core.training.config_file import to_mapping
from core.training.presets import apply, list_presets
from core.training.problems import check


def whole(form: RunForm) -> RunConfig:
    values = form.values()
    values["model"] = {"base": "starter"}
    values["data"]["snapshot"] = "gold"
    made = check(values)
    assert isinstance(made, RunConfig), made
    return made


def test_every_preset_survives_the_form(theme: Theme, qtbot: QtBot) -> None:
    form = RunForm(theme)
    qtbot.addWidget(form)
    for preset in list_presets():
        wanted = apply(preset, base="starter", snapshot="gold", name="x")
        form.set_values(to_mapping(wanted))
        assert to_mapping(whole(form)) == to_mapping(wanted)


def test_what_cannot_be_read_is_marked_at_its_field_and_nowhere_else(theme: Theme, qtbot: QtBot) -> None:
    form = RunForm(theme)
    qtbot.addWidget(form)
    form.set_values(to_mapping(apply(list_presets()[0], base="starter", snapshot="gold", name="x")))
    rate = form.findChild(QLineEdit, "field-optimizer.learning_rate")
    rate.clear()
    with qtbot.waitSignal(form.edited):
        qtbot.keyClicks(rate, "fast")
    values = form.values()
    values["model"], values["data"]["snapshot"] = {"base": "starter"}, "gold"
    problems = check(values)
    assert isinstance(problems, list)
    form.show_errors({problem.key: problem.message for problem in problems})
    marked = {key for key, field in form.fields.items() if field.note.text()}
    assert marked == {"optimizer.learning_rate"}
    assert rate.property("invalid") is True
    form.show_errors({})
    assert rate.property("invalid") is False


def test_lora_settings_sleep_during_full_fine_tuning(theme: Theme, qtbot: QtBot) -> None:
    form = RunForm(theme)
    qtbot.addWidget(form)
    form.set_values({"method": {"kind": "full"}})
    assert not form.fields["method.rank"].editor.isEnabled()
    form.set_values({"method": {"kind": "lora"}})
    assert form.fields["method.rank"].editor.isEnabled()
