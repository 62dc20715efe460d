"""The form of a run: every key of the configuration goes in and comes out, only what applies is shown, what is wrong or
changed is marked where it stands."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import shiboken6
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtWidgets import QApplication, QCheckBox, QComboBox, QLabel, QLineEdit, QToolButton
from pytestqt.qtbot import QtBot

from app.theme import Theme
from app.training.launch.run_form import RunForm
from app.training.launch.run_form_rules import REFUSED, RULES, flattened, nested
from app.training.launch.run_form_settings import AMOUNT, UNIT
from core.training.config import RunConfig
from core.training.config_file import flat, from_mapping, to_mapping
from core.training.help import LINES, defaults
from core.training.machine import Machine
from core.training.presets import apply, list_presets
from core.training.problems import check

GPUS = Machine("NVIDIA H200", 4, 141 << 30, 139 << 30)


@pytest.fixture
def form(theme: Theme) -> Iterator[RunForm]:
    """The form, shown, with all its groups built."""
    made = RunForm(theme)
    made.resize(420, 900)
    made.show()
    made.complete()
    made.set_values(nested(defaults()))
    yield made
    shiboken6.delete(made)


def whole(form: RunForm) -> RunConfig:
    values = form.values()
    values["model"] = {"base": "starter"}
    values["data"]["snapshot"] = "gold"
    made = check(values)
    assert isinstance(made, RunConfig), made
    return made


def choose(form: RunForm, key: str, value: object) -> None:
    """As a person does."""
    editor = form.fields[key].editor
    if isinstance(editor, QComboBox):
        editor.setCurrentIndex(editor.findData(value))
    elif isinstance(editor, QCheckBox):
        editor.setChecked(bool(value))
    else:
        assert isinstance(editor, QLineEdit)
        editor.setText(str(value))
        editor.textEdited.emit(str(value))


def shown(form: RunForm, key: str) -> bool:
    return not form.cells[key].isHidden()


def test_every_key_but_base_and_snapshot_stands_in_the_form(form: RunForm) -> None:
    assert set(form.fields) - {UNIT} == set(LINES) - {"model.base", "data.snapshot", "budget.epochs"}


def test_every_setting_has_a_name_and_a_hint_for_those_who_do_not_see_it(form: RunForm) -> None:
    for key, field in form.fields.items():
        assert field.editor.accessibleName(), key
        assert field.editor.accessibleDescription().endswith("."), key
        assert field.editor.toolTip(), key


def test_every_preset_survives_the_form(form: RunForm) -> None:
    for preset in list_presets():
        wanted = apply(preset, base="starter", snapshot="gold", name="x")
        form.set_values(to_mapping(wanted))
        assert to_mapping(whole(form)) == to_mapping(wanted)
        assert not any(cell.changed for cell in form.cells.values())


SAMPLES = {
    "name": st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=9),
    "seed": st.integers(0, 9999), "kernels": st.sampled_from(["auto", "on", "off"]), "tensorboard": st.booleans(),
    "data.max_length": st.integers(64, 8192), "data.packing": st.booleans(), "method.kind": st.sampled_from(["lora", "full"]),
    "method.rank": st.integers(1, 256), "method.alpha": st.floats(0.1, 99) | st.integers(1, 99), "method.dropout": st.floats(0, 0.9),
    "method.targets": st.sampled_from(["all-linear", ["q_proj", "v_proj"], ["a.b"]]), "method.dora": st.booleans(),
    "method.neftune": st.floats(0, 10), "optimizer.learning_rate": st.floats(1e-9, 1), "optimizer.clip": st.floats(0, 9),
    "optimizer.schedule": st.sampled_from(["cosine", "wsd"]), "optimizer.warmup": st.floats(0, 0.9) | st.integers(1, 7),
    "optimizer.decay": st.floats(0, 0.9), "parallel.compile": st.booleans(), "checkpoints.every": st.integers(0, 50),
    "validation.patience": st.integers(0, 5), "guard.spike": st.sampled_from(["note", "rewind"]),
}  # fmt: skip


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.fixed_dictionaries(SAMPLES), st.sampled_from([{"steps": 7}, {"epochs": 2}, {"epochs": 0.5}]))
def test_what_goes_in_comes_out(form: RunForm, values: dict[str, object], budget: dict[str, object]) -> None:
    data = nested(values)
    data["data"]["snapshot"], data["model"], data["budget"] = "gold", {"base": "starter"}, budget
    wanted = from_mapping(data)
    form.set_values(to_mapping(wanted))
    assert flat(whole(form)) == flat(wanted)


def test_the_same_before_the_groups_are_built_as_after(theme: Theme, qtbot: QtBot) -> None:
    form = RunForm(theme)
    qtbot.addWidget(form)
    wanted = apply(list_presets()[3], base="starter", snapshot="gold", name="x")
    form.set_values(to_mapping(wanted))
    assert "optimizer.warmup" not in form.fields
    before = form.values()
    qtbot.waitUntil(lambda: "seed" in form.fields)
    assert form.values() == before
    assert to_mapping(whole(form)) == to_mapping(wanted)


def test_what_cannot_be_read_is_marked_at_its_field_and_nowhere_else(form: RunForm, qtbot: QtBot) -> None:
    form.set_values(to_mapping(apply(list_presets()[0], base="starter", snapshot="gold", name="x")))
    clip = form.findChild(QLineEdit, "field-optimizer.clip")
    assert not clip.isVisible()
    clip.clear()
    with qtbot.waitSignal(form.edited):
        qtbot.keyClicks(clip, "fast")
    values = form.values()
    values["model"], values["data"]["snapshot"] = {"base": "starter"}, "gold"
    problems = check(values)
    assert isinstance(problems, list)
    form.show_errors({problem.key: problem.message for problem in problems})
    marked = {key for key, field in form.fields.items() if field.note.text()}
    assert marked == {"optimizer.clip"}
    assert clip.property("invalid") is True
    assert clip.isVisible()
    form.show_errors({})
    assert clip.property("invalid") is False


@pytest.mark.parametrize(
    ("key", "choices"),
    [
        ("method.rank", {"method.kind": "lora"}),
        ("optimizer.decay", {"optimizer.schedule": "wsd"}),
        ("parallel.mode", {"parallel.processes": 2}),
        ("parallel.replicas", {"parallel.processes": 2, "parallel.mode": "fsdp"}),
        ("parallel.rendezvous", {"parallel.nodes": 2}),
        ("data.turns", {"data.objective": "sft"}),
        ("validation.patience", {"validation.every": 5}),
        ("evaluation.problems", {"evaluation.suite": "workshop"}),
    ],
)
def test_what_applies_is_shown_and_what_does_not_is_gone(form: RunForm, key: str, choices: dict[str, object]) -> None:
    others = {"method.kind": "full", "data.objective": "text", "validation.every": 0}
    form.set_values(nested(others))
    assert not shown(form, key)
    for name, value in choices.items():
        choose(form, name, value)
    assert shown(form, key)
    assert form.fields[key].editor.isEnabled()


def test_what_no_longer_applies_does_not_contradict_what_is_seen(form: RunForm) -> None:
    form.set_machine(GPUS)
    for key, value in {
        "parallel.processes": 4, "parallel.mode": "fsdp", "parallel.replicas": 2, "parallel.offload": True,
        "validation.patience": 3, "data.turns": "last",
    }.items():  # fmt: skip
        choose(form, key, value)
    assert whole(form).parallel.replicas == 2
    for key, value in {"parallel.processes": 1, "validation.every": 0, "data.objective": "text"}.items():
        choose(form, key, value)
    found = flat(whole(form))
    assert {found[key] == defaults()[key] for key in REFUSED} == {True}
    choose(form, "parallel.processes", 4)
    assert whole(form).parallel.replicas == 2


def test_a_rule_looks_only_at_what_is_settled_before_it() -> None:
    order = list(RULES)
    assert order.index("parallel.mode") < order.index("parallel.replicas")
    assert set(RULES) <= set(LINES)
    assert set(RULES) >= REFUSED


def test_what_differs_from_the_preset_is_marked_and_set_back(form: RunForm, qtbot: QtBot) -> None:
    form.set_values(to_mapping(apply(list_presets()[1], base="starter", snapshot="gold", name="x")))
    form.groups[0].header.click()
    choose(form, "method.rank", 64)
    cell = form.cells["method.rank"]
    assert cell.changed
    assert any(item.text() == "1 changed" for item in form.groups[0].findChildren(QLabel))
    arrow = form.findChild(QToolButton, "reset-method.rank")
    assert "16" in arrow.accessibleName()
    with qtbot.waitSignal(form.edited):
        arrow.click()
    assert not cell.changed
    assert whole(form).method.rank == 16


def test_steps_do_not_become_as_many_passes(form: RunForm) -> None:
    form.set_values({"budget": {"steps": 300}})
    choose(form, UNIT, "epochs")
    assert form.values()["budget"] == {"epochs": 3}
    choose(form, AMOUNT, 0.5)
    choose(form, UNIT, "steps")
    assert form.values()["budget"] == {"steps": 300}
    choose(form, UNIT, "epochs")
    assert form.values()["budget"] == {"epochs": 0.5}


def test_a_setting_is_found_by_what_it_does_also_where_it_does_not_apply(form: RunForm) -> None:
    form.filter.setText("wsd falls")
    assert form.cells["optimizer.decay"].isVisible()
    assert not form.fields["optimizer.decay"].editor.isEnabled()
    assert not form.cells["optimizer.clip"].isVisible()
    assert [group.title for group in form.groups if group.isVisible()] == ["Optimizer"]
    form.filter.setText("no such thing")
    assert form.findChild(QLabel, "noSetting").isVisible()
    form.filter.clear()
    assert all(group.isVisible() for group in form.groups)
    assert not form.cells["optimizer.decay"].isVisible()


def test_gpus_are_those_of_the_machine_and_a_higher_wish_is_kept(form: RunForm) -> None:
    form.set_values({"parallel": {"processes": 8}})
    form.set_machine(GPUS)
    box = form.fields["parallel.processes"].editor
    assert isinstance(box, QComboBox)
    assert [box.itemText(place) for place in range(4)] == ["1 of 4", "2 of 4", "3 of 4", "4 of 4"]
    assert box.accessibleName() == "GPUs"
    assert "H200" in box.toolTip()
    assert form.values()["parallel"]["processes"] == 8


def test_gpus_that_are_named_are_as_many_as_there_are_processes(form: RunForm, qtbot: QtBot) -> None:
    form.complete()
    line = form.fields["parallel.gpus"].editor
    assert isinstance(line, QLineEdit)
    line.clear()
    qtbot.keyClicks(line, "0, 2")
    assert form.values()["parallel"]["gpus"] == [0, 2]
    assert form.values()["parallel"]["processes"] == 2
    line.clear()
    qtbot.keyClicks(line, "x")
    assert form.values()["parallel"]["gpus"] == ["x"], "what is wrong is for the check to say"


def test_the_meaning_of_a_setting_is_told_when_the_keyboard_comes_to_it(form: RunForm, qtbot: QtBot) -> None:
    form.activateWindow()
    form.fields["name"].editor.setFocus()
    with qtbot.waitSignal(form.hinted) as told:
        form.fields["method.kind"].editor.setFocus()
    assert told.args == [LINES["method.kind"]]
    assert QApplication.focusWidget() is form.fields["method.kind"].editor


def test_flat_and_nested_are_two_ways_to_say_the_same() -> None:
    values = {"name": "x", "method": {"rank": 3}, "data": {"packing": True}}
    assert nested(flattened(values)) == values
